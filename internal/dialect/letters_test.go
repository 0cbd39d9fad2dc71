package dialect_test

import (
	"database/sql"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/substring"
)

// TestLettersByTrigrams: the index of trigrams, which lowers texts by the rules of the locale,
// does not hide a text.
func TestLettersByTrigrams(t *testing.T) {
	t.Parallel()
	for name, locale := range map[string]string{
		"C":       "LOCALE 'C'",
		"C.UTF-8": "LOCALE 'C.UTF-8'",
		"turkish": "LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'tr'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open("pgx", pgtest.Localized(t, locale))
			require.NoError(t, err)
			db.SetMaxOpenConns(1)
			t.Cleanup(func() { assert.NoError(t, db.Close()) })
			for _, statement := range []string{
				"CREATE EXTENSION pg_trgm", "CREATE TABLE texts (content text)",
				"CREATE INDEX texts_idx ON texts USING gin (content gin_trgm_ops)", "SET enable_seqscan = off",
			} {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err, statement)
			}
			rapid.Check(t, func(rt *rapid.T) { checkTrigrams(t, rt, db) })
		})
	}
}

func checkTrigrams(t *testing.T, rt *rapid.T, db *sql.DB) {
	t.Helper()
	tricky := []rune("kKKsSſσςΣiIİıßẞåÅÅéÉ\u0301\u0307ÌìĮįÍaeo_ .-")
	character := rapid.OneOf(rapid.SampledFrom(tricky), rapid.SampledFrom(tricky), rapid.RuneFrom(nil, unicode.L))
	part := rapid.StringOfN(character, 3, 8, -1).Draw(rt, "part")
	around := rapid.SampledFrom([]string{"", " ", "a", "ab", "Σ", "İ"})
	texts := make([]string, 8)
	for i := range texts {
		other := strings.Map(func(r rune) rune {
			for range rapid.IntRange(0, 3).Draw(rt, "turns") {
				r = unicode.SimpleFold(r)
			}
			return r
		}, part)
		texts[i] = around.Draw(rt, "before") + other + around.Draw(rt, "after")
	}
	_, err := db.ExecContext(t.Context(), "WITH gone AS (DELETE FROM texts) INSERT INTO texts SELECT unnest(CAST($1 AS text[]))", texts)
	require.NoError(rt, err)
	letters, _ := substring.Letters(substring.New(part).Forms()[0], 32)
	d, err := dialect.Of(&gorm.DB{Config: &gorm.Config{Dialector: driver.New(driver.Config{})}})
	require.NoError(rt, err)
	condition, args := d.HasLetters("content", letters)
	for n := range args {
		condition = strings.Replace(condition, "?", "$"+string(rune('1'+n)), 1)
	}
	var found int
	require.NoError(rt, db.QueryRowContext(t.Context(), "SELECT count(*) FROM texts WHERE "+condition, args...).Scan(&found))
	require.Equal(rt, len(texts), found, "%q in %q by %v", part, texts, args)
}
