package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
)

// TestLogIsBounded writes more than the bound, without and with a reader that holds the log.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	path := filepath.Join(t.TempDir(), "a.db")
	require.NoError(t, create(path))
	c, err := config.New(convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	writer, reader, err := openFile(t.Context(), c, path)
	require.NoError(t, err)
	st, err := newStore(t.Context(), c, writer, reader)
	require.NoError(t, err)
	bound, err := newWAL(c.File, writer)
	require.NoError(t, err)
	bound.max = limit
	bound.next.Store(limit)
	require.NoError(t, writer.Exec(fmt.Sprintf("PRAGMA journal_size_limit = %d", limit)).Error)
	mine := st.ForUser(uuid.New())
	thread := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(t.Context(), thread))
	write := func() int64 {
		_, err := mine.Messages().Append(t.Context(), thread.ID, &message.Message{Role: message.RoleUser, Content: strings.Repeat("long ", 50_000)})
		require.NoError(t, err)
		bound.written(t.Context())
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return info.Size()
	}
	most, emptied := int64(0), 0
	for range 12 {
		size := write()
		most = max(most, size)
		if size == 0 {
			emptied++
		}
	}
	require.Less(t, most, int64(2*limit))
	require.NotZero(t, emptied)

	pool, err := reader.DB()
	require.NoError(t, err)
	tx, err := pool.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM messages").Scan(new(int)))
	grown := int64(0)
	for range 12 {
		size := write()
		require.GreaterOrEqual(t, size, grown, "the reader still needs it")
		grown = size
	}
	require.Greater(t, grown, int64(2*limit))
	require.NoError(t, tx.Rollback())
	for range 6 {
		grown = min(grown, write())
	}
	require.LessOrEqual(t, grown, int64(limit))
	other, err := Open(t.Context(), path)
	require.NoError(t, err)
	write()
	require.NoError(t, st.Close())
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, info.Size(), "Close empties the log that another one keeps open")
	require.NoError(t, other.Close())
}
