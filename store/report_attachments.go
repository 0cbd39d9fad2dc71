package store

import (
	"context"
	"time"
)

func (s reports) MessagesWithAttachments(ctx context.Context, period Period, p PageRequest) (Page[*AttachedMessage], error) {
	var page Page[*AttachedMessage]
	period, err := period.normalize()
	if err != nil {
		return page, err
	}
	l, err := s.listing(ctx, "attachments", struct{ Since, Before time.Time }{period.Since, period.Before}, p)
	if err != nil {
		return page, err
	}
	title, leads, err := s.joinLeads(l.db, "c.lead_id")
	if err != nil {
		return page, fail("report attachments", err)
	}
	q := newQuery("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, " + title + ", m.id, m.direction, m.sent_at, m.created_at, m.attachments" +
		" FROM " + s.tables.messages + " m JOIN " + s.tables.conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id" + leads +
		" WHERE m.attachments IS NOT NULL AND " + s.dialect.ArrayLength("m.attachments") + " > 0 AND m.deleted_at IS NULL AND c.deleted_at IS NULL")
	s.owned(s.owned(q, "m."), "c.").within("m.sent_at", period.Since, period.Before)
	if l.after != nil {
		s.after(q, "m.sent_at", "m.", "<", l.after.time(), l.after)
	}
	found, err := collect(l.db, q.add(s.orderBy("m.sent_at", "m.", " DESC")+" LIMIT ?", l.limit+1), attachedDest)
	if err != nil {
		return page, fail("report attachments", err)
	}
	return pageOf(found, l, func(a *AttachedMessage) place {
		return place{key: timeKey(a.SentAt), id: a.MessageID, user: a.UserID}
	}), nil
}

func attachedDest(a *AttachedMessage) []any {
	return append(conversationRefDest(&a.ConversationRef),
		&a.MessageID, &a.Direction, (*instant)(&a.SentAt), (*instant)(&a.CreatedAt), &a.Attachments)
}

func (s reports) AttachmentCounts(ctx context.Context, t Top) ([]ConversationAttachments, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	length := s.dialect.ArrayLength("m.attachments")
	rows := newQuery("SELECT m.conversation_id, m.user_id, count(*) AS messages, sum(" + length + ") AS attachments")
	s.liveMessages(rows, t.Period).add(" AND m.attachments IS NOT NULL AND " + length + " > 0 GROUP BY m.conversation_id, m.user_id")
	q, err := s.ranked(db, ranking{rows, []string{"messages", "attachments"}, []string{"attachments DESC"}, t.Limit})
	if err != nil {
		return nil, fail("report attachments", err)
	}
	found, err := collect(db, q, func(a *ConversationAttachments) []any {
		return append(conversationRefDest(&a.ConversationRef), &a.Messages, &a.Attachments)
	})
	return values(found), fail("report attachments", err)
}
