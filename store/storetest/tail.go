package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runTail states what tails and watches yield. They see no transaction of the host's, so that
// this part cannot run in one.
func runTail(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	subtests{
		"TailFollows":        testTailFollows,
		"TailFromAnywhere":   testTailFromAnywhere,
		"TailPages":          testTailPages,
		"TailOfHostsRows":    testTailOfHostsRows,
		"TailOfHeads":        testTailOfHeads,
		"TailOfTransactions": testTailOfTransactions,
		"TailEnds":           testTailEnds,
		"TailRefuses":        testTailRefuses,
		"TailLeaves":         testTailLeaves,
		"TailsTogether":      testTailsTogether,
		"TailPosition":       testTailPosition,
		"Watch":              testWatch,
		"TailOfMerged":       testTailOfMerged,
		"TailOfMoved":        testTailOfMoved,
		"WatchSince":         testWatchSince,
		"WatchEnds":          testWatchEnds,
		"EveryChangeCounts":  testEveryChangeCounts,
		"ChangesAtOnce":      testChangesAtOnce,
		"ChangeOfNone":       testChangeOfNone,
		"Deliveries":         testDeliveryTail,
		"RunSends":           testRunSends,
		"RunFails":           testRunFails,
		"LostAnswers":        testLostAnswers,
		"RunRefused":         testRunRefused,
		"RunWakes":           testRunWakes,
		"RunEnds":            testRunEnds,
		"RunRenews":          testRunRenews,
		"RunLosesLease":      testRunLosesLease,
		"RunTimesOut":        testRunTimesOut,
	}.run(t, f, c)
}

// everyLook is an interval for tests that wait for a poll.
const everyLook = store.MinTailEvery

// followed is what an iterator yields, in a goroutine that the end of the test ends.
type followed[T any] struct {
	t     *testing.T
	items chan T
	ended chan error
	stop  context.CancelFunc
}

func follow[T any](t *testing.T, seq func(ctx context.Context) iter.Seq2[T, error]) *followed[T] {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	f := &followed[T]{t: t, items: make(chan T), ended: make(chan error, 1), stop: stop}
	go func() {
		for item, err := range seq(ctx) {
			if err != nil {
				f.ended <- err
				return
			}
			select {
			case f.items <- item:
			case <-ctx.Done():
			}
		}
		f.ended <- nil
	}()
	t.Cleanup(func() {
		stop()
		<-f.ended //nolint:errcheck // the test that asks gets it from end
	})
	return f
}

// next waits for the next item.
func (f *followed[T]) next() T {
	f.t.Helper()
	var none T
	select {
	case item := <-f.items:
		return item
	case err := <-f.ended:
		f.ended <- err
		require.Fail(f.t, "the iteration ended", "%v", err)
	case <-time.After(20 * time.Second):
		require.Fail(f.t, "nothing came")
	}
	return none
}

// end waits for the error that ends the iteration.
func (f *followed[T]) end() error {
	f.t.Helper()
	select {
	case item := <-f.items:
		require.Fail(f.t, "another item came", "%+v", item)
	case err := <-f.ended:
		f.ended <- err
		return err
	case <-time.After(20 * time.Second):
		require.Fail(f.t, "it did not end")
	}
	return nil
}

func (w *world) tail(t *testing.T, id uuid.UUID, from store.Position, every time.Duration) *followed[store.Change] {
	t.Helper()
	return follow(t, func(ctx context.Context) iter.Seq2[store.Change, error] {
		return w.mine.Messages().Tail(ctx, id, from, store.TailOptions{Every: every})
	})
}

// caughtUp is what a tail has to say now.
func (w *world) caughtUp(t *testing.T, id uuid.UUID, from store.Position) []store.Change {
	t.Helper()
	all, err := collect(w.mine.Messages().Tail(t.Context(), id, from, store.TailOptions{Once: true}))
	require.NoError(t, err)
	return all
}

// isChange requires a change of a message as it is stored.
func (w *world) isChange(t *testing.T, c store.Change, kind store.ChangeKind, seq, change int64) {
	t.Helper()
	require.Equal(t, kind, c.Kind)
	require.Equal(t, seq, c.Message.Seq)
	require.Equal(t, change, c.Position.Change, "the change of the position")
	stored, err := collect(w.mine.Messages().All(t.Context(), c.Message.ConversationID,
		store.MessageFilter{AfterSeq: seq - 1, BeforeSeq: seq + 1, Deleted: store.IncludeDeleted, Branches: store.AllBranches}))
	require.NoError(t, err)
	require.Len(t, stored, 1)
	same(t, stored[0], c.Message)
}

