package suggestions

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) SaveDraft(ctx context.Context, id uuid.UUID, content string, o store.SaveOptions) (*suggestion.Suggestion, error) {
	s.sc.Clean.Text(&content, &o.By)
	if err := suggestion.ValidateDraft(content, o.By, time.Time{}); err != nil {
		return nil, err
	}
	if err := s.sc.CheckSize("suggestion", len(content)+len(o.By)); err != nil {
		return nil, err
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return nil, err
	}
	var saved *suggestion.Suggestion
	err = scope.Settle(func() (bool, error) {
		was, err := getSuggestion(s.sc, db, id)
		if err != nil {
			return true, err
		}
		saved, err = s.saveDraft(ctx, was, content, o)
		return saved != nil, err
	})
	if err != nil {
		return nil, query.Wrap("save draft", err)
	}
	return saved, nil
}

// saveDraft writes a draft over that of a suggestion as it was read. It returns nil if another call
// came first.
func (s suggestions) saveDraft(ctx context.Context, was *suggestion.Suggestion, content string, o store.SaveOptions) (*suggestion.Suggestion, error) {
	if !sameDraft(was.DraftAt, o.Expected) {
		return nil, &store.DraftConflictError{Suggestion: was, Expected: message.Instant(*o.Expected)}
	}
	at := s.sc.Instant()
	if was.DraftAt != nil && !at.After(*was.DraftAt) {
		at = was.DraftAt.Add(time.Microsecond) // else the two could not be told apart
	}
	now := *was
	if err := now.SaveDraft(content, o.By, at); err != nil {
		return nil, err
	}
	if err := s.sc.CheckSize("suggestion", now.Size()); err != nil {
		return nil, err
	}
	q := query.New("UPDATE "+s.sc.Tables.Suggestions+" AS t SET draft_content = ?, draft_by = ?, draft_at = ?, updated_at = ?",
		record.Null(now.DraftContent), record.Null(now.DraftBy), record.NullTime(now.DraftAt), s.sc.Instant()).
		Add(" WHERE id = ? AND user_id = ? AND deleted_at IS NULL AND status = 'pending'", was.ID, was.UserID)
	if was.DraftAt == nil {
		q.Add(" AND draft_at IS NULL")
	} else {
		q.Add(" AND draft_at = ?", *was.DraftAt)
	}
	return s.one(ctx, s.sc.As(was.UserID), q.Add(s.lockFirst()))
}

// sameDraft tells whether a draft is the expected one.
func sameDraft(at, expected *time.Time) bool {
	switch {
	case expected == nil:
		return true
	case at == nil:
		return expected.IsZero()
	}
	return at.Equal(message.Instant(*expected))
}

// one runs an update of at most one suggestion and returns the row as it is then, nil if there was
// none.
func (s suggestions) one(ctx context.Context, sc scope.Scope, update *query.Query) (*suggestion.Suggestion, error) {
	var found []*suggestion.Suggestion
	err := sc.Single(ctx, func(on *scope.Store) (err error) {
		found, err = query.All(query.On(ctx, on.Writer), update.Add(" RETURNING "+record.SuggestionColumns), record.SuggestionDest)
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (s suggestions) Reopen(ctx context.Context, id uuid.UUID, o store.ReopenOptions) (*suggestion.Suggestion, error) {
	sc, conversationID, err := s.conversationOf(ctx, id)
	if err != nil {
		return nil, query.Wrap("reopen", err)
	}
	s.sc = sc
	var sg *suggestion.Suggestion
	err = s.where(ctx, id, conversationID, func(tx scope.Scope, conversationID uuid.UUID) (err error) {
		sg, err = reopen(ctx, tx, conversationID, id, o)
		return err
	})
	if err != nil {
		return nil, query.Wrap("reopen", err)
	}
	return sg, nil
}

func reopen(ctx context.Context, sc scope.Scope, conversationID, id uuid.UUID, o store.ReopenOptions) (*suggestion.Suggestion, error) {
	_, found, err := threads.BeginWaiting(ctx, sc, conversationID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, store.ErrNotFound
	}
	db := query.On(ctx, sc.Writer)
	sg, err := lockSuggestion(sc, db, id)
	if err != nil {
		return nil, err
	}
	if sg.ConversationID != conversationID {
		return nil, store.ErrNotFound // it was moved meanwhile
	}
	if err := sg.Reopen(); err != nil {
		return nil, err
	}
	if o.Current {
		if sg.AnswersSeq, err = threads.NewestLive(ctx, sc, sg.ConversationID); err != nil {
			return nil, err
		}
	}
	if err := sc.CheckSize("suggestion", sg.Size()); err != nil {
		return nil, err
	}
	q := query.New("UPDATE "+sc.Tables.Suggestions+" SET status = ?, edited_content = NULL, reviewed_by = NULL, reviewed_at = NULL, feedback = NULL,"+
		" draft_content = ?, draft_by = ?, draft_at = ?, answers_seq = ?, updated_at = ? WHERE id = ? AND user_id = ? RETURNING "+record.SuggestionColumns,
		sg.Status, record.Null(sg.DraftContent), record.Null(sg.DraftBy), record.NullTime(sg.DraftAt), record.NullNumber(sg.AnswersSeq),
		sc.Instant(), sg.ID, sc.User)
	return query.One(db, q, record.SuggestionDest)
}

// lockSuggestion locks a live suggestion, whose conversation is locked, until the transaction ends.
func lockSuggestion(sc scope.Scope, db query.Conn, id uuid.UUID) (*suggestion.Suggestion, error) {
	q := query.New("SELECT "+record.SuggestionColumns+" FROM "+sc.Tables.Suggestions+" WHERE id = ? AND user_id = ? AND deleted_at IS NULL", id, sc.User)
	return query.One(db, q.Add(sc.Dialect.ForUpdate()), record.SuggestionDest)
}
