package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/pgtest"
)

const other = "00000000-0000-7000-8000-0000000000a2"

// eachDatabase is eachDialect, and mattn's driver.
func eachDatabase(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	for _, driver := range sqliteDrivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			test(t, openDriver(t, driver, sqliteFile(t)+sqliteOptions))
		})
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, openTest(t, postgres, pgtest.Database(t)))
	})
}

// noted returns what the index of words reads from its row, in order. On PostgreSQL the note of a
// message that was deleted softly may stay until the next packing, which leaves it out.
func noted(t require.TestingT, db *gorm.DB) []string {
	query := `SELECT CASE kind WHEN 0 THEN 'title ' ELSE 'message ' END || id FROM search_notes n WHERE kind = 0 OR NOT EXISTS
		(SELECT FROM messages m WHERE m.id = n.id AND m.user_id = n.user_id AND (m.deleted_at IS NOT NULL OR m.state = 'streaming')) ORDER BY 1`
	if db.Name() == sqlite {
		query = `SELECT CASE WHEN ref < 0 THEN 'title ' || coalesce(c.id, ref) ELSE 'message ' || coalesce(m.id, ref) END
			FROM search_notes LEFT JOIN messages m ON m.row_id = ref LEFT JOIN conversations c ON c.row_id = -ref ORDER BY 1`
	}
	return readAll(t, db, query)
}

// void returns what is void in the segments, in order, with the conversation of a message.
func void(t require.TestingT, db *gorm.DB) []string {
	return readAll(t, db, `SELECT CASE kind WHEN 0 THEN 'title ' || id ELSE 'message ' || id || ' of ' || thread_id END
		|| CASE WHEN user_id = '`+user+`' THEN '' ELSE ' of ' || user_id END || CASE WHEN erased THEN ' erased' ELSE '' END FROM search_gone ORDER BY 1`)
}

func readAll(t require.TestingT, db *gorm.DB, query string) []string {
	all := []string{}
	require.NoError(t, db.Raw(query).Scan(&all).Error)
	return all
}

func insertMessage(t *testing.T, db *gorm.DB, id string, seq int, content string) {
	t.Helper()
	run(t, db, fmt.Sprintf("INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES ('%s', '%s', '%s', %d, 'user', '%s')",
		id, user, thread, seq, content))
}

// change is a write to a database that has conversation thread with the messages inbound and other,
// and the conversation gone without any. Nothing is noted or void before it.
type change struct {
	sql         []string
	notes, void []string
}

const (
	insertInto = "INSERT INTO messages (id, user_id, conversation_id, seq, role, content, deleted_at, state) VALUES ('" + gone + "', '" + user + "', '" + thread + "', "
	streamed   = insertInto + "3, 'assistant', 'The', NULL, 'streaming')"
	deletion   = "deleted_at = '2026-01-02 03:04:05+00:00'"
	where      = " WHERE id = '" + inbound + "'"
	updates    = "UPDATE messages SET "
)

