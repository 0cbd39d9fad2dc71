package engine_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// envBranchSteps names the variable with the number of steps on each database.
const envBranchSteps = "CONVOSTORE_BRANCH_STEPS"

// branchWalk takes random steps through a conversation and its model.
type branchWalk struct {
	t          *testing.T
	rand       *rand.Rand
	st, second store.Store
	mine       store.Scope
	user       uuid.UUID
	m          *modelThread
	n          int
	trail      []string
}

// TestBranchesRandom compares random steps on small trees with a model in Go.
func TestBranchesRandom(t *testing.T) {
	t.Parallel()
	steps := 400
	if testrun.Full() {
		steps = 4000
	}
	if given, err := strconv.Atoi(os.Getenv(envBranchSteps)); err == nil {
		steps = given
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		user := uuid.New()
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		w := &branchWalk{t: t, rand: rand.New(rand.NewPCG(seed, 1)), st: st, second: d.Store(t), mine: st.ForUser(user), user: user}
		defer func() {
			if t.Failed() {
				t.Logf("seed %d, after %q", seed, w.trail)
			}
		}()
		for range steps {
			if w.m == nil || w.m.last > 40 {
				w.begin()
			}
			w.step()
		}
	})
}

// begin makes another conversation, and removes the one before.
func (w *branchWalk) begin() {
	if w.m != nil {
		_, err := w.mine.Conversations().Erase(w.t.Context(), w.m.id)
		require.NoError(w.t, err)
	}
	c := &conversation.Conversation{CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	require.NoError(w.t, w.mine.Conversations().Create(w.t.Context(), c))
	w.m, w.trail = newModelThread(c), nil
}

// steps are what may happen, as often as they stand here.
var branchSteps = []func(w *branchWalk){
	(*branchWalk).append, (*branchWalk).append, (*branchWalk).append, (*branchWalk).append,
	(*branchWalk).appendUnder, (*branchWalk).appendUnder, (*branchWalk).appendMany, (*branchWalk).plain, (*branchWalk).plainMany, (*branchWalk).counted, (*branchWalk).counted,
	(*branchWalk).regenerate, (*branchWalk).regenerate, (*branchWalk).edit,
	(*branchWalk).remove, (*branchWalk).remove, (*branchWalk).restore, (*branchWalk).purge, (*branchWalk).archive, (*branchWalk).reopen,
	(*branchWalk).fork, (*branchWalk).truncate, (*branchWalk).truncate, (*branchWalk).replace,
	(*branchWalk).setHead, (*branchWalk).setHead,
}

func (w *branchWalk) step() {
	branchSteps[w.rand.IntN(len(branchSteps))](w)
	w.compare()
}

func (w *branchWalk) note(format string, args ...any) {
	w.trail = append(w.trail, fmt.Sprintf(format, args...))
}

// compare asks for the conversation and the path of its head, and now and then for everything.
func (w *branchWalk) compare() {
	t, ctx := w.t, w.t.Context()
	c, err := w.mine.Conversations().Thread(ctx, w.m.id)
	require.NoError(t, err)
	require.Equal(t, w.m.last, c.LastSeq)
	require.Equal(t, w.m.status, c.Status)
	require.True(t, w.m.activity().Equal(c.LastMessageAt), "activity %v, not %v", c.LastMessageAt, w.m.activity())
	want := contentsOf(w.m.path(w.m.head))
	require.Equal(t, want, textsOf(c.Messages))
	n := 1 + w.rand.IntN(5)
	last, err := w.mine.Messages().Last(ctx, w.m.id, n)
	require.NoError(t, err)
	require.Equal(t, want[max(0, len(want)-n):], textsOf(last))
	w.compareFiltered()
	if w.rand.IntN(10) == 0 {
		w.compareAll(want)
	}
}

func (w *branchWalk) compareAll(head []string) {
	t, ctx := w.t, w.t.Context()
	var listed []*message.Message
	f := store.MessageFilter{Order: store.ReverseThreadOrder}
	for p := (store.PageRequest{Limit: 3}); ; {
		page, err := w.mine.Messages().List(ctx, w.m.id, f, p)
		require.NoError(t, err)
		listed = append(listed, page.Items...)
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	slices.Reverse(listed)
	require.Equal(t, head, textsOf(listed), "pages backwards")
	numbered, err := w.mine.Messages().ListNumbered(ctx, w.m.id, store.MessageFilter{}, store.NumberRequest{Size: 2, Number: 2})
	require.NoError(t, err)
	require.EqualValues(t, len(head), numbered.Total)
	all, err := w.mine.Messages().ListNumbered(ctx, w.m.id, store.MessageFilter{Branches: store.AllBranches, Deleted: store.IncludeDeleted}, store.NumberRequest{})
	require.NoError(t, err)
	require.EqualValues(t, len(w.m.nodes), all.Total, "every message")
	for seq := range w.m.nodes {
		page, err := w.mine.Messages().Path(ctx, w.m.id, seq, store.PageRequest{})
		require.NoError(t, err)
		require.Equal(t, contentsOf(w.m.path(seq)), textsOf(page.Items), "path to %d", seq)
	}
	if seq := w.some(); seq > 0 {
		w.compareBranches(seq)
	}
}

func (w *branchWalk) compareBranches(seq int64) {
	got, err := w.mine.Messages().Branches(w.t.Context(), w.m.id, seq)
	require.NoError(w.t, err)
	want := []store.Branch{}
	for _, n := range w.m.siblings(seq) {
		b := store.Branch{ID: n.id, Seq: n.seq, TipSeq: w.m.tip(n.seq)}
		for _, on := range w.m.path(w.m.head) {
			b.OnPath = b.OnPath || on == n
		}
		want = append(want, b)
	}
	for i := range got {
		got[i].CreatedAt, got[i].Role = time.Time{}, ""
	}
	require.Equal(w.t, want, got, "branches at %d", seq)
}

func collectMessages(rows iter.Seq2[*message.Message, error]) (all []*message.Message, err error) {
	for m, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func textsOf(ms []*message.Message) []string {
	all := make([]string, len(ms))
	for i, m := range ms {
		all[i] = m.Content
	}
	return all
}

// some returns the seq of a message, live or deleted, 0 if there is none.
func (w *branchWalk) some() int64 {
	for seq := range w.m.nodes {
		return seq
	}
	return 0
}

// newMessage returns a message and what the model has of it.
func (w *branchWalk) newMessage() (*message.Message, *modelNode) {
	w.n++
	direction := []message.Direction{message.DirectionInbound, message.DirectionOutbound}[w.rand.IntN(2)]
	m := &message.Message{
		Direction: direction, Content: fmt.Sprint(w.n), SentAt: time.Date(2025, 6, 1, 0, 0, w.rand.IntN(1<<25), 0, time.UTC),
	}
	if w.rand.IntN(4) == 0 { // several at one time
		m.SentAt = time.Date(2025, 6, 1, 0, 0, w.rand.IntN(5), 0, time.UTC)
	}
	m.Kind = message.KindMessage
	if w.rand.IntN(8) == 0 {
		m.Kind = message.KindNote
	}
	m.Role = message.Roles()[w.rand.IntN(len(message.Roles()))]
	n := &modelNode{note: m.Kind == message.KindNote, content: m.Content, sentAt: m.SentAt, direction: direction, role: m.Role}
	switch w.rand.IntN(6) {
	case 0:
		m.ToolCalls, n.tools = message.JSON(`[{"id":"x"}]`), true
	case 1:
		m.ToolCalls = message.JSON(`[]`)
	case 2:
		m.Attachments, n.files = message.Attachments{{Filename: "x"}}, true
	}
	return m, n
}
