package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

func requireRepaired(t *testing.T, db *gorm.DB, mended int) {
	t.Helper()
	done, err := Repair(t.Context(), db, Options{})
	require.NoError(t, err, "%+v", err)
	require.Len(t, done, mended, "%v", done)
	requireNoDrift(t, db, Options{})
	requireQuick(t, db, Options{})
	done, err = Repair(t.Context(), db, Options{})
	require.NoError(t, err)
	require.Empty(t, done, "nothing is left to do")
}

// twice stores one Gmail id twice, which the unique index would have refused.
func twice(t *testing.T, db *gorm.DB) {
	t.Helper()
	insertMessage(t, db, other, 2, "Again")
	run(t, db, "UPDATE messages SET gmail_message_id = 'g1'")
}

func TestRepairMendsIndexes(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		before := names(t, db)
		fill(t, db, Options{})
		run(t, db, "DROP INDEX messages_gmail_key", "DROP INDEX messages_created_idx",
			"DROP INDEX conversations_queue_idx", "CREATE INDEX conversations_queue_idx ON conversations (status)")
		requireRepaired(t, db, 3)
		require.Equal(t, before, names(t, db))
		require.EqualValues(t, 1, count(t, db, "messages"))
	})
}

func TestRepairNamesTheDuplicates(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		fill(t, db, Options{})
		run(t, db, "DROP INDEX messages_gmail_key", "DROP INDEX messages_created_idx")
		twice(t, db)
		before := names(t, db)
		mended, err := Repair(t.Context(), db, Options{})
		var left *RepairError
		require.ErrorAs(t, err, &left)
		require.Len(t, mended, 1)
		require.Len(t, left.Left, 1)
		require.Equal(t, "messages.messages_gmail_key", left.Left[0].Name)
		require.ElementsMatch(t, []string{inbound, other}, left.Left[0].Rows)
		require.NotEmpty(t, left.Left[0].Why)
		require.Len(t, names(t, db), len(before)+1, "an index that failed leaves nothing behind")

		run(t, db, "UPDATE messages SET gmail_message_id = NULL WHERE id = '"+other+"'")
		requireRepaired(t, db, 1)
	})
}

// GORM makes a table of SQLite anew without its indexes, its triggers and some of its
// constraints, and may add columns of its own.
func TestRepairAfterATableWasMadeAnew(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	before := names(t, db)
	fillWords(t, db)
	require.NoError(t, db.Connection(func(tx *gorm.DB) error {
		run(t, tx, "UPDATE messages SET row_id = row_id + 100 WHERE id = '"+inbound+"'", "PRAGMA foreign_keys = off",
			"CREATE TABLE messages__temp AS SELECT * FROM messages", "DROP TABLE messages", "ALTER TABLE messages__temp RENAME TO messages",
			"ALTER TABLE messages ADD mood text DEFAULT 'glad'", "CREATE INDEX mine ON messages (mood)",
			"CREATE VIEW seen AS SELECT id FROM messages", "UPDATE messages SET content = 'The bill' WHERE id = '"+other+"'",
			"PRAGMA foreign_keys = on")
		return nil
	}))
	var ids []string
	require.NoError(t, db.Raw("SELECT row_id || id FROM messages ORDER BY 1").Scan(&ids).Error)
	drifts, err := QuickVerify(t.Context(), db, Options{})
	require.NoError(t, err)
	require.Greater(t, len(drifts), 30, "columns, constraints, indexes and triggers")

	_, err = Repair(t.Context(), db, Options{})
	require.NoError(t, err)
	requireNoDrift(t, db, Options{})
	var after, seen []string
	require.NoError(t, db.Raw("SELECT row_id || id FROM messages ORDER BY 1").Scan(&after).Error)
	require.Equal(t, ids, after, "row ids")
	requireWords(t, db)
	require.NoError(t, db.Raw("SELECT mood FROM messages").Scan(&seen).Error)
	require.Equal(t, []string{"glad", "glad", "glad"}, seen, "the host's column")
	require.Subset(t, names(t, db), append(before, "index mine", "view seen"))
	require.Error(t, db.Exec("UPDATE messages SET seq = 0").Error, "the constraints hold again")
	var on int
	require.NoError(t, db.Raw("PRAGMA foreign_keys").Scan(&on).Error)
	require.Equal(t, 1, on)
}

