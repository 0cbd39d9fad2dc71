package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/filetest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
	"github.com/convostore/convostore/suggestion"
)

// file opens a store on a new file whose name a URI could take for something else.
func file(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	opts = append(opts, convostore.WithMigrate(migrate.Options{}))
	path := filepath.Join(tb.TempDir(), "what? 100%25 #1 é.db")
	migratedFile(tb, path, opts)
	st, err := sqlite.Open(tb.Context(), path, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	return st
}

// migratedFile writes what Open makes of a new file with the options.
func migratedFile(tb testing.TB, path string, opts []convostore.Option) {
	tb.Helper()
	c, err := config.New(opts...)
	require.NoError(tb, err)
	filetest.Copy(tb, path, fmt.Sprintf("%+v", c.Naming()), func(path string) error {
		st, err := sqlite.Open(context.Background(), path, append(opts, convostore.WithMigrate(migrate.Options{}))...)
		if err != nil {
			return err
		}
		return st.Close()
	})
}

func memory(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	st, err := sqlite.OpenMemory(tb.Context(), opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	return st
}

func prefixed(f storetest.Factory) storetest.Factory {
	return func(tb testing.TB, opts ...convostore.Option) store.Store {
		tb.Helper()
		return f(tb, append(opts, convostore.WithTablePrefix("chat_"))...)
	}
}

var capabilities = storetest.Capabilities{Name: storetest.SQLite, OneWriter: true, NotDistributed: true}

// TestFile runs the whole contract. Under the race detector it runs what has many callers: the
// other parts have one, and the detector makes SQLite in Go ten times slower. The library's code of
// every method is run with it on PostgreSQL.
func TestFile(t *testing.T) {
	t.Parallel()
	var parts []storetest.Part // all
	if testrun.Race {
		parts = []storetest.Part{storetest.Transactions, storetest.Concurrency}
	}
	storetest.Run(t, file, capabilities, parts...)
}

// TestModes runs the contract on the other ways to open the same database, without the race
// detector: the library's Go code is the same in all of them. Memory has one pool where a
// file has two, so that what many callers do at once differs too. Two that have nothing to do with
// each other are one mode. A full run has the other parts, on memory.
func TestModes(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	modes := map[string]struct {
		open  storetest.Factory
		parts []storetest.Part
	}{
		"memory": {memory, []storetest.Part{storetest.Transactions, storetest.Concurrency}},
		"memory with prefix in a host's transaction": {storetest.InTransaction(prefixed(memory)), []storetest.Part{storetest.CRUD}},
	}
	if testrun.Full() {
		modes = map[string]struct {
			open  storetest.Factory
			parts []storetest.Part
		}{
			"memory": {memory, []storetest.Part{storetest.Tenancy, storetest.Pagination, storetest.Search, storetest.Embedding, storetest.Refusals}},
		}
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, mode.open, capabilities, mode.parts...)
		})
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	storetest.RunClosed(t, file)
}

func TestReports(t *testing.T) {
	testrun.OnlyFull(t)
	t.Parallel()
	storetest.Run(t, file, capabilities, storetest.Reports)
}

