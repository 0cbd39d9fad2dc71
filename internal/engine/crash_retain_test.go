package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// The variables that make TestCrashRetainChild the process that gets killed.
const (
	envRetainDialect = "CONVOSTORE_CRASH_RETAIN_DIALECT"
	envRetainDSN     = "CONVOSTORE_CRASH_RETAIN_DSN"
)

// retainNow is the clock of parent and children.
var retainNow = time.Date(2026, time.March, 1, 3, 0, 0, 0, time.UTC)

const retainDay = 24 * time.Hour

var crashPolicy = store.RetentionPolicy{
	ArchiveAfter: 30 * retainDay, DeleteAfter: 365 * retainDay, PurgeAfter: 60 * retainDay, BatchSize: 5,
}

func TestCrashOfRetainSQLite(t *testing.T) {
	t.Parallel()
	crashRetain(t, "sqlite", filepath.Join(t.TempDir(), "crash.db"))
}

func TestCrashOfRetainPostgres(t *testing.T) {
	t.Parallel()
	crashRetain(t, "postgres", pgtest.Database(t))
}

// crashRetain kills processes that retain again and again: at the end each conversation
// is where the policy says, as reckoned here, and no other row has gone or changed.
func crashRetain(t *testing.T, dialect, dsn string) {
	t.Helper()
	conversations, kills := 1000, 3
	if testrun.Full() {
		conversations, kills = 2400, 10
	}
	st := openRetained(t.Context(), t, dialect, dsn)
	before := fillRetained(t, st.DB(t.Context()), conversations)
	all := st.AllUsers().Maintenance()
	dry := crashPolicy
	dry.DryRun = true
	want, err := all.Retain(t.Context(), dry)
	require.NoError(t, err)
	require.Equal(t, wantedOf(before), want)

	for range kills {
		// All kills together take some seven in ten of the batches.
		startChild(t, "TestCrashRetainChild", envRetainDialect+"="+dialect, envRetainDSN+"="+dsn).killAfter(t, 45+rand.IntN(36))
	}
	// On PostgreSQL the last batch of the dead may still go on, and the run waits for it.
	last, err := all.Retain(t.Context(), crashPolicy)
	require.NoError(t, err)
	t.Logf("after %d kills there was left: %+v of %+v", kills, last, want)
	assert.Positive(t, last.Archived, "the kills came too late to show anything")
	assert.Less(t, last.Deleted, want.Deleted, "the kills came too early to show anything")
	assertRetained(t, st.DB(t.Context()), before)
	again, err := all.Retain(t.Context(), crashPolicy)
	require.NoError(t, err)
	assert.Zero(t, again)
	orphans, err := all.Orphans(t.Context())
	require.NoError(t, err)
	assert.Zero(t, orphans)
}