// testTailFollows: appends and each kind of change come as they are written, in order, with the
// rows, and a position that goes on.
func testTailFollows(t *testing.T, w *world) {
	ctx := t.Context()
	ms := w.mine.Messages()
	c := w.thread(t, 2)
	tail := w.tail(t, c.ID, store.Position{}, time.Hour)
	first := tail.next()
	w.isChange(t, first, store.ChangeAppended, 1, 0)
	require.Equal(t, store.Position{Seq: 1}, first.Position)
	w.isChange(t, tail.next(), store.ChangeAppended, 2, 0)

	m := w.append(t, c, everything(epoch))
	w.isChange(t, tail.next(), store.ChangeAppended, 3, 0)
	id := first.Message.ID
	must[*message.Message](t)(ms.Update(ctx, id, store.MessageUpdate{Content: new("edited")}))
	edited := tail.next()
	w.isChange(t, edited, store.ChangeUpdated, 1, 1)
	require.NotNil(t, edited.Message.EditedAt)
	require.Equal(t, store.Position{Seq: 3, Change: 1}, edited.Position)
	must[*message.Message](t)(ms.Update(ctx, id, store.MessageUpdate{Metadata: new(message.JSON(`{"a":1}`))}))
	w.isChange(t, tail.next(), store.ChangeUpdated, 1, 2)
	must[*message.Message](t)(ms.MergeMetadata(ctx, m.ID, message.JSON(`{"b":2}`)))
	w.isChange(t, tail.next(), store.ChangeUpdated, 3, 3)
	must[*message.Message](t)(ms.Delete(ctx, m.ID))
	w.isChange(t, tail.next(), store.ChangeDeleted, 3, 4)
	must[*message.Message](t)(ms.Restore(ctx, m.ID))
	w.isChange(t, tail.next(), store.ChangeUpdated, 3, 5)
	must[*message.Message](t)(ms.Delete(ctx, id))
	w.isChange(t, tail.next(), store.ChangeDeleted, 1, 6)
	require.EqualValues(t, 1, valueOf[int64](t)(ms.RestoreAll(ctx, c.ID)))
	w.isChange(t, tail.next(), store.ChangeUpdated, 1, 7)
	require.Equal(t, store.Position{Seq: 3, Change: 7}, store.PositionOf(w.get(t, c.ID)))
	sg := w.suggest(t, c, m)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, sg.ID, suggestion.Review{By: "a"}))
	must[bool](t)(w.mine.Suggestions().Send(ctx, sg.ID, &message.Message{}, store.SendOptions{}))
	w.isChange(t, tail.next(), store.ChangeAppended, 4, 7)
}

// testTailFromAnywhere: from every position on, a tail ends where the conversation is, and says
// nothing that was known before.
func testTailFromAnywhere(t *testing.T, w *world) {
	ctx := t.Context()
	ms := w.mine.Messages()
	c := &conversation.Conversation{ID: w.conversation(t).ID}
	positions := []store.Position{{}}
	views := []map[int64]message.Message{{}}
	var ids []uuid.UUID
	note := func() {
		positions = append(positions, store.PositionOf(w.get(t, c.ID)))
		views = append(views, w.rows(t, c.ID))
	}
	for i := range 12 {
		m := w.append(t, c, text(fmt.Sprint(i)))
		ids = append(ids, m.ID)
		note()
		switch i % 4 {
		case 0:
			must[*message.Message](t)(ms.Update(ctx, ids[i/2], store.MessageUpdate{Content: new(fmt.Sprint("edited ", i))}))
		case 1:
			must[*message.Message](t)(ms.Delete(ctx, m.ID))
		case 2:
			must[int64](t)(ms.RestoreAll(ctx, c.ID))
		default:
			must[*message.Message](t)(ms.Delete(ctx, ids[i/2]))
		}
		note()
	}
	want := w.rows(t, c.ID)
	for i, from := range positions {
		view := views[i]
		for _, change := range w.caughtUp(t, c.ID, from) {
			require.NotEqual(t, view[change.Message.Seq], *change.Message, "nothing new of %d from %s", change.Message.Seq, from)
			view[change.Message.Seq] = *change.Message
		}
		require.Len(t, view, len(want))
		for seq, m := range want {
			same(t, m, view[seq])
		}
	}
	require.Empty(t, w.caughtUp(t, c.ID, positions[len(positions)-1]))
	for i := range positions[:len(positions)-1] { // every position that is given can be gone on from
		for _, change := range w.caughtUp(t, c.ID, positions[i]) {
			rest := w.caughtUp(t, c.ID, change.Position)
			require.NotContains(t, rest, change)
		}
	}
}

