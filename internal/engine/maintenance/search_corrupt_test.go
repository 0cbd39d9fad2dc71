package maintenance_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/store"
)

// TestCorruptIndex: blocks that a disk or somebody else's SQL has spoiled are an error that says so,
// appends work on, and ReindexSearch makes the index anew from the rows.
func TestCorruptIndex(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ctx := t.Context()
		w.say(t, w.c, 300, "alpha")
		bytes := "x'ff'"
		if w.st.DB(ctx).Name() == "postgres" {
			bytes = `'\xff'::bytea`
		}
		parts := []int{}
		require.NoError(t, w.all.PackSearch(ctx))
		require.NoError(t, w.st.DB(ctx).Raw("SELECT DISTINCT part FROM search_blocks").Scan(&parts).Error)
		require.NotEmpty(t, parts)
		spoil := []string{"UPDATE search_segments SET dead = " + bytes, "DELETE FROM search_blocks", "UPDATE search_segments SET documents = 1000000"}
		for _, part := range parts {
			spoil = append(spoil, "UPDATE search_blocks SET data = "+bytes+" WHERE part = "+string(rune('0'+part)))
		}
		for _, statement := range spoil {
			require.NoError(t, w.st.DB(ctx).Exec(statement).Error)
			_, err := w.mine.Search().Messages(ctx, `"alpha n1"`, store.TextOptions{}, store.PageRequest{})
			if err != nil {
				require.ErrorIs(t, err, store.ErrSearchIndex, statement)
				require.ErrorContains(t, err, "ReindexSearch", statement)
			}
			w.say(t, w.c, 1, "beta")
			require.NoError(t, w.all.ReindexSearch(ctx, nil), statement)
			require.Equal(t, 300, w.count(t, w.mine, "alpha"), statement)
			require.Equal(t, 1, w.count(t, w.mine, `"alpha n1"`), statement)
			require.Zero(t, w.count(t, w.st.ForUser(uuid.New()), "alpha"), statement)
			require.NoError(t, w.st.DB(ctx).Exec("DELETE FROM messages WHERE content LIKE 'beta%'").Error)
			require.NoError(t, w.all.PackSearch(ctx), statement)
			require.Zero(t, w.state(t).Noted+w.state(t).Void, statement)
		}
	})
}
