package threads

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Get(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	m, err := getMessage(s.sc, db, id)
	return m, query.Wrap("get message", err)
}

func getMessage(sc scope.Scope, db query.Conn, id uuid.UUID) (*message.Message, error) {
	q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" m WHERE id = ?", id)
	return query.One(db, sc.InLive(scope.Deleted(sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m."), record.MessageDest)
}

func (s messages) List(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter, p store.PageRequest) (store.Page[*message.Message], error) {
	var page store.Page[*message.Message]
	f, err := checkMessageFilter(f)
	if err != nil {
		return page, err
	}
	if f.Order == store.DefaultOrder {
		f.Order = store.ThreadOrder
	}
	l, err := s.sc.Listing(ctx, "messages of "+conversationID.String(), f, p)
	if err != nil {
		return page, err
	}
	found, err := list(ctx, s.sc, conversationID, f, l.After, l.Limit+1)
	if err != nil {
		return page, query.Wrap("list messages", err)
	}
	return scope.PageOf(found, l, func(m *message.Message) scope.Place { return messagePlace(f.Order, m) }), nil
}

// list reads the messages of a conversation. Only if there are none does it ask whether
// there is such a conversation.
func list(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, f store.MessageFilter, after *scope.Place, limit int) ([]*message.Message, error) {
	db, err := sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := sc.OwnerIn(db, sc.Tables.Conversations, conversationID)
	if err != nil {
		return nil, err
	}
	// One user's: the index of the thread leads with the conversation and its owner.
	sc = sc.As(owner)
	q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" m WHERE conversation_id = ?", conversationID)
	// There is one conversation to look at, so that it is done once and not row by row.
	filterMessages(sc.Owned(q, "m.").Add(" AND "+sc.Liveness("c.id = ? AND c.user_id = ?)"), conversationID, owner), f)
	if after != nil {
		q.Add(messagesAfter(f.Order), messagesAfterArgs(f.Order, *after)...)
	}
	q.Add(" ORDER BY "+messageOrder(f.Order)+" LIMIT ?", limit)
	found, err := query.All(db, q, record.MessageDest)
	if err != nil || len(found) > 0 {
		return found, err
	}
	_, err = Get(sc, db, conversationID)
	return found, err
}

func (s messages) All(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter) iter.Seq2[*message.Message, error] {
	return scope.Walk(func(p store.PageRequest) (store.Page[*message.Message], error) {
		return s.List(ctx, conversationID, f, p)
	})
}

func (s messages) Last(ctx context.Context, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	if n < 1 || n > store.MaxLimit {
		return nil, rule.Invalid("n", "is not between 1 and %d", store.MaxLimit)
	}
	found, err := list(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ReverseThreadOrder}, nil, n)
	slices.Reverse(found)
	return found, query.Wrap("read last messages", err)
}

func (s messages) Around(ctx context.Context, conversationID uuid.UUID, seq int64, n int) ([]*message.Message, error) {
	if n < 1 || n > store.MaxLimit {
		return nil, rule.Invalid("n", "is not between 1 and %d", store.MaxLimit)
	}
	if seq < 1 {
		return nil, rule.Invalid("seq", "is not 1 or more")
	}
	before, err := list(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ReverseThreadOrder, BeforeSeq: seq + 1}, nil, n+1)
	if err != nil {
		return nil, query.Wrap("read messages around", err)
	}
	if len(before) > n && before[0].Seq != seq {
		before = before[:n]
	}
	slices.Reverse(before)
	after, err := list(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ThreadOrder, AfterSeq: seq}, nil, n)
	return append(before, after...), query.Wrap("read messages around", err)
}

func (s messages) ListByUser(ctx context.Context, f store.MessageFilter, p store.PageRequest) (store.Page[*message.Message], error) {
	var page store.Page[*message.Message]
	f, err := checkMessageFilter(f)
	if err != nil {
		return page, err
	}
	desc, err := byUserOrder(f)
	if err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "messages", f, p)
	if err != nil {
		return page, err
	}
	q := query.New("SELECT " + record.MessageColumns + " FROM " + s.sc.Tables.Messages + " m WHERE 1 = 1")
	filterMessages(s.sc.InLive(s.sc.Owned(q, "m."), "m."), f)
	direction, beyond := " DESC", "<"
	if !desc {
		direction, beyond = "", ">"
	}
	if l.After != nil {
		s.sc.After(q, "created_at", "", beyond, l.After.Time(), l.After)
	}
	q.Add(s.sc.OrderBy("created_at", "", direction)+" LIMIT ?", l.Limit+1)
	found, err := query.All(l.DB, q, record.MessageDest)
	if err != nil {
		return page, query.Wrap("list messages", err)
	}
	return scope.PageOf(found, l, func(m *message.Message) scope.Place {
		return scope.Place{Key: scope.TimeKey(m.CreatedAt), ID: m.ID, User: m.UserID}
	}), nil
}

