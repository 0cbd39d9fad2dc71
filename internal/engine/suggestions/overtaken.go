package suggestions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// lockedSuggestion is a suggestion that the transaction has locked, after its conversation.
type lockedSuggestion struct {
	suggestion.Suggestion
	// overtaken says that an inbound message came in since on some branch, and answered that
	// another suggestion was sent as a reply to the same message.
	overtaken, answered bool
}

// lockForSend locks the conversation and then the suggestion, and reads what may keep it from being
// sent in the same statement.
func lockForSend(ctx context.Context, sc scope.Scope, conversationID, id uuid.UUID) (*lockedSuggestion, error) {
	if err := threads.LockConversation(ctx, sc, conversationID); err != nil {
		return nil, err
	}
	tables, replies := otherReplies(sc)
	q := query.New("SELECT "+record.SuggestionColumns+
		", EXISTS (SELECT 1 FROM "+sc.Tables.Messages+" m WHERE m.conversation_id = s.conversation_id AND m.user_id = s.user_id"+
		threads.Overtakes(sc, "s.answers_seq")+"), EXISTS (SELECT 1 FROM "+tables+" WHERE "+replies+") FROM "+sc.Tables.Suggestions+" s WHERE id = ? AND conversation_id = ?", id, conversationID)
	q = sc.InLive(scope.Deleted(sc.Owned(q, "s."), store.ExcludeDeleted, "s."), "s.")
	return query.One(query.On(ctx, sc.Writer), q.Add(sc.Dialect.ForUpdate()), func(l *lockedSuggestion) []any {
		return append(record.SuggestionDest(&l.Suggestion), &l.overtaken, &l.answered)
	})
}

// otherReplies are the suggestions o that were sent as a reply to what the suggestion s answers,
// with their messages m that are under way: the tables, and the condition.
func otherReplies(sc scope.Scope) (tables, condition string) {
	return sc.Tables.Suggestions + " o JOIN " + sc.Tables.Messages + " m ON m.id = o.sent_message_id AND m.user_id = o.user_id",
		"o.conversation_id = s.conversation_id AND o.user_id = s.user_id AND o.id <> s.id" +
			" AND (o.in_reply_to_message_id = s.in_reply_to_message_id" +
			" OR (o.in_reply_to_message_id IS NULL OR s.in_reply_to_message_id IS NULL) AND o.answers_seq = s.answers_seq)" +
			" AND " + underway
}

// underway is the condition that a message m has left or is to: it is live, and arrives.
var underway = "m.deleted_at IS NULL AND " + latest.Arrives("m")

// refuse returns the error of a suggestion that the options do not allow to send.
func (l *lockedSuggestion) refuse(ctx context.Context, sc scope.Scope, o store.SendOptions) error {
	db := query.On(ctx, sc.Writer)
	if l.overtaken && !o.AllowStale {
		newer, err := threads.Overtaking(sc, db, l.ConversationID, l.AnswersSeq)
		switch {
		case err == nil:
			return &store.StaleDraftError{SuggestionID: l.ID, AnswersSeq: l.AnswersSeq, Newer: newer}
		case !errors.Is(err, store.ErrNotFound): // it may be on another branch
			return err
		}
	}
	if !l.answered || o.AllowSecond {
		return nil
	}
	second := &store.SecondReplyError{SuggestionID: l.ID}
	tables, replies := otherReplies(sc)
	found, err := query.New("SELECT o.id, m.id FROM "+sc.Tables.Suggestions+" s CROSS JOIN "+tables+" WHERE "+replies+
		" AND s.id = ? AND s.user_id = ? ORDER BY m.seq LIMIT 1", l.ID, sc.User).Row(db, &second.Other, &second.Message)
	if err != nil || !found {
		return err
	}
	return second
}
