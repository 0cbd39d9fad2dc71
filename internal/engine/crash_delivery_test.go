package engine_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// envOutbox is the file of what the provider of the crash test has sent.
const envOutbox = "CONVOSTORE_CRASH_OUTBOX"

// envApprovals is how many replies TestCrashOfDeliveries approves, beside the sizes of every run and
// of a full one. 100000 takes some minutes.
const envApprovals = "CONVOSTORE_TEST_APPROVALS"

// crashOfDeliveries is a size of TestCrashOfDeliveries.
type crashOfDeliveries struct {
	approvals, workers int
	// life is how long a worker sends before it is killed, and lives how often each is, 0 until
	// nothing is left to be sent.
	life  time.Duration
	lives int
}

func sizeOfDeliveries(t *testing.T) crashOfDeliveries {
	t.Helper()
	if n := os.Getenv(envApprovals); n != "" {
		return crashOfDeliveries{must(strconv.Atoi(n)), 8, time.Second, 0}
	}
	if testrun.Full() {
		return crashOfDeliveries{400, 4, time.Second, 0}
	}
	return crashOfDeliveries{60, 3, time.Second / 20, 2}
}

// TestCrashOfDeliveries approves replies and kills workers while they send them. The provider
// fails, fails after it has sent, is late, later than the lease even, and refuses some messages for
// good. Every other message is handed over, under its own key, no entry is left open and no
// conversation waits for what was not sent.
func TestCrashOfDeliveries(t *testing.T) {
	t.Parallel()
	size := sizeOfDeliveries(t)
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		drafts := draftReplies(t, st.DB(t.Context()), size.approvals)
		file, dialect, approvers := filepath.Join(t.TempDir(), "sent"), "postgres", 4
		if d.SQLite {
			dialect, approvers = "sqlite", 1
		}
		start := time.Now()
		var wg sync.WaitGroup
		done, kills := make(chan struct{}), new(atomic.Int64)
		for range size.workers {
			wg.Go(func() {
				assert.NoError(t, size.keepKilling(t, done, kills, envDialect+"="+dialect, envDSN+"="+d.DSN, envOutbox+"="+file))
			})
		}
		approveReplies(t, st, drafts, approvers)
		approved := time.Since(start)
		if size.lives == 0 {
			waitUntilSent(t, st)
			close(done)
		}
		wg.Wait()
		finishDeliveries(t, st, file)
		took := time.Since(start)
		sent, twice := assertHandedOver(t, st, size.approvals, file)
		t.Logf("%d approved in %v, %d sent and %d refused after %v, %d workers killed, %d handed over more than once",
			size.approvals, approved.Round(time.Second), sent, size.approvals-sent, took.Round(time.Second), kills.Load(), twice)
	})
}

// draftReplies stores conversations with a question and a suggested answer, those of a thousand users.
func draftReplies(t *testing.T, db *gorm.DB, n int) (drafts []*suggestion.Suggestion) {
	t.Helper()
	var cs []*conversation.Conversation
	var ms []*message.Message
	at, user := time.Now().UTC().Add(-time.Hour), uuid.Nil
	for i := range n {
		if i%max(n/1000, 1) == 0 {
			user = uuid.New()
		}
		c := &conversation.Conversation{
			ID: uuid.Must(uuid.NewV7()), UserID: user, Status: conversation.StatusNeedsReply, LastSeq: 1, CreatedAt: at, LastMessageAt: at,
		}
		m := &message.Message{
			ID: uuid.Must(uuid.NewV7()), UserID: user, ConversationID: c.ID, Seq: 1, Direction: message.DirectionInbound, Role: message.RoleUser,
			Content: "Is it you?", CreatedAt: at, SentAt: at,
		}
		cs, ms = append(cs, c), append(ms, m)
		drafts = append(drafts, &suggestion.Suggestion{
			ID: uuid.Must(uuid.NewV7()), UserID: user, ConversationID: c.ID, SuggestedContent: "It is.", InReplyToMessageID: &m.ID, CreatedAt: at,
		})
	}
	require.NoError(t, db.CreateInBatches(cs, 500).Error)
	require.NoError(t, db.CreateInBatches(ms, 500).Error)
	require.NoError(t, db.CreateInBatches(drafts, 500).Error)
	return drafts
}

