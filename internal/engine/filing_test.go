package engine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// TestFilingOrder files mails that answer one another, and some that are not there, in random orders.
func TestFilingOrder(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	mails := 150
	if testrun.Full() {
		mails = 10_000
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		threads := storetest.CheckFilingOrder(t, st, 1, mails, 2)
		t.Logf("%d mails, %d conversations", mails, threads)
		require.Less(t, threads, mails*3/4)
	})
}

const envFiling = "CONVOSTORE_FILING_CHILD"

// filingJob is what a process files.
type filingJob struct {
	Database bothtest.Database
	User     uuid.UUID
	Mails    int
}

// mail is the i-th of the mails: threads of five, of which each answers the one before.
func (j filingJob) mail(i int) *message.Message {
	m := &message.Message{
		Direction: message.DirectionInbound, SenderEmail: "ann@x.example", Content: fmt.Sprint(i),
		Headers: message.Headers{"Message-ID": {fmt.Sprintf("<%d@x.example>", i)}, "Date": {"Thu, 26 Nov 2026 08:00:00 +0000"}},
	}
	if i%5 > 0 {
		m.Headers["In-Reply-To"] = []string{fmt.Sprintf("<%d@x.example>", i-1)}
	}
	return m
}

// TestFilingChild is no test: it files mails, each twice at the same time.
func TestFilingChild(t *testing.T) {
	if os.Getenv(envFiling) == "" {
		t.Skip("started by the test of processes alone")
	}
	var j filingJob
	require.NoError(t, json.Unmarshal([]byte(os.Getenv(envFiling)), &j))
	st := j.Database.Store(t)
	fmt.Println("ready")
	_, err := io.ReadAll(os.Stdin) // until all are
	require.NoError(t, err)
	for i := range j.Mails {
		var twice errgroup.Group
		for range 2 {
			twice.Go(func() error {
				_, err := st.ForUser(j.User).Messages().File(t.Context(), j.mail(i), store.FileOptions{})
				return err
			})
		}
		require.NoError(t, twice.Wait(), "mail %d", i)
	}
}

// TestFilingByProcesses has four processes file the same mails at the same time, eight deliveries of
// each.
func TestFilingByProcesses(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		j := filingJob{Database: d, User: uuid.New(), Mails: 20}
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		doc, err := json.Marshal(j)
		require.NoError(t, err)
		var all errgroup.Group
		var starts []io.Closer
		for range 4 {
			cmd, err := childCommand(t, "TestFilingChild", envFiling+"="+string(doc))
			require.NoError(t, err)
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewReader(out)
			line, err := lines.ReadString('\n')
			require.NoError(t, err, line)
			starts = append(starts, in)
			all.Go(func() error {
				said, err := io.ReadAll(lines)
				if err := errors.Join(err, cmd.Wait()); err != nil {
					return fmt.Errorf("%w: %s", err, said)
				}
				return nil
			})
		}
		for _, in := range starts {
			require.NoError(t, in.Close())
		}
		require.NoError(t, all.Wait())
		n, err := st.ForUser(j.User).Maintenance().Counts(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, j.Mails, n.Messages)
		for c, err := range st.ForUser(j.User).Conversations().All(t.Context(), store.ConversationFilter{}) {
			require.NoError(t, err)
			assert.EqualValues(t, 5, c.LastSeq)
			assert.Equal(t, conversation.StatusNeedsReply, c.Status)
			n.Conversations--
		}
		assert.Zero(t, n.Conversations, "none was made and merged")
	})
}
