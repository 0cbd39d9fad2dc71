package suggestions

import (
	"context"
	"math"

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
	q := fromPending(s.sc, record.SuggestionColumns)
	newest := s.sc.SortByTime("created_at", "")
	if l.After != nil {
		newest.After(q, "<", l.After)
	}
	part, err := scope.ReadPage(l, q.Add(newest.OrderBy(" DESC")+" LIMIT ?", l.Limit+1), record.SuggestionDest, (*suggestion.Suggestion).Size, suggestionPlace)
	if err != nil {
		return page, query.Wrap("list pending suggestions", err)
	}
	c, n, err := readContext(s.sc, l.DB, part.Items, store.MaxPageBytes)
	if err != nil {
		return page, query.Wrap("list pending suggestions", err)
	}
	if n < len(part.Items) {
		part = scope.CutPage(part.Items[:n], true, l, suggestionPlace)
	}
	return store.Page[*store.PendingSuggestion]{Items: c.join(part.Items), Next: part.Next}, nil
}

func (s suggestions) PendingNumbered(ctx context.Context, n store.NumberRequest) (store.NumberedPage[*store.PendingSuggestion], error) {
	var page store.NumberedPage[*store.PendingSuggestion]
	n, err := scope.Numbered(n)
	if err != nil {
		return page, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return page, err
	}
	rows := fromPending(s.sc, record.SuggestionColumns).Add(s.sc.SortByTime("created_at", "").OrderBy(" DESC"))
	part, err := scope.ReadNumbered(db, n, fromPending(s.sc, "count(*)"), rows.Add, record.SuggestionDest)
	if err != nil {
		return page, query.Wrap("list pending suggestions", err)
	}
	c, _, err := readContext(s.sc, db, part.Items, math.MaxInt)
	if err != nil {
		return page, query.Wrap("list pending suggestions", err)
	}
	return store.NumberedPage[*store.PendingSuggestion]{
		Items: c.join(part.Items), Number: part.Number, Size: part.Size, Total: part.Total, Pages: part.Pages,
	}, nil
}

// fromPending selects columns of the suggestions of the scope that wait for a decision.
func fromPending(sc scope.Scope, columns string) *query.Query {
	q := query.New("SELECT " + columns + " FROM " + sc.Tables.Suggestions + " s WHERE status = 'pending'")
	return sc.InLive(scope.Deleted(sc.Owned(q, "s."), store.ExcludeDeleted, "s."), "s.")
}

// pendingContext has the conversations of suggestions and the messages that they answer. cut says
// that some were left out because they would take too many bytes.
type pendingContext struct {
	conversations map[scope.OwnedID]*conversation.Conversation
	messages      map[scope.OwnedID]*message.Message
	cut           bool
}

// readContext reads the context of suggestions, with one query for each table, of at most so many
// bytes of each, and returns how many of the suggestions, from the first on, have all of it: at
// least one.
func readContext(sc scope.Scope, db query.Conn, found []*suggestion.Suggestion, most int) (*pendingContext, int, error) {
	c := &pendingContext{conversations: map[scope.OwnedID]*conversation.Conversation{}, messages: map[scope.OwnedID]*message.Message{}}
	var conversationIDs, messageIDs []uuid.UUID
	for _, s := range found {
		conversationIDs = append(conversationIDs, s.ConversationID)
		if s.InReplyToMessageID != nil {
			messageIDs = append(messageIDs, *s.InReplyToMessageID)
		}
	}
	switch len(found) {
	case 0:
		return c, 0, nil
	case 1:
		most = math.MaxInt
	}
	cs, cutThreads, err := query.Within(db, byIDs(sc, record.ConversationColumns, sc.Tables.Conversations, conversationIDs),
		record.ConversationDest, (*conversation.Conversation).Size, most)
	if err != nil {
		return nil, 0, err
	}
	for _, row := range cs {
		c.conversations[scope.OwnedID{ID: row.ID, User: row.UserID}] = row
	}
	c.cut = cutThreads
	if len(messageIDs) > 0 {
		ms, cutMessages, err := query.Within(db, byIDs(sc, record.MessageColumns, sc.Tables.Messages, messageIDs),
			record.MessageDest, (*message.Message).Size, most)
		if err != nil {
			return nil, 0, err
		}
		for _, row := range ms {
			c.messages[scope.OwnedID{ID: row.ID, User: row.UserID}] = row
		}
		c.cut = c.cut || cutMessages
	}
	n := c.complete(found)
	if n == 0 {
		return readContext(sc, db, found[:1], most)
	}
	return c, n, nil
}

// complete returns how many of the suggestions, from the first on, have all of their context. A
// row that is missing though nothing was left out was deleted meanwhile.
func (c *pendingContext) complete(found []*suggestion.Suggestion) int {
	for i, s := range found {
		lacksMessage := s.InReplyToMessageID != nil && c.messages[scope.OwnedID{ID: *s.InReplyToMessageID, User: s.UserID}] == nil
		lacksThread := c.conversations[scope.OwnedID{ID: s.ConversationID, User: s.UserID}] == nil
		if c.cut && (lacksMessage || lacksThread) {
			return i
		}
	}
	return len(found)
}

// byIDs selects the live rows of the scope with these ids.
func byIDs(sc scope.Scope, columns, table string, ids []uuid.UUID) *query.Query {
	q := query.In(query.New("SELECT "+columns+" FROM "+table+" WHERE "), "id", ids)
	return scope.Deleted(sc.Owned(q, ""), store.ExcludeDeleted, "")
}

// join puts suggestions and their context together. It leaves out a suggestion whose conversation
// was deleted between the queries.
func (c *pendingContext) join(found []*suggestion.Suggestion) []*store.PendingSuggestion {
	pending := make([]*store.PendingSuggestion, 0, len(found))
	for _, s := range found {
		if s.InReplyToMessageID != nil {
			s.InReplyTo = c.messages[scope.OwnedID{ID: *s.InReplyToMessageID, User: s.UserID}]
		}
		if of := c.conversations[scope.OwnedID{ID: s.ConversationID, User: s.UserID}]; of != nil {
			pending = append(pending, &store.PendingSuggestion{Suggestion: s, Conversation: of})
		}
	}
	return pending
}
