// Package zonetest has programs of hosts whose clock is not in UTC: tests of plain GORM with any
// driver. It is for tests alone.
package zonetest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// envZone says that this process is a child of In.
const envZone = "CONVOSTORE_ZONE"

// In runs a program in a process in New York and in one in Tokyo: the test binary once more, with
// this test alone and TZ set. Go reads TZ once, when a process begins.
func In(t *testing.T, program func(t *testing.T)) {
	t.Helper()
	if os.Getenv(envZone) != "" {
		_, offset := time.Now().Zone()
		require.NotZero(t, offset, "the process has no zone of its own")
		program(t)
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, zone := range []string{"America/New_York", "Asia/Tokyo"} {
		pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
		child := exec.CommandContext(t.Context(), self, "-test.run="+pattern, "-test.v")
		child.Env = append(os.Environ(), "TZ="+zone, envZone+"="+zone)
		output, err := child.CombinedOutput()
		require.NoError(t, err, "%s: %s", zone, output)
		require.Contains(t, string(output), "--- PASS: "+t.Name(), zone)
	}
}

// Deletes requires that rows that plain GORM deleted a moment ago stay in a purge of what was
// deleted an hour ago, and go in one of all that was deleted until now.
func Deletes(t *testing.T, db *gorm.DB) {
	t.Helper()
	ctx := t.Context()
	st, err := convostore.New(ctx, db)
	require.NoError(t, err)
	user := uuid.New()
	deleted, kept := thread(user), thread(user)
	require.NoError(t, db.Create([]*conversation.Conversation{deleted, kept}).Error)
	alone := &message.Message{UserID: user, ConversationID: kept.ID, Direction: message.DirectionInbound, Content: "alone"}
	require.NoError(t, db.Create(alone).Error)
	require.EqualValues(t, 3, alone.Seq)
	require.NoError(t, db.Delete(deleted).Error)
	require.NoError(t, db.Delete(kept.Messages[0]).Error)
	require.NoError(t, db.Where("id = ?", kept.Suggestions[0].ID).Delete(&suggestion.Suggestion{}).Error)
	require.NoError(t, db.Model(kept).Update("title", "new").Error)
	require.NoError(t, db.Save(kept.Messages[1]).Error)

	purge := func(at time.Time) store.Counts {
		counts, err := st.AllUsers().Maintenance().Purge(ctx, at)
		require.NoError(t, err)
		return counts
	}
	require.Zero(t, purge(time.Now().Add(-time.Hour)), "deleted a moment ago")
	restored := func(restore func(context.Context, uuid.UUID) error, id uuid.UUID) {
		require.NoError(t, restore(ctx, id))
	}
	mine := st.ForUser(user)
	restored(func(ctx context.Context, id uuid.UUID) error {
		c, err := mine.Conversations().Restore(ctx, id)
		if err == nil {
			recent(t, c.UpdatedAt)
			err = db.Delete(c).Error
		}
		return err
	}, deleted.ID)
	require.Equal(t, store.Counts{Conversations: 1, Messages: 3, Suggestions: 2}, purge(time.Now().Add(time.Minute)))
	var c conversation.Conversation
	require.NoError(t, db.Preload("Messages").Take(&c, "id = ?", kept.ID).Error)
	require.Len(t, c.Messages, 2)
	recent(t, c.LastMessageAt)
	recent(t, c.UpdatedAt)
	recent(t, c.Messages[0].UpdatedAt)
}

func thread(user uuid.UUID) *conversation.Conversation {
	c := &conversation.Conversation{UserID: user}
	c.Messages = []*message.Message{
		{Seq: 1, Direction: message.DirectionInbound, Content: "one"}, {Seq: 2, Direction: message.DirectionInbound, Content: "two"},
	}
	c.LastSeq = 2
	c.Suggestions = []*suggestion.Suggestion{{SuggestedContent: "Re"}}
	return c
}

// recent requires a time of the last minute.
func recent(t *testing.T, at time.Time) {
	t.Helper()
	require.WithinDuration(t, time.Now(), at, time.Minute)
}
