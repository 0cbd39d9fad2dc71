package mailexport_test

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/mailbox/mailexport"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

var user = uuid.MustParse("6a8b5d0e-0c67-4c1e-9a6e-2f4a7a0f3b11")

func open(tb testing.TB) store.Store {
	tb.Helper()
	st, err := sqlite.OpenMemory(tb.Context(), convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	return st
}

func imported(tb testing.TB, mbox string) store.Store {
	tb.Helper()
	st, path := open(tb), filepath.Join(tb.TempDir(), "in.mbox")
	require.NoError(tb, os.WriteFile(path, []byte(mbox), 0o600))
	r, err := mailimport.Import(tb.Context(), st, mailimport.Options{UserID: user, Mine: []string{"me@acme.example"}, Paths: []string{path}})
	require.NoError(tb, err)
	require.Empty(tb, r.Problems)
	return st
}

func exported(tb testing.TB, st store.Store) (string, mailexport.Result) {
	tb.Helper()
	var out bytes.Buffer
	r, err := mailexport.Write(tb.Context(), st, user, &out, mailexport.Options{})
	require.NoError(tb, err)
	return out.String(), r
}

// threads are the Message-IDs and texts of the conversations of a user, one text each.
func threads(tb testing.TB, st store.Store) (all []string) {
	tb.Helper()
	for c, err := range st.ForUser(user).Conversations().All(tb.Context(), store.ConversationFilter{}) {
		require.NoError(tb, err)
		text := fmt.Sprintf("%q", c.Subject)
		for m, err := range st.ForUser(user).Messages().All(tb.Context(), c.ID, store.MessageFilter{}) {
			require.NoError(tb, err)
			text += fmt.Sprintf("\n%s %s %s→%s %s %q %q", m.EmailMessageID, m.Direction, m.SenderEmail, m.RecipientEmail, m.SentAt, m.Content,
				[]string{addresses(m.Headers.Get("From")), addresses(m.Headers.Get("Cc")), m.Headers.Get("X-Mailer"), m.Headers.Get("Subject")})
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// addresses are those of a field, however it quotes their names.
func addresses(field string) string {
	all, _ := mail.ParseAddressList(field) // none
	return fmt.Sprint(all)
}

var mails = strings.Join([]string{
	"From x Thu Nov 26 08:00:00 2026",
	"From: =?utf-8?q?J=C3=BCrgen_=22J=22_M=C3=BCller?= <juergen@example.com>", "To: me@acme.example", "Cc: Ann <ann@example.com>, bob@example.com",
	"Subject: =?utf-8?b?R3LDvMOfZSDwn5iA?=", "Message-ID: <1@example.com>", "Date: Thu, 26 Nov 2026 08:00:00 +0000", "X-Mailer: Ma=?utf-8?q?=C3=AF?=l",
	"Content-Type: text/plain; charset=utf-8", "",
	">From here it hurts", ">>From there too", "Fromage", "a line with spaces at its end   ", "=3D is no equals sign", ".", "",
	"From x Thu Nov 26 09:00:00 2026",
	"From: me@acme.example", "To: juergen@example.com", "Subject: Re: an answer", "Message-ID: <2@acme.example>", "In-Reply-To: <1@example.com>",
	"References: <0@example.com> <1@example.com>", "Date: Thu, 26 Nov 2026 09:00:00 +0000", "",
	strings.Repeat("long ", 500), "",
	"From x Thu Nov 26 10:00:00 2026",
	"From: carl@example.com", "To: me@acme.example", "Subject: another matter", "Message-ID: <3@example.com>", "Date: Thu, 26 Nov 2026 10:00:00 +0000", "",
	"Hello", "", "",
}, "\n")

// TestRoundTrip: what was exported is, imported again, the same, and so is another export of that.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	first := imported(t, mails)
	before := threads(t, first)
	require.Len(t, before, 2)
	require.Contains(t, strings.Join(before, "\n"), "From here it hurts\\n>From there too")
	out, r := exported(t, first)
	assert.Equal(t, mailexport.Result{Conversations: 2, Messages: 3}, r)
	second := imported(t, out)
	assert.Equal(t, before, threads(t, second))
	again, _ := exported(t, second)
	assert.Equal(t, sorted(t, out), sorted(t, again))
}

// sorted are the mails of a mbox file: conversations made in the same moment come in any order.
func sorted(tb testing.TB, mbox string) (all []string) {
	tb.Helper()
	for it, err := range mailbox.Mbox(strings.NewReader(mbox), mailbox.MboxRD) {
		require.NoError(tb, err)
		all = append(all, string(it.Raw))
	}
	slices.Sort(all)
	return all
}

// TestChat: what never was mail becomes a thread of mails, and what nobody sent to anybody is left out.
func TestChat(t *testing.T) {
	t.Parallel()
	st := open(t)
	mine, ctx := st.ForUser(user), t.Context()
	c := &conversation.Conversation{Title: "A chair"}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	ms := []*message.Message{
		{Role: message.RoleSystem, Content: "be kind"},
		{Role: message.RoleUser, Content: "What does it cost?", Author: "Ann\tÄrmel", SenderEmail: "ann@example.com", Attachments: message.Attachments{{Filename: "ä\r\nX: y.pdf", ContentType: "application/pdf", Size: 7}}},
		{Direction: message.DirectionInbound, Kind: message.KindNote, Content: "a note"},
		{Role: message.RoleAssistant, Content: "4 euros", Model: "model"},
		{Direction: message.DirectionOutbound, Content: "not sent", Delivery: message.DeliveryCancelled},
		{Role: message.RoleUser, Content: "Thanks"},
	}
	for i, m := range ms {
		m.SentAt = at.Add(time.Duration(i) * time.Minute)
		_, err := mine.Messages().Append(ctx, c.ID, m)
		require.NoError(t, err)
	}
	out, r := exported(t, st)
	assert.Equal(t, mailexport.Result{Conversations: 1, Messages: 3, LeftOut: 3, Attachments: 1}, r)
	var heads []mail.Header
	var texts []string
	for it, err := range mailbox.Mbox(strings.NewReader(out), mailbox.MboxRD) {
		require.NoError(t, err)
		read, err := mail.ReadMessage(bytes.NewReader(it.Raw))
		require.NoError(t, err)
		heads = append(heads, read.Header)
		parsed, err := mailbox.Parse(it.Raw, mailbox.Options{})
		require.NoError(t, err)
		require.Empty(t, parsed.Problems)
		texts = append(texts, parsed.Message.Content)
	}
	require.Equal(t, []string{"What does it cost?", "4 euros", "Thanks"}, texts)
	assert.Equal(t, `=?utf-8?q?Ann_=C3=84rmel?= <ann@example.com>`, heads[0].Get("From"))
	assert.Empty(t, heads[0].Get("In-Reply-To"))
	assert.Equal(t, "=?utf-8?q?=C3=A4_X:_y.pdf;_application/pdf;_7_bytes?=", heads[0].Get("X-Convostore-Attachment"))
	assert.Equal(t, "<assistant@convostore.invalid>", heads[1].Get("From"))
	assert.Equal(t, "<ann@example.com>", heads[1].Get("To"))
	assert.Equal(t, "<ann@example.com>", heads[2].Get("From"), "the address that the user had before")
	for i := range 2 {
		assert.Equal(t, heads[i].Get("Message-ID"), heads[i+1].Get("In-Reply-To"), "the thread holds over what is left out")
	}
	second := imported(t, out)
	assert.Len(t, threads(t, second), 1)
}

// TestFilterAndTenants: another user's conversations, those that the filter leaves out and deleted
// ones are not in the file.
func TestFilterAndTenants(t *testing.T) {
	t.Parallel()
	st, ctx := open(t), t.Context()
	add := func(owner uuid.UUID, label string) *conversation.Conversation {
		c := &conversation.Conversation{Title: label, Messages: []*message.Message{{Role: message.RoleUser, Content: "text of " + label}}}
		require.NoError(t, st.ForUser(owner).Conversations().Create(ctx, c))
		_, err := st.ForUser(owner).Conversations().AddLabels(ctx, c.ID, "", []string{label})
		require.NoError(t, err)
		return c
	}
	add(user, "wanted")
	add(user, "other")
	add(uuid.New(), "wanted of somebody else")
	_, err := st.ForUser(user).Conversations().Delete(ctx, add(user, "wanted and gone").ID)
	require.NoError(t, err)
	var out bytes.Buffer
	calls := 0
	r, err := mailexport.Write(ctx, st, user, &out, mailexport.Options{
		Filter: store.ConversationFilter{Labels: []string{"wanted"}}, Progress: func(mailexport.Result) { calls++ },
	})
	require.NoError(t, err)
	assert.Equal(t, mailexport.Result{Conversations: 1, Messages: 1}, r)
	assert.Equal(t, 1, calls)
	assert.Equal(t, 1, strings.Count(out.String(), "text of "))
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	st := open(t)
	var out bytes.Buffer
	deleted := mailexport.Options{Filter: store.ConversationFilter{Deleted: store.OnlyDeleted}}
	for field, call := range map[string]func() (mailexport.Result, error){
		"store": func() (mailexport.Result, error) {
			return mailexport.Write(t.Context(), nil, user, &out, mailexport.Options{})
		},
		"writer": func() (mailexport.Result, error) {
			return mailexport.Write(t.Context(), st, user, nil, mailexport.Options{})
		},
		"user_id": func() (mailexport.Result, error) {
			return mailexport.Write(t.Context(), st, uuid.Nil, &out, mailexport.Options{})
		},
		"deleted": func() (mailexport.Result, error) { return mailexport.Write(t.Context(), st, user, &out, deleted) },
	} {
		_, err := call()
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := mailexport.Write(ctx, st, user, &out, mailexport.Options{})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, out.Len())
}
