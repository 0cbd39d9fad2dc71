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
	s.sc.Clean.Text(&content, &r.By, &r.Feedback)
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
	assign := query.New("status = ?, edited_content = ?, reviewed_by = ?, reviewed_at = ?, feedback = ?, draft_content = NULL, draft_by = NULL, draft_at = NULL",
		to, record.Null(content), record.Null(r.By), at, record.Null(r.Feedback))
	var sg *suggestion.Suggestion
	err := scope.Settle(func() (_ bool, err error) {
		sg, err = s.setDecision(ctx, id, assign, " AND "+scope.StatusIs(from), len(content)+len(r.By)+len(r.Feedback))
		if !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		return false, s.refused(ctx, id, to)
	})
	if err != nil {
		return nil, err
	}
	return sg, nil
}

// refused returns the error for a decision that found no suggestion to decide on, or nil if
// there is one by now.
func (s suggestions) refused(ctx context.Context, id uuid.UUID, to suggestion.Status) error {
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return err
	}
	found, err := getSuggestion(s.sc, db, id)
	if err != nil {
		return query.Wrap("decide", err)
	}
	if found.Status.CanBecome(to) {
		return nil
	}
	return &store.TransitionError{Of: "suggestion", From: found.Status.String(), To: to.String()}
}

// setDecision writes a decision with texts of so many bytes. With long ones it does so in a
// transaction, which undoes it if the row is too large then.
func (s suggestions) setDecision(ctx context.Context, id uuid.UUID, assign *query.Query, condition string, bytes int) (*suggestion.Suggestion, error) {
	if err := s.sc.CheckSize("suggestion", bytes); err != nil {
		return nil, err
	}
	if bytes <= scope.SmallEdit {
		return s.update(ctx, id, store.ExcludeDeleted, assign, condition)
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	var sg *suggestion.Suggestion
	err := s.sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		sg, err = scope.UpdateRow(ctx, s.sc.In(tx), s.sc.Tables.Suggestions, record.SuggestionColumns, record.SuggestionDest, id, store.ExcludeDeleted, assign, condition+s.lockFirst())
		if err == nil {
			err = s.sc.CheckSize("suggestion", sg.Size())
		}
		return err
	})
	if err != nil {
		return nil, query.Wrap("update", err)
	}
	return sg, nil
}
