package store

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// inLive narrows a query to rows whose conversation is live: what is in a deleted one is
// not there. The subquery has a value and is no EXISTS, which both databases may turn into
// a join: SQLite with all conversations read into a filter first, PostgreSQL with all of the
// user's, since its plan is for the average user and one may have 1,000 times as many.
func (sc scope) inLive(q *query, alias string) *query {
	q.add(" AND " + sc.liveness("c.id = "+alias+"conversation_id AND c.user_id = "+alias+"user_id"))
	return sc.owned(q, "c.").add(")")
}

// liveness begins a subquery that is true for a live conversation.
func (sc scope) liveness(which string) string {
	return "(SELECT c.deleted_at IS NULL FROM " + sc.tables.conversations + " c WHERE " + which
}

func (s messages) Get(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.getMessage(db, id)
	return m, fail("get message", err)
}

func (sc scope) getMessage(db conn, id uuid.UUID) (*message.Message, error) {
	q := newQuery("SELECT "+messageColumns+" FROM "+sc.tables.messages+" m WHERE id = ?", id)
	return one(db, sc.inLive(sc.owned(q, "m.").deleted(ExcludeDeleted, "m."), "m."), messageDest)
}

func (s messages) List(ctx context.Context, conversationID uuid.UUID, f MessageFilter, p PageRequest) (Page[*message.Message], error) {
	var page Page[*message.Message]
	f, err := f.normalize()
	if err != nil {
		return page, err
	}
	if f.Order == DefaultOrder {
		f.Order = ThreadOrder
	}
	l, err := s.listing(ctx, "messages of "+conversationID.String(), f, p)
	if err != nil {
		return page, err
	}
	found, err := s.list(ctx, conversationID, f, l.after, l.limit+1)
	if err != nil {
		return page, fail("list messages", err)
	}
	return pageOf(found, l, func(m *message.Message) place { return f.Order.place(m) }), nil
}

