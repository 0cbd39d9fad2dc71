package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Every change of a message after its append counts as a revision and takes the next
// last_change_seq of its conversation as its change_seq. It does so under the lock of the
// conversation, which it keeps until it is committed: whoever has seen one change_seq has missed
// none below it. Tail depends on that, so that nothing else in the engine updates a message.

// counted are the assignments of a change, with the change_seq as their argument.
const counted = ", revision = revision + 1, change_seq = ?"

// changeMessage changes one message of a live conversation among those that d and the condition
// select, and returns the row as it is then. It returns ErrNotFound if there is no such row. check, unless it is nil,
// is called in the transaction of the change, and undoes it with its error.
func changeMessage(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted, condition string, assign *query.Query, check func(in scope.Scope, m *message.Message) error) (m *message.Message, err error) {
	if _, err := sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := sc.Owner(ctx, sc.Tables.Messages, id)
	if err != nil {
		return nil, err
	}
	as := sc.As(owner)
	one, err := appendsInOneStatement(ctx, as)
	if err != nil {
		return nil, err
	}
	err = whereItIs(ctx, as, id, func() error {
		m, err = tryChange(ctx, as, one, id, d, condition, assign, check)
		return err
	})
	return m, err
}

// whereItIs runs a change of a message which locks its conversation first, and again if it found
// nothing because the message was moved to another conversation meanwhile.
func whereItIs(ctx context.Context, sc scope.Scope, id uuid.UUID, change func() error) error {
	var last uuid.UUID
	for range scope.MaxTries {
		err := change()
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		var now uuid.UUID
		q := query.New("SELECT conversation_id FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?", id, sc.User)
		if found, readErr := q.Row(query.On(ctx, sc.Writer), &now); readErr != nil || !found || now == last {
			return err
		}
		last = now
	}
	return errMovedMeanwhile
}

func tryChange(ctx context.Context, as scope.Scope, one bool, id uuid.UUID, d store.Deleted, condition string, assign *query.Query, check func(in scope.Scope, m *message.Message) error) (m *message.Message, err error) {
	run := as.Shared
	if one && check == nil {
		run = as.Single
	}
	err = run(ctx, func(on *scope.Store) (err error) {
		in := as.In(on)
		if one {
			m, err = changeInOne(query.On(ctx, on.Writer), in, id, d, condition, assign)
		} else {
			m, err = changeInTwo(ctx, in, id, d, condition, assign)
		}
		if err == nil && check != nil {
			err = check(in, m)
		}
		return err
	})
	if err != nil {
		return nil, err // the commit may have failed
	}
	return m, nil
}

// changeInOne is a change in one statement. As with an append, the conversation is locked first: a
// statement that waited for the lock sees the new counter.
func changeInOne(db query.Conn, sc scope.Scope, id uuid.UUID, d store.Deleted, condition string, assign *query.Query) (*message.Message, error) {
	q := query.New("WITH m AS (UPDATE "+sc.Tables.Messages+" AS t SET ").Append(assign).
		Add(", updated_at = ?, revision = t.revision + 1, change_seq = c.next FROM (SELECT id, last_change_seq + 1 AS next FROM "+sc.Tables.Conversations+
			" WHERE id = (SELECT conversation_id FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?) AND user_id = ? AND deleted_at IS NULL FOR NO KEY UPDATE) c"+
			" WHERE t.id = ? AND t.user_id = ? AND t.conversation_id = c.id", sc.Instant(), id, sc.User, sc.User, id, sc.User)
	scope.Deleted(q, d, "t.").Add(condition+" RETURNING "+query.Qualified("t.", record.MessageColumns)+"), "+
		"n AS (UPDATE "+sc.Tables.Conversations+" AS c SET last_change_seq = m.change_seq FROM m WHERE c.id = m.conversation_id AND c.user_id = ?) "+
		"SELECT "+record.MessageColumns+" FROM m", sc.User)
	return query.One(db, q, record.MessageDest)
}

// changeInTwo is a change in two statements of a transaction.
func changeInTwo(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted, condition string, assign *query.Query) (*message.Message, error) {
	change, of, err := takeChange(ctx, sc, id, d)
	if err != nil {
		return nil, err
	}
	return setChanged(ctx, sc, id, d, condition+stillIn, query.New("").Append(assign).Add(counted, change), of)
}

// stillIn is the condition that a message is still in the conversation whose lock was waited for,
// which is its argument.
const stillIn = " AND conversation_id = ?"

// takeChange takes the change_seq of a message that is about to be changed, and so locks its
// conversation until the transaction ends, which it returns as well. It returns ErrNotFound if there is no such message
// among those that d selects, or if its conversation is deleted.
func takeChange(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted) (change int64, of uuid.UUID, err error) {
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET last_change_seq = last_change_seq + 1 WHERE id = (SELECT conversation_id FROM "+
		sc.Tables.Messages+" WHERE id = ? AND user_id = ?", id, sc.User)
	scope.Deleted(q, d, "").Add(") AND user_id = ? AND deleted_at IS NULL RETURNING last_change_seq, id", sc.User)
	found, err := q.Row(query.On(ctx, sc.Writer), &change, &of)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return change, of, err
}

// setChanged updates a message whose conversation is locked, if it meets a condition with args.
func setChanged(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted, condition string, assign *query.Query, args ...any) (*message.Message, error) {
	q := query.New("UPDATE "+sc.Tables.Messages+" SET ").Append(assign).
		Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, sc.User)
	scope.Deleted(q, d, "").Add(condition+" RETURNING "+record.MessageColumns, args...)
	return query.One(query.On(ctx, sc.Writer), q, record.MessageDest)
}

// changeMany changes the messages of a live conversation that meet a condition, which begins with
// AND, in the order of their seq. It returns how many there were, or ErrNotFound if there is no
// such conversation. The scope is that of one user, in a transaction.
func changeMany(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, assign, condition *query.Query) (int64, error) {
	db := query.On(ctx, sc.Writer)
	var last int64
	found, err := sc.Lock("last_change_seq", query.New("id = ? AND deleted_at IS NULL", conversationID)).Row(db, &last)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, store.ErrNotFound
	}
	q := query.New("UPDATE "+sc.Tables.Messages+" AS t SET ").Append(assign).
		Add(", updated_at = ?, revision = t.revision + 1, change_seq = ? + v.place FROM (SELECT id AS changed, row_number() OVER (ORDER BY seq) AS place FROM "+
			sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ?", sc.Instant(), last, conversationID, sc.User).
		Append(condition).Add(") v WHERE t.id = v.changed AND t.user_id = ?", sc.User)
	n, err := q.Exec(db)
	if err != nil || n == 0 {
		return n, err
	}
	_, err = query.New("UPDATE "+sc.Tables.Conversations+" SET last_change_seq = ? WHERE id = ? AND user_id = ?", last+n, conversationID, sc.User).Exec(db)
	return n, err
}