// changesOfMessages are the kinds of writes to messages, with what they leave.
func changesOfMessages() map[string]change {
	const hi, hiVoid, newer = "message " + inbound, "message " + inbound + " of " + thread, "message " + gone
	return map[string]change{
		"insert":                      {[]string{insertInto + "3, 'user', 'Hi', NULL, 'complete')"}, []string{newer}, nil},
		"insert of a deleted one":     {[]string{insertInto + "3, 'user', 'Hi', '2026-01-02 03:04:05+00:00', 'complete')"}, nil, nil},
		"insert of a failed one":      {[]string{insertInto + "3, 'assistant', 'Hi', NULL, 'failed')"}, []string{newer}, nil},
		"streaming":                   {[]string{streamed, updates + "content = 'The end', heartbeat_at = '2026-01-02 03:04:05+00:00' WHERE id = '" + gone + "'"}, nil, nil},
		"streaming to the end":        {[]string{streamed, updates + "content = 'The end', state = 'complete' WHERE id = '" + gone + "'"}, []string{newer}, nil},
		"streaming, interrupted":      {[]string{streamed, updates + "state = 'interrupted' WHERE id = '" + gone + "'"}, []string{newer}, nil},
		"streaming, deleted":          {[]string{streamed, "DELETE FROM messages WHERE id = '" + gone + "'"}, nil, []string{newer + " of " + thread + " erased"}},
		"streaming once more":         {[]string{updates + "state = 'streaming'" + where}, nil, []string{hiVoid}},
		"edit":                        {[]string{updates + "content = 'Ho'" + where}, []string{hi}, []string{hiVoid}},
		"edit of files":               {[]string{updates + `attachments = '[{"name": "a.pdf"}]'` + where}, []string{hi}, []string{hiVoid}},
		"edit of a result":            {[]string{updates + `tool_results = '[{"content": "a"}]'` + where}, []string{hi}, []string{hiVoid}},
		"edit of metadata":            {[]string{updates + `metadata = '{"a": "b"}'` + where}, []string{hi}, []string{hiVoid}},
		"another time":                {[]string{updates + "created_at = '2026-01-02 03:04:05+00:00'" + where}, []string{hi}, []string{hiVoid}},
		"an edit that changes none":   {[]string{updates + "content = content, metadata = metadata, deleted_at = deleted_at, state = state, user_id = user_id"}, nil, nil},
		"another column":              {[]string{updates + "author = 'Ann', updated_at = '2026-01-02 03:04:05+00:00', revision = 4, delivery = 'sent', headers = '{}', seq = seq + 10"}, nil, nil},
		"another end":                 {[]string{updates + "state = 'failed'" + where}, nil, nil},
		"soft deletion":               {[]string{updates + deletion + where}, nil, []string{hiVoid}},
		"soft deletion of a new one":  {[]string{updates + "content = 'Ho'" + where, updates + deletion + where}, nil, []string{hiVoid}},
		"deletion at another time":    {[]string{updates + deletion + where, clearVoid, updates + "deleted_at = '2026-01-03 00:00:00+00:00', content = 'Ho'" + where}, nil, nil},
		"restoring":                   {[]string{updates + deletion + where, clearVoid, updates + "deleted_at = NULL" + where}, []string{hi}, nil},
		"move":                        {[]string{updates + "conversation_id = '" + gone + "'" + where}, []string{hi}, []string{hiVoid}},
		"move and back":               {[]string{updates + "conversation_id = '" + gone + "'" + where, updates + "conversation_id = '" + thread + "'" + where}, []string{hi}, []string{"message " + inbound + " of " + gone, hiVoid}},
		"another user":                {[]string{updates + "conversation_id = '" + other + "', user_id = '" + other + "'" + where}, []string{hi}, []string{hiVoid}},
		"another id":                  {[]string{updates + "content = 'Ho'" + where, updates + "id = '" + gone + "'" + where}, []string{newer}, []string{newer + " of " + thread, hiVoid}[1:]},
		"deletion":                    {[]string{updates + "content = 'Ho'" + where, "DELETE FROM messages" + where}, nil, []string{hiVoid + " erased"}},
		"deletion of a deleted one":   {[]string{updates + deletion + where, clearVoid, "DELETE FROM messages" + where}, nil, []string{hiVoid + " erased"}},
		"erased, and there again":     {[]string{"DELETE FROM messages" + where, again, updates + "content = 'Ho'" + where}, []string{hi}, []string{hiVoid + " erased"}},
		"deletion of the thread":      {[]string{updates + "content = 'Ho'", "DELETE FROM conversations WHERE id = '" + thread + "'"}, nil, []string{hiVoid + " erased", "message " + other + " of " + thread + " erased", "title " + thread + " erased"}},
		"one that is there already":   {[]string{again + " ON CONFLICT DO NOTHING"}, nil, nil},
		"one that is edited instead":  {[]string{again + " ON CONFLICT (id, user_id) DO UPDATE SET content = 'Ho'"}, []string{hi}, []string{hiVoid}},
		"one that is found unchanged": {[]string{again + " ON CONFLICT (id, user_id) DO UPDATE SET content = excluded.content"}, nil, nil},
	}
}

const (
	clearVoid = "DELETE FROM search_gone"
	again     = "INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES ('" + inbound + "', '" + user + "', '" + thread + "', 1, 'user', 'Hi')"
)

