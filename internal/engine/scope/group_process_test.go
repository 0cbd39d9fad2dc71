package scope_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
)

// The variables that make TestGroupChild a process that appends.
const (
	envFile   = "CONVOSTORE_GROUP_FILE"
	envUser   = "CONVOSTORE_GROUP_USER"
	envThread = "CONVOSTORE_GROUP_THREAD"
)

// Each process appends with so many writers at once, and each of them so many messages.
const (
	groupProcesses = 2
	groupWriters   = 8
	groupMessages  = 25
)

// TestTwoProcessesShareCommits has two processes append to one conversation of one file, with
// commits that the writers of each process share. Everything that was acknowledged is stored
// once, nobody is refused because the other process writes, and there are fewer commits than
// messages.
func TestTwoProcessesShareCommits(t *testing.T) {
	t.Parallel()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "two.db")
	st, err := sqlite.Open(ctx, path, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	mine, c := st.ForUser(uuid.New()), &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	keepLog(t, path)
	before := commits(t, path)

	var children []*groupChild
	for range groupProcesses {
		child := startGroupChild(t, envFile+"="+path, envUser+"="+c.UserID.String(), envThread+"="+c.ID.String())
		require.Equal(t, "open", child.line(t))
		children = append(children, child)
	}
	// While this process has the write lock, the writers of each of the others queue.
	require.NoError(t, st.Transaction(ctx, func(store.Store) error {
		for _, child := range children {
			_, err := io.WriteString(child.in, "go\n")
			require.NoError(t, err)
		}
		for _, child := range children {
			require.Equal(t, "begun", child.line(t))
		}
		return nil
	}))
	acknowledged := map[string]bool{}
	for _, child := range children {
		for _, line := range child.end(t) {
			acknowledged[line] = true
		}
	}
	const all = groupProcesses * groupWriters * groupMessages
	require.Len(t, acknowledged, all)
	stored := storetest.CheckConversation(t, mine, c.ID)
	require.Len(t, stored, all)
	for _, m := range stored {
		require.True(t, acknowledged[acknowledgement(m)], "stored with another seq than was said: %d", m.Seq)
	}
	made := commits(t, path) - before
	require.Positive(t, made)
	require.Less(t, made, all, "no two writers shared a commit")
	t.Logf("%d messages in %d commits", all, made)
}

func acknowledgement(m *message.Message) string { return fmt.Sprint(m.Seq, " ", m.ID) }

// keepLog reads from the file until the test ends, so that the write-ahead log keeps every
// commit.
func keepLog(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	reader, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, reader.Rollback())
		assert.NoError(t, db.Close())
	})
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT count(*) FROM messages").Scan(new(int)))
}

// groupChild is a process of TestGroupChild.
type groupChild struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startGroupChild(t *testing.T, env ...string) *groupChild {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestGroupChild$", "-test.timeout=2m")
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &groupChild{cmd, in, bufio.NewReader(out)}
}

// line returns the next line of the child, without its end.
func (c *groupChild) line(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

// end waits until the child has ended well, and returns the lines "seq id" that it said.
func (c *groupChild) end(t *testing.T) (said []string) {
	t.Helper()
	for {
		line, err := c.out.ReadString('\n')
		if err != nil {
			break // with the process
		}
		if line = strings.TrimSuffix(line, "\n"); len(strings.Fields(line)) == 2 {
			said = append(said, line)
		}
	}
	require.NoError(t, c.cmd.Wait(), "a writer of the child was refused: %v", said)
	return said
}

// TestGroupChild is no test: it appends with several writers at once, and prints every
// acknowledged message.
func TestGroupChild(t *testing.T) {
	if os.Getenv(envFile) == "" {
		t.Skip("started by TestTwoProcessesShareCommits alone")
	}
	ctx := context.Background()
	st, err := sqlite.Open(ctx, os.Getenv(envFile))
	require.NoError(t, err)
	mine, thread := st.ForUser(uuid.MustParse(os.Getenv(envUser))), uuid.MustParse(os.Getenv(envThread))
	fmt.Println("open")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	require.NoError(t, err)
	var writers, begun sync.WaitGroup
	begun.Add(groupWriters)
	for range groupWriters {
		writers.Go(func() {
			begun.Done()
			for range groupMessages {
				m := &message.Message{Direction: message.DirectionInbound, Content: "shared"}
				created, err := mine.Messages().Append(ctx, thread, m)
				if err != nil || !created {
					t.Errorf("created %t: %v", created, err)
					return
				}
				fmt.Println(acknowledgement(m))
			}
		})
	}
	begun.Wait()
	fmt.Println("begun")
	writers.Wait()
	require.NoError(t, st.Close())
}
