package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// envSends is the user of the crash test of sends.
const envSends = "CONVOSTORE_CRASH_SENDS"

// TestCrashOfSends kills processes while they approve, send and deliver in one transaction. Of each
// suggestion all three are stored, or none: then it is approved and sent again.
func TestCrashOfSends(t *testing.T) {
	t.Parallel()
	rounds := 3
	if testrun.Full() {
		rounds = 10
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, user := d.Store(t, convostore.WithMigrate(migrate.Options{})), uuid.New()
		dialect := "postgres"
		if d.SQLite {
			dialect = "sqlite"
		}
		sent := map[string]bool{}
		for range rounds {
			child := startChild(t, "TestCrashSendChild", envDialect+"="+dialect, envDSN+"="+d.DSN, envSends+"="+user.String())
			for _, line := range child.killAfter(t, 1+rand.IntN(20)) {
				sent[strings.TrimSpace(line)] = true
			}
		}
		mine := st.ForUser(user)
		for _, id := range suggestionsOf(t, st, user) {
			assertWhole(t, mine, id, sent[id.String()])
			delete(sent, id.String())
		}
		assert.Empty(t, sent, "acknowledged and lost")
	})
}

func suggestionsOf(t *testing.T, st store.Store, user uuid.UUID) (ids []uuid.UUID) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Model(&suggestion.Suggestion{}).Where("user_id = ?", user).Pluck("id", &ids).Error)
	require.NotEmpty(t, ids)
	return ids
}

// assertWhole requires that a suggestion was sent with all that belongs to it, or that nothing of that
// is there. Then it is sent.
func assertWhole(t *testing.T, mine store.Scope, id uuid.UUID, acknowledged bool) {
	t.Helper()
	ctx := t.Context()
	s := must(mine.Suggestions().Get(ctx, id))
	replies := func() []*message.Message {
		return must(mine.Messages().List(ctx, s.ConversationID, store.MessageFilter{Direction: message.DirectionOutbound}, store.PageRequest{})).Items
	}
	if s.Status == suggestion.StatusPending {
		assert.False(t, acknowledged, "%s was acknowledged", id)
		assert.Nil(t, s.SentMessageID)
		assert.Empty(t, replies())
		require.NoError(t, approveAndSend(ctx, mine, id))
		s = must(mine.Suggestions().Get(ctx, id))
	}
	all := replies()
	require.Len(t, all, 1)
	require.Equal(t, all[0].ID, *s.SentMessageID)
	assert.Equal(t, message.DeliveryQueued, all[0].Delivery)
	entries := must(mine.Deliveries().List(ctx, store.DeliveryFilter{MessageID: all[0].ID, State: store.DeliveryOpen}, store.PageRequest{})).Items
	assert.Len(t, entries, 1)
}

func approveAndSend(ctx context.Context, mine store.Scope, id uuid.UUID) error {
	if _, err := mine.Suggestions().Approve(ctx, id, suggestion.Review{}); err != nil {
		return err
	}
	_, err := mine.Suggestions().Send(ctx, id, &message.Message{}, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}})
	return err
}

// TestCrashSendChild is no test: it approves and sends in transactions of the host's until it is
// killed, and prints each suggestion when its transaction is committed.
func TestCrashSendChild(t *testing.T) {
	if os.Getenv(envSends) == "" {
		t.Skip("started by the crash tests alone")
	}
	ctx, user := t.Context(), uuid.MustParse(os.Getenv(envSends))
	st, err := openers[os.Getenv(envDialect)](ctx, os.Getenv(envDSN))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				if err := answerOne(ctx, st, user); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// answerOne makes a conversation with a question, and answers it.
func answerOne(ctx context.Context, st store.Store, user uuid.UUID) error {
	mine := st.ForUser(user)
	c := &conversation.Conversation{Messages: []*message.Message{{Direction: message.DirectionInbound, Content: "Is it you?"}}}
	if err := mine.Conversations().Create(ctx, c); err != nil {
		return err
	}
	s := &suggestion.Suggestion{ConversationID: c.ID, AnswersSeq: 1, SuggestedContent: "It is."}
	if err := mine.Suggestions().Create(ctx, s); err != nil {
		return err
	}
	err := st.DB(ctx).Transaction(func(tx *gorm.DB) error { return approveAndSend(ctx, st.WithTx(tx).ForUser(user), s.ID) })
	if err == nil {
		fmt.Println(s.ID)
	}
	return err
}
