package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestTailEndsAtTheHead: who takes each appended message for the head until another one is told, has
// the right one in the end, whatever others write between the looks and the pages of a tail.
func TestTailEndsAtTheHead(t *testing.T) {
	t.Parallel()
	const page = 200
	for name, write := range map[string]struct {
		// away is before the tail goes on after the first move, within is in the middle of a page.
		away, within func(ctx context.Context, t *testing.T, ms store.Messages, id uuid.UUID)
		head         int64
	}{
		"appended between pages": {away: say(page), within: say(1), head: 1 + page + 1 + 1},
		"moved back": {away: func(ctx context.Context, t *testing.T, ms store.Messages, id uuid.UUID) {
			t.Helper()
			say(1)(ctx, t, ms, id)
			_, err := ms.SetHead(ctx, id, 1)
			require.NoError(t, err)
		}, within: say(0), head: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
				st, user := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), uuid.New()
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "a"}, {Role: message.RoleUser, Content: "b"}}}
				mine := st.ForUser(user)
				require.NoError(t, mine.Conversations().Create(ctx, c))
				_, err := mine.Messages().SetHead(ctx, c.ID, 1)
				require.NoError(t, err)
				head, moves, appended := int64(0), 0, false
				for change, err := range mine.Messages().Tail(ctx, c.ID, store.Position{Seq: 2}, store.TailOptions{}) {
					require.NoError(t, err)
					if change.Kind == store.ChangeHeadMoved {
						head = change.Head
						if moves++; moves == 1 {
							write.away(ctx, t, mine.Messages(), c.ID)
							continue
						}
						break
					}
					head = change.Message.Seq
					if !appended {
						appended = true
						write.within(ctx, t, mine.Messages(), c.ID)
					}
				}
				require.Equal(t, write.head, head)
			})
		})
	}
}

// say appends messages.
func say(n int) func(ctx context.Context, t *testing.T, ms store.Messages, id uuid.UUID) {
	return func(ctx context.Context, t *testing.T, ms store.Messages, id uuid.UUID) {
		t.Helper()
		var all []*message.Message
		for range n {
			all = append(all, &message.Message{Role: message.RoleUser, Content: "more"})
		}
		_, err := ms.AppendMany(ctx, id, all, store.AppendOptions{})
		require.NoError(t, err)
	}
}
