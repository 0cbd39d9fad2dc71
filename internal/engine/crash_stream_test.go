package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
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

const (
	// envKills says how many writers TestCrashOfAStream kills on each database.
	envKills   = "CONVOSTORE_STREAM_KILLS"
	envStream  = "CONVOSTORE_CRASH_STREAM"
	streamRate = time.Millisecond
)

// TestCrashOfAStream kills writers of streams at random tokens. What they had flushed is there,
// nothing is left streaming after a sweep, and readers of another process never see text go
// backwards.
func TestCrashOfAStream(t *testing.T) {
	t.Parallel()
	kills := 3
	if testrun.Full() {
		kills = 12
	}
	if given := os.Getenv(envKills); given != "" {
		var err error
		kills, err = strconv.Atoi(given)
		require.NoError(t, err)
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		mine := st.ForUser(uuid.New())
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "Go on"}}}
		require.NoError(t, mine.Conversations().Create(t.Context(), c))
		for n := range kills {
			killStream(t, d, mine, c, n)
		}
		require.Equal(t, int64(1+kills), must(mine.Conversations().Get(t.Context(), c.ID)).LastSeq)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func killStream(t *testing.T, d bothtest.Database, mine store.Scope, c *conversation.Conversation, n int) {
	t.Helper()
	id, dialect := uuid.New(), "postgres"
	if d.SQLite {
		dialect = "sqlite"
	}
	read, seen := make(chan struct{}), ""
	go func() {
		defer close(read)
		seen = readBeside(t, mine, id)
	}()
	said := startChild(t, "TestCrashStreamChild", envDialect+"="+dialect, envDSN+"="+d.DSN, envUser+"="+c.UserID.String(),
		envThreads+"="+c.ID.String(), envStream+"="+id.String()).killAfter(t, 1+rand.IntN(40))
	flushed, err := strconv.Atoi(strings.TrimSpace(said[len(said)-1]))
	require.NoError(t, err)
	swept, err := mine.Maintenance().SweepStreams(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, int64(1), swept)
	m, err := mine.Messages().Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, message.StateInterrupted, m.State)
	require.Equal(t, store.FinishAbandoned, m.FinishReason)
	require.GreaterOrEqual(t, len(m.Content), flushed, "kill %d: flushed and lost", n)
	require.True(t, strings.HasPrefix(streamed(len(m.Content)), m.Content), "kill %d: %q", n, m.Content)
	<-read
	require.Equal(t, m.Content, seen)
}

// readBeside follows a message until it has ended, and returns its text. Whatever another read
// gets meanwhile has all that was seen before.
func readBeside(t *testing.T, mine store.Scope, id uuid.UUID) (seen string) {
	for {
		for part, err := range mine.Messages().FollowStream(t.Context(), id, int64(len(seen)), store.FollowOptions{PollEvery: streamRate}) {
			if errors.Is(err, store.ErrNotFound) && seen == "" {
				break // it has not begun
			}
			seen += part.Text
			var m *message.Message
			if err == nil {
				m, err = mine.Messages().Get(t.Context(), id)
			}
			if err != nil {
				t.Error(err)
				return seen
			}
			if !assert.True(t, strings.HasPrefix(m.Content, seen), "%q after %q", m.Content, seen) || part.State.Ended() {
				return seen
			}
		}
	}
}

// streamed is the text of a stream, at least so many bytes of it.
func streamed(bytes int) string {
	var b strings.Builder
	for n := 0; b.Len() < bytes; n++ {
		b.WriteString(streamToken(n))
	}
	return b.String()
}

func streamToken(n int) string { return fmt.Sprintf("%d é ", n) }

// TestCrashStreamChild is no test: it streams until it is killed, and prints how many bytes it
// knows to be stored.
func TestCrashStreamChild(t *testing.T) {
	if os.Getenv(envStream) == "" {
		t.Skip("started by the crash tests alone")
	}
	ctx := context.Background()
	st, err := openers[os.Getenv(envDialect)](ctx, os.Getenv(envDSN))
	require.NoError(t, err)
	m := &message.Message{ID: uuid.MustParse(os.Getenv(envStream)), Role: message.RoleAssistant}
	s, err := st.ForUser(uuid.MustParse(os.Getenv(envUser))).Messages().
		Stream(ctx, uuid.MustParse(os.Getenv(envThreads)), m, store.StreamOptions{FlushEvery: streamRate})
	require.NoError(t, err)
	fmt.Println(0)
	for n, flushed := 0, int64(0); ; n++ {
		token := streamToken(n)
		cut := rand.IntN(len(token) + 1) // also in the middle of a character
		require.NoError(t, s.Write(ctx, token[:cut]))
		require.NoError(t, s.Write(ctx, token[cut:]))
		if s.Flushed() > flushed {
			flushed = s.Flushed()
			fmt.Println(flushed)
		}
	}
}
