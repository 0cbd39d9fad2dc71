package suggestions

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Create(ctx context.Context, sg *suggestion.Suggestion) error {
	if sg == nil {
		return scope.ErrNil("suggestion")
	}
	sc, err := threads.OwnerScope(ctx, s.sc, sg.ConversationID)
	if err != nil {
		return query.Wrap("create suggestion", err)
	}
	if err := prepareSuggestion(sc, sg); err != nil {
		return err
	}
	var found bool
	err = sc.Guarded(ctx, func() (err error) {
		var id uuid.UUID
		found, err = insertSuggestion(sc, sg).Row(query.On(ctx, sc.Writer), &id)
		return err
	})
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return fmt.Errorf("%w: the id of the suggestion is taken", store.ErrConflict)
	case dialect.KindOf(err) == dialect.ForeignKey:
		// The conversation or the answered message was erased while the insert ran.
		return store.ErrNotFound
	case err == nil && !found:
		err = explainNotInserted(ctx, sc, sg)
	}
	return query.Wrap("create suggestion", err)
}

// prepareSuggestion fills in a new suggestion and validates it. The scope is that of one
// user, the owner of the conversation.
func prepareSuggestion(sc scope.Scope, sg *suggestion.Suggestion) error {
	if sg.UserID != uuid.Nil && sg.UserID != sc.User {
		return rule.Invalid("user_id", "is another user's than the conversation's")
	}
	if sg.SentMessageID != nil {
		return rule.Invalid("sent_message_id", "is set by Send")
	}
	sg.UserID = sc.User
	if err := sc.GiveID(&sg.ID); err != nil {
		return err
	}
	if sc.StripNUL {
		record.StripSuggestion(sg)
	}
	sg.Normalize(sc.Instant())
	return sg.Validate()
}

// insertSuggestion is an insert that returns no row unless the conversation is live and the
// answered message, if there is one, is a live message of the conversation.
func insertSuggestion(sc scope.Scope, sg *suggestion.Suggestion) *query.Query {
	args := record.SuggestionArgs(sg)
	q := query.New("INSERT INTO "+sc.Tables.Suggestions+" ("+record.SuggestionColumns+") SELECT "+query.Marks(len(args))+
		" FROM "+sc.Tables.Conversations+" c WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL",
		append(args, sg.ConversationID, sc.User)...)
	if sg.InReplyToMessageID != nil {
		q.Add(" AND EXISTS (SELECT 1 FROM "+sc.Tables.Messages+" m WHERE m.id = ? AND m.user_id = ?"+
			" AND m.conversation_id = ? AND m.deleted_at IS NULL)", *sg.InReplyToMessageID, sc.User, sg.ConversationID)
	}
	return q.Add(" RETURNING id")
}

// explainNotInserted returns the error for an insert that returned no row.
func explainNotInserted(ctx context.Context, sc scope.Scope, sg *suggestion.Suggestion) error {
	if _, err := threads.GetConversation(sc, query.On(ctx, sc.Writer), sg.ConversationID); err != nil {
		return err
	}
	return rule.Invalid("in_reply_to_message_id", "is no live message of the conversation")
}

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

func (s suggestions) Delete(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	return s.update(ctx, id, store.ExcludeDeleted, query.New("deleted_at = ?", s.sc.Instant()), "")
}

func (s suggestions) Restore(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	sg, err := s.update(ctx, id, store.OnlyDeleted, query.New("deleted_at = NULL"), "")
	if errors.Is(err, store.ErrNotFound) {
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return nil, err
		}
		sg, err := getSuggestion(s.sc, db, id)
		return sg, query.Wrap("restore suggestion", err)
	}
	return sg, err
}

// update updates a suggestion of a live conversation and returns the row as it is then. It
// returns ErrNotFound if there is no such row among those that d selects, or if the
// additional condition, which begins with AND, does not hold.
func (s suggestions) update(ctx context.Context, id uuid.UUID, d store.Deleted, assign *query.Query, condition string) (*suggestion.Suggestion, error) {
	return scope.SetRow(ctx, s.sc, s.sc.Tables.Suggestions, record.SuggestionColumns, record.SuggestionDest, id, d, assign, condition)
}