// TestOrphans has a host that switches foreign keys off once it has a store.
func TestOrphans(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := gorm.Open(sqlite.Dialector("file:"+filepath.Join(t.TempDir(), "host.db")+"?_foreign_keys=on&_busy_timeout=5000&_txlock=immediate&_time_format=sqlite"),
		&gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	require.NoError(t, db.Exec("PRAGMA foreign_keys = off").Error)

	users := []uuid.UUID{uuid.New(), uuid.New()}
	for _, user := range users {
		orphan(t, st, user)
	}
	// What belongs to a message that is an orphan is one itself as soon as the message is gone.
	lost := store.Counts{Messages: 2, Suggestions: 1, Labels: 1, Reads: 1, States: 1, Summaries: 1}
	gone := lost.Add(store.Counts{Embeddings: 1, Refs: 1, Votes: 1, Deliveries: 1})
	for _, tt := range []struct {
		scope            store.Scope
		counted, removed store.Counts
	}{
		{st.ForUser(uuid.New()), store.Counts{}, store.Counts{}},
		{st.ForUser(users[0]), lost, gone},
		{st.AllUsers(), lost, gone}, // the other user's
		{st.AllUsers(), store.Counts{}, store.Counts{}},
	} {
		n, err := tt.scope.Maintenance().Orphans(ctx)
		require.NoError(t, err)
		require.Equal(t, tt.counted, n)
		n, err = tt.scope.Maintenance().RemoveOrphans(ctx)
		require.NoError(t, err)
		require.Equal(t, tt.removed, n)
	}
	left, err := st.AllUsers().Maintenance().Counts(ctx)
	require.NoError(t, err)
	require.Equal(t, store.Counts{Conversations: 2, Messages: 2, Embeddings: 2}, left)
}

// orphan leaves two messages, a suggestion and a row of every other table without their parents,
// beside a whole conversation.
func orphan(t *testing.T, st store.Store, user uuid.UUID) {
	t.Helper()
	ctx, s := t.Context(), st.ForUser(user)
	var cs []*conversation.Conversation
	vector := make(message.Vector, 1536)
	vector[0] = 1
	for range 2 {
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser}}}
		require.NoError(t, s.Conversations().Create(ctx, c))
		require.NoError(t, st.DB(ctx).Create(&message.Embedding{
			MessageID: c.Messages[0].ID, UserID: user, ConversationID: c.ID, Model: "m", Vector: vector, CreatedAt: message.Now(),
		}).Error)
		cs = append(cs, c)
	}
	_, err := s.Messages().Append(ctx, cs[0].ID, &message.Message{Role: message.RoleUser})
	require.NoError(t, err)
	require.NoError(t, s.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: cs[0].ID, SuggestedContent: "x"}))
	id, m := cs[0].ID, cs[0].Messages[0].ID
	for _, row := range []any{
		&message.Ref{MessageID: m, UserID: user, Provider: "gmail", Ref: "1"},
		&message.Vote{MessageID: m, UserID: user, Voter: "ann", Value: message.VoteUp},
		&message.OutboxEntry{MessageID: m, UserID: user, Channel: "gmail"},
		&conversation.Label{ConversationID: id, UserID: user, Label: "urgent"},
		&conversation.Read{ConversationID: id, UserID: user, Reader: "ann"},
		&conversation.State{ConversationID: id, UserID: user, Key: "key"},
		&conversation.Summary{ConversationID: id, UserID: user, FromSeq: 1, ToSeq: 1, Content: "x"},
	} {
		require.NoError(t, st.DB(ctx).Create(row).Error)
	}
	require.NoError(t, st.DB(ctx).Unscoped().Where("id = ?", cs[0].ID).Delete(&conversation.Conversation{}).Error)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, path := range []string{"", ":memory:", "a\x00b", "file:a.db", "a.db?_pragma=foreign_keys(1)"} {
		_, err := sqlite.Open(ctx, path)
		require.ErrorIs(t, err, store.ErrInvalid, "%q", path)
	}
	_, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "no such folder", "a.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = sqlite.Open(ctx, filepath.Join(t.TempDir(), "a.db"), convostore.WithSchema("s"))
	require.ErrorIs(t, err, store.ErrInvalid)
}

func TestOpenDoesNotMigrate(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	err = st.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{})
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "migrate.Up", "the error says what to call")
}

func TestOpenMemoryIsIsolated(t *testing.T) {
	t.Parallel()
	user := uuid.New()
	require.NoError(t, memory(t).ForUser(user).Conversations().Create(t.Context(), &conversation.Conversation{}))
	n, err := memory(t).ForUser(user).Maintenance().Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestReopen(t *testing.T) {
	t.Parallel()
	ctx, user := t.Context(), uuid.New()
	path := filepath.Join(t.TempDir(), "a.db")
	c := &conversation.Conversation{Title: "kept"}
	for i := range 2 {
		st, err := sqlite.Open(ctx, path, convostore.WithMigrate(migrate.Options{}))
		require.NoError(t, err)
		if i == 0 {
			require.NoError(t, st.ForUser(user).Conversations().Create(ctx, c))
		}
		got, err := st.ForUser(user).Conversations().Get(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, c, got)
		require.NoError(t, st.Close())
		require.NoError(t, st.Close(), "closing again does nothing")
		require.NoFileExists(t, path+"-wal", "the file is whole")
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "others can read the file")
}
