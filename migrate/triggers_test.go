package migrate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"
)

// openWords is a database of SQLite with full text and one connection, since vocabularies
// are temporary tables.
func openWords(t *testing.T, driver string) *gorm.DB {
	t.Helper()
	db := openDriver(t, driver, sqliteFile(t)+sqliteOptions)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, 'messages_fts', 'row')",
		"CREATE VIRTUAL TABLE temp.titles USING fts5vocab(main, 'conversations_fts', 'row')")
	return db
}

// eachFTS5 runs a test with each driver that has full text.
func eachFTS5(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	for _, driver := range sqliteDrivers() {
		if driverOptions(driver).WithoutFullText {
			continue
		}
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			test(t, openWords(t, driver))
		})
	}
}

// found returns the ids of a table's rows that its index of words has for a query, the
// index's own mistakes among them.
func found(t require.TestingT, db *gorm.DB, table, match string) []string {
	var ids []string
	query := fmt.Sprintf("SELECT coalesce(t.id, 'orphan') FROM %[1]s_fts f LEFT JOIN %[1]s t ON t.row_id = f.rowid"+
		" WHERE %[1]s_fts MATCH ? ORDER BY 1", table)
	require.NoError(t, db.Raw(query, match).Scan(&ids).Error)
	return ids
}

func vocabulary(t require.TestingT, db *gorm.DB, table string) []string {
	var words []string
	require.NoError(t, db.Raw("SELECT term FROM temp."+table+" ORDER BY term").Scan(&words).Error)
	return words
}

func checkIntegrity(t require.TestingT, db *gorm.DB) {
	for _, table := range []string{"messages_fts", "conversations_fts"} {
		require.NoError(t, db.Exec("INSERT INTO "+table+" ("+table+") VALUES ('integrity-check')").Error)
	}
}

func insertMessage(t *testing.T, db *gorm.DB, id string, seq int, content string) {
	t.Helper()
	run(t, db, fmt.Sprintf("INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES ('%s', '%s', '%s', %d, 'user', '%s')",
		id, user, thread, seq, content))
}

const other = "00000000-0000-7000-8000-0000000000a2"

func TestTriggersOfMessages(t *testing.T) {
	t.Parallel()
	eachFTS5(t, func(t *testing.T, db *gorm.DB) {
		run(t, db, "INSERT INTO conversations (id, user_id) VALUES ('"+thread+"', '"+user+"')")
		insertMessage(t, db, inbound, 1, "Crème brûlée")
		insertMessage(t, db, other, 2, "plain custard")
		require.Equal(t, []string{inbound}, found(t, db, "messages", "creme"))
		run(t, db, "UPDATE messages SET content = 'apple pie' WHERE id = '"+inbound+"'")
		require.Empty(t, found(t, db, "messages", "creme"), "edited")
		require.Equal(t, []string{inbound}, found(t, db, "messages", "pie"))

		run(t, db, "UPDATE messages SET deleted_at = '2026-01-02 03:04:05+00:00' WHERE id = '"+inbound+"'")
		require.Empty(t, found(t, db, "messages", "pie"), "deleted")
		run(t, db, "UPDATE messages SET deleted_at = '2026-01-03 00:00:00+00:00', content = 'tart' WHERE id = '"+inbound+"'")
		require.Empty(t, found(t, db, "messages", "pie OR tart"), "edited while deleted")
		run(t, db, "UPDATE messages SET deleted_at = NULL WHERE id = '"+inbound+"'")
		require.Equal(t, []string{inbound}, found(t, db, "messages", "tart"), "restored")
		checkIntegrity(t, db)

		run(t, db, "INSERT INTO conversations (id, user_id) VALUES ('"+other+"', '"+user+"')",
			"UPDATE messages SET conversation_id = '"+other+"' WHERE id = '"+inbound+"'")
		require.Equal(t, []string{inbound}, found(t, db, "messages", "scope:c"+bare(other)), "moved")
		require.Equal(t, []string{other}, found(t, db, "messages", "scope:c"+bare(thread)))
		run(t, db, "INSERT INTO messages (id, user_id, conversation_id, seq, role, content, deleted_at)"+
			" SELECT '"+gone+"', user_id, conversation_id, 3, role, 'ghost', '2026-01-02 00:00:00+00:00' FROM messages WHERE id = '"+inbound+"'")
		require.Empty(t, found(t, db, "messages", "ghost"), "imported as deleted")

		run(t, db, "DELETE FROM messages WHERE id = '"+inbound+"'")
		require.Empty(t, found(t, db, "messages", "tart"))
		require.Equal(t, []string{"c" + bare(thread), "custard", "plain", "u" + bare(user)}, vocabulary(t, db, "words"))
		run(t, db, "DELETE FROM conversations")
		require.Empty(t, vocabulary(t, db, "words"), "by the cascade")
		require.Empty(t, vocabulary(t, db, "titles"))
		checkIntegrity(t, db)
	})
}

