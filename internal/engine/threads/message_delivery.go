package threads

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/latest"
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

// Changed moves the status and the activity of a locked conversation after one of its messages came
// to say something else than it did, because of its delivery, or is ordered elsewhere. The status is
// that of the path, if that has changed by the message. An archived conversation stays so, unless the
// message did not arrive.
func Changed(ctx context.Context, sc scope.Scope, was, m *message.Message) error {
	if m.Deleted() || !m.Kind.Counts() {
		return nil
	}
	now := sc.Instant()
	from, to := conversation.Activity(was.OrderedAt(), now), conversation.Activity(m.OrderedAt(), now)
	said := statusAfter(was) != statusAfter(m)
	if !said && from.Equal(to) {
		return nil
	}
	first, last := from, to
	if first.After(last) {
		first, last = last, first
	}
	wakes := said && statusAfter(m) == conversation.StatusNeedsReply
	return settle(ctx, sc, m, func(rows pathRows, _ time.Time) *query.Query {
		assign := query.New("last_message_at = CASE WHEN c.last_message_at > ? THEN c.last_message_at ELSE COALESCE(", last).
			Bracketed(rows(latest.At("m")).Add(" AND "+latest.Active("m")+" ORDER BY "+latest.At("m")+" DESC LIMIT 1")).
			Add(", c.created_at) END, status = CASE WHEN ? AND c.status = 'archived' OR c.last_message_at >= ? AND ", !wakes, last).
			Append(laterTurn(rows, m, last))
		if !said {
			assign.Add(" OR NOT ").Append(laterTurn(rows, m, first))
		}
		return assign.Add(" THEN c.status ELSE COALESCE(").
			Bracketed(rows(latest.Status("m")).Add(" AND " + latest.Turn("m") + latestTurnFirst)).
			Add(", 'active') END")
	})
}
