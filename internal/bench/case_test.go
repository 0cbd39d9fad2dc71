package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// standard is what the pairs work on.
var standard = size{users: 40, conversations: 1000, messages: 10, extra: 190, suggestions: 1000}

// connections is the size of every pool of readers, and of PostgreSQL's.
const connections = 16

// clients is how many append at once, and manyMessages how many one call brings.
const (
	clients      = 64
	manyMessages = 100
)

// workCase is one kind of work. Work returns the i-th operation's error; prepare makes
// what n operations will need and is not timed.
type workCase struct {
	name string
	aim
	clients int
	prepare func(f *fixture, n int) error
	work    func(ctx context.Context, f *fixture, i int) error
}

// fixture is a filled database with one side at work on it.
type fixture struct {
	side
	size
	// label is the side's, so that both can work on one database.
	label    string
	database database
	exec     func(ctx context.Context, statement string) error
	pending  func(ctx context.Context, conversation, first, n int) error
	// used counts what an operation uses up: a pending suggestion, an import.
	used int
	// run makes keys and ids of one side's rounds differ.
	run atomic.Int64
}

// deskOf is a live conversation with its 200 messages of a user, and the one whose
// pending suggestions are approved. Those of j % 20 = 7 are deleted.
const desk = 4

func newMessage(n int64) *message.Message {
	return &message.Message{
		Direction: message.DirectionInbound,
		Content: "Thank you for the examples, they look like what we have in mind for the new site. " +
			"Could you tell us what a redesign of the front page would cost, and how long it takes? " + strconv.FormatInt(n, 10),
		SenderEmail: "john@example.com", RecipientEmail: "desk@example.com",
		Metadata: message.JSON(`{"tokens":451,"model":"large"}`),
	}
}

var (
	caseAppend = workCase{name: "Append", aim: aim{time: 1.2, allocs: 1.5}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.conversations)
		return f.appendMessage(ctx, f.userOf(j), id(kindConversation, j), newMessage(int64(i)))
	}}
	caseAppendKey = workCase{name: "AppendKey", aim: aim{time: 1.2, allocs: 1.5}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.conversations)
		m := newMessage(int64(i))
		m.IdempotencyKey = f.label + "-" + strconv.FormatInt(f.run.Add(1), 10)
		return f.appendMessage(ctx, f.userOf(j), id(kindConversation, j), m)
	}}
	caseAppendParallel = workCase{name: "AppendParallel64", aim: aim{throughput: 0.9}, clients: clients, work: caseAppend.work}
	caseAppendOne      = workCase{name: "AppendParallel64OneConversation", aim: aim{throughput: 0.9}, clients: clients, work: func(ctx context.Context, f *fixture, i int) error {
		return f.appendMessage(ctx, f.userOf(desk), id(kindConversation, desk), newMessage(int64(i)))
	}}
	caseLast50 = workCase{name: "Last50", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.users)
		ms, err := f.last(ctx, f.userOf(j), id(kindConversation, j), 50)
		return expect(len(ms), 50, err)
	}}
	caseList20 = workCase{name: "List20", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
		cs, err := f.list(ctx, f.userOf(live(i%f.users)), 20)
		return expect(len(cs), 20, err)
	}}
	caseThread200 = workCase{name: "Thread200", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.users)
		c, err := f.thread(ctx, f.userOf(j), id(kindConversation, j))
		if err != nil {
			return err
		}
		// Ten of the 200 are deleted.
		return expect(min(len(c.Messages), 190), 190, nil)
	}}
	caseGet = workCase{name: "Get", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.conversations)
		_, err := f.get(ctx, f.userOf(j), f.messageID(j, seqNotDeleted(j)))
		return err
	}}
	caseApprove = workCase{
		name: "Approve",
		aim:  aim{time: 1.25},
		prepare: func(f *fixture, n int) error {
			f.used = int(f.run.Add(int64(n))) - n + f.suggestions
			return f.pending(context.Background(), desk, f.used, n)
		},
		work: func(ctx context.Context, f *fixture, i int) error {
			_, err := f.approve(ctx, f.userOf(desk), id(kindSuggestion, f.used+i), suggestion.Review{By: "operator", Feedback: "Looks good!"})
			return err
		},
	}
	// caseAppendMany is in the units of a call, not of a message.
	caseAppendMany = workCase{name: "AppendMany100", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
		j := live(i % f.conversations)
		ms := make([]*message.Message, manyMessages)
		for k := range ms {
			ms[k] = newMessage(int64(i + k))
		}
		return f.appendMany(ctx, f.userOf(j), id(kindConversation, j), ms)
	}}
	caseImport = importCase(100_000, databases[0])
)

// quick are the cases of which many fit into a round.
var quick = []workCase{
	caseAppend, caseAppendKey, caseAppendMany, caseAppendParallel, caseAppendOne,
	caseLast50, caseList20, caseOverview20, caseThread200, caseGet, caseApprove,
}

// live steps aside from the deleted conversations.
func live(j int) int {
	if j%20 == 7 {
		return j + 1
	}
	return j
}

// seqNotDeleted is one of a conversation's ten seqs whose message is not deleted.
func seqNotDeleted(j int) int {
	if (1+j)%20 == 3 {
		return 2
	}
	return 1
}

// importCase brings n mails, each made when it is asked for. On PostgreSQL both sides copy.
func importCase(n int, d database) workCase {
	asked := 0.7
	if d.postgres {
		asked = 0.9
	}
	return workCase{name: "Import of " + thousands(n), aim: aim{throughput: asked}, work: func(ctx context.Context, f *fixture, _ int) error {
		return f.importAll(ctx, f.userOf(desk), n, f.mails())
	}}
}

// mails are for the conversations of one user, in turns.
func (f *fixture) mails() func(i int) *message.Message {
	run := "<" + f.label + strconv.FormatInt(f.run.Add(1), 10) + "-"
	each := f.conversations / f.users
	ids := make([]uuid.UUID, each)
	for k := range ids {
		ids[k] = id(kindConversation, live(desk+k*f.users))
	}
	return func(i int) *message.Message {
		m := newMessage(int64(i))
		m.UserID, m.ConversationID = f.userOf(desk), ids[i%each]
		m.SentAt = epoch.Add(step * 2)
		m.EmailMessageID = run + strconv.Itoa(i) + "@example.com>"
		return m
	}
}

func expect(got, want int, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("bench: %d rows, want %d", got, want)
	}
	return err
}

// do runs n operations.
func (c workCase) do(tb testing.TB, f *fixture, n int) {
	ctx := context.Background()
	if c.clients == 0 {
		for i := range n {
			if err := c.work(ctx, f, i); err != nil {
				require.NoError(tb, err)
			}
		}
		return
	}
	var (
		wg   sync.WaitGroup
		turn atomic.Int64
		errs = make(chan error, c.clients)
	)
	for range c.clients {
		wg.Go(func() {
			for i := turn.Add(1); i <= int64(n); i = turn.Add(1) {
				if err := c.work(ctx, f, int(i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	require.NoError(tb, <-errs)
}

func (c workCase) setUp(tb testing.TB, f *fixture, n int) {
	if c.prepare != nil {
		require.NoError(tb, c.prepare(f, n))
	}
}
