package engine_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestLeadIDsOfAnotherType: an id that none of the host's leads can have is refused by name,
// on either database, and is not repeated.
func TestLeadIDsOfAnotherType(t *testing.T) {
	t.Parallel()
	for kind, ids := range map[string]struct{ good, bad []string }{
		"bigint":   {[]string{"7", "-1", "9223372036854775807"}, []string{"secret", "7x", "1.5", " 7", "9223372036854775808", "0x7", "7e1"}},
		"integer":  {[]string{"7"}, []string{"secret", "2147483648"}},
		"smallint": {[]string{"7"}, []string{"secret", "32768"}},
		"uuid":     {[]string{"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, []string{"secret", "7", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"}},
		"text":     {[]string{"7", "secret"}, nil},
	} {
		t.Run(kind+" on sqlite", func(t *testing.T) {
			t.Parallel()
			testLeadIDs(t, hostFile(t, &gorm.Config{Logger: logger.Discard}), kind, ids.good, ids.bad)
		})
		t.Run(kind+" on postgres", func(t *testing.T) {
			t.Parallel()
			db, err := gorm.Open(gormpostgres.Open(pgtest.Database(t)), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Close()) })
			testLeadIDs(t, db, kind, ids.good, ids.bad)
		})
	}
}

func testLeadIDs(t *testing.T, db *gorm.DB, kind string, good, bad []string) {
	t.Helper()
	ctx, user := t.Context(), uuid.New()
	require.NoError(t, db.Exec("CREATE TABLE leads (id "+kind+", owner uuid, PRIMARY KEY (id, owner))").Error)
	for _, id := range good {
		require.NoError(t, db.Exec("INSERT INTO leads VALUES ('"+id+"', '"+user.String()+"')").Error)
	}
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{Leads: &migrate.Ref{Table: "leads", Owner: "owner", Type: kind}}))
	require.NoError(t, err)
	run := func(s store.Scope, id string) map[string]error {
		errs := map[string]error{}
		c := func() *conversation.Conversation {
			return &conversation.Conversation{ID: uuid.New(), UserID: user, LeadID: id, ExternalKey: uuid.NewString()}
		}
		errs["Create"] = s.Conversations().Create(ctx, c())
		_, errs["Upsert"] = s.Conversations().Upsert(ctx, c())
		_, errs["GetOrCreate"] = s.Conversations().GetOrCreate(ctx, c())
		_, errs["List"] = s.Conversations().List(ctx, store.ConversationFilter{LeadID: id}, store.PageRequest{})
		_, errs["ListNumbered"] = s.Conversations().ListNumbered(ctx, store.ConversationFilter{LeadID: id}, store.NumberRequest{})
		filter := store.SearchFilter{LeadID: id}
		for name, match := range map[string]store.Match{"all": store.MatchAll, "part": store.MatchSubstring} {
			_, errs["Messages "+name] = s.Search().Messages(ctx, "a", store.TextOptions{Match: match, Filter: filter}, store.PageRequest{})
			_, errs["Conversations "+name] = s.Search().Conversations(ctx, "a", store.TextOptions{Match: match, Filter: filter}, store.PageRequest{})
		}
		similar := store.SimilarOptions{Model: "m", Filter: filter}
		like := store.SimilarTo{Vector: make(message.Vector, 1536)}
		like.Vector[0] = 1
		_, errs["SimilarMessages"] = s.Search().SimilarMessages(ctx, like, similar)
		_, errs["SimilarConversations"] = s.Search().SimilarConversations(ctx, like, similar)
		_, errs["Hybrid"] = s.Search().Hybrid(ctx, "a", store.HybridOptions{Vector: like.Vector, SimilarOptions: similar})
		_, errs["EraseLead"] = s.Maintenance().EraseLead(ctx, id)
		return errs
	}
	for _, id := range bad {
		require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
			for _, s := range []store.Scope{tx.ForUser(user), tx.AllUsers()} {
				for name, err := range run(s, id) {
					var invalid *store.InvalidError
					if assert.ErrorAs(t, err, &invalid, "%s %q", name, id) {
						assert.Equal(t, "lead_id", invalid.Field, name)
						assert.NotContains(t, err.Error(), "secret", name)
					}
				}
			}
			return nil // the transaction is usable, and commits
		}))
	}
	for _, id := range good {
		for _, s := range []store.Scope{st.ForUser(user), st.AllUsers()} {
			for name, err := range run(s, id) {
				require.NoError(t, err, "%s %q", name, id)
			}
		}
	}
}
