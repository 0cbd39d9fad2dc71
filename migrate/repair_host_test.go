package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// remake makes messages anew with another text, as a host's tool does.
func remake(t *testing.T, db *gorm.DB, change func(sql string) string) {
	t.Helper()
	var sql string
	require.NoError(t, db.Raw("SELECT sql FROM sqlite_master WHERE name = 'messages'").Scan(&sql).Error)
	changed := change(strings.Replace(sql, `"messages"`, "messages__temp", 1))
	require.NoError(t, db.Connection(func(tx *gorm.DB) error {
		run(t, tx, "PRAGMA foreign_keys = off", changed)
		var columns string
		require.NoError(t, tx.Raw("SELECT group_concat(name, ', ') FROM pragma_table_info('messages')").Scan(&columns).Error)
		run(t, tx, "INSERT INTO messages__temp ("+columns+") SELECT "+columns+" FROM messages",
			"DROP TABLE messages", "ALTER TABLE messages__temp RENAME TO messages", "PRAGMA foreign_keys = on")
		return nil
	}))
}

// without takes a constraint out of a CREATE TABLE.
func without(sql, name string) string {
	at := strings.Index(sql, `CONSTRAINT "`+name+`" `)
	if at < 0 {
		return sql
	}
	rest := sql[at:]
	depth := 0
	for i, c := range rest {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if (c == ',' && depth == 0) || depth < 0 {
			if depth < 0 { // the last one: the comma before it goes
				return strings.TrimRight(strings.TrimSpace(sql[:at]), ",") + rest[i:]
			}
			return sql[:at] + rest[i+1:]
		}
	}
	return sql
}

func repairError(t *testing.T, db *gorm.DB) ([]Drift, []Unmended) {
	t.Helper()
	mended, err := Repair(t.Context(), db, Options{})
	var left *RepairError
	require.ErrorAs(t, err, &left)
	return mended, left.Left
}

// badRow is a rule that is missing from messages, and a row that breaks it.
type badRow struct {
	change        func(string) string
	bad, good     string
	object, named string
}

// badRows have one for each way in which SQLite names a rule that is broken.
func badRows() map[string]badRow {
	return map[string]badRow{
		"check": {
			func(sql string) string { return without(sql, "messages_role_check") },
			"UPDATE messages SET role = 'boss' WHERE id = '" + other + "'", "UPDATE messages SET role = 'user'",
			"constraint", "messages.messages_role_check",
		},
		"check with operators of two letters": {
			func(sql string) string { return without(sql, "messages_usage_check") },
			"UPDATE messages SET tokens_in = -1 WHERE id = '" + other + "'", "UPDATE messages SET tokens_in = 1",
			"constraint", "messages.messages_usage_check",
		},
		"another check": {
			func(sql string) string { return strings.Replace(sql, "role IN ('user'", "role IN ('boss', 'user'", 1) },
			"UPDATE messages SET role = 'boss' WHERE id = '" + other + "'", "UPDATE messages SET role = 'user'",
			"constraint", "messages.messages_role_check",
		},
		"check of a column": {
			func(sql string) string {
				return strings.Replace(sql, "CHECK (edited_at GLOB '????-??-?? ??:??:??*+00:00')", "", 1)
			},
			"UPDATE messages SET edited_at = 'Yesterday' WHERE id = '" + other + "'", "UPDATE messages SET edited_at = NULL",
			"column", "messages.edited_at",
		},
		"null": {
			func(sql string) string {
				return strings.Replace(sql, "content             text        NOT NULL", "content text", 1)
			},
			"UPDATE messages SET content = NULL WHERE id = '" + other + "'", "UPDATE messages SET content = 'x'",
			"column", "messages.content",
		},
		"twice": {
			func(sql string) string { return without(sql, "messages_seq_key") },
			"UPDATE messages SET seq = 1 WHERE id = '" + other + "'", "UPDATE messages SET seq = row_id",
			"constraint", "messages.messages_seq_key",
		},
	}
}

// One row that breaks a rule keeps this rule from being mended and nothing else. Each driver tells
// of it in words of its own.
func TestRepairMendsAroundABadRow(t *testing.T) {
	t.Parallel()
	for name, c := range badRows() {
		for _, driver := range sqliteDrivers() {
			t.Run(name+" "+driver, func(t *testing.T) {
				t.Parallel()
				requireMendedAround(t, openDriver(t, driver, sqliteFile(t)+sqliteOptions), c)
			})
		}
	}
}

