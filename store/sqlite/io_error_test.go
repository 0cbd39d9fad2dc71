//go:build linux

package sqlite_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

const envIOError = "CONVOSTORE_IO_ERROR"

// TestIOError runs TestIOErrorChild in a process of its own, since the limit on the size of
// files that makes a write fail is the whole process's.
func TestIOError(t *testing.T) {
	t.Parallel()
	for _, whose := range []string{"store", "host"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIOErrorChild$", "-test.v")
		cmd.Env = append(os.Environ(), envIOError+"="+whose)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestIOErrorChild", "%s", out)
	}
}

func TestIOErrorChild(t *testing.T) {
	whose := os.Getenv(envIOError)
	if whose == "" {
		t.Skip("is for TestIOError")
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	if whose == "host" {
		err = st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return failsToWrite(t, st.WithTx(tx), c) })
		require.Error(t, err, "the host's commit")
	} else {
		err = st.Transaction(t.Context(), func(tx store.Store) error { return failsToWrite(t, tx, c) })
		require.ErrorIs(t, err, store.ErrRolledBack)
	}
	n, err := mine.Maintenance().Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Counts{Conversations: 1}, n)
	_, err = mine.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleUser})
	require.NoError(t, err, "the store goes on")
}

// failsToWrite has a write to the disk fail in the midst of an append, and swallows it.
func failsToWrite(t *testing.T, tx store.Store, c *conversation.Conversation) error {
	t.Helper()
	s := tx.ForUser(c.UserID)
	_, err := s.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleUser, Content: "before"})
	require.NoError(t, err)
	require.NoError(t, tx.DB(t.Context()).Exec("PRAGMA cache_size = 1").Error, "pages go to the disk before the commit")
	long := &message.Message{Role: message.RoleUser, Content: strings.Repeat("x", 8<<20)}
	withoutLongFiles(t, func() { _, err = s.Messages().Append(t.Context(), c.ID, long) })
	require.ErrorContains(t, err, "disk I/O error")
	require.ErrorIs(t, err, store.ErrRolledBack)
	for range 3 {
		_, err = s.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleUser, Content: "after"})
		require.ErrorIs(t, err, store.ErrRolledBack)
	}
	return nil
}

// withoutLongFiles runs fn while no file may become longer than 4 MiB.
func withoutLongFiles(t *testing.T, fn func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4 << 20, Max: was.Max}))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was)) }()
	fn()
}
