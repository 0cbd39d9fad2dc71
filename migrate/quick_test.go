package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

func requireQuick(t *testing.T, db *gorm.DB, o Options, want ...string) {
	t.Helper()
	drifts, err := QuickVerify(t.Context(), db, o)
	require.NoError(t, err)
	var got []string
	for _, d := range drifts {
		line := d.Kind + " " + d.Object + " " + d.Name
		if d.Got != "" && db.Name() == postgres {
			line += " " + d.Got
		}
		got = append(got, line)
	}
	require.Equal(t, want, got)
}

func TestQuickVerifyFindsNothingWrong(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		run(t, db, "CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL)")
		requireQuick(t, db, Options{}, "missing table convostore_migrations")
		for _, o := range variants(db.Name()) {
			for version := int64(1); version <= Latest(); version++ {
				require.NoError(t, UpTo(t.Context(), db, o, version))
				requireQuick(t, db, o)
			}
			unknowing := Options{Prefix: o.Prefix, Schema: o.Schema}
			if db.Name() == postgres {
				requireQuick(t, db, unknowing)
			}
			require.NoError(t, DownTo(t.Context(), db, o, 0))
		}
	})
}

func TestQuickVerifyFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := Options{Prefix: "app_"}
		require.NoError(t, Up(t.Context(), db, o))
		run(t, db, "DROP INDEX app_messages_gmail_key", "CREATE INDEX app_messages_gmail_key ON app_messages (user_id)",
			"DROP INDEX app_conversations_queue_idx", "DROP TABLE app_deliveries", "ALTER TABLE app_messages DROP headers")
		gmail := "altered index app_messages.app_messages_gmail_key"
		want := []string{
			"missing index app_conversations.app_conversations_queue_idx", "missing table app_deliveries", gmail,
			"missing column app_messages.headers",
		}
		if db.Name() == sqlite {
			run(t, db, "DROP TRIGGER app_messages_search_update")
			want = []string{
				want[0], want[1], gmail,
				"missing trigger app_messages.app_messages_search_update", want[3],
			}
		} else {
			run(t, db, "ALTER TABLE app_messages ADD mood text NOT NULL", "ALTER TABLE app_messages ADD stars int NOT NULL DEFAULT 1")
			want = append(want, "extra column app_messages.mood not null")
		}
		requireQuick(t, db, o, want...)
		requireQuick(t, db, o, want...)
	})
}

func TestQuickVerifyFindsWhatIsSwitchedOff(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	fill(t, db, Options{})
	for _, c := range []struct{ damage, mend, object, says string }{
		{
			"ALTER TABLE ai_suggestions DISABLE TRIGGER ALL", "ALTER TABLE ai_suggestions ENABLE TRIGGER ALL",
			"constraint ai_suggestions.ai_suggestions_conversation_fkey", "its triggers are disabled",
		},
		{
			"ALTER TABLE conversation_app_states ADD CONSTRAINT x CHECK (true)", "ALTER TABLE conversation_app_states DROP CONSTRAINT x", "", "",
		},
		{
			"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_gmail_key'::regclass",
			"UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'messages_gmail_key'::regclass",
			"index messages.messages_gmail_key", "unique, invalid",
		},
		{
			"UPDATE pg_index SET indisready = false WHERE indexrelid = 'messages_created_idx'::regclass",
			"UPDATE pg_index SET indisready = true WHERE indexrelid = 'messages_created_idx'::regclass",
			"index messages.messages_created_idx", "not ready",
		},
		{
			"ALTER TABLE messages DROP CONSTRAINT messages_seq_check; ALTER TABLE messages ADD CONSTRAINT messages_seq_check CHECK (seq > 0 AND revision >= 0 AND change_seq > 0) NOT VALID",
			"ALTER TABLE messages VALIDATE CONSTRAINT messages_seq_check",
			"constraint messages.messages_seq_check", "not validated",
		},
		{
			"ALTER TABLE messages ALTER content DROP NOT NULL", "ALTER TABLE messages ALTER content SET NOT NULL",
			"column messages.content", "",
		},
		{"ALTER TABLE conversation_app_states SET UNLOGGED", "ALTER TABLE conversation_app_states SET LOGGED", "table conversation_app_states", "unlogged table"},
	} {
		run(t, db, c.damage)
		drifts, err := QuickVerify(t.Context(), db, Options{})
		require.NoError(t, err)
		if c.object == "" {
			require.Empty(t, drifts, "a host's own")
		} else {
			require.NotEmpty(t, drifts, c.damage)
			require.Equal(t, c.object, drifts[0].Object+" "+drifts[0].Name)
			require.Equal(t, c.says, drifts[0].Got)
			thorough, err := Verify(t.Context(), db, Options{})
			require.NoError(t, err)
			require.Len(t, thorough, len(drifts), "%s: %v", c.damage, thorough)
		}
		run(t, db, c.mend)
		requireQuick(t, db, Options{})
	}
}

// A readiness probe asks every few seconds.
func BenchmarkQuickVerify(b *testing.B) {
	for _, dialect := range []string{sqlite, postgres} {
		b.Run(dialect, func(b *testing.B) {
			dsn := "file:" + b.TempDir() + "/chat.db" + sqliteOptions
			if dialect == postgres {
				dsn = pgtest.Database(b)
			}
			db, err := connect(dialect, dsn)
			require.NoError(b, err)
			pool, err := db.DB()
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, pool.Close()) })
			require.NoError(b, Up(b.Context(), db, Options{}))
			for b.Loop() {
				_, err := QuickVerify(b.Context(), db, Options{})
				require.NoError(b, err)
			}
		})
	}
}