// approveReplies approves each draft and puts its message into the outbox, in one transaction, of many
// drafts many in one.
func approveReplies(t *testing.T, st store.Store, drafts []*suggestion.Suggestion, approvers int) {
	t.Helper()
	var wg sync.WaitGroup
	for part := range slices.Chunk(drafts, (len(drafts)+approvers-1)/approvers) {
		wg.Go(func() {
			for some := range slices.Chunk(part, 1+len(drafts)/4000) {
				err := st.Transaction(t.Context(), func(tx store.Store) error {
					for _, d := range some {
						mine := tx.ForUser(d.UserID).Suggestions()
						if _, err := mine.Approve(t.Context(), d.ID, suggestion.Review{}); err != nil {
							return err
						}
						if _, err := mine.Send(t.Context(), d.ID, &message.Message{}, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}}); err != nil {
							return err
						}
					}
					return nil
				})
				if !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// keepKilling has one worker at a time, kills it after its life, and starts the next.
func (size crashOfDeliveries) keepKilling(t *testing.T, done <-chan struct{}, kills *atomic.Int64, env ...string) error {
	for n := 0; size.lives == 0 || n < size.lives; n++ {
		select {
		case <-done:
			return nil
		default:
		}
		cmd, err := childCommand(t, "TestCrashDeliveryChild", env...)
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return err
		}
		said := bufio.NewReader(out)
		if _, err := said.ReadString('\n'); err != nil {
			return fmt.Errorf("a worker ended before it began: %w", cmd.Wait())
		}
		time.AfterFunc(size.life/2+rand.N(size.life), func() { _ = cmd.Process.Kill() })
		_, _ = io.Copy(io.Discard, said) // ends with the process
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
			return fmt.Errorf("a worker ended by itself: %w", err)
		}
		kills.Add(1)
	}
	return nil
}

// waitUntilSent returns when no entry is open, while workers are killed. It looks as often as the
// workers do: they are processes of their own, which tell nobody when they are done.
func waitUntilSent(t *testing.T, st store.Store) {
	t.Helper()
	for open := []*message.OutboxEntry{nil}; len(open) > 0; time.Sleep(crashRun.Every) {
		require.NoError(t, st.DB(t.Context()).Where("done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL").Limit(1).Find(&open).Error)
	}
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

// assertHandedOver returns how many messages were sent, and how many of those more than once: a
// provider that honours keys sends each once.
func assertHandedOver(t *testing.T, st store.Store, approvals int, file string) (sent, twice int) {
	t.Helper()
	handed := map[string]int{}
	for key := range strings.FieldsSeq(string(must(os.ReadFile(file)))) {
		handed[key]++
	}
	rows, err := st.DB(t.Context()).Raw("SELECT m.id, m.delivery, m.email_message_id, c.status FROM messages m" +
		" JOIN conversations c ON c.id = m.conversation_id AND c.user_id = m.user_id" +
		" JOIN ai_suggestions s ON s.sent_message_id = m.id AND s.user_id = m.user_id WHERE m.direction = 'outbound'").Rows()
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	found, wrong := 0, 0
	for rows.Next() {
		var id, delivery, status string
		var email sql.NullString
		require.NoError(t, rows.Scan(&id, &delivery, &email, &status))
		found++
		want := fmt.Sprint(message.DeliverySent, conversation.StatusWaiting, "<"+id+"@provider>", true)
		if refusedForGood(uuid.MustParse(id)) {
			want = fmt.Sprint(message.DeliveryFailed, conversation.StatusNeedsReply, "", false)
		} else if sent++; handed[id] > 1 {
			twice++
		}
		if got := fmt.Sprint(delivery, status, email.String, handed[id] > 0); got != want && wrong < 10 {
			wrong++
			assert.Equal(t, want, got)
		}
		delete(handed, id)
	}
	require.NoError(t, rows.Err())
	assert.Empty(t, handed, "keys that are the id of no message")
	assert.Equal(t, approvals, found, "every approved reply has its message")
	assert.Zero(t, must(st.Health().Deliveries(t.Context())).Open)
	return sent, twice
}

var crashRun = store.RunOptions{
	Workers: 4, Lease: 500 * time.Millisecond, Timeout: 50 * time.Millisecond, Every: 20 * time.Millisecond,
	Backoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, MaxAttempts: 1000,
}

func refusedForGood(id uuid.UUID) bool { return id[15]%8 == 0 }

// crashSender sends by a line in a file, in one write.
func crashSender(file string, said func(string)) store.SendFunc {
	return func(_ context.Context, c *store.Claimed) (r store.DeliveryResult, err error) {
		if refusedForGood(c.Message.ID) {
			return r, &store.PermanentError{Err: errors.New("no such user")}
		}
		if rand.IntN(6) == 0 {
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
		switch n := rand.IntN(200); {
		case n < 20:
			return r, errors.New("the connection was lost after the message was sent")
		case n < 40: // an answer after the timeout
			time.Sleep(2 * crashRun.Timeout)
		case n == 40: // and one after the lease
			time.Sleep(crashRun.Lease + crashRun.Timeout)
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
