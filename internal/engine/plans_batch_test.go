package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// batchOf is some of what a user has, for a call about it.
type batchOf struct {
	mine          store.Scope
	conversations []uuid.UUID
	messages      []uuid.UUID
}

// mails are new messages with names, one for each of some conversations.
func (b batchOf) mails(of []uuid.UUID) (ms []*message.Message) {
	for _, id := range of {
		name := uuid.NewString()
		ms = append(ms, &message.Message{
			ConversationID: id, Direction: message.DirectionInbound, Content: "text", SenderEmail: "ann@x.example",
			EmailMessageID: "<" + name + "@x.example>", GmailMessageID: name, IdempotencyKey: name,
		})
	}
	return ms
}

func plannedBatches() map[string]func(ctx context.Context, b batchOf) error {
	return map[string]func(ctx context.Context, b batchOf) error{
		"append many": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Messages().AppendMany(ctx, b.conversations[0], b.mails(slices.Repeat(b.conversations[:1], 5)), store.AppendOptions{})
			return err
		},
		"import": func(ctx context.Context, b batchOf) error {
			all := func(yield func(*message.Message, error) bool) {
				for _, m := range b.mails(b.conversations) {
					if !yield(m, nil) {
						return
					}
				}
			}
			_, err := b.mine.Messages().Import(ctx, all, store.ImportOptions{})
			return err
		},
		"move": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Messages().Move(ctx, b.messages, b.conversations[0], store.MoveOptions{})
			return err
		},
	}
}

// TestListsWithoutStatistics makes calls that look many rows up by their ids, of a user with 6,000
// mails on a database that was never analyzed, and counts what each of the look-ups reads.
func TestListsWithoutStatistics(t *testing.T) {
	t.Parallel()
	st, user := unanalyzed(t)
	db := st.DB(t.Context())
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(db))
	require.NoError(t, err)
	b := batchOf{mine: recorded.ForUser(user)}
	require.NoError(t, db.Model(&conversation.Conversation{}).Limit(20).Pluck("id", &b.conversations).Error)
	require.NoError(t, db.Model(&message.Message{}).Where("conversation_id NOT IN ?", b.conversations).Limit(5).Pluck("id", &b.messages).Error)
	for name, call := range plannedBatches() {
		t.Run(name, func(t *testing.T) {
			rec.Reset()
			require.NoError(t, call(t.Context(), b))
			lists := 0
			for _, s := range rec.Statements() {
				if !strings.HasPrefix(s.SQL, "SELECT") || !strings.Contains(s.SQL, "LATERAL") {
					continue
				}
				lists++
				for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
					plan := analyzed(t.Context(), t, st, s, mode)
					assert.Less(t, allRead(plan), 100, "%s: %s\n%s", mode, s.SQL, strings.Join(plan, "\n"))
				}
			}
			assert.Positive(t, lists)
		})
	}
}