func requireMendedAround(t *testing.T, db *gorm.DB, c badRow) {
	t.Helper()
	require.NoError(t, Up(t.Context(), db, Options{}))
	before := slices.DeleteFunc(names(t, db), func(name string) bool { return strings.HasPrefix(name, "index sqlite_auto") })
	fillWords(t, db)
	remake(t, db, func(sql string) string {
		changed := c.change(sql)
		require.NotEqual(t, sql, changed)
		return without(changed, "messages_state_check")
	})
	run(t, db, c.bad)
	mended, left := repairError(t, db)
	require.Len(t, left, 1, "%v", left)
	require.Equal(t, c.object, left[0].Object)
	require.Equal(t, c.named, left[0].Name)
	require.Subset(t, []string{inbound, other}, left[0].Rows)
	require.Contains(t, left[0].Rows, other)
	require.Greater(t, len(mended), 10, "the indexes, the triggers and the other check")
	require.Error(t, db.Exec("UPDATE messages SET state = 'lost'").Error, "the other check holds")
	require.EqualValues(t, 3, count(t, db, "messages"))
	require.Subset(t, names(t, db), before)

	run(t, db, c.good)
	_, err := Repair(t.Context(), db, Options{})
	require.NoError(t, err)
	requireNoDrift(t, db, Options{})
}

// What a host has put on a table is there after it was made anew.
func TestRepairKeepsWhatTheHostAdded(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	fillWords(t, db)
	run(t, db, "CREATE TABLE moods (id text PRIMARY KEY)", "CREATE TABLE seen (id text, u text, FOREIGN KEY (id, u) REFERENCES messages (id, user_id) ON DELETE CASCADE)",
		"INSERT INTO seen VALUES ('"+inbound+"', '"+user+"')")
	remake(t, db, func(sql string) string {
		at := strings.Index(sql, "CONSTRAINT")
		sql = sql[:at] + "`Mood Level` Text DEFAULT 'Very -- Glad' CHECK (length(\"Mood Level\") <> 3), -- mine, (all) of it\n mood_id text, " +
			"loud text GENERATED ALWAYS AS (upper(content)) VIRTUAL, kept text AS (lower(content)) STORED,\n" + sql[at:]
		end := strings.LastIndex(sql, ")")
		return without(sql[:end]+", CONSTRAINT Mine_Check CHECK (content != 'It''s (BAD)'), CHECK (length(content) < 900), UNIQUE (mood_id),\n"+
			" CONSTRAINT `fk moods` FOREIGN KEY (mood_id) REFERENCES moods (id) -- the last\n)", "messages_state_check")
	})
	run(t, db, "CREATE INDEX mine ON messages (`Mood Level`)", "CREATE TRIGGER mine_too AFTER DELETE ON messages BEGIN DELETE FROM moods; END",
		"CREATE VIEW loudest AS SELECT loud FROM messages", "INSERT INTO moods VALUES ('sad')", "UPDATE messages SET mood_id = 'sad' WHERE id = '"+inbound+"'")
	_, err := Repair(t.Context(), db, Options{})
	require.NoError(t, err, "%+v", err)
	requireNoDrift(t, db, Options{})

	require.Subset(t, names(t, db), []string{"index mine", "trigger mine_too", "view loudest"})
	var mood, loud string
	require.NoError(t, db.Raw("SELECT `Mood Level`, loud || kept FROM messages WHERE id = ?", inbound).Row().Scan(&mood, &loud))
	require.Equal(t, "Very -- Glad", mood)
	require.Equal(t, "THE INVOICEthe invoice", loud)
	require.EqualValues(t, 1, count(t, db, "seen"), "no key of the host's has deleted its rows")
	for rule, statement := range map[string]string{
		"a column's check":  "UPDATE messages SET `Mood Level` = 'abc'",
		"a check":           "UPDATE messages SET content = 'It''s (BAD)'",
		"one without name":  "UPDATE messages SET content = '" + strings.Repeat("x", 900) + "'",
		"a unique key":      "UPDATE messages SET mood_id = 'sad'",
		"a key":             "UPDATE messages SET mood_id = 'none' WHERE id = '" + inbound + "'",
		"the library's own": "UPDATE messages SET state = 'lost'",
		"a key to messages": "INSERT INTO seen VALUES ('none', '" + user + "')",
	} {
		require.Error(t, db.Exec(statement).Error, rule)
	}
	run(t, db, "DELETE FROM messages WHERE id = '"+inbound+"'")
	require.Zero(t, count(t, db, "moods"), "the host's trigger fires")
}

