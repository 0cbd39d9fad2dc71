package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s messages) ListNumbered(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter, n store.NumberRequest) (store.NumberedPage[*message.Message], error) {
	var page store.NumberedPage[*message.Message]
	f, err := checkMessageFilter(f)
	if err != nil {
		return page, err
	}
	if n, err = scope.Numbered(n); err != nil {
		return page, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return page, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return page, query.Wrap("list messages", err)
	}
	t := thread{sc: s.sc.As(owner), conversation: conversationID, whole: f.Branches == store.AllBranches}
	err = t.read(db, func(t thread) (bool, error) {
		rows := t.from(record.MessageColumns, f).Add(" ORDER BY " + messageOrder(f.Order))
		page, err = scope.ReadNumbered(db, n, t.from("count(*)", f), rows.Add, record.MessageDest)
		return page.Total > 0, err
	}, func(t thread) *query.Query { return t.from("m.id", f) })
	return page, query.Wrap("list messages", err)
}

func (s messages) ListByUserNumbered(ctx context.Context, f store.MessageFilter, n store.NumberRequest) (store.NumberedPage[*message.Message], error) {
	var page store.NumberedPage[*message.Message]
	f, err := checkMessageFilter(f)
	if err != nil {
		return page, err
	}
	desc, err := byUserOrder(f)
	if err != nil {
		return page, err
	}
	if n, err = scope.Numbered(n); err != nil {
		return page, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return page, err
	}
	direction := ""
	if desc {
		direction = " DESC"
	}
	rows := fromThreads(s.sc, record.MessageColumns, f).Add(s.sc.SortByArrival("created_at", "").OrderBy(direction))
	page, err = scope.ReadNumbered(db, n, fromThreads(s.sc, "count(*)", f), rows.Add, record.MessageDest)
	return page, query.Wrap("list messages", err)
}
