package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestReadyOfTablesMigratedElsewhere: who migrates with a program of its own gives the store no
// options, and the store must not take the options' traces for drift. What is drift stays so.
func TestReadyOfTablesMigratedElsewhere(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]migrate.Options{
		"dimensions":      {Dimensions: 8},
		"half precision":  {Dimensions: 3000},
		"users and leads": {Users: &migrate.Ref{Table: "accounts"}, Leads: &migrate.Ref{Table: "leads", Type: "bigint", Owner: "owner"}},
		"type of leads":   {Leads: &migrate.Ref{Table: "leads", Type: "varchar(36)"}},
		"no pgvector":     {WithoutPgvector: true},
		"no search":       {WithoutFullText: true, WithoutVectorIndex: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
				st := d.Store(t)
				db := st.DB(t.Context())
				for _, s := range []string{
					"CREATE TABLE accounts (id uuid PRIMARY KEY)",
					"CREATE TABLE leads (id bigint PRIMARY KEY, owner uuid, UNIQUE (id, owner))",
				} {
					require.NoError(t, db.Exec(s).Error)
				}
				require.NoError(t, migrate.Up(t.Context(), db, o))
				_, err := st.Health().Ready(t.Context())
				require.NoError(t, err)
				require.NoError(t, db.Exec("DROP INDEX messages_gmail_key").Error)
				_, err = st.Health().Ready(t.Context())
				require.ErrorIs(t, err, store.ErrSchema)
				require.ErrorContains(t, err, "missing index messages.messages_gmail_key")
			})
		})
	}
	t.Run("given options count", func(t *testing.T) {
		t.Parallel()
		bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
			if !d.SQLite {
				t.Skip("a quick look at PostgreSQL compares no types")
			}
			st := d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: 8}))
			require.NoError(t, st.Close())
			_, err := d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: 9})).Health().Ready(t.Context())
			require.ErrorIs(t, err, store.ErrSchema)
		})
	})
}
