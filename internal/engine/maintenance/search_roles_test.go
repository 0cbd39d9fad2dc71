package maintenance_test

import (
	"database/sql"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/bothtest"
)

// postgresOnly skips a test on a database without what it is about.
func postgresOnly(t *testing.T, w *searchWorld) {
	t.Helper()
	if w.st.DB(t.Context()).Name() != "postgres" {
		t.Skip("SQLite has neither roles nor levels of isolation")
	}
}

// TestRolesThatWrite: whoever may write messages and conversations needs no rights on the index of
// words, and gets none by its triggers.
func TestRolesThatWrite(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		postgresOnly(t, w)
		db := w.st.DB(t.Context())
		m := w.say(t, w.c, 2, "alpha")[0]
		role := `"writer ` + uuid.NewString() + `"`
		var schema string
		require.NoError(t, db.Raw("SELECT current_schema()").Scan(&schema).Error)
		require.NoError(t, db.Exec("CREATE ROLE "+role).Error)
		defer func() {
			require.NoError(t, db.Exec("DROP OWNED BY "+role).Error)
			require.NoError(t, db.Exec("DROP ROLE "+role).Error)
		}()
		require.NoError(t, db.Exec(`GRANT USAGE, CREATE ON SCHEMA "`+schema+`" TO `+role).Error)
		require.NoError(t, db.Exec("GRANT SELECT, INSERT, UPDATE, DELETE ON messages, conversations TO "+role).Error)
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Exec("SET LOCAL ROLE "+role).Error)
			require.NoError(t, tx.Exec("UPDATE messages SET content = 'beta' WHERE id = ?", m.ID).Error)
			require.NoError(t, tx.Exec("UPDATE conversations SET title = 'beta' WHERE id = ?", w.c.ID).Error)
			require.NoError(t, tx.Exec("DELETE FROM messages WHERE id <> ?", m.ID).Error)
			return nil
		}))
		require.Equal(t, 1, w.count(t, w.mine, "beta"))
		err := db.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Exec("SET LOCAL ROLE "+role).Error)
			require.NoError(t, tx.Exec("CREATE TABLE own (user_id uuid, conversation_id uuid, id uuid, deleted_at timestamptz, state text)").Error)
			return tx.Exec("CREATE TRIGGER own AFTER INSERT ON own REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION messages_search_insert()").Error
		})
		require.ErrorContains(t, err, "permission denied for function", "the triggers are not for other tables")
	})
}

// TestSnapshotsOfHosts: a host's transaction on a snapshot from before a packing changes what was
// packed meanwhile. What it erases it must try again, as after any change that it does not see.
func TestSnapshotsOfHosts(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		postgresOnly(t, w)
		ctx := t.Context()
		for name, change := range map[string]string{
			"edit": "UPDATE messages SET content = 'beta' WHERE id = ?", "delete": "UPDATE messages SET deleted_at = now() WHERE id = ?",
		} {
			for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
				m := w.say(t, w.c, 1, "alpha")[0]
				err := w.st.DB(ctx).Transaction(func(tx *gorm.DB) error {
					in := w.st.WithTx(tx).ForUser(w.c.UserID)
					require.Equal(t, 1, w.count(t, in, "alpha"))
					require.NoError(t, w.all.PackSearch(ctx))
					if err := tx.Exec(change, m.ID).Error; err != nil {
						return err
					}
					require.Zero(t, w.count(t, in, "alpha"))
					return nil
				}, &sql.TxOptions{Isolation: level})
				require.NoError(t, err, "%s, %s", name, level)
				require.NoError(t, w.st.DB(ctx).Exec("DELETE FROM messages").Error)
				require.NoError(t, w.all.PackSearch(ctx))
				require.Zero(t, w.count(t, w.mine, "alpha"))
			}
		}
	})
}