// rows are all messages of a conversation, deleted ones included, by seq.
func (w *world) rows(t *testing.T, id uuid.UUID) map[int64]message.Message {
	t.Helper()
	rows := map[int64]message.Message{}
	for m, err := range w.mine.Messages().All(t.Context(), id, store.MessageFilter{Deleted: store.IncludeDeleted}) {
		require.NoError(t, err)
		rows[m.Seq] = *m
	}
	return rows
}

// testTailPages: more than a page of appends and of changes comes whole.
func testTailPages(t *testing.T, w *world) {
	const n = 450
	c := w.thread(t, n)
	var seqs []int64
	for _, change := range w.caughtUp(t, c.ID, store.Position{}) {
		require.Equal(t, store.ChangeAppended, change.Kind)
		seqs = append(seqs, change.Message.Seq)
	}
	require.Len(t, seqs, n)
	require.IsIncreasing(t, seqs)
	require.NoError(t, w.st.DB(t.Context()).Model(&message.Message{}).Where("conversation_id = ?", c.ID).UpdateColumn("deleted_at", epoch).Error)
	require.EqualValues(t, n, valueOf[int64](t)(w.mine.Messages().RestoreAll(t.Context(), c.ID)))
	changes := w.caughtUp(t, c.ID, store.Position{Seq: n})
	require.Len(t, changes, n)
	for i, change := range changes {
		require.Equal(t, []int64{int64(i + 1), int64(i + 1)}, []int64{change.Message.Seq, change.Position.Change}, "in the order of seq")
	}
}

// testTailOfHostsRows: a message that plain GORM creates is seen, by the poll.
func testTailOfHostsRows(t *testing.T, w *world) {
	c := w.thread(t, 1)
	tail := w.tail(t, c.ID, store.PositionOf(c), everyLook)
	m := &message.Message{UserID: w.user, ConversationID: c.ID, Role: message.RoleUser, Content: "by GORM"}
	require.NoError(t, w.st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Create(m).Error }))
	w.isChange(t, tail.next(), store.ChangeAppended, 2, 0)
}

// testTailOfHeads: a moved head comes without a message, and again to who comes back.
func testTailOfHeads(t *testing.T, w *world) {
	c := w.thread(t, 3)
	tail := w.tail(t, c.ID, store.PositionOf(c), everyLook)
	move := func(head any) {
		require.NoError(t, w.st.DB(t.Context()).Model(&conversation.Conversation{}).Where("id = ?", c.ID).
			UpdateColumns(map[string]any{"head_seq": head, "branched": true}).Error)
	}
	move(2)
	moved := tail.next()
	require.Equal(t, store.Change{Kind: store.ChangeHeadMoved, Head: 2, Position: store.Position{Seq: 3}}, moved)
	require.Equal(t, []store.Change{moved}, w.caughtUp(t, c.ID, moved.Position))
	move(nil)
	require.Equal(t, store.Change{Kind: store.ChangeHeadMoved, Head: 3, Position: store.Position{Seq: 3}}, tail.next())
	require.Empty(t, w.caughtUp(t, c.ID, store.PositionOf(c)))
}

// testTailOfTransactions: what a transaction wrote comes after its commit, and what was undone
// never.
func testTailOfTransactions(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	first := w.caughtUp(t, c.ID, store.Position{})[0].Message
	tail := w.tail(t, c.ID, store.PositionOf(c), time.Hour)
	require.Error(t, w.st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.ForUser(w.user).Messages().Delete(ctx, first.ID)
		return errors.Join(err, errors.New("undo"))
	}))
	require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
		ms := tx.ForUser(w.user).Messages()
		if _, err := ms.Append(ctx, c.ID, text("in")); err != nil {
			return err
		}
		_, err := ms.Update(ctx, first.ID, store.MessageUpdate{Content: new("out")})
		return err
	}))
	w.isChange(t, tail.next(), store.ChangeUpdated, 1, 1)
	w.isChange(t, tail.next(), store.ChangeAppended, 2, 1)
}

// testTailEnds: a conversation that goes, the caller's context and the caller end a tail.
func testTailEnds(t *testing.T, w *world) {
	ctx := t.Context()
	cs := w.mine.Conversations()
	for name, remove := range map[string]func(id uuid.UUID) error{
		"deleted": func(id uuid.UUID) error { _, err := cs.Delete(ctx, id); return err },
		"erased":  func(id uuid.UUID) error { _, err := cs.Erase(ctx, id); return err },
		"user":    func(uuid.UUID) error { _, err := w.mine.Maintenance().EraseUser(ctx); return err },
	} {
		c := w.thread(t, 1)
		tail := w.tail(t, c.ID, store.Position{}, time.Hour)
		tail.next()
		require.NoError(t, remove(c.ID), name)
		require.ErrorIs(t, tail.end(), store.ErrNotFound, name)
		_, err := collect(w.mine.Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}))
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
	c := w.thread(t, 1)
	tail := w.tail(t, c.ID, store.Position{}, time.Hour)
	tail.next()
	tail.stop()
	require.ErrorIs(t, tail.end(), context.Canceled)
	for _, err := range w.mine.Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}) {
		require.NoError(t, err)
		break
	}
	_, err := collect(w.other().Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = collect(w.mine.Messages().Tail(canceled(t), c.ID, store.Position{}, store.TailOptions{}))
	require.ErrorIs(t, err, context.Canceled)
}

