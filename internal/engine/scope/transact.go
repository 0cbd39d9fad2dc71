package scope

import (
	"context"
	"errors"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/internal/session"
	"github.com/convostore/convostore/store"
)

// MaxTries is how often a transaction is tried that conflicts with others. With the waits of
// query.Pause it gives up after about two seconds.
const MaxTries = 10

// Transaction runs fn in a new transaction, and runs it again after a deadlock, a serialization
// failure or on a busy database. Inside a transaction it runs fn in a savepoint instead, once.
func (s *Store) Transaction(ctx context.Context, fn func(tx *Store) error) error {
	if s.InTx {
		return s.savepoint(ctx, func() error { return fn(s) })
	}
	t, wrote := s.written.Begin(), &users{}
	defer s.tellUsers(wrote)
	defer s.noteCommit(ctx, t)
	defer s.noteWritten(ctx)
	return s.Retry(ctx, func() error {
		return s.Writer.Transaction(ctx, func(tx *query.Handle) error {
			in := s.withHandle(tx)
			in.txWrites, in.txUsers = t, wrote
			if err := fn(in); err != nil {
				return err
			}
			return s.file().CheckWritten()
		})
	})
}

// Shared is Transaction for a short write. On SQLite those that come at the same time share a
// transaction, see group: fn must not wait for anything but the database.
func (s *Store) Shared(ctx context.Context, fn func(tx *Store) error) error {
	if s.InTx || s.group == nil {
		return s.Transaction(ctx, fn)
	}
	return s.share(ctx, false, fn)
}

// Single runs a single statement that writes, which may be followed by queries. On SQLite it
// may share a transaction, as in Shared. Otherwise it runs as in Retry.
func (s *Store) Single(ctx context.Context, fn func(on *Store) error) error {
	if s.InTx || s.group == nil {
		return s.Retry(ctx, func() error { return fn(s) })
	}
	return s.share(ctx, true, fn)
}

// Retry runs fn, again and after a pause while its error is one that a retry may avoid, at most
// MaxTries times. Inside a transaction it runs fn once.
func (s *Store) Retry(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if s.InTx || try == MaxTries || dialect.KindOf(err) != dialect.Retry {
			return err
		}
		if waitErr := query.Pause(ctx, try); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

// Guarded is Single for a statement that may fail for a reason which the caller handles, such
// as a duplicate key. Inside a transaction it uses a savepoint: without one, such an error
// aborts the whole transaction on PostgreSQL.
func (s *Store) Guarded(ctx context.Context, fn func(on *Store) error) error {
	if s.InTx {
		return s.savepoint(ctx, func() error { return fn(s) })
	}
	return s.Single(ctx, fn)
}

// savepoint rolls back what fn wrote if fn fails, so that an error of one method leaves the
// host's transaction usable. It does not use GORM's savepoints, which are never released and
// which a host can switch off.
func (s *Store) savepoint(ctx context.Context, fn func() error) (err error) {
	lingering, done, err := s.setSavepoint(ctx)
	if err != nil {
		return err
	}
	defer done()
	returned := false // and did not panic
	defer func() {
		end := s.endSavepoint(lingering, returned && err == nil)
		if end != nil && !errors.Is(err, store.ErrRolledBack) { // the savepoint is gone with the transaction
			err = errors.Join(err, end)
		}
	}()
	err = fn()
	returned = true
	return err
}

// setSavepoint sets a savepoint and returns the context to end it under. That context outlives
// ctx: an ended ctx must not leave the savepoint open, nor cancel the statement that sets it,
// which would abort the transaction.
func (s *Store) setSavepoint(ctx context.Context) (context.Context, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	lingering, done := s.Writer.Lingering(ctx)
	if err := s.run(lingering, "SAVEPOINT convostore"); err != nil {
		done()
		return nil, nil, query.Because(ctx, err)
	}
	return lingering, done, nil
}

func (s *Store) endSavepoint(ctx context.Context, keep bool) error {
	if !keep {
		if err := s.run(ctx, "ROLLBACK TO SAVEPOINT convostore"); err != nil {
			return err
		}
	}
	return s.run(ctx, "RELEASE SAVEPOINT convostore")
}

// run runs a statement without arguments.
func (s *Store) run(ctx context.Context, statement string) error {
	_, err := query.New(statement).Exec(query.On(ctx, s.Writer))
	return err
}

// Undone runs fn in a savepoint of the host's transaction and rolls back to it even if fn
// succeeds, so that settings that fn made do not outlive it.
func (s *Store) Undone(ctx context.Context, fn func() error) (err error) {
	lingering, done, err := s.setSavepoint(ctx)
	if err != nil {
		return err
	}
	defer done()
	defer func() { err = errors.Join(err, s.endSavepoint(lingering, false)) }()
	return fn()
}

// NoteWrite notes that a write of a scope is acknowledged. It is called when the write returns,
// also with an error, since after some errors it is unknown whether the write took effect. In
// a transaction of the store it is noted for the time of the commit. The store does not see a
// host's commit, and assumes the latest time that the rules allow for it.
func (s *Store) NoteWrite(ctx context.Context, w replica.Whose) {
	s.tell(w.User)
	switch {
	case s.written == nil:
	case s.txWrites != nil:
		s.txWrites.Add(w, session.Of(ctx))
	case s.InTx:
		s.noteAcknowledged(w, session.Of(ctx), time.Now().Add(s.written.Rules.HostTransaction))
	default:
		s.noteAcknowledged(w, session.Of(ctx), time.Now())
	}
}

func (s *Store) noteAcknowledged(w replica.Whose, of *session.Session, at time.Time) {
	s.written.Note(w, at)
	of.Note(at)
}

// noteCommit notes the writes of a transaction of the store when it has ended. t is nil without
// replicas.
func (s *Store) noteCommit(ctx context.Context, t *replica.TxWrites) {
	if t == nil {
		return
	}
	t.Mu.Lock()
	defer t.Mu.Unlock()
	now := time.Now()
	session.Of(ctx).Note(now)
	for w := range t.Scopes {
		s.written.Note(w, now)
	}
	for of := range t.Sessions {
		of.Note(now)
	}
}

// Retry is Store.Retry for a write of the scope, which it notes.
func (sc Scope) Retry(ctx context.Context, fn func() error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	defer sc.noteWritten(ctx)
	return sc.Store.Retry(ctx, func() error { return sc.watched(fn) })
}

// Guarded is Store.Guarded for a write of the scope, which it notes.
func (sc Scope) Guarded(ctx context.Context, fn func(on *Store) error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Guarded(ctx, fn)
}

// Single is Store.Single for a write of the scope, which it notes.
func (sc Scope) Single(ctx context.Context, fn func(on *Store) error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Single(ctx, fn)
}

// Shared is Store.Shared for writes of the scope, which it notes.
func (sc Scope) Shared(ctx context.Context, fn func(tx *Store) error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Shared(ctx, fn)
}

// Transaction is Store.Transaction for writes of the scope, which it notes.
func (sc Scope) Transaction(ctx context.Context, fn func(tx *Store) error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Transaction(ctx, fn)
}
