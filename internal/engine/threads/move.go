package threads

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Move(ctx context.Context, ids []uuid.UUID, into uuid.UUID, o store.MoveOptions) (moved int64, err error) {
	if len(ids) > store.MaxLimit {
		return 0, rule.Invalid("ids", "are %d, the most is %d", len(ids), store.MaxLimit)
	}
	sc, err := OwnerScope(ctx, s.sc, into)
	if err != nil {
		return 0, query.Wrap("move messages", err)
	}
	err = scope.Settle(func() (bool, error) {
		var again bool
		err := unlessCopyRefused(func() error {
			return sc.Transaction(ctx, func(tx *scope.Store) (err error) {
				moved, again, err = moveInto(ctx, sc.In(tx), ids, into, o)
				return err
			})
		})
		return !again, err
	})
	if err != nil {
		return 0, query.Wrap("move messages", err)
	}
	sc.Noted(ctx, int(moved), 0)
	return moved, nil
}

// moveInto moves messages to the end of a conversation, in a transaction, and returns how many. It
// does what Move says. again says that it wrote nothing, because a message was moved between the
// look for its conversation and the lock of it.
func moveInto(ctx context.Context, sc scope.Scope, ids []uuid.UUID, intoID uuid.UUID, o store.MoveOptions) (moved int64, again bool, err error) {
	db := query.On(ctx, sc.Writer)
	before, err := readMoved(sc, db, ids)
	if err != nil {
		return 0, false, err
	}
	locked, err := lockAll(sc, db, append(sources(before), intoID))
	if err != nil {
		return 0, false, err
	}
	if err := liveOr(locked[intoID], intoID); err != nil {
		return 0, false, err
	}
	rows, err := readMoved(sc, db, ids)
	if err != nil {
		return 0, false, err
	}
	for _, id := range sources(rows) {
		if locked[id] == nil {
			return 0, true, nil
		}
	}
	if err := allLive(ids, rows, locked); err != nil {
		return 0, false, err
	}
	rows = slices.DeleteFunc(rows, func(r *movedRow) bool { return r.from == intoID })
	if len(rows) == 0 {
		return 0, false, nil
	}
	m := moving{ctx: ctx, sc: sc, db: db, into: locked[intoID], rows: rows}
	return int64(len(rows)), false, m.moveFrom(locked, o)
}

// sources returns the conversations that messages are in.
func sources(rows []*movedRow) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.from
	}
	slices.SortFunc(ids, scope.CompareIDs)
	return slices.Compact(ids)
}

// allLive returns a *store.BatchError for the first id without a live message in a live
// conversation.
func allLive(ids []uuid.UUID, rows []*movedRow, locked map[uuid.UUID]*conversation.Conversation) error {
	live := make(map[uuid.UUID]bool, len(rows))
	for _, r := range rows {
		live[r.id] = !r.deleted && !locked[r.from].Deleted()
	}
	for i, id := range ids {
		if !live[id] {
			return &store.BatchError{Index: i, Err: store.ErrNotFound}
		}
	}
	return nil
}

// moveFrom moves the messages from the conversations that they are in, all of which are locked.
func (m moving) moveFrom(locked map[uuid.UUID]*conversation.Conversation, o store.MoveOptions) error {
	if err := checkMoved(m.rows); err != nil {
		return err
	}
	from := sources(m.rows)
	for _, id := range from {
		if err := checkLeads(locked[id], m.into, o); err != nil {
			return err
		}
		if locked[id].Held() && !m.into.Held() {
			return fmt.Errorf("%w: the conversation %s is on hold, and the one to move to is not", store.ErrConflict, id)
		}
	}
	slices.SortFunc(m.rows, bySent)
	head, last := place(m.rows, headSeq(m.into), m.into.LastSeq)
	if err := m.reads(from); err != nil {
		return err
	}
	if err := writeMoved(m.sc, m.db, m.into.ID, m.rows); err != nil {
		return err
	}
	if err := m.suggestionsWith(from); err != nil {
		return err
	}
	for _, id := range from {
		if err := m.leave(locked[id]); err != nil {
			return err
		}
	}
	_, err := m.settle(head, last, query.New(""))
	return err
}

// suggestionsWith moves the suggestions that go with messages: by the message that one was sent as,
// else by the one that it answers, else by the last one that it takes into account.
func (m moving) suggestionsWith(from []uuid.UUID) error {
	type place struct {
		conversation uuid.UUID
		seq          int64
	}
	moved, places := map[uuid.UUID]bool{}, map[place]bool{}
	for _, r := range m.rows {
		moved[r.id], places[place{r.from, r.seq}] = true, true
	}
	all, err := m.readAnswering(m.sc.Among("conversation_id", from))
	if err != nil {
		return err
	}
	return m.moveSuggestions(slices.DeleteFunc(all, func(a *answering) bool {
		switch {
		case a.sent != nil:
			return !moved[*a.sent]
		case a.to != nil:
			return !moved[*a.to]
		}
		return a.answers == nil || !places[place{a.from, *a.answers}]
	}))
}

// leave puts a deleted message in the place of each that has left a conversation, and writes what
// status and activity follow from the rest.
func (m moving) leave(from *conversation.Conversation) error {
	var drafts []Draft
	var ids []uuid.UUID
	for _, r := range m.rows {
		if r.from != from.ID {
			continue
		}
		d, err := m.trace(r)
		if err != nil {
			return err
		}
		drafts, ids = append(drafts, d), append(ids, d.ID)
	}
	if err := insertMessages(m.sc, m.db, drafts); err != nil {
		return err
	}
	in := query.New(" AND ").Append(m.sc.Among("id", ids))
	if _, err := changeMany(m.ctx, m.sc, from.ID, query.New("deleted_at = ?", m.sc.Instant()), in); err != nil {
		return err
	}
	l, err := lockedPath{sc: m.sc, db: m.db, conversation: from, end: headSeq(from)}.latest()
	if err != nil {
		return err
	}
	_, err = updateConversation(m.ctx, m.sc, from.ID, store.ExcludeDeleted, query.New("status = ?, last_message_at = ?", string(l.kept(from)), l.at))
	return err
}

// trace is what is left in the place of a message that has moved.
func (m moving) trace(r *movedRow) (Draft, error) {
	t := &message.Message{
		UserID: m.sc.User, ConversationID: r.from, Seq: r.seq, ParentSeq: r.parent, Role: r.role, Kind: message.KindEvent,
		State: message.StateInterrupted, FinishReason: store.FinishMoved, SentAt: r.sentAt, IdempotencyKey: r.key,
		Metadata: message.MustJSON(trace{MessageID: r.id, MovedTo: m.into.ID}),
	}
	t.Normalize(m.sc.Instant())
	return Draft{Message: t}, m.sc.GiveID(&t.ID)
}
