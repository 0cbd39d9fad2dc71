package maintenance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/bothtest"
)

// voidMany notes 120,000 documents as void that no segment has, in the keys before every other.
func (w *searchWorld) voidMany(t *testing.T) {
	t.Helper()
	insert := "INSERT INTO search_gone (user_id, thread_id, kind, id, erased) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 120000) "
	id := "SELECT '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', 1, printf('00000000-0000-0000-0000-%012d', n), false FROM n"
	if w.st.DB(t.Context()).Name() == "postgres" {
		id = "SELECT '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', 1, CAST('00000000-0000-0000-0000-' || lpad(CAST(n AS text), 12, '0') AS uuid), false FROM n"
	}
	require.NoError(t, w.st.DB(t.Context()).Exec(insert+id).Error)
}

// TestManyVoid: more texts are void than one step looks up, as after an edit of very many. What
// was edited is not packed before its old text is void in the segments, which would hide both.
func TestManyVoid(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ms := w.say(t, w.c, 300, "alpha")
		require.NoError(t, w.all.PackSearch(t.Context()))
		w.voidMany(t)
		require.NoError(t, w.st.DB(t.Context()).Exec("UPDATE messages SET content = 'beta'").Error)
		require.NoError(t, w.all.PackSearch(t.Context()))
		require.Equal(t, len(ms), w.count(t, w.mine, "beta"))
		require.Zero(t, w.count(t, w.mine, "alpha"))
		state := w.state(t)
		require.Zero(t, state.Noted+state.Void)
	})
}

// TestVoidIsHeld: an erasure that has not ended holds what is void. A text with the same key, which
// was inserted again past the store, is not packed before that ends either way.
func TestVoidIsHeld(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ctx, db := t.Context(), w.st.DB(t.Context())
		if db.Name() != "postgres" {
			t.Skip("nobody packs beside a writer")
		}
		back := w.say(t, w.c, 1, "alpha")[0]
		require.NoError(t, w.all.PackSearch(ctx))
		require.NoError(t, db.Exec("CREATE TABLE kept AS SELECT * FROM messages").Error)
		require.NoError(t, db.Exec("DELETE FROM messages WHERE id = ?", back.ID).Error)
		require.NoError(t, db.Exec("INSERT INTO messages SELECT * FROM kept").Error)
		held := db.Begin()
		require.NoError(t, held.Exec("DELETE FROM search_gone").Error)
		require.NoError(t, w.all.PackSearch(ctx))
		require.Equal(t, 1, w.count(t, w.mine, "alpha"), "while it is held")
		require.NoError(t, held.Rollback().Error)
		require.Equal(t, 1, w.count(t, w.mine, "alpha"), "once it is free")
		require.NoError(t, w.all.PackSearch(ctx))
		require.Equal(t, 1, w.count(t, w.mine, "alpha"), "packed")
		require.Zero(t, w.state(t).Noted+w.state(t).Void)
	})
}
