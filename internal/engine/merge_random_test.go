package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// node is a message of the model. A trace is what Move left behind.
type node struct {
	content string
	sent    time.Time
	parent  *node
	id      uuid.UUID
	gone    bool
	trace   bool
}

// mergeRoom is a conversation of the model: its messages by seq, and the one that it ends at.
type mergeRoom struct {
	id   uuid.UUID
	all  []*node
	head *node
	into *mergeRoom
}

func (r *mergeRoom) path(end *node) (path []*node) {
	for ; end != nil; end = end.parent {
		path = append(path, end)
	}
	slices.Reverse(path)
	return path
}

func (r *mergeRoom) heir() *mergeRoom {
	for r.into != nil {
		r = r.into
	}
	return r
}

// mergeWalk takes random steps through conversations and their model.
type mergeWalk struct {
	t     *testing.T
	rand  *rand.Rand
	st    store.Store
	mine  store.Scope
	rooms []*mergeRoom
	n     int
	trail []string
}

// TestMergeRandom compares random merges and moves, among appends on branches and deletions, with a
// model in Go.
func TestMergeRandom(t *testing.T) {
	t.Parallel()
	steps := 150
	if testrun.Full() {
		steps = 3000
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		seed := rand.Uint64()
		w := &mergeWalk{t: t, rand: rand.New(rand.NewPCG(seed, 1)), st: st, mine: st.ForUser(uuid.New())}
		defer func() {
			if t.Failed() {
				t.Logf("seed %d, after %q", seed, w.trail)
			}
		}()
		for range steps {
			w.step()
		}
		for _, r := range w.rooms {
			w.check(r)
		}
		w.checkAll()
	})
}

func oneOf[T any](r *rand.Rand, of []T) (one T, ok bool) {
	if len(of) == 0 {
		return one, false
	}
	return of[r.IntN(len(of))], true
}

func (w *mergeWalk) live() []*mergeRoom {
	return slices.DeleteFunc(slices.Clone(w.rooms), func(r *mergeRoom) bool { return r.into != nil })
}

func (w *mergeWalk) step() {
	live := w.live()
	if len(live) < 3 {
		c := &conversation.Conversation{}
		require.NoError(w.t, w.mine.Conversations().Create(w.t.Context(), c))
		w.rooms = append(w.rooms, &mergeRoom{id: c.ID})
		return
	}
	r, _ := oneOf(w.rand, live)
	switch k := w.rand.IntN(20); {
	case k < 11:
		w.append(r, k == 0)
	case k < 13:
		w.delete(r)
	case k < 14:
		w.setHead(r)
	case k < 18:
		w.move(r, live)
	default:
		w.merge(r, live)
	}
	w.check(r)
}

func (w *mergeWalk) append(r *mergeRoom, branch bool) {
	w.n++
	n := &node{content: fmt.Sprint("word", w.n), sent: time.Date(2026, 1, 1, 0, 0, w.rand.IntN(1000), 0, time.UTC), parent: r.head}
	m := &message.Message{Direction: message.DirectionInbound, Content: n.content, SentAt: n.sent}
	if w.rand.IntN(3) == 0 {
		m.Direction, m.Role = message.DirectionOutbound, message.RoleAssistant
	}
	if w.rand.IntN(2) == 0 {
		m.IdempotencyKey = n.content
	}
	if branch && len(r.all) > 0 {
		i := w.rand.IntN(len(r.all))
		n.parent, m.ParentSeq = r.all[i], new(int64(i+1))
	}
	w.trail = append(w.trail, "append "+n.content)
	created, err := w.mine.Messages().Append(w.t.Context(), r.id, m)
	require.NoError(w.t, err)
	require.True(w.t, created)
	n.id = m.ID
	r.all, r.head = append(r.all, n), n
}

func (w *mergeWalk) delete(r *mergeRoom) {
	n, ok := oneOf(w.rand, r.all)
	if !ok || n.gone {
		return
	}
	w.trail = append(w.trail, "delete "+n.content)
	_, err := w.mine.Messages().Delete(w.t.Context(), n.id)
	require.NoError(w.t, err)
	n.gone = true
}

func (w *mergeWalk) setHead(r *mergeRoom) {
	if len(r.all) == 0 {
		return
	}
	i := w.rand.IntN(len(r.all))
	w.trail = append(w.trail, "head "+r.all[i].content)
	_, err := w.mine.Messages().SetHead(w.t.Context(), r.id, int64(i+1))
	require.NoError(w.t, err)
	r.head = r.all[i]
}

// follow puts nodes behind the head, one by one.
func (r *mergeRoom) follow(nodes []*node) {
	slices.SortStableFunc(nodes, func(a, b *node) int { return a.sent.Compare(b.sent) })
	for _, n := range nodes {
		n.parent = r.head
		r.all, r.head = append(r.all, n), n
	}
}

func (w *mergeWalk) merge(r *mergeRoom, live []*mergeRoom) {
	into, _ := oneOf(w.rand, live)
	if into == r {
		return
	}
	w.trail = append(w.trail, fmt.Sprint("merge ", len(r.all), " into ", len(into.all)))
	_, err := w.mine.Conversations().Merge(w.t.Context(), r.id, into.id, store.MoveOptions{})
	require.NoError(w.t, err)
	path, base := r.path(r.head), into.head
	others := slices.DeleteFunc(slices.Clone(r.all), func(n *node) bool { return slices.Contains(path, n) })
	into.follow(path)
	for _, n := range others {
		if n.parent == nil {
			n.parent = base
		}
		into.all = append(into.all, n)
	}
	some := len(r.all) > 0
	if r.all, r.head, r.into = nil, nil, into; some {
		w.checkStatus(into)
	}
	w.check(into)
}

