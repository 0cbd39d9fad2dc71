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
	q := query.New("SELECT "+record.SuggestionColumns+" FROM "+s.sc.Tables.Suggestions+" s WHERE conversation_id = ?", conversationID)
	s.sc.InLive(scope.Deleted(s.sc.Owned(q, "s."), store.ExcludeDeleted, "s."), "s.")
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

func suggestionPlace(s *suggestion.Suggestion) scope.Place {
	return scope.Place{Key: scope.TimeKey(s.CreatedAt), ID: s.ID, User: s.UserID}
}
