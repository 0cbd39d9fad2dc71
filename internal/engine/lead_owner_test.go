package engine_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// besideOwnedLeads opens a store whose schema refers to a host's leads, the one of each user.
func besideOwnedLeads(t *testing.T, d bothtest.Database, leads map[string]uuid.UUID) store.Store {
	t.Helper()
	plain := d.Store(t)
	db := plain.DB(t.Context())
	require.NoError(t, db.Exec("CREATE TABLE host_leads (id text, owner uuid, PRIMARY KEY (owner, id))").Error)
	for id, owner := range leads {
		require.NoError(t, db.Exec("INSERT INTO host_leads VALUES (?, ?)", id, owner.String()).Error)
	}
	db = db.Session(&gorm.Session{NewDB: true})
	db.NamingStrategy = convostore.NewNaming("led_", "", nil)
	st, err := convostore.New(t.Context(), db, convostore.WithTablePrefix("led_"),
		convostore.WithMigrate(migrate.Options{Leads: &migrate.Ref{Table: "host_leads", Owner: "owner"}}))
	require.NoError(t, err)
	return st
}

// TestTheLeadOfAnotherIsAsAbsent: each way to name a lead says the same of another user's lead and of
// one that does not exist, and another's lead takes nothing along when it is deleted.
func TestTheLeadOfAnotherIsAsAbsent(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, owner, curious := t.Context(), uuid.New(), uuid.New()
		st := besideOwnedLeads(t, d, map[string]uuid.UUID{"hers": owner, "mine": curious})
		mine := st.ForUser(curious).Conversations()
		c := &conversation.Conversation{ID: uuid.New(), LeadID: "mine", Messages: []*message.Message{
			{Direction: message.DirectionInbound, Content: "kept"},
		}}
		require.NoError(t, mine.Create(ctx, c))

		said := func(lead string) []string {
			named := func(id uuid.UUID) *conversation.Conversation {
				return &conversation.Conversation{ID: id, LeadID: lead, ExternalKey: "key"}
			}
			_, upsert := mine.Upsert(ctx, named(c.ID))
			_, create := mine.GetOrCreate(ctx, named(uuid.Nil))
			_, erase := st.ForUser(curious).Maintenance().EraseLead(ctx, lead)
			_, list := mine.List(ctx, store.ConversationFilter{LeadID: lead}, store.PageRequest{})
			var texts []string
			for i, err := range []error{upsert, create, mine.Create(ctx, named(uuid.New())), erase, list} {
				if i < 3 {
					require.ErrorIs(t, err, store.ErrInvalid)
				} else {
					require.NoError(t, err)
				}
				if err != nil {
					texts = append(texts, err.Error())
				}
			}
			return texts
		}
		assert.Equal(t, said("nobody's"), said("hers"))

		require.NoError(t, st.DB(ctx).Exec("DELETE FROM host_leads WHERE id = 'hers'").Error)
		counts, err := st.ForUser(curious).Maintenance().Counts(ctx)
		require.NoError(t, err)
		assert.Equal(t, store.Counts{Conversations: 1, Messages: 1}, counts)
		require.NoError(t, st.DB(ctx).Exec("DELETE FROM host_leads WHERE id = 'mine'").Error)
		counts, err = st.ForUser(curious).Maintenance().Counts(ctx)
		require.NoError(t, err)
		assert.Zero(t, counts)
	})
}

// TestOwnersThatAreNoUUID: reports name the column. Before, PostgreSQL did not compare it and SQLite
// found no lead.
func TestOwnersThatAreNoUUID(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		leads := store.HostTable{Name: "leads", Owner: "account", Title: "title", Columns: []string{"title"}}
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}), convostore.WithLeads(leads))
		report := func(ctx context.Context) error {
			return last(st.AllUsers().Reports().ResponseRate(ctx, "title", store.Period{}))
		}
		require.Error(t, report(t.Context()), "no table yet")
		require.NoError(t, st.DB(t.Context()).Exec("CREATE TABLE leads (id text PRIMARY KEY, account bigint, title text)").Error)
		err := report(t.Context())
		var invalid *store.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, "leads", invalid.Field)
		assert.Contains(t, invalid.Rule, "leads.account of type ")
		require.ErrorIs(t, last(st.ForUser(uuid.New()).Reports().CostsByLead(t.Context(), store.Top{})), store.ErrInvalid)
	})
}
