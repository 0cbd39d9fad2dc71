package suggestions

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
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
	var stored suggestion.Suggestion
	err = scope.Settle(func() (created bool, err error) {
		err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
			stored = *sg // the transaction may run more than once
			created, err = create(ctx, sc.In(tx), &stored)
			if err == nil && !created {
				err = errNotInserted
			}
			return err
		})
		if errors.Is(err, errNotInserted) {
			err = explainNotInserted(ctx, sc, sg)
		}
		return created, err
	})
	if err == nil {
		*sg = stored
	}
	switch dialect.KindOf(err) {
	case dialect.Unique:
		return fmt.Errorf("%w: the id of the suggestion is taken", store.ErrConflict)
	case dialect.ForeignKey:
		// The conversation or the answered message was erased while the insert ran.
		return store.ErrNotFound
	}
	return query.Wrap("create suggestion", err)
}

// errNotInserted rolls back what a suggestion counted that was not inserted.
var errNotInserted = errors.New("convostore: the suggestion was not inserted")

// create inserts a suggestion into a conversation that it locks, so that each message of the
// conversation comes before the suggestion or finds it. It returns false if it inserted nothing.
func create(ctx context.Context, sc scope.Scope, sg *suggestion.Suggestion) (created bool, err error) {
	last, found, err := threads.BeginWaiting(ctx, sc, sg.ConversationID)
	if err != nil || !found {
		return false, err
	}
	switch {
	case sg.AnswersSeq > last:
		return false, rule.Invalid("answers_seq", "is above the last seq of the conversation")
	case sg.AnswersSeq == 0:
		sg.AnswersSeq, err = threads.NewestLive(ctx, sc, sg.ConversationID)
	case sg.AnswersSeq < last && sg.Status == suggestion.StatusPending:
		err = supersedeNew(ctx, sc, sg)
	}
	if err != nil {
		return false, err
	}
	var id uuid.UUID
	return insertSuggestion(sc, sg).Row(query.On(ctx, sc.Writer), &id)
}

// supersedeNew supersedes a new suggestion if a message has overtaken it already.
func supersedeNew(ctx context.Context, sc scope.Scope, sg *suggestion.Suggestion) error {
	overtaken, err := threads.Overtaken(ctx, sc, sg.ConversationID, sg.AnswersSeq)
	if err != nil || !overtaken {
		return err
	}
	updated := sg.UpdatedAt
	err = sg.Supersede(sc.Instant())
	sg.UpdatedAt = updated
	return err
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
	sc.Clean.Model(sg)
	sg.Normalize(sc.Instant())
	return check.First(sc.CheckSize("suggestion", sg.Size()), sg.Validate())
}

// insertSuggestion is an insert that returns no row unless the conversation is live and the
// answered message, if there is one, is a live message of the conversation.
func insertSuggestion(sc scope.Scope, sg *suggestion.Suggestion) *query.Query {
	args := record.SuggestionArgs(sg)
	q := query.New("INSERT INTO "+sc.Tables.Suggestions+" ("+record.SuggestionColumns+") SELECT "+query.Marks(len(args))+
		" FROM "+sc.Tables.Conversations+" c WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL",
		append(args, sg.ConversationID, sc.User)...)
	if sg.InReplyToMessageID != nil {
		q.Add(" AND ").Append(answerable(sc, sg))
	}
	return q.Add(" RETURNING id")
}

// answerable is the condition that the answered message is a live one of the conversation.
func answerable(sc scope.Scope, sg *suggestion.Suggestion) *query.Query {
	return query.New("EXISTS (SELECT 1 FROM "+sc.Tables.Messages+" m WHERE m.id = ? AND m.user_id = ?"+
		" AND m.conversation_id = ? AND m.deleted_at IS NULL)", *sg.InReplyToMessageID, sc.User, sg.ConversationID)
}

// explainNotInserted returns the error for an insert that returned no row, or nil if the
// reason is gone by now.
func explainNotInserted(ctx context.Context, sc scope.Scope, sg *suggestion.Suggestion) error {
	db := query.On(ctx, sc.Writer)
	if _, err := threads.GetConversation(sc, db, sg.ConversationID); err != nil || sg.InReplyToMessageID == nil {
		return err
	}
	found, err := query.One(db, query.New("SELECT ").Append(answerable(sc, sg)), func(b *bool) []any { return []any{b} })
	if err != nil || *found {
		return err
	}
	return rule.Invalid("in_reply_to_message_id", "is no live message of the conversation")
}
