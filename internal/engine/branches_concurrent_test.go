package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestBranchesConcurrent lets several writers append, regenerate and set the head of one
// conversation: no message is lost, each has the parent it named, and one that named none follows
// what was stored before it.
func TestBranchesConcurrent(t *testing.T) {
	t.Parallel()
	const writers, each = 6, 12
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx := t.Context()
		mine := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})).ForUser(uuid.New())
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "root"}}}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		var mu sync.Mutex
		named := map[string]int64{"root": 0} // the parent by content, -1 if the message named none
		var group errgroup.Group
		for writer := range writers {
			group.Go(func() error {
				random := rand.New(rand.NewPCG(uint64(writer), 2))
				last := int64(1)
				for i := range each {
					m := &message.Message{Role: message.RoleAssistant, Content: fmt.Sprint(writer, "-", i), IdempotencyKey: fmt.Sprint(writer, "-", i)}
					parent := int64(-1)
					if i%2 == 0 {
						parent = random.Int64N(last + 1)
						m.ParentSeq = new(parent)
					}
					created, err := mine.Messages().Append(ctx, c.ID, m)
					if err != nil || !created {
						return errors.Join(err, fmt.Errorf("%s: created %v", m.Content, created))
					}
					mu.Lock()
					named[m.Content] = parent
					mu.Unlock()
					last = m.Seq
					if i%3 == 0 {
						if _, err := mine.Messages().SetHead(ctx, c.ID, 1+random.Int64N(last)); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		all, err := collectMessages(mine.Messages().All(ctx, c.ID, store.MessageFilter{Branches: store.AllBranches}))
		require.NoError(t, err)
		require.Len(t, all, 1+writers*each)
		for i, m := range all {
			require.EqualValues(t, i+1, m.Seq, "no seq is lost or given twice")
			parent := m.Parent()
			if m.ParentSeq != nil {
				require.NotEqual(t, m.Seq-1, parent, "the one before is no branch")
			}
			if want := named[m.Content]; want >= 0 {
				require.Equal(t, want, parent, "the parent of %s", m.Content)
			}
			path, err := mine.Messages().Path(ctx, c.ID, m.Seq, store.PageRequest{Limit: 1})
			require.NoError(t, err)
			require.Len(t, path.Items, 1, "a path begins somewhere")
		}
	})
}
