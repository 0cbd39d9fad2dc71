package suggestions

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Get(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	sg, err := getSuggestion(s.sc, db, id)
	return sg, query.Wrap("get suggestion", err)
}

// getSuggestion reads a live suggestion of a live conversation.
func getSuggestion(sc scope.Scope, db query.Conn, id uuid.UUID) (*suggestion.Suggestion, error) {
	return findSuggestion(sc, db, id, store.ExcludeDeleted)
}

func findSuggestion(sc scope.Scope, db query.Conn, id uuid.UUID, d store.Deleted) (*suggestion.Suggestion, error) {
	q := query.New("SELECT "+record.SuggestionColumns+" FROM "+sc.Tables.Suggestions+" s WHERE id = ?", id)
	return query.One(db, sc.InLive(scope.Deleted(sc.Owned(q, "s."), d, "s."), "s."), record.SuggestionDest)
}

func (s suggestions) ListByConversation(ctx context.Context, conversationID uuid.UUID, p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
	var page store.Page[*suggestion.Suggestion]
	l, err := s.sc.Listing(ctx, "suggestions", conversationID, p)
	if err != nil {
		return page, err
	}
	owner, err := s.sc.OwnerIn(l.DB, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return page, query.Wrap("list suggestions", err)
	}
	s.sc = s.sc.As(owner)
	q := fromThread(s.sc, record.SuggestionColumns, conversationID)
	oldest := s.sc.SortByTime("created_at", "")
	if l.After != nil {
		oldest.After(q, ">", l.After)
	}
	q.Add(oldest.OrderBy("")+" LIMIT ?", l.Limit+1)
	err = scope.Settle(func() (_ bool, err error) {
		page, err = scope.ReadPage(l, q, record.SuggestionDest, (*suggestion.Suggestion).Size, suggestionPlace)
		if err != nil || len(page.Items) > 0 {
			return true, err
		}
		return threads.IsEmpty(s.sc, l.DB, conversationID, q)
	})
	return page, query.Wrap("list suggestions", err)
}

func (s suggestions) ListByConversationNumbered(ctx context.Context, conversationID uuid.UUID, n store.NumberRequest) (store.NumberedPage[*suggestion.Suggestion], error) {
	var page store.NumberedPage[*suggestion.Suggestion]
	n, err := scope.Numbered(n)
	if err != nil {
		return page, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return page, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return page, query.Wrap("list suggestions", err)
	}
	sc := s.sc.As(owner)
	err = scope.Settle(func() (_ bool, err error) {
		rows := fromThread(sc, record.SuggestionColumns, conversationID).Add(sc.SortByTime("created_at", "").OrderBy(""))
		page, err = scope.ReadNumbered(db, n, fromThread(sc, "count(*)", conversationID), rows.Add, record.SuggestionDest)
		if err != nil || page.Total > 0 {
			return true, err
		}
		return threads.IsEmpty(sc, db, conversationID, fromThread(sc, "id", conversationID))
	})
	return page, query.Wrap("list suggestions", err)
}

// fromThread selects columns of the live suggestions of a live conversation, for a scope of one
// user.
func fromThread(sc scope.Scope, columns string, conversationID uuid.UUID) *query.Query {
	q := query.New("SELECT "+columns+" FROM "+sc.Tables.Suggestions+" s WHERE conversation_id = ?", conversationID)
	return sc.InLive(scope.Deleted(sc.Owned(q, "s."), store.ExcludeDeleted, "s."), "s.")
}

func suggestionPlace(s *suggestion.Suggestion) scope.Place {
	return scope.Place{Key: scope.TimeKey(s.CreatedAt), ID: s.ID, User: s.UserID}
}
