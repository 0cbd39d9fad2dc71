package threads

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

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
	found, more, err := listMessages(ctx, s.sc, conversationID, f, l.After, l.Limit+1)
	if err != nil {
		return page, query.Wrap("list messages", err)
	}
	return scope.CutPage(found, more, l, func(m *message.Message) scope.Place { return messagePlace(f.Order, m) }), nil
}

// listMessages reads the messages of a live conversation that match a filter, from after a
// place on if there is one, up to store.MaxPageBytes; more tells whether it left some out. It
// returns ErrNotFound if there is no such conversation, and asks only if it found no messages.
func listMessages(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, f store.MessageFilter, after *scope.Place, limit int) (found []*message.Message, more bool, err error) {
	db, err := sc.Reading(ctx)
	if err != nil {
		return nil, false, err
	}
	owner, err := sc.OwnerIn(db, sc.Tables.Conversations, conversationID)
	if err != nil {
		return nil, false, err
	}
	// The query names the owner because the index on seq begins with the conversation and
	// its owner.
	t := thread{sc: sc.As(owner), conversation: conversationID, whole: f.Branches == store.AllBranches}
	err = t.read(db, func(t thread) (bool, error) {
		found, more, err = t.page(db, f, after, limit)
		return len(found) > 0, err
	}, func(t thread) *query.Query { return beyond(t.from("m.id", f), f.Order, after) })
	return found, more, err
}

// readPage reads a page, up to store.MaxPageBytes.
func readPage(db query.Conn, q *query.Query) ([]*message.Message, bool, error) {
	return query.Within(db, q, record.MessageDest, (*message.Message).Size, store.MaxPageBytes)
}

// fromThreads selects columns of the messages of all live conversations of the scope that match
// a filter.
func fromThreads(sc scope.Scope, columns string, f store.MessageFilter) *query.Query {
	through := ""
	if f.HasAttachments && !sc.All {
		through = sc.Through("messages_attachments_idx")
	}
	q := query.New("SELECT " + columns + " FROM " + sc.Tables.Messages + " m" + through + " WHERE 1 = 1")
	return filterMessages(sc.InLive(sc.Owned(q, "m."), "m."), sc.Dialect, f)
}

// IsEmpty tells whether a live conversation of the scope's user has no rows of a query, in one
// statement: with two, it could be restored after a query that found none of its rows because
// it was deleted. It returns ErrNotFound if there is no such conversation.
func IsEmpty(sc scope.Scope, db query.Conn, conversationID uuid.UUID, rows *query.Query) (bool, error) {
	q := query.New("SELECT NOT EXISTS ").Bracketed(rows).
		Add(" FROM "+sc.Tables.Conversations+" WHERE id = ? AND user_id = ? AND deleted_at IS NULL", conversationID, sc.User)
	empty, err := query.One(db, q, func(b *bool) []any { return []any{b} })
	return err == nil && *empty, err
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
	found, _, err := listMessages(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ReverseThreadOrder}, nil, n)
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
	before, _, err := listMessages(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ReverseThreadOrder, BeforeSeq: seq + 1}, nil, n+1)
	if err != nil {
		return nil, query.Wrap("read messages around", err)
	}
	if len(before) > n && before[0].Seq != seq {
		before = before[:n]
	}
	slices.Reverse(before)
	after, _, err := listMessages(ctx, s.sc, conversationID, store.MessageFilter{Order: store.ThreadOrder, AfterSeq: seq}, nil, n)
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
	q := fromThreads(s.sc, record.MessageColumns, f)
	direction, beyond := " DESC", "<"
	if !desc {
		direction, beyond = "", ">"
	}
	order := s.sc.SortByArrival("created_at", "")
	if l.After != nil {
		order.After(q, beyond, l.After)
	}
	q.Add(order.OrderBy(direction)+" LIMIT ?", l.Limit+1)
	page, err = scope.ReadPage(l, q, record.MessageDest, (*message.Message).Size, func(m *message.Message) scope.Place {
		return scope.Place{Key: scope.TimeKey(m.CreatedAt), ID: m.ID, User: m.UserID}
	})
	return page, query.Wrap("list messages", err)
}

func (s messages) AllByUser(ctx context.Context, f store.MessageFilter) iter.Seq2[*message.Message, error] {
	return scope.Walk(func(p store.PageRequest) (store.Page[*message.Message], error) { return s.ListByUser(ctx, f, p) })
}