// The figures of ANALYZE go with a table that is dropped.
func TestRepairKeepsTheStatistics(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	fillWords(t, db)
	remake(t, db, func(sql string) string { return without(sql, "messages_state_check") })
	run(t, db, "ANALYZE messages")
	var before, after []string
	const figures = "SELECT coalesce(idx, '') || stat FROM sqlite_stat1 WHERE tbl = 'messages' ORDER BY 1"
	require.NoError(t, db.Raw(figures).Scan(&before).Error)
	require.NotEmpty(t, before)
	_, err := Repair(t.Context(), db, Options{})
	require.NoError(t, err)
	require.NoError(t, db.Raw(figures).Scan(&after).Error)
	require.Equal(t, before, after)
}

// An index of the host's on another table has the name of one that is missing.
func TestRepairLeavesTheHostsIndexOfAnotherTable(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		run(t, db, "CREATE TABLE mine (id integer)", "DROP INDEX messages_created_idx", "CREATE INDEX messages_created_idx ON mine (id)",
			"DROP INDEX messages_gmail_key")
		mended, left := repairError(t, db)
		require.Len(t, mended, 1)
		require.Len(t, left, 1)
		require.Equal(t, "messages.messages_created_idx", left[0].Name)
		require.Contains(t, left[0].Why, "mine")
		drop := "DROP INDEX messages_created_idx"
		run(t, db, drop)
		requireRepaired(t, db, 1)
	})
}

// A trigger of SQLite has a name for the whole database too.
func TestRepairLeavesTheHostsTriggerOfAnotherTable(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "CREATE TABLE mine (id integer)", "DROP TRIGGER conversations_bucket_insert",
		"CREATE TRIGGER conversations_bucket_insert AFTER INSERT ON mine BEGIN DELETE FROM mine; END")
	_, left := repairError(t, db)
	require.Contains(t, left[0].Why, "mine")
	require.Contains(t, names(t, db), "trigger conversations_bucket_insert")
}

// Rows came while the foreign keys were off: the key is there, and the rows are named.
func TestRepairNamesOrphansOnSQLite(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	fillWords(t, db)
	remake(t, db, func(sql string) string { return without(sql, "messages_conversation_fkey") })
	run(t, db, "UPDATE messages SET conversation_id = '"+gone+"' WHERE id = '"+other+"'")
	_, left := repairError(t, db)
	require.Len(t, left, 1)
	require.Equal(t, DriftBroken, left[0].Kind)
	require.Equal(t, "messages.messages_conversation_fkey", left[0].Name)
	require.Equal(t, []string{other}, left[0].Rows)
	requireNoDrift(t, db, Options{})
	require.Error(t, db.Exec("UPDATE messages SET conversation_id = '"+gone+"' WHERE id = '"+inbound+"'").Error, "it holds for new rows")
	run(t, db, "UPDATE messages SET conversation_id = '"+thread+"'", "DROP INDEX messages_gmail_key")
	requireRepaired(t, db, 1)
}

// An index for vectors that was dropped is one that was there, also for a caller without options.
func TestADroppedIndexOfVectorsIsNoticed(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	for _, o := range []Options{{}, {Trigrams: true}} {
		require.NoError(t, Up(t.Context(), db, o))
		if o.Trigrams {
			require.NoError(t, RebuildSearch(t.Context(), db, o))
			run(t, db, "DROP INDEX messages_trigram_idx, conversations_trigram_idx")
		} else {
			run(t, db, "DROP INDEX message_embeddings_vector_idx")
		}
		drifts, err := QuickVerify(t.Context(), db, Options{})
		require.NoError(t, err)
		require.NotEmpty(t, drifts)
		require.Contains(t, drifts[0].Name, "_idx")
		_, err = Repair(t.Context(), db, o)
		require.NoError(t, err)
		requireQuick(t, db, Options{})
	}
	require.NoError(t, RebuildSearch(t.Context(), db, Options{WithoutVectorIndex: true}))
	requireQuick(t, db, Options{})
}
