package words_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver of SQLite
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/words"
)

// asker finds the texts that a query is for, by their number.
type asker func(t require.TestingT, q words.Query) []int

func open(t *testing.T, driver, dsn string, setUp ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	for _, s := range setUp {
		_, err := db.Exec(s)
		require.NoError(t, err)
	}
	return db
}

func ask(t require.TestingT, db *sql.DB, query string, args ...any) (found []int) {
	rows, err := db.Query(query, args...)
	require.NoError(t, err, "%q", args)
	defer rows.Close()
	for rows.Next() {
		var n int
		require.NoError(t, rows.Scan(&n))
		found = append(found, n)
	}
	require.NoError(t, rows.Err(), "%q", args)
	return found
}

func askSQLite(t *testing.T, texts []string) asker {
	t.Helper()
	db := open(t, "sqlite", ":memory:", `CREATE VIRTUAL TABLE f USING fts5(content, scope, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')`)
	for i, text := range texts {
		_, err := db.Exec("INSERT INTO f (rowid, content, scope) VALUES (?, ?, 'uabc')", i+1, text)
		require.NoError(t, err)
	}
	return func(t require.TestingT, q words.Query) []int {
		if q.Empty() {
			return nil
		}
		return ask(t, db, "SELECT rowid FROM f WHERE f MATCH ? ORDER BY rowid", `scope : "uabc" AND `+q.FTS5("content"))
	}
}

func askPostgres(t *testing.T, config string, texts []string) asker {
	t.Helper()
	db := open(t, "pgx", pgtest.Database(t), "CREATE TABLE f (n int, search tsvector)")
	for i, text := range texts {
		_, err := db.Exec("INSERT INTO f VALUES ($1, to_tsvector($2::text::regconfig, $3))", i+1, config, text)
		require.NoError(t, err)
	}
	return func(t require.TestingT, q words.Query) []int {
		if q.Empty() {
			return nil
		}
		all, positive := q.TSQuery()
		return ask(t, db, "SELECT n FROM f WHERE search @@ to_tsquery($1::text::regconfig, $2)"+
			" AND numnode(to_tsquery($1::text::regconfig, $3)) > 0 ORDER BY n", config, all, positive)
	}
}

var hostile = []string{
	`"`, `""`, "-", "--", "OR", "AND", "NOT", "NEAR(", "NEAR/2", "^", "{content}", "content:", "scope:", "*", "+", "(", ")", "'", "''", `\`, `\'`,
	"<->", "<2>", ":A", ":*", "!!", "!", "&", "|", "%", "_", "the", "a", "cat", "cat-dog", "x@y.zz", "http://a.b/c?d=e", "-5", "3.14e5", "<b>", "&amp;",
	"🙂", "\ufdd0", "\u202e", "שלום", "مرحبا", "北京大学", "สวัสดี", "हिन्दी", "e\u0301", "½", "Ⅷ", "\u200b", "\u00a0", "ǅ", "İ", "ß", "\ue000", "𞤀", ";", "--x", "$1", "?", "@a",
}

func longQueries() []string {
	var different strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&different, "w%d ", i)
	}
	long := different.String()[:16<<10]
	return []string{
		strings.Repeat("word ", 1000), long, strings.ReplaceAll(long, " ", " OR "), "a " + strings.ReplaceAll(long, " ", " -"),
		strings.ReplaceAll(long, " ", "* "), `"` + long + `"`, strings.ReplaceAll(long, " ", "-"),
		strings.Repeat(`"`, 16<<10), strings.Repeat("(", 16<<10), strings.Repeat("-", 16<<10), strings.Repeat("a", 16<<10), strings.Repeat("Ⱥ", 8<<10),
		strings.Repeat(`\`, 1000) + "x", strings.Repeat("'", 1000) + "x", strings.Repeat(`x'\`, 5000),
	}
}

func TestNeverAnError(t *testing.T) {
	t.Parallel()
	texts := []string{"the cat", "cat-dog 🙂"}
	askers := []asker{askSQLite(t, texts), askPostgres(t, "simple", texts), askPostgres(t, "english", texts)}
	check := func(t require.TestingT, text string) {
		for _, ask := range askers {
			ask(t, words.Parse(text))
			ask(t, words.Parse(text).Any())
		}
	}
	for _, text := range append(longQueries(), hostile...) {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringN(1, 5, -1)), 1, 12).Draw(t, "parts")
		text := strings.Join(parts, rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		check(t, strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), ""))
	})
}

// TestDatabasesAgree where a text is plain words.
func TestDatabasesAgree(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 64 {
		texts = append(texts, strings.TrimSpace(fmt.Sprint(
			[]string{"aa", "ab-cc", "ab cc", "cc"}[i%4], " ", []string{"", "aa", "cc.", "(ab, cc)"}[i/4%4], " ", []string{"bb", "cc ab", "aab-bb", ""}[i/16])))
	}
	sqlite, postgres := askSQLite(t, texts), askPostgres(t, "simple", texts)
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{
			"aa", "AB", "ab-cc", "a*", "-b*", `"ab cc"`, `-"cc ab"`, "OR", "-cc", "bb-aa", "a-*", "cc", "zz", "ab-c*",
		}), 1, 6).Draw(t, "parts")
		q := words.Parse(strings.Join(parts, " "))
		if rapid.Bool().Draw(t, "any") {
			q = q.Any()
		}
		assert.Equal(t, sqlite(t, q), postgres(t, q))
	})
}

// TestStopWords: what a configuration leaves out of a query asks for nothing.
func TestStopWords(t *testing.T) {
	t.Parallel()
	ask := askPostgres(t, "english", []string{"the cat pays", "a dog"})
	for query, want := range map[string][]int{
		"the cat": {1}, "cat -the": {1}, "the": nil, "the -cat": nil, "the OR dog": {2}, "paying": {1}, "-the": nil, `"cats pay"`: {1}, "the*": nil,
	} {
		assert.Equal(t, want, ask(t, words.Parse(query)), query)
	}
}
