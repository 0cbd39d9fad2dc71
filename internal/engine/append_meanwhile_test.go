package engine_test

import (
	"context"
	"io"
	"log/slog"
	"regexp"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
)

// afterStatement does something once, as soon as a statement like one was made.
type afterStatement struct {
	slog.Handler
	like *regexp.Regexp
	do   func()
}

func (h *afterStatement) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if do := h.do; do != nil && h.like.MatchString(a.Value.String()) {
			h.do = nil
			do()
		}
		return true
	})
	return nil
}

// TestRedeliveredAndDeletedMeanwhile: an append finds no message of its key, another delivery of it is
// stored, and the conversation is deleted before the append looks for that. It is a redelivery then: at
// no time was the conversation gone and the message not stored. A conversation with branches is one
// whose appends look for the reason why they wrote nothing.
func TestRedeliveredAndDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		for name, key := range map[string]func(m *message.Message){
			"idempotency key": func(m *message.Message) { m.IdempotencyKey = "key" },
			"provider id":     func(m *message.Message) { m.GmailMessageID = "gmail" },
			"id":              func(m *message.Message) { m.ID = uuid.NewSHA1(uuid.Nil, []byte("id")) },
		} {
			ctx, user := t.Context(), uuid.New()
			hook := &afterStatement{
				Handler: slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}),
				like:    regexp.MustCompile(`^SELECT .* FROM "?messages"? WHERE`),
			}
			other := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})).ForUser(user)
			mine := d.Store(t, convostore.WithLogger(slog.New(hook), 0)).ForUser(user)
			c := &conversation.Conversation{}
			require.NoError(t, other.Conversations().Create(ctx, c))
			for range 2 { // two beginnings
				_, err := other.Messages().Append(ctx, c.ID, &message.Message{Direction: message.DirectionInbound, Content: "hello", ParentSeq: new(int64(0))})
				require.NoError(t, err)
			}
			_, err := other.Messages().SetHead(ctx, c.ID, 1)
			require.NoError(t, err)

			delivery := func() *message.Message {
				m := &message.Message{Content: "mail", Direction: message.DirectionInbound}
				key(m)
				return m
			}
			stored, again := delivery(), delivery()
			hook.do = func() {
				created, err := other.Messages().Append(ctx, c.ID, stored)
				require.NoError(t, err)
				require.True(t, created)
				_, err = other.Conversations().Delete(ctx, c.ID)
				require.NoError(t, err)
			}
			created, err := mine.Messages().Append(ctx, c.ID, again)
			require.NoError(t, err, name)
			require.Nil(t, hook.do, "the other delivery came between")
			require.False(t, created)
			require.Equal(t, stored.Seq, again.Seq)
		}
	})
}