func openRetained(ctx context.Context, t *testing.T, dialect, dsn string) store.Store {
	t.Helper()
	st, err := openers[dialect](ctx, dsn, convostore.WithMigrate(migrate.Options{}), convostore.WithClock(func() time.Time { return retainNow }))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

// fillRetained writes conversations of a few users with a message each. Every 7th is on
// hold, every 5th was deleted at some time; ages are spread over two years, many of them
// on the borders of the policy.
func fillRetained(t *testing.T, db *gorm.DB, n int) []conversation.Conversation {
	t.Helper()
	users := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	borders := []time.Duration{crashPolicy.ArchiveAfter, crashPolicy.DeleteAfter, crashPolicy.PurgeAfter}
	ageOf := func(i int) time.Duration {
		if i%4 == 0 {
			return borders[i/4%3] + time.Duration(i/12%3-1)*time.Microsecond
		}
		return time.Duration(i*7919%730) * retainDay
	}
	var cs []*conversation.Conversation
	var ms []*message.Message
	for i := range n {
		at := retainNow.Add(-ageOf(i))
		c := &conversation.Conversation{
			ID: uuid.New(), UserID: users[i%3], Title: fmt.Sprint(i), Status: conversation.Statuses()[i/3%4],
			LastSeq: 1, CreatedAt: at, LastMessageAt: at,
		}
		if i%7 == 0 {
			c.HeldAt = &at
		}
		if i%5 == 0 {
			c.DeletedAt = gorm.DeletedAt{Time: retainNow.Add(-ageOf(i / 5)), Valid: true}
		}
		m := &message.Message{
			ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, Seq: 1, Role: message.RoleUser, Content: c.Title, SentAt: at, CreatedAt: at,
		}
		cs, ms = append(cs, c), append(ms, m)
	}
	require.NoError(t, db.CreateInBatches(cs, 500).Error)
	require.NoError(t, db.CreateInBatches(ms, 500).Error)
	return readRetained(t, db)
}

func readRetained(t *testing.T, db *gorm.DB) (cs []conversation.Conversation) {
	t.Helper()
	require.NoError(t, db.Unscoped().Preload("Messages").Order("id").Find(&cs).Error)
	for i := range cs {
		require.Len(t, cs[i].Messages, 1, "no message is lost")
	}
	return cs
}

// retained reckons what becomes of a conversation, false if it is gone.
func retained(c conversation.Conversation) (conversation.Conversation, bool) {
	idle := retainNow.Sub(c.LastMessageAt)
	switch {
	case c.HeldAt != nil:
	case c.DeletedAt.Valid:
		return c, retainNow.Sub(c.DeletedAt.Time) <= crashPolicy.PurgeAfter
	case idle > crashPolicy.DeleteAfter:
		c.DeletedAt, c.UpdatedAt = gorm.DeletedAt{Time: retainNow, Valid: true}, retainNow
	case idle > crashPolicy.ArchiveAfter && c.Status != conversation.StatusArchived:
		c.Status, c.UpdatedAt = conversation.StatusArchived, retainNow
	}
	return c, true
}

func wantedOf(cs []conversation.Conversation) (res store.RetentionResult) {
	for _, c := range cs {
		now, there := retained(c)
		switch {
		case !there:
			res.Purged.Conversations++
			res.Purged.Messages++
		case now.DeletedAt.Valid != c.DeletedAt.Valid:
			res.Deleted++
		case now.Status != c.Status:
			res.Archived++
		}
	}
	return res
}

func assertRetained(t *testing.T, db *gorm.DB, before []conversation.Conversation) {
	t.Helper()
	var want []conversation.Conversation
	for _, c := range before {
		if now, there := retained(c); there {
			want = append(want, now)
		}
	}
	got := readRetained(t, db)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, retainedRow(want[i]), retainedRow(got[i]))
		require.Equal(t, want[i].Messages[0], got[i].Messages[0])
	}
	assert.EqualValues(t, len(want), countUnscoped(t, db, &message.Message{}), "no message without its conversation")
}

// retainedRow is a row with its times in UTC.
func retainedRow(c conversation.Conversation) string {
	held, deleted := "", ""
	if c.HeldAt != nil {
		held = c.HeldAt.UTC().String()
	}
	if c.DeletedAt.Valid {
		deleted = c.DeletedAt.Time.UTC().String()
	}
	return fmt.Sprint(c.ID, c.UserID, c.Title, c.Status, c.LastSeq, c.LastMessageAt.UTC(), held, c.CreatedAt.UTC(), c.UpdatedAt.UTC(), deleted)
}

func countUnscoped(t *testing.T, db *gorm.DB, model any) (n int64) {
	t.Helper()
	require.NoError(t, db.Unscoped().Model(model).Count(&n).Error)
	return n
}

// TestCrashRetainChild is no test: it retains until it is killed.
func TestCrashRetainChild(t *testing.T) {
	if os.Getenv(envRetainDSN) == "" {
		t.Skip("started by the crash tests alone")
	}
	st := openRetained(t.Context(), t, os.Getenv(envRetainDialect), os.Getenv(envRetainDSN))
	p := crashPolicy
	p.Progress = func(store.RetentionResult) {
		fmt.Println("batch")
		time.Sleep(time.Millisecond)
	}
	_, err := st.AllUsers().Maintenance().Retain(t.Context(), p)
	require.NoError(t, err)
	t.Fatal("everything was done before the kill")
}