func testTailRefuses(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 2)
	refuse := func(s store.Scope, from store.Position, o store.TailOptions, field string) {
		_, err := collect(s.Messages().Tail(ctx, c.ID, from, o))
		invalid(t, err, field)
	}
	for _, from := range []store.Position{{Seq: -1}, {Change: -1}, {Seq: 3}, {Seq: 2, Change: 1}} {
		refuse(w.mine, from, store.TailOptions{}, "position")
		refuse(w.mine, from, store.TailOptions{Once: true}, "position")
	}
	refuse(w.mine, store.Position{}, store.TailOptions{Every: -1}, "every")
	refuse(w.mine, store.Position{}, store.TailOptions{Every: store.MinTailEvery - 1}, "every")
	refuse(w.st.ForUser(uuid.Nil), store.Position{}, store.TailOptions{}, "user_id")
	_, err := collect(w.mine.Conversations().Watch(ctx, store.WatchOptions{Every: -1}))
	invalid(t, err, "every")
	inside := func(in store.Store) {
		refuse(in.ForUser(w.user), store.Position{}, store.TailOptions{}, "transaction")
		_, err := collect(in.ForUser(w.user).Conversations().Watch(ctx, store.WatchOptions{}))
		invalid(t, err, "transaction")
	}
	require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error { inside(tx); return nil }))
	require.NoError(t, w.st.DB(ctx).Transaction(func(tx *gorm.DB) error { inside(w.st.WithTx(tx)); return nil }))
}

// testTailLeaves: the loop's body may write, also where there is one connection, and what it
// writes comes.
func testTailLeaves(t *testing.T, w *world) {
	c := w.thread(t, 1)
	seen := 0
	for change, err := range w.mine.Messages().Tail(t.Context(), c.ID, store.Position{}, store.TailOptions{}) {
		require.NoError(t, err)
		require.Equal(t, store.ChangeAppended, change.Kind)
		require.EqualValues(t, seen+1, change.Message.Seq)
		if seen++; seen == 5 {
			break
		}
		w.inbound(t, c)
	}
	require.Equal(t, 5, seen)
}

// testTailsTogether: tails of several conversations and of one come by their own changes.
func testTailsTogether(t *testing.T, w *world) {
	a, b := w.thread(t, 1), w.thread(t, 1)
	all := follow(t, func(ctx context.Context) iter.Seq2[store.Change, error] {
		return w.st.AllUsers().Messages().Tail(ctx, a.ID, store.PositionOf(a), store.TailOptions{Every: time.Hour})
	})
	tails := []*followed[store.Change]{w.tail(t, a.ID, store.PositionOf(a), time.Hour), w.tail(t, a.ID, store.Position{}, time.Hour), all}
	of := w.tail(t, b.ID, store.PositionOf(b), time.Hour)
	require.EqualValues(t, 1, tails[1].next().Message.Seq)
	m := w.inbound(t, a)
	for _, tail := range tails {
		require.Equal(t, m.ID, tail.next().Message.ID)
	}
	m = w.inbound(t, b)
	require.Equal(t, m.ID, of.next().Message.ID)
	tails[0].stop()
	require.ErrorIs(t, tails[0].end(), context.Canceled)
	m = w.inbound(t, a)
	require.Equal(t, m.ID, tails[1].next().Message.ID)
}

func testTailPosition(t *testing.T, _ *world) {
	for _, p := range []store.Position{{}, {Seq: 12, Change: 5}, {Seq: 1 << 62, Change: 1<<63 - 1}} {
		got, err := store.ParsePosition(p.String())
		require.NoError(t, err)
		require.Equal(t, p, got)
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var back store.Position
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, p, back)
	}
	none, err := store.ParsePosition("")
	require.NoError(t, err)
	require.Zero(t, none)
	for _, bad := range []string{"1", ".", "1.", ".1", "-1.0", "1.-2", "1.2.3", " 1.2", "1.2 ", "01.2", "+1.2", "1.2\x00", "a.b", "9223372036854775808.0", "0x1.2"} {
		_, err := store.ParsePosition(bad)
		invalid(t, err, "position")
		var p store.Position
		invalid(t, p.UnmarshalText([]byte(bad)), "position")
	}
}