func (w *mergeWalk) move(into *mergeRoom, live []*mergeRoom) {
	var ids []uuid.UUID
	var moved []*node
	touched := []*mergeRoom{into}
	for range 1 + w.rand.IntN(3) {
		from, _ := oneOf(w.rand, live)
		i := 0
		if len(from.all) > 0 {
			i = w.rand.IntN(len(from.all))
		}
		if from == into || len(from.all) == 0 || from.all[i].gone || slices.ContainsFunc(moved, func(m *node) bool { return m.sent.Equal(from.all[i].sent) }) {
			continue
		}
		n := from.all[i]
		left := &node{sent: n.sent, parent: n.parent, gone: true, trace: true}
		for _, child := range from.all {
			if child.parent == n {
				child.parent = left
			}
		}
		if from.head == n {
			from.head = left
		}
		from.all[i] = left
		ids, moved, touched = append(ids, n.id), append(moved, n), append(touched, from)
	}
	w.trail = append(w.trail, fmt.Sprint("move ", len(ids)))
	n, err := w.mine.Messages().Move(w.t.Context(), ids, into.id, store.MoveOptions{})
	require.NoError(w.t, err)
	require.EqualValues(w.t, len(ids), n)
	into.follow(moved)
	if len(moved) > 0 {
		for _, r := range touched {
			w.checkStatus(r)
		}
	}
}

func nodeContents(nodes []*node, all bool) (contents []string) {
	for _, n := range nodes {
		if all || !n.gone {
			contents = append(contents, n.content)
		}
	}
	return contents
}

func (w *mergeWalk) check(r *mergeRoom) {
	ctx := w.t.Context()
	c, err := w.mine.Conversations().Get(ctx, r.id)
	if r.into != nil {
		var merged *store.MergedError
		require.ErrorAs(w.t, err, &merged)
		require.Equal(w.t, r.heir().id, merged.Into)
		return
	}
	require.NoError(w.t, err)
	read := func(f store.MessageFilter) (ms []*message.Message) {
		for m, err := range w.mine.Messages().All(ctx, r.id, f) {
			require.NoError(w.t, err)
			ms = append(ms, m)
		}
		return ms
	}
	texts := func(ms []*message.Message) (texts []string) {
		for _, m := range ms {
			texts = append(texts, m.Content)
		}
		return texts
	}
	require.EqualValues(w.t, len(r.all), c.LastSeq)
	all := read(store.MessageFilter{Branches: store.AllBranches, Deleted: store.IncludeDeleted})
	require.Equal(w.t, nodeContents(r.all, true), texts(all))
	path := read(store.MessageFilter{})
	require.Equal(w.t, nodeContents(r.path(r.head), false), texts(path))
	if n, ok := oneOf(w.rand, r.all); ok {
		page, err := w.mine.Messages().Path(ctx, r.id, int64(slices.Index(r.all, n)+1), store.PageRequest{Limit: store.MaxLimit})
		require.NoError(w.t, err)
		require.Equal(w.t, nodeContents(r.path(n), false), texts(page.Items))
	}
	for i, n := range r.all {
		if n.trace {
			require.Equal(w.t, store.FinishMoved, all[i].FinishReason)
		}
	}
}

// checkStatus holds right after a merge or a move, which go by all messages of the path.
func (w *mergeWalk) checkStatus(r *mergeRoom) {
	c, err := w.mine.Conversations().Get(w.t.Context(), r.id)
	require.NoError(w.t, err)
	var path []*message.Message
	for m, err := range w.mine.Messages().All(w.t.Context(), r.id, store.MessageFilter{}) {
		require.NoError(w.t, err)
		path = append(path, m)
	}
	if len(path) == 0 {
		require.Equal(w.t, conversation.StatusActive, c.Status)
		return
	}
	latest := slices.MaxFunc(path, func(a, b *message.Message) int {
		if order := a.SentAt.Compare(b.SentAt); order != 0 {
			return order
		}
		return int(a.Seq - b.Seq)
	})
	require.Equal(w.t, conversation.StatusActive.After(latest.Direction), c.Status)
	require.WithinDuration(w.t, latest.SentAt, c.LastMessageAt, 0)
}

// checkAll looks for rows that belong to no conversation or to the wrong one, and that words find
// each message where it is.
func (w *mergeWalk) checkAll() {
	ctx := w.t.Context()
	_, err := w.st.Health().Ready(ctx)
	require.NoError(w.t, err)
	orphans, err := w.st.AllUsers().Maintenance().Orphans(ctx)
	require.NoError(w.t, err)
	require.Zero(w.t, orphans.Total())
	for _, r := range w.live() {
		for _, n := range r.all {
			if n.gone {
				continue
			}
			page, err := w.mine.Search().Messages(ctx, n.content, store.TextOptions{}, store.PageRequest{})
			require.NoError(w.t, err)
			require.Len(w.t, page.Items, 1, n.content)
			require.Equal(w.t, [2]uuid.UUID{n.id, r.id}, [2]uuid.UUID{page.Items[0].Message.ID, page.Items[0].Message.ConversationID})
		}
	}
}
