package threads

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Tail(ctx context.Context, conversationID uuid.UUID, from store.Position, o store.TailOptions) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		t := &tail{hub: s.hub, id: conversationID, at: from, once: o.Once, yield: yield, ahead: map[int64]int64{}}
		err := t.follow(ctx, s.sc, o.Every)
		if err != nil && !errors.Is(err, errLeft) {
			yield(store.Change{}, query.Wrap("tail", err))
		}
	}
}

// errLeft says that the caller has left the loop.
var errLeft = errors.New("convostore: the caller left the loop")

// tail is one iteration over the changes of a conversation, for one goroutine.
type tail struct {
	hub   *watch.Hub
	sc    scope.Scope
	id    uuid.UUID
	once  bool
	yield func(store.Change, error) bool
	// at is the place up to which everything was yielded.
	at store.Position
	// seen is the state of the conversation up to which everything was read, begun whether there
	// is one yet.
	seen  watch.State
	begun bool
	// headAt is the last seq that was yielded when the head was yielded last.
	headAt int64
	// ahead has the change_seq of messages that were yielded as appended, where it is beyond at:
	// the changes still to come have them once more.
	ahead map[int64]int64
	// news are what the poller read between the state to catch up to and an earlier one. They are
	// not for a later state: what was changed between the two is in them as it was before.
	news *watch.News
}

// checkWait checks what tails and watches have in common, and returns the interval.
func checkWait(sc scope.Scope, every time.Duration) (time.Duration, error) {
	switch {
	case sc.InTx:
		return 0, rule.Invalid("transaction", "is open: nothing that others write can be seen to happen in it; call Tail and Watch outside")
	case every == 0:
		return store.DefaultTailEvery, nil
	case every < store.MinTailEvery:
		return 0, rule.Invalid("every", "is less than %s", store.MinTailEvery)
	}
	return every, nil
}

func (t *tail) follow(ctx context.Context, sc scope.Scope, every time.Duration) error {
	every, err := checkWait(sc, every)
	if err != nil {
		return err
	}
	if t.at.Seq < 0 || t.at.Change < 0 {
		return rule.Invalid("position", "is negative")
	}
	if t.sc, err = OwnerScope(ctx, sc, t.id); err != nil {
		return err
	}
	if t.once {
		state, err := t.state(ctx)
		if err == nil {
			err = t.catchUp(ctx, state)
		}
		return err
	}
	following, err := t.hub.Follow(watch.Key{User: t.sc.User, Conversation: t.id}, every)
	if err != nil {
		return err
	}
	defer following.Leave()
	return t.run(ctx, following)
}

// run yields changes until the caller leaves or an error comes that will not go away.
func (t *tail) run(ctx context.Context, following *watch.Tail) error {
	state, err := t.state(ctx)
	for try := 1; ; {
		if err == nil {
			t.begun = true
			err = t.catchUp(ctx, state)
		}
		t.news = nil
		switch {
		case err == nil:
			try = 1
			state, t.news, err = following.Wait(ctx, t.seen)
			if err != nil {
				return err
			}
			if state.Gone || state.Seq < t.at.Seq || state.Change < t.at.Change {
				t.news = nil
				state, err = t.state(ctx) // the poller may have looked before this tail did
			}
		case ctx.Err() != nil:
			return query.Because(ctx, err)
		case !t.begun || errors.Is(err, errLeft) || lasting(err):
			return err
		default:
			if err := query.Sleep(ctx, min(time.Second, 20*time.Millisecond<<try)); err != nil {
				return err
			}
			try = min(try+1, 6)
			state, err = t.state(ctx)
		}
	}
}