// Whatever of the index of words differs, rows were written past it: all of them are noted again,
// and nothing of the old one is left.
func TestRepairMakesTheIndexOfWordsAgain(t *testing.T) {
	t.Parallel()
	damage := map[string]map[string]string{
		postgres: {
			"a trigger that is gone":       "DROP TRIGGER messages_search_update ON messages",
			"one that is switched off":     "ALTER TABLE messages DISABLE TRIGGER messages_search_insert",
			"one for replicas":             "ALTER TABLE conversations ENABLE REPLICA TRIGGER conversations_search_update",
			"a function that is gone":      "DROP FUNCTION messages_search_delete() CASCADE",
			"one that does something else": "CREATE OR REPLACE FUNCTION messages_search_insert() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
			"one that sets something":      "ALTER FUNCTION conversations_search_delete() SET work_mem = '1MB'",
			"a table that is gone":         "DROP TABLE search_gone",
			"one not logged":               "ALTER TABLE search_notes SET UNLOGGED",
			"a column that is gone":        "ALTER TABLE search_segments DROP bytes",
			"a key that is gone":           "ALTER TABLE search_blocks DROP CONSTRAINT search_blocks_segment_fkey",
		},
		sqlite: {
			"a trigger that is gone":       "DROP TRIGGER messages_search_update",
			"one that does something else": "DROP TRIGGER messages_search_delete; CREATE TRIGGER messages_search_delete AFTER DELETE ON messages BEGIN SELECT 1; END",
			"a table that is gone":         "DROP TABLE search_blocks",
			"a column that is gone":        "ALTER TABLE search_segments DROP bytes",
			"a key that is gone":           "DROP TABLE search_gone; CREATE TABLE search_gone (user_id text, thread_id text, kind integer, id text, erased boolean)",
		},
	}
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		fillWords(t, db)
		for name, statement := range damage[db.Name()] {
			run(t, db, "DELETE FROM search_notes", "INSERT INTO search_segments (documents, length, since_at, until_at, tokenizer, bytes, dead) VALUES (0, 0, 0, 0, 1, 0, '')",
				"INSERT INTO search_blocks (segment_id, part, key, data) SELECT id, 1, '', '' FROM search_segments")
			runFile(t, db, statement)
			drifts, err := Verify(t.Context(), db, Options{})
			require.NoError(t, err)
			require.NotEmpty(t, drifts, name)
			_, err = Repair(t.Context(), db, Options{})
			require.NoError(t, err, name)
			requireNoDrift(t, db, Options{})
			requireQuick(t, db, Options{})
			requireWords(t, db)
			require.Zero(t, count(t, db, "search_segments"), name)
		}
	})
}

// A trigger of SQLite has a name for the whole database.
func TestRepairLeavesTheHostsTriggerWithANameOfTheIndexOfWords(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "CREATE TABLE mine (id integer)", "DROP TRIGGER messages_search_insert", "DROP INDEX messages_gmail_key",
		"CREATE TRIGGER messages_search_insert AFTER INSERT ON mine BEGIN DELETE FROM mine; END")
	mended, left := repairError(t, db)
	require.Len(t, mended, 1, "the index")
	require.Contains(t, left[0].Why, "mine")
	require.Contains(t, names(t, db), "trigger messages_search_insert")
}

func TestRepairOnPostgres(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"foreign keys switched off": {"ALTER TABLE messages DISABLE TRIGGER ALL"},
		"a check not validated": {
			"ALTER TABLE messages DROP CONSTRAINT messages_seq_check",
			"ALTER TABLE messages ADD CONSTRAINT messages_seq_check CHECK (seq > 0) NOT VALID",
		},
		"another check":     {"ALTER TABLE messages DROP CONSTRAINT messages_seq_check", "ALTER TABLE messages ADD CONSTRAINT messages_seq_check CHECK (seq > -9)"},
		"no foreign key":    {"ALTER TABLE messages DROP CONSTRAINT messages_conversation_fkey"},
		"an invalid index":  {"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_gmail_key'::regclass"},
		"NULL allowed":      {"ALTER TABLE messages ALTER content DROP NOT NULL"},
		"no default":        {"ALTER TABLE conversations ALTER status DROP DEFAULT"},
		"no column":         {"ALTER TABLE messages DROP headers"},
		"an unlogged table": {"ALTER TABLE conversation_app_states SET UNLOGGED"},
		"a key and those that need it": {
			"ALTER TABLE messages DROP CONSTRAINT messages_pkey CASCADE",
		},
		"a hole in the record": {"DELETE FROM convostore_migrations WHERE version = 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openTest(t, postgres, pgtest.Database(t))
			require.NoError(t, Up(t.Context(), db, Options{}))
			fill(t, db, Options{})
			run(t, db, statements...)
			before, err := Verify(t.Context(), db, Options{})
			require.NoError(t, err)
			require.NotEmpty(t, before)
			requireRepaired(t, db, len(before))
			require.EqualValues(t, 1, count(t, db, "ai_suggestions"))
		})
	}
}

// A row that came while the keys were off stays, and the key holds for new rows.
func TestRepairNamesOrphans(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	fill(t, db, Options{})
	run(t, db, "ALTER TABLE messages DISABLE TRIGGER ALL",
		"INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES ('"+other+"', '"+user+"', '"+other+"', 1, 'user', 'x')")
	_, err := Repair(t.Context(), db, Options{})
	var left *RepairError
	require.ErrorAs(t, err, &left)
	require.Equal(t, "messages.messages_conversation_fkey", left.Left[0].Name)
	require.Equal(t, []string{other}, left.Left[0].Rows)
	require.Error(t, db.Exec("UPDATE messages SET conversation_id = '"+gone+"' WHERE id = '"+inbound+"'").Error)
	run(t, db, "DELETE FROM messages WHERE id = '"+other+"'")
	requireRepaired(t, db, 1)
}

func TestRepairRefusesOnePooledConnection(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "DROP INDEX messages_gmail_key")
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	_, err = Repair(t.Context(), db, Options{})
	require.ErrorContains(t, err, "two")
}
