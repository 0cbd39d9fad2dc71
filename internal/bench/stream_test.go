package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestStreamFlushRatio holds a flush against an UPDATE of the whole text by hand, in turns. The
// library's notes a change of the conversation as well. Only the ratio means something.
func TestStreamFlushRatio(t *testing.T) {
	testrun.OnlyFull(t)
	const rounds, flushes = 20, 25
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, st := t.Context(), d.Store(t, convostore.WithMigrate(migrate.Options{}))
		mine, c := st.ForUser(uuid.New()), &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		begin := func() store.MessageStream {
			s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
			require.NoError(t, err)
			return s
		}
		ratios := make([]float64, rounds)
		for i := range ratios {
			own, hand, text := begin(), begin(), ""
			var took [2]time.Duration
			for range flushes {
				const token = "forty bytes that a model has come up with"
				text += token
				at := time.Now()
				require.NoError(t, own.Write(ctx, token))
				require.NoError(t, own.Flush(ctx))
				between := time.Now()
				require.NoError(t, st.DB(ctx).Exec("UPDATE messages SET content = ?, updated_at = ? WHERE id = ? AND user_id = ?",
					text, message.Now(), hand.ID().String(), c.UserID.String()).Error)
				took[0], took[1] = took[0]+between.Sub(at), took[1]+time.Since(between)
			}
			ratios[i] = float64(took[0]) / float64(took[1])
		}
		slices.Sort(ratios)
		t.Logf("a flush takes %.2f times as long as an UPDATE by hand (median of %d rounds)", ratios[rounds/2], rounds)
	})
}
