package engine_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// TestClaimPlans: what is due is found by its index, in its order, on a database without
// statistics: a claim must not read what was ever sent.
func TestClaimPlans(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, user := d.Store(t, convostore.WithMigrate(migrate.Options{})), uuid.New()
		queueReply(t, st.ForUser(user))
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		explain := "EXPLAIN "
		if d.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		looks := 0
		for _, s := range []store.Scope{recorded.ForUser(uuid.New()), recorded.ForUser(user), recorded.AllUsers()} {
			rec.Reset()
			_, err = s.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "a"})
			require.NoError(t, err)
			for _, statement := range rec.Statements() {
				if d.SQLite && strings.HasPrefix(statement.SQL, "WITH due") {
					require.NotContains(t, planOf(t, st, statement), "deliveries_open_idx", "the entries are known by their ids")
				}
				if !strings.HasPrefix(statement.SQL, "SELECT d.id, d.user_id") {
					continue
				}
				looks++
				plan := strings.Join(explainPlan(t, st, explain, statement), "\n")
				require.Contains(t, plan, "deliveries_due_idx")
				require.NotRegexp(t, "TEMP B-TREE|Sort", plan)
			}
		}
		require.Equal(t, 3, looks)
	})
}
