package erase_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// secret is the word that the tests look for after an erasure. It is in messages, titles and
// subjects, and in everything derived from them.
const secret = "zyzzogeton"

// fillSecret creates a conversation with the secret and one without, both with embeddings, and
// returns the first.
func fillSecret(t *testing.T, st store.Store) (store.Scope, *conversation.Conversation) {
	t.Helper()
	ctx, sc := t.Context(), st.ForUser(uuid.New())
	var withSecret *conversation.Conversation
	for i, word := range []string{secret, "harmless"} {
		vector := make(message.Vector, 1536)
		vector[i] = 1
		m := &message.Message{Direction: message.DirectionInbound, Content: "the word is " + word}
		require.NoError(t, m.SetEmbedding("m", vector))
		c := &conversation.Conversation{Title: word, Subject: word, Messages: []*message.Message{m}}
		require.NoError(t, sc.Conversations().Create(ctx, c))
		if i == 0 {
			withSecret = c
		}
	}
	require.NoError(t, st.AllUsers().Maintenance().PackSearch(ctx))
	return sc, withSecret
}

// erasures are the ways to delete a conversation for good.
var erasures = map[string]func(*testing.T, store.Scope, *conversation.Conversation){
	"erase": func(t *testing.T, sc store.Scope, c *conversation.Conversation) {
		t.Helper()
		_, err := sc.Conversations().Erase(t.Context(), c.ID)
		require.NoError(t, err)
	},
	"edit, delete, purge": func(t *testing.T, sc store.Scope, c *conversation.Conversation) {
		t.Helper()
		ctx := t.Context()
		_, err := sc.Messages().Update(ctx, c.Messages[0].ID, store.MessageUpdate{Content: new("again " + secret)})
		require.NoError(t, err)
		_, err = sc.Conversations().Delete(ctx, c.ID)
		require.NoError(t, err)
		_, err = sc.Maintenance().Purge(ctx, message.Now().AddDate(1, 0, 0))
		require.NoError(t, err)
	},
	"user": func(t *testing.T, sc store.Scope, _ *conversation.Conversation) {
		t.Helper()
		_, err := sc.Maintenance().EraseUser(t.Context())
		require.NoError(t, err)
	},
}

// blocksOf returns the bytes of the index of words.
func blocksOf(t *testing.T, st store.Store) string {
	t.Helper()
	var blocks []struct{ Key, Data []byte }
	require.NoError(t, st.DB(t.Context()).Raw("SELECT key, data FROM search_blocks").Scan(&blocks).Error)
	var all strings.Builder
	for _, b := range blocks {
		all.Write(b.Key)
		all.Write(b.Data)
	}
	return all.String()
}

// TestErasedIsGonePostgres reads every row of every table as text.
func TestErasedIsGonePostgres(t *testing.T) {
	t.Parallel()
	for name, erase := range erasures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{Trigrams: true}))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			sc, c := fillSecret(t, st)
			require.Contains(t, blocksOf(t, st), secret, "the words are in the index")
			erase(t, sc, c)
			rows := rowsPostgres(t, st)
			require.NotContains(t, rows, secret)
			require.NotContains(t, rows, c.ID.String())
			require.NotContains(t, rows, c.Messages[0].ID.String())
		})
	}
}

func rowsPostgres(t *testing.T, st store.Store) string {
	t.Helper()
	db := st.DB(t.Context())
	var tables []string
	require.NoError(t, db.Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").Scan(&tables).Error)
	require.Greater(t, len(tables), 5)
	var all strings.Builder
	for _, table := range tables {
		var rows []string
		require.NoError(t, db.Raw(fmt.Sprintf(`SELECT t::text FROM %q t`, table)).Scan(&rows).Error)
		all.WriteString(strings.Join(rows, "\n"))
	}
	return all.String() + blocksOf(t, st)
}

// TestErasedIsGoneSQLite also reads the entries of the full-text indexes and, after the
// freed pages were vacuumed, the bytes of the file.
func TestErasedIsGoneSQLite(t *testing.T) {
	t.Parallel()
	for name, erase := range erasures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st, err := sqlite.Open(t.Context(), path, convostore.WithMigrate(migrate.Options{}), convostore.WithCodesInMemory())
			require.NoError(t, err)
			sc, c := fillSecret(t, st)
			require.Contains(t, blocksOf(t, st), secret, "the words are in the index")
			erase(t, sc, c)
			rows := rowsSQLite(t, st)
			require.NotContains(t, rows, secret)
			require.NotContains(t, rows, c.ID.String())
			require.NotContains(t, rows, c.Messages[0].ID.String())
			all := st.AllUsers().Maintenance()
			require.NoError(t, all.Vacuum(t.Context()))
			require.False(t, containsSecret(t, path+"-wal"), "the write-ahead log after Vacuum")
			require.NoError(t, all.VacuumFull(t.Context()))
			require.False(t, containsSecret(t, path+"-wal"), "the write-ahead log")
			require.False(t, containsSecret(t, path), "the file, while it is in use")
			require.NoError(t, st.Close())
			require.False(t, containsSecret(t, path), "the file")
			file, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Contains(file, []byte("user_id")), "the file has the schema")
		})
	}
}

func containsSecret(t *testing.T, path string) bool {
	t.Helper()
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	return bytes.Contains(file, []byte(secret))
}

// TestVacuumFullSaysWhatAReaderKeeps holds a reader open for longer than the busy timeout:
// Vacuum does what it can, and VacuumFull returns an error instead of promising that the data
// is gone.
func TestVacuumFullSaysWhatAReaderKeeps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st, err := sqlite.Open(t.Context(), path, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	require.NoError(t, st.DB(t.Context()).Exec("PRAGMA busy_timeout = 1").Error)
	sc, c := fillSecret(t, st)

	reader, err := gorm.Open(sqlite.Dialector("file:" + path + "?mode=ro"))
	require.NoError(t, err)
	pool, err := reader.DB()
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	tx := reader.Begin()
	var n int64
	require.NoError(t, tx.Raw("SELECT count(*) FROM messages").Scan(&n).Error)

	all := st.AllUsers().Maintenance()
	_, err = sc.Conversations().Erase(t.Context(), c.ID)
	require.NoError(t, err)
	require.NoError(t, all.Vacuum(t.Context()))
	require.ErrorContains(t, all.VacuumFull(t.Context()), "write-ahead log")
	require.True(t, containsSecret(t, path) || containsSecret(t, path+"-wal"), "it is there for the reader")
	require.NoError(t, tx.Rollback().Error)
	require.NoError(t, all.VacuumFull(t.Context()))
	require.False(t, containsSecret(t, path) || containsSecret(t, path+"-wal"))
}

// rowsSQLite prints every row of every table, bytes as text.
func rowsSQLite(t *testing.T, st store.Store) string {
	t.Helper()
	db := st.DB(t.Context())
	var tables []string
	require.NoError(t, db.Raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").Scan(&tables).Error)
	require.Greater(t, len(tables), 5)
	var all strings.Builder
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(t, db.Raw("SELECT * FROM "+table).Scan(&rows).Error)
		for _, row := range rows {
			fmt.Fprintf(&all, "%s\n", row)
		}
	}
	return all.String()
}
