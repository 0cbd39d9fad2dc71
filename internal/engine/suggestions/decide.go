package suggestions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Approve(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
	return s.decide(ctx, id, suggestion.StatusApproved, "", r)
}

func (s suggestions) Edit(ctx context.Context, id uuid.UUID, content string, r suggestion.Review) (*suggestion.Suggestion, error) {
	return s.decide(ctx, id, suggestion.StatusEdited, content, r)
}

func (s suggestions) Reject(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
	return s.decide(ctx, id, suggestion.StatusRejected, "", r)
}

// decide records a decision. Its single update matches only a suggestion whose status allows
// the decision, so the first of concurrent calls wins and the others return a
// *store.TransitionError.
func (s suggestions) decide(ctx context.Context, id uuid.UUID, to suggestion.Status, content string, r suggestion.Review) (*suggestion.Suggestion, error) {
	if s.sc.StripNUL {
		record.StripText(&content, &r.By, &r.Feedback)
	}
	if err := suggestion.ValidateDecision(to, content, r); err != nil {
		return nil, err
	}
	at := s.sc.Instant()
	if !r.At.IsZero() {
		at = message.Instant(r.At)
	}
	var from []suggestion.Status
	for _, st := range suggestion.Statuses() {
		if st.CanBecome(to) {
			from = append(from, st)
		}
	}
	assign := query.New("status = ?, edited_content = ?, reviewed_by = ?, reviewed_at = ?, feedback = ?",
		to, record.Null(content), record.Null(r.By), at, record.Null(r.Feedback))
	sg, err := s.update(ctx, id, store.ExcludeDeleted, assign, " AND "+scope.StatusIs(from))
	if !errors.Is(err, store.ErrNotFound) {
		return sg, err
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return nil, err
	}
	found, err := getSuggestion(s.sc, db, id)
	if err != nil {
		return nil, query.Wrap("decide", err)
	}
	return nil, &store.TransitionError{Of: "suggestion", From: found.Status.String(), To: to.String()}
}
