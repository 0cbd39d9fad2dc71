package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// withLead gives a new user what every report counts, with one lead id in all of it. Two users
// differ in nothing but their own id and the lead's.
func withLead(t *testing.T, st store.Store, lead string) uuid.UUID {
	t.Helper()
	user := uuid.New()
	s := st.ForUser(user)
	id := func(n byte) uuid.UUID { return uuid.UUID{0: 1, 6: 0x70, 8: 0x80, 15: n} }
	c := &conversation.Conversation{ID: id(1), LeadID: lead, Title: "title", CreatedAt: epoch}
	for i, d := range []message.Direction{message.DirectionInbound, message.DirectionOutbound, message.DirectionInbound} {
		c.Messages = append(c.Messages, &message.Message{
			ID: id(byte(2 + i)), Direction: d, Content: "word", SentAt: epoch.Add(time.Duration(i) * time.Minute), CreatedAt: epoch,
			Attachments: message.Attachments{{Filename: "a.txt", ContentType: "text/plain", Size: 1}},
		})
	}
	require.NoError(t, s.Conversations().Create(t.Context(), c))
	require.NoError(t, s.Suggestions().Create(t.Context(), &suggestion.Suggestion{
		ID: id(9), ConversationID: c.ID, SuggestedContent: "draft", ConfidenceScore: new(0.9), GenerationCost: decimal.New(1, -2),
		Status: suggestion.StatusApproved, CreatedAt: epoch, UpdatedAt: epoch, ReviewedAt: new(epoch.Add(time.Second)),
	}))
	return user
}

// answers is what every method of the reports says to a user, without the user's id and the lead's.
func answers(t *testing.T, s store.Scope, user uuid.UUID, lead string) map[string]string {
	t.Helper()
	all := map[string]string{}
	anonymous := strings.NewReplacer(user.String(), "the user", lead, "the lead")
	for name, calls := range reportCalls() {
		for i, c := range calls {
			if c.want == refused {
				continue // the cursor of an estate
			}
			args := c.args(&estate{live: &conversation.Conversation{CreatedAt: epoch}}, uuid.Nil)
			results, err := invoke(t.Context(), s, "Reports."+name, args)
			require.NoError(t, err, name)
			doc, err := json.Marshal(results)
			require.NoError(t, err)
			all[fmt.Sprint(name, " ", i)] = anonymous.Replace(string(doc))
		}
	}
	return all
}

// leadsOfOthersAreAsAbsent: whoever names the lead of another user learns no more than whoever
// names a lead that does not exist.
func leadsOfOthersAreAsAbsent(t *testing.T, st store.Store) {
	owner := withLead(t, st, "lead-of-a")
	curious, mistaken := withLead(t, st, "lead-of-a"), withLead(t, st, "lead-of-n")
	insertLeads(t, st, map[leadKey]hostLead{{owner, "lead-of-a"}: {title: new("Secret"), category: new("secret")}})

	sees := answers(t, st.ForUser(owner), owner, "lead-of-a")
	for _, name := range []string{"ResponseTimesByLead 0", "CostsByLead 0", "Unread 0", "MostActive 0", "MessagesWithAttachments 0"} {
		assert.Contains(t, sees[name], "Secret", name)
	}
	assert.Contains(t, sees["ResponseRate 0"], "secret")

	learns := answers(t, st.ForUser(curious), curious, "lead-of-a")
	assert.Equal(t, answers(t, st.ForUser(mistaken), mistaken, "lead-of-n"), learns)
	for name, said := range learns {
		assert.NotContains(t, strings.ToLower(said), "secret", name)
	}

	// In the scope of all users, too, the lead is that of its owner alone.
	rows, err := st.AllUsers().Reports().CostsByLead(t.Context(), store.Top{})
	require.NoError(t, err)
	titles := map[uuid.UUID]string{}
	for _, r := range rows {
		titles[r.UserID] = r.LeadTitle
	}
	assert.Equal(t, map[uuid.UUID]string{owner: "Secret", curious: "", mistaken: ""}, titles)
	rates, err := st.AllUsers().Reports().ResponseRate(t.Context(), "category", store.Period{})
	require.NoError(t, err)
	assert.Equal(t, []store.ResponseRate{{Value: "secret", Started: 1, Answered: 1}}, rates)

	must[store.Counts](t)(st.ForUser(curious).Maintenance().EraseLead(t.Context(), "lead-of-a"))
	assert.Equal(t, sees, answers(t, st.ForUser(owner), owner, "lead-of-a"), "to erase a lead is to erase one's own")
}

// leadsOfNobodyAreForAllUsers: where the host has not said whose a lead is, no user sees its row.
func leadsOfNobodyAreForAllUsers(t *testing.T, opened store.Store) {
	st, err := convostore.New(t.Context(), opened.DB(t.Context()),
		convostore.WithLeads(store.HostTable{Name: leadsTable, Title: "title", Columns: []string{"category"}}))
	require.NoError(t, err)
	user := withLead(t, st, "lead-of-a")
	insertLeads(t, st, map[leadKey]hostLead{{uuid.New(), "lead-of-a"}: {title: new("Secret"), category: new("secret")}})

	mine, all := st.ForUser(user).Reports(), st.AllUsers().Reports()
	unread, err := mine.Unread(t.Context(), time.Time{}, page)
	require.NoError(t, err)
	require.Len(t, unread.Items, 1)
	assert.Equal(t, store.LeadRef{LeadID: "lead-of-a"}, unread.Items[0].LeadRef)
	for name, r := range map[string]store.Reports{"": mine, "Secret": all} {
		rows, err := r.ResponseTimesByLead(t.Context(), store.Top{})
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, store.LeadRef{LeadID: "lead-of-a", LeadTitle: name}, rows[0].LeadRef)
		assert.Equal(t, user, rows[0].UserID)
	}
	_, err = mine.ResponseRate(t.Context(), "category", store.Period{})
	invalid(t, err, "column")
	rates, err := all.ResponseRate(t.Context(), "category", store.Period{})
	require.NoError(t, err)
	assert.Equal(t, []store.ResponseRate{{Value: "secret", Started: 1, Answered: 1}}, rates)
}
