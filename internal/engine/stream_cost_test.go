package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// The reply that is measured: 100 flushes of 40 bytes each.
const costFlushes, costFlush = 100, 40

// TestStreamCostSQLite bounds what a flush writes in pages of 4 KiB. Beside it are an UPDATE of the whole text by hand and one that appends to it.
func TestStreamCostSQLite(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cost.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	require.NoError(t, st.DB(t.Context()).Exec("PRAGMA wal_autocheckpoint = 0").Error)
	var path string
	require.NoError(t, st.DB(t.Context()).Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Row().Scan(&path))
	streamCosts(t, st, 6, func(flushes func()) float64 {
		require.NoError(t, st.DB(t.Context()).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error)
		flushes()
		const header, frame = 32, 24 + 4096
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return float64(info.Size()-header) / frame
	})
}

// TestStreamCostPostgres is that in bytes of the write-ahead log.
func TestStreamCostPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.StartServer(t) // the write-ahead log is the whole server's
	st, err := postgres.Open(t.Context(), server.DSN(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	for _, sql := range []string{"ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} {
		require.NoError(t, st.DB(t.Context()).Exec(sql).Error)
	}
	at := func() (lsn float64) {
		require.NoError(t, st.DB(t.Context()).Raw("SELECT pg_current_wal_insert_lsn() - '0/0'").Row().Scan(&lsn))
		return lsn
	}
	streamCosts(t, st, 2500, func(flushes func()) float64 {
		before := at()
		flushes()
		return at() - before
	})
}

func streamCosts(t *testing.T, st store.Store, most float64, written func(flushes func()) float64) {
	t.Helper()
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	for range 20 {
		c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: costText(1)})
	}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	cost := func(flush func(s store.MessageStream, n int)) float64 {
		s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
		require.NoError(t, err)
		total := 0.0
		for first := 0; first < costFlushes; first += costRound {
			total += written(func() {
				for n := range costRound {
					flush(s, first+n)
				}
			})
		}
		return total / costFlushes
	}
	var text strings.Builder
	for n := 0; text.Len() < costFlushes*costFlush; n++ {
		text.WriteString(costText(n))
	}
	part := func(n int) string { return text.String()[n*costFlush : (n+1)*costFlush] }
	own := cost(func(s store.MessageStream, n int) {
		require.NoError(t, s.Write(ctx, part(n)))
		require.NoError(t, s.Flush(ctx))
	})
	t.Logf("a flush writes %.1f", own)
	assert.LessOrEqual(t, own, most)
	if !testrun.Full() {
		return
	}
	by := func(set string, content func(n int) string) float64 {
		return cost(func(s store.MessageStream, n int) {
			require.NoError(t, st.DB(ctx).Exec("UPDATE messages SET content = "+set+" WHERE id = ? AND user_id = ?", content(n), s.ID().String(), c.UserID.String()).Error)
		})
	}
	whole := by("?", func(n int) string { return text.String()[:(n+1)*costFlush] })
	appended := by("content || ?", part)
	t.Logf("an UPDATE by hand of the whole text writes %.1f, one that appends to it %.1f", whole, appended)
}
