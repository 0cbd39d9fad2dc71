package maintenance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestRowsThatCannotBePacked: what a host's own SQL wrote into one user's rows on SQLite, which
// takes everything, is in nobody's way, neither before it is packed nor after.
func TestRowsThatCannotBePacked(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ctx, db := t.Context(), w.st.DB(t.Context())
		if db.Name() == "postgres" {
			t.Skip("its types take no such values")
		}
		for name, set := range map[string]string{
			"id":            "id = 'no id'",
			"id as bytes":   "id = x'00ff'",
			"user":          "user_id = 'nobody'",
			"conversation":  "conversation_id = 'none'",
			"time":          "created_at = 'abcd-ef-gh ij:kl:mn+00:00'",
			"early":         "created_at = '0000-01-01 00:00:00+00:00'",
			"late":          "created_at = '9999-12-31 23:59:59+00:00'",
			"bytes":         "content = x'ff00fe'",
			"not UTF-8":     "content = CAST(x'ff20616c706861' AS text)",
			"number":        "content = 12",
			"list":          "attachments = '5', tool_results = '\"x\"', metadata = '[[[1]]]'",
			"large numbers": "metadata = '{\"n\": 1e999, \"s\": \"behind\"}'",
		} {
			ms := w.say(t, w.c, 3, "alpha")
			past(t, db, "UPDATE messages SET "+set+" WHERE id = ?", ms[0].ID.String())
			for _, when := range []string{"noted", "packed"} {
				for _, sc := range []store.Scope{w.mine, w.st.AllUsers()} {
					require.GreaterOrEqual(t, w.count(t, sc, "alpha n1"), 1, "%s %s", name, when)
				}
				require.NoError(t, w.all.PackSearch(ctx), name)
				require.Zero(t, w.state(t).Noted, name)
			}
			past(t, db, "DELETE FROM messages WHERE conversation_id = ? OR conversation_id = 'none'", w.c.ID.String())
			require.NoError(t, w.all.PackSearch(ctx), name)
			require.Zero(t, w.state(t).Void, name)
			require.Zero(t, w.count(t, w.mine, "alpha"), name)
		}
	})
}

// past runs a statement on SQLite as a host does that has not turned foreign keys on.
func past(t *testing.T, db *gorm.DB, statement string, args ...any) {
	t.Helper()
	require.NoError(t, db.Connection(func(one *gorm.DB) error {
		require.NoError(t, one.Exec("PRAGMA foreign_keys = OFF").Error)
		defer one.Exec("PRAGMA foreign_keys = ON")
		return one.Exec(statement, args...).Error
	}), statement)
}

// TestTextsBehindNumbers: a number that no float64 has ends no document.
func TestTextsBehindNumbers(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		m := w.say(t, w.c, 1, "alpha")[0]
		require.NoError(t, w.st.DB(t.Context()).Exec("UPDATE messages SET metadata = ?, tool_results = ? WHERE id = ?",
			`{"n": 1e400, "s": "behind"}`, `[1e400, "afterwards"]`, m.ID.String()).Error)
		for range 2 {
			for word, in := range map[string]store.TextField{"behind": store.InMetadata, "afterwards": store.InToolResults} {
				page, err := w.mine.Search().Messages(t.Context(), word, store.TextOptions{In: []store.TextField{in}}, store.PageRequest{})
				require.NoError(t, err)
				require.Len(t, page.Items, 1, word)
			}
			require.NoError(t, w.all.PackSearch(t.Context()))
		}
	})
}

// TestHostileTextsArePacked: each text is packed, and found by its last word.
func TestHostileTextsArePacked(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		var numbers strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&numbers, "w%d ", i)
		}
		for name, text := range map[string]string{
			"one word":       strings.Repeat("a", 4<<20),
			"one letter":     strings.Repeat("a ", 1<<20),
			"marks":          "a" + strings.Repeat("\u0301", 1<<20),
			"wide":           strings.Repeat("東京都", 300_000),
			"ligatures":      strings.Repeat("\ufdfa", 100_000),
			"nothing":        strings.Repeat("\u200d", 1<<20),
			"joined":         strings.Repeat("a\u200d", 1<<19),
			"different":      numbers.String(),
			"emoji":          strings.Repeat("👩‍👩‍👧‍👦", 50_000),
			"four bytes":     strings.Repeat("\U0010fffd", 100_000),
			"long different": strings.Repeat(uuid.NewString()+"-", 20_000),
		} {
			m := &message.Message{Role: message.RoleUser, Content: text + " omega"}
			_, err := w.mine.Messages().Append(t.Context(), w.c.ID, m)
			require.NoError(t, err, name)
			require.Equal(t, 1, w.count(t, w.mine, "omega"), name)
			require.NoError(t, w.all.PackSearch(t.Context()), name)
			require.Zero(t, w.state(t).Noted, name)
			require.Equal(t, 1, w.count(t, w.mine, "omega"), name)
			_, err = w.mine.Messages().Delete(t.Context(), m.ID)
			require.NoError(t, err)
			require.NoError(t, w.all.PackSearch(t.Context()), name)
			require.Zero(t, w.count(t, w.mine, "omega"), name)
		}
	})
}