// state reads the state of the conversation.
func (t *tail) state(ctx context.Context) (watch.State, error) {
	var s watch.State
	db, err := t.sc.ReadingPrimary(ctx)
	if err != nil {
		return s, err
	}
	found, err := query.New("SELECT last_seq, last_change_seq, head_seq FROM "+t.sc.Tables.Conversations+
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL", t.id, t.sc.User).Row(db, &s.Seq, &s.Change, &s.Head)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return s, err
}

// catchUp yields everything from at to a state of the conversation. Changes come before appends:
// who regenerates an answer hides the old one first.
func (t *tail) catchUp(ctx context.Context, state watch.State) error {
	if state.Seq < t.at.Seq || state.Change < t.at.Change {
		return rule.Invalid("position", "is beyond the conversation, which stands at %s",
			store.Position{Seq: state.Seq, Change: state.Change})
	}
	if !t.news.Cover(t.at.Seq, t.at.Change) {
		t.news = nil // for the appends too: a page that is read now may be of a later state
	}
	if state.Change > t.at.Change {
		if err := t.changes(ctx); err != nil {
			return err
		}
		// A change that was undone by an error of the host's transaction has no row.
		t.at.Change = max(t.at.Change, state.Change)
		for seq, change := range t.ahead {
			if change <= t.at.Change {
				delete(t.ahead, seq)
			}
		}
	}
	if state.Seq > t.at.Seq {
		if err := t.appends(ctx); err != nil {
			return err
		}
	}
	if err := t.head(state); err != nil {
		return err
	}
	t.seen = watch.State{Seq: max(state.Seq, t.at.Seq), Change: max(state.Change, t.at.Change), Head: state.Head}
	return nil
}

// changes yields the messages before at that were changed after it, in the order of the changes.
func (t *tail) changes(ctx context.Context) error {
	seq := t.at.Seq
	if t.news != nil {
		return t.copies(t.news.Changed(seq, t.at.Change), t.changed)
	}
	return t.pages(ctx, func() *query.Query {
		return t.from(" AND change_seq > ? AND "+t.sc.Dialect.Unindexed("seq")+" <= ? ORDER BY change_seq", t.at.Change, seq)
	}, t.changed)
}

func (t *tail) changed(m *message.Message) error {
	t.at.Change = max(t.at.Change, m.ChangeSeq)
	if t.ahead[m.Seq] == m.ChangeSeq {
		return nil
	}
	kind := store.ChangeUpdated
	if m.Deleted() {
		kind = store.ChangeDeleted
	}
	return t.give(store.Change{Kind: kind, Message: m})
}

// appends yields the messages after at in the order of seq.
func (t *tail) appends(ctx context.Context) error {
	if t.news != nil {
		return t.copies(t.news.Appended(t.at.Seq), t.appended)
	}
	return t.pages(ctx, func() *query.Query {
		return t.from(" AND seq > ? ORDER BY seq", t.at.Seq)
	}, t.appended)
}

func (t *tail) appended(m *message.Message) error {
	t.at.Seq = m.Seq
	if m.ChangeSeq > t.at.Change {
		t.ahead[m.Seq] = m.ChangeSeq
	}
	kind := store.ChangeAppended
	if m.Deleted() {
		kind = store.ChangeDeleted
	}
	return t.give(store.Change{Kind: kind, Message: m})
}

// copies calls each for a copy of every row: the rows are of all tails.
func (*tail) copies(rows []*message.Message, each func(*message.Message) error) error {
	for _, m := range rows {
		if err := each(apart(m)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tail) from(where string, args ...any) *query.Query {
	return query.New("SELECT "+record.MessageColumns+" FROM "+t.sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ?", t.id, t.sc.User).
		Add(where, args...).Add(" LIMIT ?", tailPage)
}

// tailPage is how many messages a tail reads at once, of store.MaxPageBytes at most and one.
const tailPage = 200

// pages reads pages until there are no more rows, and calls each for every row.
func (t *tail) pages(ctx context.Context, next func() *query.Query, each func(*message.Message) error) error {
	for {
		page, more, err := t.page(ctx, next())
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := each(m); err != nil {
				return err
			}
		}
		if !more && len(page) < tailPage {
			return nil
		}
	}
}

// page reads a page. A server that was cut off may not answer at all.
func (t *tail) page(ctx context.Context, q *query.Query) (page []*message.Message, more bool, err error) {
	free, err := t.hub.Slot(ctx)
	if err != nil {
		return nil, false, err
	}
	defer free()
	bounded, done := context.WithTimeout(ctx, tailPatience)
	defer done()
	db, err := t.sc.ReadingPrimary(bounded)
	if err != nil {
		return nil, false, err
	}
	return query.Within(db, q, record.MessageDest, (*message.Message).Size, store.MaxPageBytes)
}

const tailPatience = 30 * time.Second

// head yields that the head has moved, if it has, or at the beginning if it is not the last
// message. It may also have moved to what was appended and back since the last look: then it comes
// again. What was appended after this look was yielded already, and is where a conversation whose
// head is the last message ends.
func (t *tail) head(state watch.State) error {
	last := watch.State{Seq: t.seen.Seq, Change: t.seen.Change, Head: state.Head}
	if !t.seen.Differs(last) && (state.Head == nil || t.at.Seq == t.headAt) {
		return nil
	}
	t.headAt = t.at.Seq
	change := store.Change{Kind: store.ChangeHeadMoved, Head: max(state.Seq, t.at.Seq)}
	if state.Head != nil {
		change.Head = *state.Head
	}
	return t.give(change)
}

func (t *tail) give(c store.Change) error {
	c.Position = t.at
	if !t.yield(c, nil) {
		return errLeft
	}
	return nil
}
