package threads

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s messages) Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (bool, error) {
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return false, query.Wrap("append", err)
	}
	d, err := NewDraft(ctx, sc, conversationID, m)
	if err != nil {
		return false, err
	}
	created, err := s.sql.AppendOne(ctx, sc, d)
	if created {
		sc.Noted(ctx, 1, textBytes(d.Message))
	}
	return created, query.Wrap("append", err)
}

// AppendOne appends a draft and its embeddings, gives it its seq and returns true. If a
// stored message has one of its keys, it copies that message into the draft and returns
// false. It returns ErrNotFound if the conversation does not exist or is soft-deleted, and
// ErrConflict if a new id is taken or if other writers interfered on every attempt.
func (s *Statements) AppendOne(ctx context.Context, sc scope.Scope, d Draft) (created bool, err error) {
	if len(d.Embeddings) == 0 {
		return s.appendMessage(ctx, sc, d)
	}
	// The transaction may run more than once, so the draft is overwritten only after it commits.
	var tried Draft
	err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
		in := sc.In(tx)
		tried = d.Copy()
		if created, err = s.appendMessage(ctx, in, tried); err != nil || !created {
			return err
		}
		return embeddings.InsertOwn(in, query.On(ctx, tx.Writer), tried.Embeddings)
	})
	if err != nil {
		return false, err
	}
	*d.Message = *tried.Message
	return created, nil
}

// appendMessage is the hot path: one statement on PostgreSQL, two or three in a
// transaction on SQLite. The statements skip a redelivery with ON CONFLICT DO NOTHING. To let the unique
// index fail instead would leave dead rows and a line in the server's log. What makes a branch takes
// appendAfterHead.
func (s *Statements) appendMessage(ctx context.Context, sc scope.Scope, d Draft) (bool, error) {
	if d.parent != nil {
		return appendAfterHead(ctx, sc, d)
	}
	single, err := appendsInOneStatement(ctx, sc)
	if err != nil {
		return false, err
	}
	for try := 1; ; try++ {
		created, err := s.tryAppend(ctx, sc, d, single)
		if errors.Is(err, errHasHead) || errors.Is(err, errNotWritten) && try > 1 {
			return appendAfterHead(ctx, sc, d)
		}
		if !errors.Is(err, errNotWritten) {
			return created, err
		}
	}
}

// tryAppend is one attempt. It returns errNotWritten if the append wrote nothing and the
// reason for that is gone by now.
func (s *Statements) tryAppend(ctx context.Context, sc scope.Scope, d Draft, single bool) (created bool, err error) {
	if single {
		err = sc.Retry(ctx, func() (err error) {
			created, err = s.appendInOne(sc, query.On(ctx, sc.Writer), d)
			return err
		})
	} else {
		err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
			created, err = s.appendInSeveral(sc.In(tx), query.On(ctx, tx.Writer), d)
			if err == nil && !created {
				err = errNotWritten
			}
			return err
		})
	}
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return false, errTaken
	case err != nil && !errors.Is(err, errNotWritten):
		return false, err
	case created:
		return true, nil
	}
	return false, resolveNotWritten(ctx, sc, d)
}

// errNotWritten rolls back a seq that was taken for a message that was not inserted, and
// asks for another attempt. What prevented the append (a stored message or the absence of
// the conversation) was erased or created in the meantime, or other messages came while one that
// is not the latest waited for the lock: see latest.Tables.Settled.
var errNotWritten = fmt.Errorf("%w: the conversation or a message of this key was erased and made again meanwhile", store.ErrConflict)

// errTaken is a unique index that refused a message. Which key it was is not known for sure.
var errTaken = fmt.Errorf("%w: the id or a key of a message is taken", store.ErrConflict)

// resolveNotWritten finds out why an append wrote nothing. If a stored message has a key of
// the draft, it copies that message into the draft and returns nil. It returns ErrNotFound
// if there is no live conversation, errHasHead if the conversation has branches,
// and errNotWritten if there is no reason any more.
func resolveNotWritten(ctx context.Context, sc scope.Scope, d Draft) error {
	db := query.On(ctx, sc.Writer)
	if found, err := redelivered(sc, db, d); err != nil || found {
		return err
	}
	c, err := GetConversation(sc, db, d.ConversationID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// Another delivery may have been stored, and the conversation deleted, since the keys were
		// looked for. A message that is still not stored was not when the conversation was gone.
		if found, again := redelivered(sc, db, d); again != nil || found {
			return again
		}
		return err
	case err != nil:
		return err
	case c.Branched:
		return errHasHead
	}
	return errNotWritten
}

// redelivered copies the stored message that has a key of a draft into the draft, if there is one.
func redelivered(sc scope.Scope, db query.Conn, d Draft) (bool, error) {
	for _, k := range d.keys {
		q := query.New("SELECT " + record.MessageColumns + " FROM " + sc.Tables.Messages + " WHERE ")
		stored, err := query.All(db, k.matches(q, sc.User), record.MessageDest)
		if err == nil && len(stored) > 0 {
			err = checkRedelivery(d, stored[0])
		}
		if err != nil {
			return false, err
		}
		if len(stored) > 0 {
			*d.Message = *stored[0]
			return true, nil
		}
	}
	return false, nil
}