func changesOfConversations() map[string]change {
	const update, insert = "UPDATE conversations SET ", "INSERT INTO conversations (id, user_id, title, subject, deleted_at) VALUES ('" + inbound + "', '" + user + "', "
	const roof, roofVoid, newer = "title " + thread, "title " + thread, "title " + inbound
	const where = " WHERE id = '" + thread + "'"
	return map[string]change{
		"insert with a title":        {[]string{insert + "'Leak', NULL, NULL)"}, []string{newer}, nil},
		"insert with a subject":      {[]string{insert + "NULL, 'Re: Leak', NULL)"}, []string{newer}, nil},
		"insert of a deleted one":    {[]string{insert + "'Leak', 'Re', '2026-01-02 03:04:05+00:00')"}, []string{newer}, nil},
		"insert without a title":     {[]string{insert + "NULL, NULL, NULL)"}, nil, nil},
		"insert with an empty title": {[]string{insert + "'', '', NULL)"}, nil, nil},
		"another title":              {[]string{update + "title = 'Attic'" + where}, []string{roof}, []string{roofVoid}},
		"another subject":            {[]string{update + "subject = 'Re: Roof'" + where}, []string{roof}, []string{roofVoid}},
		"no title":                   {[]string{update + "title = 'Attic'" + where, update + "title = NULL" + where}, nil, []string{roofVoid}},
		"an empty title":             {[]string{update + "title = ''" + where}, nil, []string{roofVoid}},
		"its first title":            {[]string{update + "title = 'Attic' WHERE id = '" + gone + "'"}, []string{"title " + gone}, nil},
		"the same title":             {[]string{update + "title = title, subject = subject"}, nil, nil},
		"other columns":              {[]string{update + "last_seq = last_seq + 1, status = 'archived', updated_at = '2026-01-02 03:04:05+00:00', last_message_at = '2026-01-02 03:04:05+00:00', metadata = '{}'"}, nil, nil},
		"another time":               {[]string{update + "created_at = '2026-01-02 03:04:05+00:00'" + where}, []string{roof}, []string{roofVoid}},
		"soft deletion and back":     {[]string{update + deletion + where, update + "deleted_at = NULL" + where}, nil, nil},
		"another user":               {[]string{"DELETE FROM messages", clearVoid, update + "user_id = '" + inbound + "'" + where}, []string{roof}, []string{roofVoid}},
		"another id":                 {[]string{"DELETE FROM messages", clearVoid, update + "title = 'Attic'" + where, update + "id = '" + inbound + "'" + where}, []string{newer}, []string{roofVoid}},
		"deletion":                   {[]string{"DELETE FROM messages", clearVoid, update + "title = 'Attic'" + where, "DELETE FROM conversations" + where}, nil, []string{roofVoid + " erased"}},
		"deletion without a title":   {[]string{"DELETE FROM conversations WHERE id = '" + gone + "'"}, nil, []string{"title " + gone + " erased"}},
		"deletion of a former title": {[]string{update + "title = NULL" + where, clearVoid, "DELETE FROM messages", clearVoid, "DELETE FROM conversations" + where}, nil, []string{roofVoid + " erased"}},
		"one that is there already":  {[]string{strings.ReplaceAll(insert, inbound, thread) + "'Attic', NULL, NULL) ON CONFLICT DO NOTHING"}, nil, nil},
	}
}

// Every kind of write leaves what is to be read and what is void, on each database the same.
func TestTriggersOfTheIndexOfWords(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		for table, changes := range map[string]map[string]change{"messages": changesOfMessages(), "conversations": changesOfConversations()} {
			for name, c := range changes {
				run(t, db, "DELETE FROM conversations",
					"INSERT INTO conversations (id, user_id, title) VALUES ('"+thread+"', '"+user+"', 'Roof')",
					"INSERT INTO conversations (id, user_id) VALUES ('"+gone+"', '"+user+"'), ('"+other+"', '"+other+"')")
				insertMessage(t, db, inbound, 1, "Hi")
				insertMessage(t, db, other, 2, "plain custard")
				require.Equal(t, []string{"message " + inbound, "message " + other, "title " + thread}, noted(t, db))
				run(t, db, "DELETE FROM search_notes", clearVoid)
				run(t, db, c.sql...)
				require.Equal(t, append([]string{}, c.notes...), noted(t, db), "noted after %s: %s", table, name)
				require.Equal(t, append([]string{}, c.void...), void(t, db), "void after %s: %s", table, name)
			}
		}
	})
}