// list reads the messages of a conversation. Only if there are none does it ask whether
// there is such a conversation.
func (sc scope) list(ctx context.Context, conversationID uuid.UUID, f MessageFilter, after *place, limit int) ([]*message.Message, error) {
	db, err := sc.reading(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := sc.ownerIn(db, sc.tables.conversations, conversationID)
	if err != nil {
		return nil, err
	}
	// One user's: the index of the thread leads with the conversation and its owner.
	sc = sc.as(owner)
	q := newQuery("SELECT "+messageColumns+" FROM "+sc.tables.messages+" m WHERE conversation_id = ?", conversationID)
	// There is one conversation to look at, so that it is done once and not row by row.
	sc.owned(q, "m.").add(" AND "+sc.liveness("c.id = ? AND c.user_id = ?)"), conversationID, owner).filterMessages(f)
	if after != nil {
		q.add(f.Order.after(), f.Order.afterArgs(*after)...)
	}
	q.add(" ORDER BY "+f.Order.sql()+" LIMIT ?", limit)
	found, err := collect(db, q, messageDest)
	if err != nil || len(found) > 0 {
		return found, err
	}
	_, err = sc.get(db, conversationID)
	return found, err
}

func (s messages) All(ctx context.Context, conversationID uuid.UUID, f MessageFilter) iter.Seq2[*message.Message, error] {
	return walk(func(p PageRequest) (Page[*message.Message], error) { return s.List(ctx, conversationID, f, p) })
}

func (s messages) Last(ctx context.Context, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	if n < 1 || n > MaxLimit {
		return nil, rule.Invalid("n", "is not between 1 and %d", MaxLimit)
	}
	found, err := s.list(ctx, conversationID, MessageFilter{Order: ReverseThreadOrder}, nil, n)
	slices.Reverse(found)
	return found, fail("read last messages", err)
}

func (s messages) Around(ctx context.Context, conversationID uuid.UUID, seq int64, n int) ([]*message.Message, error) {
	if n < 1 || n > MaxLimit {
		return nil, rule.Invalid("n", "is not between 1 and %d", MaxLimit)
	}
	if seq < 1 {
		return nil, rule.Invalid("seq", "is not 1 or more")
	}
	before, err := s.list(ctx, conversationID, MessageFilter{Order: ReverseThreadOrder, BeforeSeq: seq + 1}, nil, n+1)
	if err != nil {
		return nil, fail("read messages around", err)
	}
	if len(before) > n && before[0].Seq != seq {
		before = before[:n]
	}
	slices.Reverse(before)
	after, err := s.list(ctx, conversationID, MessageFilter{Order: ThreadOrder, AfterSeq: seq}, nil, n)
	return append(before, after...), fail("read messages around", err)
}

func (s messages) ListByUser(ctx context.Context, f MessageFilter, p PageRequest) (Page[*message.Message], error) {
	var page Page[*message.Message]
	f, err := f.normalize()
	if err != nil {
		return page, err
	}
	desc, err := f.byUserOrder()
	if err != nil {
		return page, err
	}
	l, err := s.listing(ctx, "messages", f, p)
	if err != nil {
		return page, err
	}
	q := newQuery("SELECT " + messageColumns + " FROM " + s.tables.messages + " m WHERE 1 = 1")
	s.inLive(s.owned(q, "m."), "m.").filterMessages(f)
	direction, beyond := " DESC", "<"
	if !desc {
		direction, beyond = "", ">"
	}
	if l.after != nil {
		s.after(q, "created_at", "", beyond, l.after.time(), l.after)
	}
	q.add(s.orderBy("created_at", "", direction)+" LIMIT ?", l.limit+1)
	found, err := collect(l.db, q, messageDest)
	if err != nil {
		return page, fail("list messages", err)
	}
	return pageOf(found, l, func(m *message.Message) place {
		return place{key: timeKey(m.CreatedAt), id: m.ID, user: m.UserID}
	}), nil
}

// byUserOrder refuses what has no meaning over several conversations.
func (f MessageFilter) byUserOrder() (desc bool, err error) {
	if f.AfterSeq != 0 || f.BeforeSeq != 0 {
		return false, rule.Invalid("after_seq", "and before_seq count within one conversation")
	}
	switch f.Order {
	case DefaultOrder, ReverseThreadOrder:
		return true, nil
	case ThreadOrder:
		return false, nil
	}
	return false, rule.Invalid("order", "by sent_at is for one conversation")
}

func (s messages) AllByUser(ctx context.Context, f MessageFilter) iter.Seq2[*message.Message, error] {
	return walk(func(p PageRequest) (Page[*message.Message], error) { return s.ListByUser(ctx, f, p) })
}

func (s messages) FindByProviderID(ctx context.Context, p message.Provider, id string) (*message.Message, error) {
	if !p.Valid() {
		return nil, rule.Invalid("provider", "is not gmail or postmark")
	}
	if id == "" {
		return nil, rule.Invalid("provider id", "is empty")
	}
	if err := check.Key("provider id", id); err != nil {
		return nil, err
	}
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	q := newQuery("SELECT "+messageColumns+" FROM "+s.tables.messages+" m WHERE "+string(p)+"_message_id = ?", id)
	s.inLive(s.owned(q, "m.").deleted(ExcludeDeleted, "m."), "m.").add(" LIMIT 2")
	m, err := one(db, q, messageDest)
	return m, fail("find message", err)
}

// filterMessages adds what a filter says beside the conversation.
func (q *query) filterMessages(f MessageFilter) {
	q.deleted(f.Deleted, "m.")
	if len(f.Roles) > 0 {
		anyOf(q, " AND role", f.Roles)
	}
	if f.Direction != message.DirectionNone {
		q.add(" AND direction = ?", f.Direction)
	}
	if f.HasToolCalls {
		q.add(" AND tool_calls IS NOT NULL")
	}
	if f.HasAttachments {
		q.add(" AND attachments IS NOT NULL")
	}
	if f.AfterSeq > 0 {
		q.add(" AND seq > ?", f.AfterSeq)
	}
	if f.BeforeSeq > 0 {
		q.add(" AND seq < ?", f.BeforeSeq)
	}
	q.within("sent_at", f.SentSince, f.SentBefore)
}

func (o MessageOrder) sql() string {
	switch o {
	case ReverseThreadOrder:
		return "seq DESC"
	case SentOrder:
		return "sent_at, seq"
	case ReverseSentOrder:
		return "sent_at DESC, seq DESC"
	}
	return "seq"
}

// after is the condition for what follows a place in this order. By sent_at the seq
// stands where other lists have an id.
func (o MessageOrder) after() string {
	switch o {
	case ReverseThreadOrder:
		return " AND seq < ?"
	case SentOrder:
		return " AND (sent_at, seq) > (?, ?)"
	case ReverseSentOrder:
		return " AND (sent_at, seq) < (?, ?)"
	}
	return " AND seq > ?"
}

func (o MessageOrder) afterArgs(p place) []any {
	if o == SentOrder || o == ReverseSentOrder {
		return []any{p.time(), seqOf(p.id)}
	}
	return []any{p.key}
}

func (o MessageOrder) place(m *message.Message) place {
	if o == SentOrder || o == ReverseSentOrder {
		return place{key: timeKey(m.SentAt), id: idOf(m.Seq)}
	}
	return place{key: m.Seq}
}

// normalize checks a filter and brings its times to the form of the tables.
func (f MessageFilter) normalize() (MessageFilter, error) {
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	switch {
	case !f.Direction.Valid():
		return f, rule.Invalid("direction", "is not inbound, outbound or empty")
	case f.AfterSeq < 0:
		return f, rule.Invalid("after_seq", "is negative")
	case f.BeforeSeq < 0:
		return f, rule.Invalid("before_seq", "is negative")
	case f.Order < DefaultOrder || f.Order > ReverseSentOrder:
		return f, rule.Invalid("order", "is unknown")
	}
	f.Roles = distinct(f.Roles)
	for _, t := range []*time.Time{&f.SentSince, &f.SentBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(f.Deleted.validate(), check.Time("sent_since", f.SentSince), check.Time("sent_before", f.SentBefore))
}