func bare(id string) string { return strings.ReplaceAll(id, "-", "") }

func TestTriggersOfConversations(t *testing.T) {
	t.Parallel()
	eachFTS5(t, func(t *testing.T, db *gorm.DB) {
		run(t, db, "INSERT INTO conversations (id, user_id, title) VALUES ('"+thread+"', '"+user+"', 'Roof')")
		require.Equal(t, []string{thread}, found(t, db, "conversations", "roof"))
		run(t, db, "UPDATE conversations SET subject = 'Re: Leak', title = NULL")
		require.Empty(t, found(t, db, "conversations", "roof"))
		require.Equal(t, []string{thread}, found(t, db, "conversations", "leak"))
		run(t, db, "UPDATE conversations SET subject = 'Re: Drip'")
		require.Empty(t, found(t, db, "conversations", "leak"))
		run(t, db, "UPDATE conversations SET subject = 'Re: Leak'", "UPDATE conversations SET deleted_at = '2026-01-02 03:04:05+00:00'")
		require.Empty(t, found(t, db, "conversations", "leak"))
		run(t, db, "UPDATE conversations SET deleted_at = NULL")
		require.Equal(t, []string{thread}, found(t, db, "conversations", "leak"))
		run(t, db, "UPDATE conversations SET user_id = '"+other+"'")
		require.Empty(t, found(t, db, "conversations", "scope:u"+bare(user)), "given to somebody else")
		require.Equal(t, []string{thread}, found(t, db, "conversations", "scope:u"+bare(other)))
		run(t, db, "INSERT INTO conversations (id, user_id, title, deleted_at) VALUES ('"+other+"', '"+user+"', 'Roof', '2026-01-02 00:00:00+00:00')")
		require.Empty(t, found(t, db, "conversations", "roof"), "imported as deleted")
		run(t, db, "DELETE FROM conversations")
		require.Empty(t, vocabulary(t, db, "titles"))
		checkIntegrity(t, db)
	})
}

// Writing what is not searched must not write the index.
func TestTriggersLeaveOtherColumnsAlone(t *testing.T) {
	t.Parallel()
	eachFTS5(t, func(t *testing.T, db *gorm.DB) {
		fill(t, db, Options{})
		total := func() (n int64) {
			require.NoError(t, db.Raw("SELECT total_changes()").Scan(&n).Error)
			return n
		}
		before := total()
		run(t, db, "UPDATE conversations SET last_seq = 7, title = title, last_message_at = last_message_at",
			"UPDATE messages SET metadata = '{}', content = content, updated_at = '2026-01-02 00:00:00+00:00'")
		require.EqualValues(t, 2, total()-before)
	})
}

// mirror is what the index of words should have.
type mirror struct {
	content map[string]string
	deleted map[string]bool
}

func (m mirror) with(word string) []string {
	var ids []string
	for id, content := range m.content {
		if !m.deleted[id] && slices.Contains(strings.Fields(content), word) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// step changes one message in the database and in the mirror.
func (m mirror) step(t *rapid.T, db *gorm.DB, n int) {
	id := fmt.Sprintf("m%d", rapid.IntRange(0, 5).Draw(t, "id"))
	content := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"one", "two", "three"}), 0, 3).Draw(t, "content"), " ")
	do := func(query string, args ...any) { require.NoError(t, db.Exec(query, args...).Error) }
	_, there := m.content[id]
	switch action := rapid.IntRange(0, 4).Draw(t, "action"); {
	case !there:
		do("INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES (?, ?, ?, ?, 'user', ?)",
			id, user, thread, n+1, content)
		m.content[id], m.deleted[id] = content, false
	case action == 0:
		do("UPDATE messages SET deleted_at = '2026-01-02 03:04:05+00:00' WHERE id = ?", id)
		m.deleted[id] = true
	case action == 1:
		do("UPDATE messages SET deleted_at = NULL WHERE id = ?", id)
		m.deleted[id] = false
	case action == 2:
		do("DELETE FROM messages WHERE id = ?", id)
		delete(m.content, id)
	default:
		do("UPDATE messages SET content = ? WHERE id = ?", content, id)
		m.content[id] = content
	}
}

func TestTriggersKeepUpWithAnyWrites(t *testing.T) {
	t.Parallel()
	eachFTS5(t, func(t *testing.T, db *gorm.DB) {
		rapid.Check(t, func(t *rapid.T) {
			require.NoError(t, db.Exec("DELETE FROM conversations").Error)
			require.NoError(t, db.Exec("INSERT INTO conversations (id, user_id) VALUES (?, ?)", thread, user).Error)
			m := mirror{map[string]string{}, map[string]bool{}}
			for n := range rapid.IntRange(1, 20).Draw(t, "steps") {
				m.step(t, db, n)
			}
			for _, word := range []string{"one", "two", "three"} {
				require.Equal(t, m.with(word), found(t, db, "messages", word))
			}
			checkIntegrity(t, db)
		})
	})
}