// A thousand rows in one statement, and what one statement takes back.
func TestTriggersOfManyRows(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		run(t, db, "INSERT INTO conversations (id, user_id) VALUES ('"+thread+"', '"+user+"')")
		series := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
		id := "'00000000-0000-7000-8000-' || substr('000000000000' || i, -12)"
		if db.Name() == postgres {
			id = "CAST('00000000-0000-7000-8000-' || lpad(i::text, 12, '0') AS uuid)"
		}
		run(t, db, series+"INSERT INTO messages (id, user_id, conversation_id, seq, role, content, state) SELECT "+id+
			", '"+user+"', '"+thread+"', i, 'user', 'Hi', CASE WHEN i % 10 = 0 THEN 'streaming' ELSE 'complete' END FROM n")
		require.Len(t, noted(t, db), 900)
		run(t, db, "UPDATE messages SET content = 'Ho' WHERE seq % 2 = 1")
		require.Len(t, noted(t, db), 900)
		require.Len(t, void(t, db), 500)
		run(t, db, "DELETE FROM messages WHERE seq % 4 = 0")
		require.Len(t, noted(t, db), 700, "of the 250 fifty streamed")
		require.Len(t, void(t, db), 750)
		run(t, db, "DELETE FROM conversations")
		require.Empty(t, noted(t, db))
		require.Len(t, void(t, db), 1001)
	})
}

// What only PostgreSQL has.
func TestTriggersOfPostgres(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	fillWords(t, db)
	run(t, db, "DELETE FROM search_notes", "DELETE FROM search_gone",
		"CREATE TABLE apart AS SELECT * FROM messages WHERE id = '"+inbound+"'", "DELETE FROM messages WHERE id = '"+inbound+"'", "DELETE FROM search_gone")

	// COPY needs no file of the server with a program, but rights: those of the tests' server.
	run(t, db, `COPY messages (id, user_id, conversation_id, seq, role, content) FROM PROGRAM 'printf "`+inbound+`,`+user+`,`+thread+`,9,user,Hi\n"' WITH (FORMAT csv)`)
	require.Equal(t, []string{"message " + inbound}, noted(t, db), "COPY")

	run(t, db, "CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.search_notes (LIKE search_notes)")
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		run(t, tx, "SET LOCAL search_path = elsewhere", "UPDATE public.messages SET content = 'Ho'")
		return nil
	}))
	require.Equal(t, []string{"message " + inbound, "message " + other}, noted(t, db), "whatever the search_path is")
	require.Zero(t, count(t, db, "elsewhere.search_notes"))

	run(t, db, "INSERT INTO search_segments (documents, length, since_at, until_at, tokenizer, bytes, dead) VALUES (0, 0, 0, 0, 1, 0, '')",
		"TRUNCATE messages CASCADE")
	require.Equal(t, []string{"title " + thread}, noted(t, db))
	require.Empty(t, void(t, db))
	require.Zero(t, count(t, db, "search_segments"))
	run(t, db, "TRUNCATE conversations CASCADE")
	require.Empty(t, noted(t, db))
}

// waitForLock waits until a session of the database waits for another one's transaction.
func waitForLock(t *testing.T, tx *gorm.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, tx.Raw("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"+
			" WHERE NOT l.granted AND l.locktype = 'transactionid' AND a.datname = current_database()").Scan(&waiting).Error)
		return waiting == 1
	}, 30*time.Second, time.Millisecond)
}

// An edit is not committed yet when somebody packs the message. Packing waits for it and reads the
// new text: with DO NOTHING the note would not be locked, and the edit be lost.
func TestPackingWaitsForAnEdit(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openTest(t, postgres, dsn)
	require.NoError(t, Up(t.Context(), db, Options{}))
	fill(t, db, Options{})
	edit, packed := openTest(t, postgres, dsn).Begin(), make(chan string, 1)
	run(t, edit, "UPDATE messages SET content = 'Ho'")
	go func() {
		var content string
		err := db.WithContext(context.WithoutCancel(t.Context())).Transaction(func(tx *gorm.DB) error {
			if err := tx.Exec("DELETE FROM search_notes").Error; err != nil {
				return err
			}
			return tx.Raw("SELECT content FROM messages").Scan(&content).Error
		})
		packed <- fmt.Sprint(content, err)
	}()
	waitForLock(t, edit)
	require.NoError(t, edit.Commit().Error)
	require.Equal(t, "Ho<nil>", <-packed)
	require.Empty(t, noted(t, db))
}

