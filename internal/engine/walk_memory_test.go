package engine_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// What a walk holds is read from the heap of the process, so these two do not run beside other
// tests: they are not parallel, and all parallel ones wait until they have ended.

func TestWalkMemorySQLite(t *testing.T) {
	walkMemory(t, bothtest.Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")})
}

func TestWalkMemoryPostgres(t *testing.T) {
	walkMemory(t, bothtest.Database{DSN: pgtest.Database(t)})
}

// walkMemory walks over 100 messages of a mebibyte. At the first one only a page of bytes, eight
// mebibytes, may be in memory, with the row after it and what the driver holds.
func walkMemory(t *testing.T, d bothtest.Database) {
	t.Helper()
	const n = 100
	ctx := t.Context()
	st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	content := strings.Repeat("0123456789abcdef", 1<<16)
	for range n {
		_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: content})
		require.NoError(t, err)
	}
	walks := map[string]func(func(*message.Message, error) bool){
		"All":       mine.Messages().All(ctx, c.ID, store.MessageFilter{}),
		"AllByUser": st.AllUsers().Messages().AllByUser(ctx, store.MessageFilter{Order: store.ThreadOrder}),
		"Missing":   mine.Embeddings().Missing(ctx, "m", store.EmbedFilter{}),
	}
	for name, walk := range walks {
		seen, before := 0, heap()
		for _, err := range walk {
			require.NoError(t, err, name)
			if seen == 0 {
				require.Less(t, heap()-before, int64(n/2)<<20, "%s: bytes in memory at the first message", name)
			}
			seen++
		}
		require.Equal(t, n, seen, name)
	}
}

// heap returns the bytes of what is reachable.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
