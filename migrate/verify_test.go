package migrate

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

func requireNoDrift(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	drifts, err := Verify(t.Context(), db, o)
	require.NoError(t, err)
	require.Nil(t, drifts)
}

func TestVerifyLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		for version := int64(1); version <= Latest(); version++ {
			require.NoError(t, UpTo(t.Context(), db, Options{}, version))
			before := names(t, db)
			requireNoDrift(t, db, Options{})
			require.Equal(t, before, names(t, db))
			requireVersion(t, db, Options{}, version)
		}
	})
}

func TestVerifyWithoutTables(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		drifts, err := Verify(t.Context(), db, Options{Prefix: "x_"})
		require.NoError(t, err)
		require.Equal(t, []Drift{{Kind: DriftMissing, Object: "table", Name: "x_convostore_migrations", Want: "table"}}, drifts)
	})
}

// rebuild does what a host's tool does to change a table of SQLite.
func rebuild(table, from, to string) []string {
	return []string{
		"PRAGMA writable_schema = on",
		"UPDATE sqlite_master SET sql = replace(sql, '" + from + "', '" + to + "') WHERE type = 'table' AND name = '" + table + "'",
		"PRAGMA writable_schema = reset",
	}
}

func TestVerifyFindsDrift(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		postgres, sqlite   []string
		kind, object, name string
	}{
		"dropped index": {
			[]string{"DROP INDEX app_messages_gmail_key"},
			[]string{"DROP INDEX app_messages_gmail_key"},
			DriftMissing, "index", "app_messages.app_messages_gmail_key",
		},
		"another index of the name": {
			[]string{"DROP INDEX app_messages_gmail_key", "CREATE INDEX app_messages_gmail_key ON app_messages (gmail_message_id)"},
			[]string{"DROP INDEX app_messages_gmail_key", "CREATE INDEX app_messages_gmail_key ON app_messages (gmail_message_id)"},
			DriftAltered, "index", "app_messages.app_messages_gmail_key",
		},
		"altered type": {
			[]string{"ALTER TABLE app_messages ALTER seq TYPE integer"},
			rebuild("app_messages", "seq                 integer", "seq text"),
			DriftAltered, "column", "app_messages.seq",
		},
		"dropped NOT NULL": {
			[]string{"ALTER TABLE app_messages ALTER content DROP NOT NULL"},
			rebuild("app_messages", "content             text        NOT NULL", "content text"),
			DriftAltered, "column", "app_messages.content",
		},
		"dropped default": {
			[]string{"ALTER TABLE app_conversations ALTER status DROP DEFAULT"},
			rebuild("app_conversations", "DEFAULT ''active''", ""),
			DriftAltered, "column", "app_conversations.status",
		},
		"dropped column": {
			[]string{"ALTER TABLE app_messages DROP headers"},
			[]string{"ALTER TABLE app_messages DROP headers"},
			DriftMissing, "column", "app_messages.headers",
		},
		"missing table": {
			[]string{"DROP TABLE app_message_embeddings"},
			[]string{"DROP TABLE app_message_embeddings"},
			DriftMissing, "table", "app_message_embeddings",
		},
		"changed CHECK": {
			[]string{
				"ALTER TABLE app_messages DROP CONSTRAINT app_messages_role_check",
				"ALTER TABLE app_messages ADD CONSTRAINT app_messages_role_check CHECK (role IN ('user', 'robot'))",
			},
			rebuild("app_messages", "''tool''", "''robot''"),
			DriftAltered, "constraint", "app_messages.app_messages_role_check",
		},
		"dropped CHECK": {
			[]string{"ALTER TABLE app_messages DROP CONSTRAINT app_messages_seq_check"},
			rebuild("app_messages", `CONSTRAINT "app_messages_seq_check" CHECK (seq > 0 AND revision >= 0 AND change_seq > 0),`, ""),
			DriftMissing, "constraint", "app_messages.app_messages_seq_check",
		},
		"foreign key without its cascade": {
			[]string{
				"ALTER TABLE app_messages DROP CONSTRAINT app_messages_conversation_fkey",
				"ALTER TABLE app_messages ADD CONSTRAINT app_messages_conversation_fkey FOREIGN KEY (conversation_id, user_id) REFERENCES app_conversations (id, user_id)",
			},
			rebuild("app_messages", "ON DELETE CASCADE", ""),
			DriftAltered, "constraint", "app_messages.app_messages_conversation_fkey",
		},
		"a column that every insert must fill": {
			[]string{"ALTER TABLE app_messages ADD mood text NOT NULL"},
			rebuild("app_messages", "parent_seq          integer,", "parent_seq integer, mood text NOT NULL,"),
			DriftExtra, "column", "app_messages.mood",
		},
		"a hole in the record": {
			[]string{"DELETE FROM app_convostore_migrations WHERE version = 1"},
			[]string{"DELETE FROM app_convostore_migrations WHERE version = 1"},
			DriftMissing, "version", "app_convostore_migrations",
		},
		"no key to the host's users": {
			[]string{"ALTER TABLE app_conversations DROP CONSTRAINT app_conversations_user_fkey"},
			rebuild("app_conversations", `CONSTRAINT "app_conversations_user_fkey" FOREIGN KEY (user_id)
        REFERENCES "users" ("id") ON DELETE CASCADE,`, ""),
			DriftMissing, "constraint", "app_conversations.app_conversations_user_fkey",
		},
	}
	o := Options{Prefix: "app_", Users: &Ref{Table: "users"}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachDialect(t, func(t *testing.T, db *gorm.DB) {
				run(t, db, "CREATE TABLE users (id uuid PRIMARY KEY)")
				require.NoError(t, Up(t.Context(), db, o))
				requireNoDrift(t, db, o)
				statements := c.sqlite
				if db.Name() == postgres {
					statements = c.postgres
				}
				require.NoError(t, db.Connection(func(tx *gorm.DB) error {
					run(t, tx, statements...)
					return nil
				}))
				drifts, err := Verify(t.Context(), db, o)
				require.NoError(t, err)
				require.Len(t, drifts, 1, "%v", drifts)
				d := drifts[0]
				require.Equal(t, []string{c.kind, c.object, c.name}, []string{d.Kind, d.Object, d.Name})
				require.NotContains(t, d.String(), scratch)
				require.NotContains(t, d.String(), "\n")
			})
		})
	}
}

