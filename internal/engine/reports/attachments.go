package reports

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s reports) MessagesWithAttachments(ctx context.Context, period store.Period, p store.PageRequest) (store.Page[*store.AttachedMessage], error) {
	var page store.Page[*store.AttachedMessage]
	period, err := checkPeriod(period)
	if err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "attachments", struct{ Since, Before time.Time }{period.Since, period.Before}, p)
	if err != nil {
		return page, err
	}
	title, leads, err := s.joinLeads(l.DB, "c.lead_id", "c.user_id")
	if err != nil {
		return page, query.Wrap("report attachments", err)
	}
	q := query.New("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, " + title + ", m.id, m.direction, m.sent_at, m.created_at, m.attachments" +
		" FROM " + s.sc.Tables.Messages + " m JOIN " + s.sc.Tables.Conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id" + leads +
		" WHERE " + dialect.Listed(s.sc.Dialect, "m.attachments") + " AND c.deleted_at IS NULL AND " + scope.Counts("m."))
	scope.Between(s.sc.Owned(s.sc.Owned(q, "m."), "c."), "m.sent_at", period.Since, period.Before)
	newest := s.sc.SortByTime("m.sent_at", "m.")
	if l.After != nil {
		newest.After(q, "<", l.After)
	}
	size := func(a *store.AttachedMessage) int { return (&message.Message{Attachments: a.Attachments}).Size() }
	page, err = scope.ReadPage(l, q.Add(newest.OrderBy(" DESC")+" LIMIT ?", l.Limit+1), attachedDest, size, func(a *store.AttachedMessage) scope.Place {
		return scope.Place{Key: scope.TimeKey(a.SentAt), ID: a.MessageID, User: a.UserID}
	})
	return page, query.Wrap("report attachments", err)
}

func attachedDest(a *store.AttachedMessage) []any {
	return append(conversationRefDest(&a.ConversationRef),
		&a.MessageID, &a.Direction, (*record.Instant)(&a.SentAt), (*record.Instant)(&a.CreatedAt), &a.Attachments)
}

func (s reports) AttachmentCounts(ctx context.Context, t store.Top) ([]store.ConversationAttachments, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	length := s.sc.Dialect.ArrayLength("m.attachments")
	rows := query.New("SELECT m.conversation_id, m.user_id, count(*) AS messages, sum(" + length + ") AS attachments")
	s.liveMessages(rows, t.Period).Add(" AND " + dialect.Listed(s.sc.Dialect, "m.attachments") + " GROUP BY m.conversation_id, m.user_id")
	q, err := s.ranked(db, ranking{rows, []string{"messages", "attachments"}, []string{"attachments DESC"}, t.Limit})
	if err != nil {
		return nil, query.Wrap("report attachments", err)
	}
	found, err := query.All(db, q, func(a *store.ConversationAttachments) []any {
		return append(conversationRefDest(&a.ConversationRef), &a.Messages, &a.Attachments)
	})
	return query.Values(found), query.Wrap("report attachments", err)
}
