package reports

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/store"
)

func (s reports) Unread(ctx context.Context, since time.Time, p store.PageRequest) (store.Page[*store.UnreadConversation], error) {
	var page store.Page[*store.UnreadConversation]
	found, err := threads.ListUnread(ctx, s.sc, since, p)
	if err != nil {
		return page, err
	}
	page.Next, page.Items = found.Next, make([]*store.UnreadConversation, len(found.Items))
	ids := make([]uuid.UUID, len(found.Items))
	for i, c := range found.Items {
		ids[i] = c.ID
		page.Items[i] = &store.UnreadConversation{LastMessageAt: c.LastMessageAt, ConversationRef: store.ConversationRef{
			ConversationID: c.ID, UserID: c.UserID, Title: c.Title, Subject: c.Subject, LeadRef: store.LeadRef{LeadID: c.LeadID},
		}}
	}
	db, err := s.sc.Reading(ctx)
	if err == nil && len(ids) > 0 {
		err = s.addUnanswered(db, page.Items, ids)
	}
	return page, query.Wrap("report the unread", err)
}

// addUnanswered sets the lead title and the unanswered messages of a page of conversations.
func (s reports) addUnanswered(db query.Conn, items []*store.UnreadConversation, ids []uuid.UUID) error {
	refs, err := s.refsByID(db, ids)
	if err != nil {
		return err
	}
	waiting, err := s.unanswered(db, ids)
	if err != nil {
		return err
	}
	for _, u := range items {
		key := scope.OwnedID{ID: u.ConversationID, User: u.UserID}
		u.LeadTitle = refs[key].LeadTitle
		if w := waiting[key]; w != nil {
			u.Unanswered, u.WaitingSince = w.messages, w.since
		}
	}
	return nil
}

// unanswered counts the unanswered messages of a conversation; since is when the first was sent.
type unanswered struct {
	key      scope.OwnedID
	messages int64
	since    *time.Time
}

// unanswered counts the inbound messages that have no outbound message after them. A
// conversation without any is not in the map.
func (s reports) unanswered(db query.Conn, ids []uuid.UUID) (map[scope.OwnedID]*unanswered, error) {
	in, arg := s.sc.Dialect.InUUIDs("m.conversation_id", ids)
	inner := query.New("SELECT m.conversation_id, m.user_id, m.direction, m.sent_at, "+
		"count(CASE WHEN m.direction = 'outbound' THEN 1 END) OVER "+
		"(PARTITION BY m.conversation_id, m.user_id ORDER BY m.sent_at DESC, m.seq DESC) AS answers FROM "+
		s.sc.Tables.Messages+" m WHERE "+latest.Speaks("m")+" AND "+in, arg)
	q := query.New("SELECT conversation_id, user_id, count(*), min(sent_at) FROM ").Bracketed(s.sc.Owned(inner, "m.")).
		Add(" a WHERE answers = 0 AND direction = 'inbound' GROUP BY conversation_id, user_id")
	rows, err := query.All(db, q, func(u *unanswered) []any {
		return []any{&u.key.ID, &u.key.User, &u.messages, record.NullInstant{Dest: &u.since}}
	})
	byKey := make(map[scope.OwnedID]*unanswered, len(rows))
	for _, r := range rows {
		byKey[r.key] = r
	}
	return byKey, err
}
