package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Create(ctx context.Context, sg *suggestion.Suggestion) error {
	if sg == nil {
		return errNil("suggestion")
	}
	sc, err := s.appender(ctx, sg.ConversationID)
	if err != nil {
		return fail("create suggestion", err)
	}
	if err := sc.prepareSuggestion(sg); err != nil {
		return err
	}
	var found bool
	err = sc.guarded(ctx, func() (err error) {
		var id uuid.UUID
		found, err = sc.insertSuggestion(sg).row(session(ctx, sc.writer), &id)
		return err
	})
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return fmt.Errorf("%w: the id of the suggestion is taken", ErrConflict)
	case dialect.KindOf(err) == dialect.ForeignKey:
		// The conversation or the message was erased between the check and the insert.
		return ErrNotFound
	case err == nil && !found:
		err = sc.explainSuggestion(ctx, sg)
	}
	return fail("create suggestion", err)
}

func (sc scope) prepareSuggestion(sg *suggestion.Suggestion) error {
	if sg.UserID != uuid.Nil && sg.UserID != sc.user {
		return rule.Invalid("user_id", "is another user's than the conversation's")
	}
	if sg.SentMessageID != nil {
		return rule.Invalid("sent_message_id", "is set by Send")
	}
	sg.UserID = sc.user
	if err := sc.giveID(&sg.ID); err != nil {
		return err
	}
	if sc.stripNUL {
		stripSuggestion(sg)
	}
	sg.Normalize(sc.instant())
	return sg.Validate()
}

// insertSuggestion inserts only for a live conversation and as an answer to a live
// message of it.
func (sc scope) insertSuggestion(sg *suggestion.Suggestion) *query {
	args := suggestionArgs(sg)
	q := newQuery("INSERT INTO "+sc.tables.suggestions+" ("+suggestionColumns+") SELECT "+marks(len(args))+
		" FROM "+sc.tables.conversations+" c WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL",
		append(args, sg.ConversationID, sc.user)...)
	if sg.InReplyToMessageID != nil {
		q.add(" AND EXISTS (SELECT 1 FROM "+sc.tables.messages+" m WHERE m.id = ? AND m.user_id = ?"+
			" AND m.conversation_id = ? AND m.deleted_at IS NULL)", *sg.InReplyToMessageID, sc.user, sg.ConversationID)
	}
	return q.add(" RETURNING id")
}

// explainSuggestion says why an insert found no place.
func (sc scope) explainSuggestion(ctx context.Context, sg *suggestion.Suggestion) error {
	if _, err := sc.get(session(ctx, sc.writer), sg.ConversationID); err != nil {
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

// decide is one update that only an undecided row lets through.
func (s suggestions) decide(ctx context.Context, id uuid.UUID, to suggestion.Status, content string, r suggestion.Review) (*suggestion.Suggestion, error) {
	if s.stripNUL {
		stripText(&content, &r.By, &r.Feedback)
	}
	if err := suggestion.ValidateDecision(to, content, r); err != nil {
		return nil, err
	}
	at := s.instant()
	if !r.At.IsZero() {
		at = message.Instant(r.At)
	}
	var from []suggestion.Status
	for _, st := range suggestion.Statuses() {
		if st.CanBecome(to) {
			from = append(from, st)
		}
	}
	assign := newQuery("status = ?, edited_content = ?, reviewed_by = ?, reviewed_at = ?, feedback = ?",
		to, null(content), null(r.By), at, null(r.Feedback))
	sg, err := s.set(ctx, id, ExcludeDeleted, assign, " AND "+statusIs(from))
	if !errors.Is(err, ErrNotFound) {
		return sg, err
	}
	db, err := s.writing(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.getSuggestion(db, id)
	if err != nil {
		return nil, fail("decide", err)
	}
	return nil, &TransitionError{Of: "suggestion", From: found.Status.String(), To: to.String()}
}

func (s suggestions) Delete(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	return s.set(ctx, id, ExcludeDeleted, newQuery("deleted_at = ?", s.instant()), "")
}

func (s suggestions) Restore(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	sg, err := s.set(ctx, id, OnlyDeleted, newQuery("deleted_at = NULL"), "")
	if errors.Is(err, ErrNotFound) {
		db, err := s.writing(ctx)
		if err != nil {
			return nil, err
		}
		sg, err := s.getSuggestion(db, id)
		return sg, fail("restore suggestion", err)
	}
	return sg, err
}

// set runs one update of one suggestion in a live conversation.
func (s suggestions) set(ctx context.Context, id uuid.UUID, d Deleted, assign *query, and string) (*suggestion.Suggestion, error) {
	return setRow(ctx, s.scope, s.tables.suggestions, suggestionColumns, suggestionDest, id, d, assign, and)
}
