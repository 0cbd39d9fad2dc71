package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

func (s reports) Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*UnreadConversation], error) {
	var page Page[*UnreadConversation]
	found, err := s.listUnread(ctx, since, p)
	if err != nil {
		return page, err
	}
	page.Next, page.Items = found.Next, make([]*UnreadConversation, len(found.Items))
	ids := make([]uuid.UUID, len(found.Items))
	for i, c := range found.Items {
		ids[i] = c.ID
		page.Items[i] = &UnreadConversation{LastMessageAt: c.LastMessageAt, ConversationRef: ConversationRef{
			ConversationID: c.ID, UserID: c.UserID, Title: c.Title, Subject: c.Subject, LeadRef: LeadRef{LeadID: c.LeadID},
		}}
	}
	db, err := s.reading(ctx)
	if err == nil && len(ids) > 0 {
		err = s.addUnanswered(db, page.Items, ids)
	}
	return page, fail("report the unread", err)
}

// addUnanswered reads what a page of conversations lacks.
func (s reports) addUnanswered(db conn, items []*UnreadConversation, ids []uuid.UUID) error {
	names, err := s.named(db, ids)
	if err != nil {
		return err
	}
	waiting, err := s.unanswered(db, ids)
	if err != nil {
		return err
	}
	for _, u := range items {
		key := ownedID{u.ConversationID, u.UserID}
		u.LeadTitle = names[key].LeadTitle
		if w := waiting[key]; w != nil {
			u.Unanswered, u.WaitingSince = w.messages, w.since
		}
	}
	return nil
}

type unanswered struct {
	key      ownedID
	messages int64
	since    *time.Time
}

// unanswered reads the inbound messages that have no outbound one after them.
func (s reports) unanswered(db conn, ids []uuid.UUID) (map[ownedID]*unanswered, error) {
	in, arg := s.dialect.InUUIDs("m.conversation_id", ids)
	inner := newQuery("SELECT m.conversation_id, m.user_id, m.direction, m.sent_at, "+
		"count(CASE WHEN m.direction = 'outbound' THEN 1 END) OVER "+
		"(PARTITION BY m.conversation_id, m.user_id ORDER BY m.sent_at DESC, m.seq DESC) AS answers FROM "+
		s.tables.messages+" m WHERE m.direction IS NOT NULL AND m.deleted_at IS NULL AND "+in, arg)
	q := newQuery("SELECT conversation_id, user_id, count(*), min(sent_at) FROM ").embed(s.owned(inner, "m.")).
		add(" a WHERE answers = 0 AND direction = 'inbound' GROUP BY conversation_id, user_id")
	rows, err := collect(db, q, func(u *unanswered) []any {
		return []any{&u.key.id, &u.key.user, &u.messages, nullInstant{&u.since}}
	})
	byKey := make(map[ownedID]*unanswered, len(rows))
	for _, r := range rows {
		byKey[r.key] = r
	}
	return byKey, err
}
