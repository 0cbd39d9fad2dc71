package threads

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// LockMessage locks the conversation of a message until the transaction ends, and returns the
// message as it is then, live or deleted. live says that neither it nor its conversation is
// deleted. It returns ErrNotFound if there is no such message. The scope is that of one user, in a
// transaction.
func LockMessage(ctx context.Context, sc scope.Scope, id uuid.UUID) (m *message.Message, live bool, err error) {
	db := query.On(ctx, sc.Writer)
	of := query.New("id = (SELECT conversation_id FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?)", id, sc.User)
	for range scope.MaxTries {
		var locked uuid.UUID
		found, err := sc.Lock("id, deleted_at IS NULL", of).Row(db, &locked, &live)
		switch {
		case err != nil:
			return nil, false, err
		case !found:
			return nil, false, store.ErrNotFound
		}
		m, err = query.One(db, query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?", id, sc.User), record.MessageDest)
		if err != nil || m.ConversationID == locked {
			return m, live && err == nil && !m.Deleted(), err
		}
		// It was moved while the lock was waited for.
	}
	return nil, false, errMovedMeanwhile
}

// ChangeLocked changes a message whose conversation LockMessage has locked, and returns it as it
// is then. It is a change as any other: it takes the next change_seq.
func ChangeLocked(ctx context.Context, sc scope.Scope, m *message.Message, assign *query.Query) (*message.Message, error) {
	var change int64
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET last_change_seq = last_change_seq + 1 WHERE id = ? AND user_id = ? RETURNING last_change_seq",
		m.ConversationID, sc.User)
	if _, err := q.Row(query.On(ctx, sc.Writer), &change); err != nil {
		return nil, err
	}
	return setChanged(ctx, sc, m.ID, store.IncludeDeleted, "", query.New("").Append(assign).Add(counted, change))
}

// turn is the condition that a message m of the conversation is somebody's turn.
func turn(sc scope.Scope, m *message.Message) *query.Query {
	return query.New("SELECT 1 FROM "+sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.deleted_at IS NULL"+
		" AND m.kind = 'message' AND "+scope.Said("m."), m.ConversationID, sc.User)
}

// arrives is the condition that an outbound message m has not come back.
const arrives = " AND m.direction = 'outbound' AND COALESCE(m.delivery, 'sent') NOT IN ('failed', 'bounced')"

func isTurn(m *message.Message) bool {
	return !m.Deleted() && m.Direction == message.DirectionOutbound && conversation.Status("").AfterMessage(m) != ""
}

// Unanswered has a locked conversation need a reply because a message did not arrive, unless a
// later outbound one did.
func Unanswered(ctx context.Context, sc scope.Scope, m *message.Message) error {
	return moveStatus(ctx, sc, m, conversation.StatusNeedsReply, turn(sc, m).Add(arrives+" AND m.seq > ?", m.Seq))
}

// Unsaid has a locked conversation need a reply because a message will not be sent, unless another
// outbound one follows the last inbound one.
func Unsaid(ctx context.Context, sc scope.Scope, m *message.Message) error {
	last := query.New(" AND m.id <> ? AND m.seq > COALESCE((SELECT max(i.seq) FROM "+sc.Tables.Messages+
		" i WHERE i.conversation_id = ? AND i.user_id = ? AND i.deleted_at IS NULL AND i.kind = 'message' AND i.direction = 'inbound' AND "+scope.Said("i.")+"), 0)",
		m.ID, m.ConversationID, sc.User)
	return moveStatus(ctx, sc, m, conversation.StatusNeedsReply, turn(sc, m).Add(arrives).Append(last))
}

// Answered has a locked conversation that needs a reply wait, because a message is on its way
// again, unless a later inbound one came.
func Answered(ctx context.Context, sc scope.Scope, m *message.Message) error {
	return moveStatus(ctx, sc, m, conversation.StatusWaiting, turn(sc, m).Add(" AND m.direction = 'inbound' AND m.seq > ?", m.Seq))
}

// moveStatus gives the conversation of a message a status, unless there is a row that speaks
// against it. Waiting follows on a need of a reply alone: it does not bring back what is archived.
func moveStatus(ctx context.Context, sc scope.Scope, m *message.Message, to conversation.Status, unless *query.Query) error {
	if !isTurn(m) {
		return nil
	}
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET status = ?, updated_at = ? WHERE id = ? AND user_id = ? AND status <> ?",
		string(to), sc.Instant(), m.ConversationID, sc.User, string(to))
	if to == conversation.StatusWaiting {
		q.Add(" AND status = 'needs_reply'")
	}
	_, err := q.Add(" AND NOT EXISTS ").Bracketed(unless).Exec(query.On(ctx, sc.Writer))
	return err
}

// MoveActivity moves the activity of a locked conversation to a time that a message was sent at,
// unless it is there or later already.
func MoveActivity(ctx context.Context, sc scope.Scope, m *message.Message, sentAt time.Time) error {
	at := conversation.Activity(sentAt, sc.Instant())
	if m.Deleted() || m.Kind != message.KindMessage {
		return nil
	}
	_, err := query.New("UPDATE "+sc.Tables.Conversations+" SET last_message_at = ? WHERE id = ? AND user_id = ? AND last_message_at < ?",
		at, m.ConversationID, sc.User, at).Exec(query.On(ctx, sc.Writer))
	return err
}