// Somebody packs a message: takes the note away, reads the text and commits later. An edit meanwhile
// waits, and is noted anew.
func TestAnEditWaitsForWhoeverPacksItsNote(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]string{
		"an edit":      "UPDATE messages SET content = 'Ho' WHERE id = '" + inbound + "'",
		"a move":       "UPDATE messages SET conversation_id = '" + gone + "' WHERE id = '" + inbound + "'",
		"another name": "UPDATE conversations SET title = 'Attic' WHERE id = '" + thread + "'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			db := openTest(t, postgres, dsn)
			require.NoError(t, Up(t.Context(), db, Options{}))
			run(t, db, "INSERT INTO conversations (id, user_id, title) VALUES ('"+thread+"', '"+user+"', 'Roof')",
				"INSERT INTO conversations (id, user_id) VALUES ('"+gone+"', '"+user+"')")
			insertMessage(t, db, inbound, 1, "Hi")
			all := noted(t, db)
			pack := openTest(t, postgres, dsn).Begin()
			run(t, pack, "DELETE FROM search_notes")
			done := make(chan error, 1)
			go func() { done <- db.WithContext(context.WithoutCancel(t.Context())).Exec(edit).Error }()
			waitForLock(t, pack)
			require.NoError(t, pack.Commit().Error)
			require.NoError(t, <-done)
			require.Len(t, noted(t, db), 1)
			require.Subset(t, all, noted(t, db))
			require.Len(t, void(t, db), 1, "and what was packed is void")
		})
	}
}

// SQLite's OR REPLACE removes a row without a trigger, unless recursive_triggers is on. The new row
// is noted, and it shadows what segments have of the old one if it has the same id (docs/limits.md).
func TestReplacedRowsOfSQLite(t *testing.T) {
	t.Parallel()
	for setting, erased := range map[string][]string{"off": {}, "on": {"message " + inbound + " of " + thread + " erased"}} {
		db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
		require.NoError(t, Up(t.Context(), db, Options{}))
		fill(t, db, Options{})
		run(t, db, "DELETE FROM search_notes", "DELETE FROM ai_suggestions")
		require.NoError(t, db.Connection(func(db *gorm.DB) error {
			run(t, db, "PRAGMA recursive_triggers = "+setting, strings.Replace(again, "INSERT", "INSERT OR REPLACE", 1))
			return nil
		}))
		require.Equal(t, []string{"message " + inbound}, noted(t, db))
		require.Equal(t, erased, void(t, db), "recursive_triggers = %s", setting)
	}
}

// mirror is what the index of words should have: what was written since the last packing.
type mirror struct {
	content       map[string]string
	deleted       map[string]bool
	notes, voided map[string]bool
}

// step changes one message in the database and in the mirror.
func (m mirror) step(t *rapid.T, db *gorm.DB, n int) {
	id := fmt.Sprintf("00000000-0000-7000-8000-%012d", rapid.IntRange(0, 5).Draw(t, "id"))
	content := rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "content")
	do := func(query string, args ...any) { require.NoError(t, db.Exec(query, args...).Error) }
	old, there := m.content[id]
	live := there && !m.deleted[id]
	switch action := rapid.IntRange(0, 5).Draw(t, "action"); {
	case action == 5:
		do("DELETE FROM search_notes")
		do("DELETE FROM search_gone")
		clear(m.notes)
		clear(m.voided)
		return
	case !there:
		do("INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES (?, ?, ?, ?, 'user', ?)",
			id, user, thread, n+1, content)
		m.content[id], m.deleted[id], m.notes[id] = content, false, true
		return
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
	m.follow(id, old, live)
}

// follow notes what a change has done to a message that was there.
func (m mirror) follow(id, old string, live bool) {
	content, there := m.content[id]
	now := there && !m.deleted[id]
	switch {
	case !now:
		delete(m.notes, id)
	case !live || content != old:
		m.notes[id] = true
	}
	if !there || live && (!now || content != old) {
		m.voided[id] = m.voided[id] || !there
	}
}

func (m mirror) expected() (notes, voided []string) {
	notes, voided = []string{}, []string{}
	for id := range m.notes {
		notes = append(notes, "message "+id)
	}
	for id, erased := range m.voided {
		text := "message " + id + " of " + thread
		if erased {
			text += " erased"
		}
		voided = append(voided, text)
	}
	slices.Sort(notes)
	slices.Sort(voided)
	return notes, voided
}

func TestTriggersKeepUpWithAnyWrites(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		rapid.Check(t, func(t *rapid.T) {
			for _, s := range []string{"DELETE FROM conversations", "DELETE FROM search_notes", "DELETE FROM search_gone"} {
				require.NoError(t, db.Exec(s).Error)
			}
			require.NoError(t, db.Exec("INSERT INTO conversations (id, user_id) VALUES (?, ?)", thread, user).Error)
			m := mirror{map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
			for n := range rapid.IntRange(1, 20).Draw(t, "steps") {
				m.step(t, db, n)
			}
			notes, voided := m.expected()
			require.Equal(t, notes, noted(t, db))
			require.Equal(t, voided, void(t, db))
		})
	})
}
