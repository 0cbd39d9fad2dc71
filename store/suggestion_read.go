package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Get(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	sg, err := s.getSuggestion(db, id)
	return sg, fail("get suggestion", err)
}

func (sc scope) getSuggestion(db conn, id uuid.UUID) (*suggestion.Suggestion, error) {
	q := newQuery("SELECT "+suggestionColumns+" FROM "+sc.tables.suggestions+" s WHERE id = ?", id)
	return one(db, sc.inLive(sc.owned(q, "s.").deleted(ExcludeDeleted, "s."), "s."), suggestionDest)
}

func suggestionPlace(s *suggestion.Suggestion) place {
	return place{key: timeKey(s.CreatedAt), id: s.ID, user: s.UserID}
}

func (s suggestions) ListByConversation(ctx context.Context, conversationID uuid.UUID, p PageRequest) (Page[*suggestion.Suggestion], error) {
	var page Page[*suggestion.Suggestion]
	l, err := s.listing(ctx, "suggestions", conversationID, p)
	if err != nil {
		return page, err
	}
	owner, err := s.ownerIn(l.db, s.tables.conversations, conversationID)
	if err != nil {
		return page, fail("list suggestions", err)
	}
	s.scope = s.as(owner)
	q := newQuery("SELECT "+suggestionColumns+" FROM "+s.tables.suggestions+" s WHERE conversation_id = ?", conversationID)
	s.inLive(s.owned(q, "s.").deleted(ExcludeDeleted, "s."), "s.")
	if l.after != nil {
		s.after(q, "created_at", "", ">", l.after.time(), l.after)
	}
	found, err := collect(l.db, q.add(s.orderBy("created_at", "", "")+" LIMIT ?", l.limit+1), suggestionDest)
	if err == nil && len(found) == 0 {
		_, err = s.get(l.db, conversationID)
	}
	if err != nil {
		return page, fail("list suggestions", err)
	}
	return pageOf(found, l, suggestionPlace), nil
}

func (s suggestions) Pending(ctx context.Context, p PageRequest) (Page[*PendingSuggestion], error) {
	var page Page[*PendingSuggestion]
	l, err := s.listing(ctx, "pending", nil, p)
	if err != nil {
		return page, err
	}
	q := newQuery("SELECT " + suggestionColumns + " FROM " + s.tables.suggestions + " s WHERE status = 'pending'")
	s.inLive(s.owned(q, "s.").deleted(ExcludeDeleted, "s."), "s.")
	if l.after != nil {
		s.after(q, "created_at", "", "<", l.after.time(), l.after)
	}
	found, err := collect(l.db, q.add(s.orderBy("created_at", "", " DESC")+" LIMIT ?", l.limit+1), suggestionDest)
	if err != nil {
		return page, fail("list pending suggestions", err)
	}
	part := pageOf(found, l, suggestionPlace)
	page.Next = part.Next
	page.Items, err = s.withContext(l.db, part.Items)
	return page, fail("list pending suggestions", err)
}

// owned names a row of a table whose ids are each user's own.
type ownedID struct{ id, user uuid.UUID }

// withContext loads the conversations and the answered messages of suggestions, a query
// each.
func (sc scope) withContext(db conn, found []*suggestion.Suggestion) ([]*PendingSuggestion, error) {
	pending := make([]*PendingSuggestion, 0, len(found))
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
	cs, err := collect(db, sc.byIDs(conversationColumns, sc.tables.conversations, conversationIDs), conversationDest)
	if err != nil {
		return nil, err
	}
	var ms []*message.Message
	if len(messageIDs) > 0 {
		if ms, err = collect(db, sc.byIDs(messageColumns, sc.tables.messages, messageIDs), messageDest); err != nil {
			return nil, err
		}
	}
	return joinContext(pending, found, cs, ms), nil
}

// byIDs reads the live rows with these ids.
func (sc scope) byIDs(columns, table string, ids []uuid.UUID) *query {
	q := anyOf(newQuery("SELECT "+columns+" FROM "+table+" WHERE "), "id", ids)
	return sc.owned(q, "").deleted(ExcludeDeleted, "")
}

// joinContext leaves out a suggestion whose conversation was deleted between the
// queries.
func joinContext(pending []*PendingSuggestion, found []*suggestion.Suggestion, cs []*conversation.Conversation, ms []*message.Message) []*PendingSuggestion {
	conversations := map[ownedID]*conversation.Conversation{}
	for _, c := range cs {
		conversations[ownedID{c.ID, c.UserID}] = c
	}
	messages := map[ownedID]*message.Message{}
	for _, m := range ms {
		messages[ownedID{m.ID, m.UserID}] = m
	}
	for _, s := range found {
		if s.InReplyToMessageID != nil {
			s.InReplyTo = messages[ownedID{*s.InReplyToMessageID, s.UserID}]
		}
		if c := conversations[ownedID{s.ConversationID, s.UserID}]; c != nil {
			pending = append(pending, &PendingSuggestion{Suggestion: s, Conversation: c})
		}
	}
	return pending
}
