package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// envOutbox is the file of what the provider of the crash test has sent.
const envOutbox = "CONVOSTORE_CRASH_OUTBOX"

// TestCrashOfDeliveries kills workers while they send. The provider fails, fails after it has
// sent, is late, and refuses some messages for good. Every other message is handed over, under its
// own key, and none is left in between.
func TestCrashOfDeliveries(t *testing.T) {
	t.Parallel()
	messages, workers, rounds := 60, 3, 2
	if testrun.Full() {
		messages, workers, rounds = 1000, 8, 6
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		queued := map[uuid.UUID]*message.Message{}
		for range messages {
			m := queueReply(t, st.ForUser(uuid.New()))
			queued[m.ID] = m
		}
		file, dialect := filepath.Join(t.TempDir(), "sent"), "postgres"
		if d.SQLite {
			dialect = "sqlite"
		}
		for range rounds {
			var children []*child
			for range workers {
				children = append(children, startChild(t, "TestCrashDeliveryChild", envDialect+"="+dialect, envDSN+"="+d.DSN, envOutbox+"="+file))
			}
			for _, c := range children {
				c.killAfter(t, 1+rand.IntN(10))
			}
		}
		finishDeliveries(t, st, file)
		assertHandedOver(t, st, queued, file)
	})
}

// queueReply makes a conversation with a question and an answer to it in the outbox.
func queueReply(t *testing.T, mine store.Scope) *message.Message {
	t.Helper()
	c := &conversation.Conversation{Messages: []*message.Message{{Direction: message.DirectionInbound, Content: "Is it you?"}}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	m := &message.Message{Direction: message.DirectionOutbound, Content: "It is."}
	require.True(t, must(mine.Messages().Append(t.Context(), c.ID, m)))
	require.NoError(t, mine.Deliveries().Enqueue(t.Context(), &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}))
	return m
}

// finishDeliveries runs a worker that nobody kills, until nothing is open. What a killed one had is
// due again when its lease ends.
func finishDeliveries(t *testing.T, st store.Store, file string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- st.AllUsers().Deliveries().Run(ctx, crashRun, crashSender(file, nil)) }()
	for must(st.Health().Deliveries(t.Context())).Open > 0 {
		time.Sleep(crashRun.Every)
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func assertHandedOver(t *testing.T, st store.Store, queued map[uuid.UUID]*message.Message, file string) {
	t.Helper()
	sent := map[string]int{}
	for key := range strings.FieldsSeq(string(must(os.ReadFile(file)))) {
		sent[key]++
		assert.Contains(t, queued, uuid.MustParse(key), "a key that is the id of no message")
	}
	for id, m := range queued {
		mine := st.ForUser(m.UserID)
		now := must(mine.Messages().Get(t.Context(), id))
		status := must(mine.Conversations().Get(t.Context(), m.ConversationID)).Status
		if refusedForGood(id) {
			assert.Equal(t, message.DeliveryFailed, now.Delivery)
			assert.Equal(t, conversation.StatusNeedsReply, status)
			assert.Zero(t, sent[id.String()])
			continue
		}
		assert.Equal(t, message.DeliverySent, now.Delivery)
		assert.Equal(t, "<"+id.String()+"@provider>", now.EmailMessageID)
		assert.Equal(t, conversation.StatusWaiting, status)
		assert.Positive(t, sent[id.String()], "it was never handed over")
	}
}

var crashRun = store.RunOptions{
	Workers: 2, Lease: 500 * time.Millisecond, Timeout: 50 * time.Millisecond, Every: 20 * time.Millisecond,
	Backoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, MaxAttempts: 1000,
}

func refusedForGood(id uuid.UUID) bool { return id[15]%8 == 0 }

// crashSender sends by a line in a file, in one write.
func crashSender(file string, said func(string)) store.SendFunc {
	return func(_ context.Context, c *store.Claimed) (r store.DeliveryResult, err error) {
		if refusedForGood(c.Message.ID) {
			return r, &store.PermanentError{Err: errors.New("no such user")}
		}
		if rand.IntN(4) == 0 {
			return r, errors.New("try again")
		}
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return r, err
		}
		if _, err = f.WriteString(c.Key + "\n"); err == nil {
			err = f.Close()
		}
		if said != nil {
			said(c.Key)
		}
		switch rand.IntN(6) {
		case 0:
			return r, errors.New("the connection was lost after the message was sent")
		case 1: // an answer after the timeout
			time.Sleep(2 * crashRun.Timeout)
		default:
			time.Sleep(rand.N(crashRun.Timeout / 5))
		}
		return store.DeliveryResult{EmailMessageID: "<" + c.Key + "@provider>"}, err
	}
}

// TestCrashDeliveryChild is no test: it sends until it is killed, and prints what it sends, and
// now and then something even if it sends nothing.
func TestCrashDeliveryChild(t *testing.T) {
	if os.Getenv(envOutbox) == "" {
		t.Skip("started by the crash tests alone")
	}
	ctx := context.Background()
	st, err := openers[os.Getenv(envDialect)](ctx, os.Getenv(envDSN))
	require.NoError(t, err)
	go func() {
		for {
			time.Sleep(crashRun.Every)
			fmt.Println("alive")
		}
	}()
	require.NoError(t, st.AllUsers().Deliveries().Run(ctx, crashRun, crashSender(os.Getenv(envOutbox), func(key string) { fmt.Println(key) })))
}
