package suggestions

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Pending(ctx context.Context, p store.PageRequest) (store.Page[*store.PendingSuggestion], error) {
	var page store.Page[*store.PendingSuggestion]
	l, err := s.sc.Listing(ctx, "pending", nil, p)
	if err != nil {
		return page, err
	}
	q := query.New("SELECT " + record.SuggestionColumns + " FROM " + s.sc.Tables.Suggestions + " s WHERE status = 'pending'")
	s.sc.InLive(scope.Deleted(s.sc.Owned(q, "s."), store.ExcludeDeleted, "s."), "s.")
	newest := s.sc.SortByTime("created_at", "")
	if l.After != nil {
		newest.After(q, "<", l.After)
	}
	found, err := query.All(l.DB, q.Add(newest.OrderBy(" DESC")+" LIMIT ?", l.Limit+1), record.SuggestionDest)
	if err != nil {
		return page, query.Wrap("list pending suggestions", err)
	}
	part := scope.PageOf(found, l, suggestionPlace)
	page.Next = part.Next
	page.Items, err = withContext(s.sc, l.DB, part.Items)
	return page, query.Wrap("list pending suggestions", err)
}

// withContext loads the conversations of suggestions and the messages that they answer, with
// one query for each of the two.
func withContext(sc scope.Scope, db query.Conn, found []*suggestion.Suggestion) ([]*store.PendingSuggestion, error) {
	pending := make([]*store.PendingSuggestion, 0, len(found))
	if len(found) == 0 {
		return pending, nil
	}
	var conversationIDs, messageIDs []uuid.UUID
	for _, s := range found {
		conversationIDs = append(conversationIDs, s.ConversationID)
		if s.InReplyToMessageID != nil {
			messageIDs = append(messageIDs, *s.InReplyToMessageID)
		}
	}
	cs, err := query.All(db, byIDs(sc, record.ConversationColumns, sc.Tables.Conversations, conversationIDs), record.ConversationDest)
	if err != nil {
		return nil, err
	}
	var ms []*message.Message
	if len(messageIDs) > 0 {
		if ms, err = query.All(db, byIDs(sc, record.MessageColumns, sc.Tables.Messages, messageIDs), record.MessageDest); err != nil {
			return nil, err
		}
	}
	return joinContext(pending, found, cs, ms), nil
}

// byIDs selects the live rows of the scope with these ids.
func byIDs(sc scope.Scope, columns, table string, ids []uuid.UUID) *query.Query {
	q := query.In(query.New("SELECT "+columns+" FROM "+table+" WHERE "), "id", ids)
	return scope.Deleted(sc.Owned(q, ""), store.ExcludeDeleted, "")
}

// joinContext appends the suggestions with their conversations to pending. It leaves out a
// suggestion whose conversation was deleted between the two queries.
func joinContext(pending []*store.PendingSuggestion, found []*suggestion.Suggestion, cs []*conversation.Conversation, ms []*message.Message) []*store.PendingSuggestion {
	conversations := map[scope.OwnedID]*conversation.Conversation{}
	for _, c := range cs {
		conversations[scope.OwnedID{ID: c.ID, User: c.UserID}] = c
	}
	messages := map[scope.OwnedID]*message.Message{}
	for _, m := range ms {
		messages[scope.OwnedID{ID: m.ID, User: m.UserID}] = m
	}
	for _, s := range found {
		if s.InReplyToMessageID != nil {
			s.InReplyTo = messages[scope.OwnedID{ID: *s.InReplyToMessageID, User: s.UserID}]
		}
		if c := conversations[scope.OwnedID{ID: s.ConversationID, User: s.UserID}]; c != nil {
			pending = append(pending, &store.PendingSuggestion{Suggestion: s, Conversation: c})
		}
	}
	return pending
}