func TestVerifySortsByName(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		run(t, db, "DROP INDEX messages_gmail_key", "DROP INDEX conversations_queue_idx", "DROP TABLE message_embeddings")
		drifts, err := Verify(t.Context(), db, Options{})
		require.NoError(t, err)
		var got []string
		for _, d := range drifts {
			got = append(got, d.Name)
		}
		require.Equal(t, []string{"conversations.conversations_queue_idx", "message_embeddings", "messages.messages_gmail_key"}, got)
	})
}

func TestWhatAHostAddsIsNoDrift(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		run(t, db, "CREATE TABLE users (id uuid PRIMARY KEY)")
		require.NoError(t, Up(t.Context(), db, Options{Users: &Ref{Table: "users"}}))
		run(t, db, "ALTER TABLE messages ADD mood text", "ALTER TABLE messages ADD stars integer NOT NULL DEFAULT 0",
			"CREATE INDEX mine ON messages (mood)")
		requireNoDrift(t, db, Options{})
	})
}

func TestVerifyFindsAnInvalidIndex(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_gmail_key'::regclass")
	drifts, err := Verify(t.Context(), db, Options{})
	require.NoError(t, err)
	require.Len(t, drifts, 1)
	require.Contains(t, drifts[0].Got, "(invalid)")
}

func TestVerifyFindsTheExtensionGone(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "DROP EXTENSION vector CASCADE")
	drifts, err := Verify(t.Context(), db, Options{})
	require.NoError(t, err)
	require.Equal(t, []Drift{{Kind: DriftMissing, Object: "extension", Name: "vector", Want: "type vector on the search_path"}}, drifts)
}

// Verify must not stop the host's writers: it never touches the host's tables.
func TestVerifyDoesNotLockTheHostsTables(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t)+"&lock_timeout=2000")
	o := Options{Users: &Ref{Table: "users"}, Leads: &Ref{Table: "leads", Owner: "owner", Type: "bigint"}}
	run(t, db, "CREATE TABLE users (id uuid PRIMARY KEY)", "CREATE TABLE leads (id bigint, owner uuid, PRIMARY KEY (id, owner))")
	require.NoError(t, Up(t.Context(), db, o))
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		run(t, tx, "INSERT INTO users VALUES ('"+user+"')", "INSERT INTO leads VALUES (1, '"+user+"')")
		fill(t, tx, o)
		requireNoDrift(t, db, o)
		return nil
	}))
}

// Scratch tables have the same names each time: those who verify at once must not meet.
func TestManyVerifyWhileOneComesUp(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, UpTo(t.Context(), db, Options{}, 1))
		var all sync.WaitGroup
		errs := make(chan error, 5)
		for range 4 {
			all.Go(func() {
				drifts, err := Verify(t.Context(), db, Options{})
				if err == nil && len(drifts) > 0 {
					err = fmt.Errorf("%v", drifts)
				}
				errs <- err
			})
		}
		all.Go(func() { errs <- Up(t.Context(), db, Options{}) })
		all.Wait()
		for range 5 {
			require.NoError(t, <-errs)
		}
		requireNoDrift(t, db, Options{})
	})
}
