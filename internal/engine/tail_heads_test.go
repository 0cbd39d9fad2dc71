package engine_test

import (
	"context"
	"fmt"
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
// the right one in the end, whatever others write between the looks and the pages of a tail. A look
// that comes between two writes tells a head that was right then, so that there may be one move more.
//
// When everything is written a message is edited, and again each time when the edit is seen. The first
// edit may come with a look from before the last write. The next look is from after it, and its head
// comes after the second edit and before the third.
func TestTailEndsAtTheHead(t *testing.T) {
	t.Parallel()
	const page = 200
	for name, w := range map[string]headWrites{
		"appended between pages": {away: say(page), within: say(1), head: 1 + page + 1 + 1},
		"moved back":             {away: sayAndMoveBack, within: say(0), head: 1},
		"moved back at once":     {away: atomically(sayAndMoveBack), within: say(0), head: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
				st, user := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), uuid.New()
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
				defer stop()
				c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "a"}, {Role: message.RoleUser, Content: "b"}}}
				mine := st.ForUser(user)
				require.NoError(t, mine.Conversations().Create(ctx, c))
				_, err := mine.Messages().SetHead(ctx, c.ID, 1)
				require.NoError(t, err)
				require.Equal(t, w.head, headInTheEnd(ctx, t, st, c, w))
			})
		})
	}
}

// headWrite is what others write to a conversation while it is followed.
type headWrite func(ctx context.Context, t *testing.T, st store.Store, c *conversation.Conversation)

// headWrites are written before the tail goes on after the first move, away, and in the middle of a
// page of appended messages, within. head is the head after both.
type headWrites struct {
	away, within headWrite
	head         int64
}

// headInTheEnd follows a conversation whose head is not its last message.
func headInTheEnd(ctx context.Context, t *testing.T, st store.Store, c *conversation.Conversation, w headWrites) (head int64) {
	t.Helper()
	ms := st.ForUser(c.UserID).Messages()
	moved, appended, edits := false, false, 0
	edit := func() {
		edits++
		_, err := ms.Update(ctx, c.Messages[0].ID, store.MessageUpdate{Content: new(fmt.Sprint("edit ", edits))})
		require.NoError(t, err)
	}
	for change, err := range ms.Tail(ctx, c.ID, store.Position{Seq: 2}, store.TailOptions{}) {
		require.NoError(t, err)
		switch {
		case change.Kind == store.ChangeHeadMoved:
			head = change.Head
			if !moved {
				moved = true
				w.away(ctx, t, st, c)
			}
		case change.Kind == store.ChangeAppended:
			head = change.Message.Seq
			if !appended {
				appended = true
				w.within(ctx, t, st, c)
				edit()
			}
		case change.Message.Content != fmt.Sprint("edit ", edits): // one that was seen before
		case edits == 3:
			return head
		default:
			edit()
		}
	}
	return head
}

// say appends messages.
func say(n int) headWrite {
	return func(ctx context.Context, t *testing.T, st store.Store, c *conversation.Conversation) {
		t.Helper()
		var all []*message.Message
		for range n {
			all = append(all, &message.Message{Role: message.RoleUser, Content: "more"})
		}
		_, err := st.ForUser(c.UserID).Messages().AppendMany(ctx, c.ID, all, store.AppendOptions{})
		require.NoError(t, err)
	}
}

func sayAndMoveBack(ctx context.Context, t *testing.T, st store.Store, c *conversation.Conversation) {
	t.Helper()
	say(1)(ctx, t, st, c)
	_, err := st.ForUser(c.UserID).Messages().SetHead(ctx, c.ID, 1)
	require.NoError(t, err)
}

// atomically writes in one transaction, so that no look comes between.
func atomically(write headWrite) headWrite {
	return func(ctx context.Context, t *testing.T, st store.Store, c *conversation.Conversation) {
		t.Helper()
		require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
			write(ctx, t, tx, c)
			return nil
		}))
	}
}
