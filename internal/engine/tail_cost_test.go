package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// counted is a handler that counts the statements that a store logs.
type counted struct{ n atomic.Int64 }

func (*counted) Enabled(context.Context, slog.Level) bool { return true }
func (c *counted) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c *counted) WithGroup(string) slog.Handler          { return c }
func (c *counted) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}

// TestTailsReadOnce: a change that many tails wait for is read by the poller, once and not by each
// of them, and each gets a copy that is its own.
func TestTailsReadOnce(t *testing.T) {
	t.Parallel()
	const tails, changes = 100, 10
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		user, statements := uuid.New(), &counted{}
		writer := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		follower := d.Store(t, convostore.WithLogger(slog.New(statements), 0))
		c := &conversation.Conversation{}
		require.NoError(t, writer.ForUser(user).Conversations().Create(t.Context(), c))
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		var following, came sync.WaitGroup
		for range tails {
			came.Add(1)
			following.Go(func() {
				for change, err := range follower.ForUser(user).Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}) {
					if err != nil {
						return
					}
					m := change.Message
					assert.Equal(t, "text", m.Headers.Get("name"))
					assert.JSONEq(t, `{"a":1}`, string(m.Metadata))
					assert.Equal(t, "file", m.Attachments[0].Filename)
					m.Headers["name"][0], m.Metadata[2], m.Attachments[0].Filename, m.ToolCalls[0] = "x", 'x', "x", 'x'
					came.Done()
				}
			})
		}
		write := func() {
			_, err := writer.ForUser(user).Messages().Append(ctx, c.ID, &message.Message{
				Role: message.RoleUser, Headers: message.Headers{"name": {"text"}}, Metadata: message.JSON(`{"a":1}`),
				Attachments: message.Attachments{{Filename: "file"}}, ToolCalls: message.JSON(`[]`),
			})
			require.NoError(t, err)
			came.Wait()
		}
		write()
		before, begun := statements.n.Load(), time.Now()
		for range changes {
			came.Add(tails)
			write()
		}
		asked := statements.n.Load() - before
		polls := 2 * int64(time.Since(begun)/store.DefaultTailEvery)
		assert.Less(t, asked, int64(tails*changes/4)+polls, "a look at the state and one at the rows for each change, if no two come together")
		stop()
		following.Wait()
	})
}