// byUserOrder refuses what has no meaning over several conversations.
func byUserOrder(f store.MessageFilter) (desc bool, err error) {
	if f.AfterSeq != 0 || f.BeforeSeq != 0 {
		return false, rule.Invalid("after_seq", "and before_seq count within one conversation")
	}
	switch f.Order {
	case store.DefaultOrder, store.ReverseThreadOrder:
		return true, nil
	case store.ThreadOrder:
		return false, nil
	}
	return false, rule.Invalid("order", "by sent_at is for one conversation")
}

func (s messages) AllByUser(ctx context.Context, f store.MessageFilter) iter.Seq2[*message.Message, error] {
	return scope.Walk(func(p store.PageRequest) (store.Page[*message.Message], error) { return s.ListByUser(ctx, f, p) })
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
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+record.MessageColumns+" FROM "+s.sc.Tables.Messages+" m WHERE "+string(p)+"_message_id = ?", id)
	s.sc.InLive(scope.Deleted(s.sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.").Add(" LIMIT 2")
	m, err := query.One(db, q, record.MessageDest)
	return m, query.Wrap("find message", err)
}

// filterMessages adds what a filter says beside the conversation.
func filterMessages(q *query.Query, f store.MessageFilter) {
	scope.Deleted(q, f.Deleted, "m.")
	if len(f.Roles) > 0 {
		query.In(q, " AND role", f.Roles)
	}
	if f.Direction != message.DirectionNone {
		q.Add(" AND direction = ?", f.Direction)
	}
	if f.HasToolCalls {
		q.Add(" AND tool_calls IS NOT NULL")
	}
	if f.HasAttachments {
		q.Add(" AND attachments IS NOT NULL")
	}
	if f.AfterSeq > 0 {
		q.Add(" AND seq > ?", f.AfterSeq)
	}
	if f.BeforeSeq > 0 {
		q.Add(" AND seq < ?", f.BeforeSeq)
	}
	scope.Between(q, "sent_at", f.SentSince, f.SentBefore)
}

func messageOrder(o store.MessageOrder) string {
	switch o {
	case store.ReverseThreadOrder:
		return "seq DESC"
	case store.SentOrder:
		return "sent_at, seq"
	case store.ReverseSentOrder:
		return "sent_at DESC, seq DESC"
	}
	return "seq"
}

// messagesAfter is the condition for what follows a place in this order. By sent_at the seq
// stands where other lists have an id.
func messagesAfter(o store.MessageOrder) string {
	switch o {
	case store.ReverseThreadOrder:
		return " AND seq < ?"
	case store.SentOrder:
		return " AND (sent_at, seq) > (?, ?)"
	case store.ReverseSentOrder:
		return " AND (sent_at, seq) < (?, ?)"
	}
	return " AND seq > ?"
}

func messagesAfterArgs(o store.MessageOrder, p scope.Place) []any {
	if o == store.SentOrder || o == store.ReverseSentOrder {
		return []any{p.Time(), scope.SeqOf(p.ID)}
	}
	return []any{p.Key}
}

func messagePlace(o store.MessageOrder, m *message.Message) scope.Place {
	if o == store.SentOrder || o == store.ReverseSentOrder {
		return scope.Place{Key: scope.TimeKey(m.SentAt), ID: scope.IDOf(m.Seq)}
	}
	return scope.Place{Key: m.Seq}
}

// checkMessageFilter checks a filter and brings its times to the form of the tables.
func checkMessageFilter(f store.MessageFilter) (store.MessageFilter, error) {
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
	case f.Order < store.DefaultOrder || f.Order > store.ReverseSentOrder:
		return f, rule.Invalid("order", "is unknown")
	}
	f.Roles = scope.Distinct(f.Roles)
	for _, t := range []*time.Time{&f.SentSince, &f.SentBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(validate(f.Deleted), check.Time("sent_since", f.SentSince), check.Time("sent_before", f.SentBefore))
}
