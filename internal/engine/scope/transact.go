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

// MaxTries is how often a transaction runs that meets others: with the waits of pause
// it gives up after about two seconds.
const MaxTries = 10

// Transaction is Transaction for this package: a new transaction, tried again when the
// database asks for it, or a savepoint in the one that s is in.
func (s *Store) Transaction(ctx context.Context, fn func(tx *Store) error) error {
	if s.InTx {
		return s.savepoint(ctx, func() error { return fn(s) })
	}
	t := s.written.Begin()
	defer s.noteCommit(ctx, t)
	return s.Retry(ctx, func() error {
		return s.Writer.Transaction(ctx, func(tx *query.Handle) error {
			in := s.withHandle(tx)
			in.txWrites = t
			return fn(in)
		})
	})
}

// Retry runs fn until it succeeds, fails for good, or was tried often enough.
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

// Guarded runs a single statement that may fail for a reason that the caller is told,
// such as a duplicate key: in PostgreSQL that would abort a transaction around it.
func (s *Store) Guarded(ctx context.Context, fn func() error) error {
	if s.InTx {
		return s.savepoint(ctx, fn)
	}
	return s.Retry(ctx, fn)
}

// savepoint undoes what fn wrote if fn fails, so that an error of one method leaves the
// host's transaction usable. GORM's own savepoints are never released and a host can
// switch them off.
func (s *Store) savepoint(ctx context.Context, fn func() error) (err error) {
	longer, done, err := s.setSavepoint(ctx)
	if err != nil {
		return err
	}
	defer done()
	returned := false // and did not panic
	defer func() {
		end := s.endSavepoint(longer, returned && err == nil)
		if end != nil && !errors.Is(err, store.ErrRolledBack) { // which took the savepoint along
			err = errors.Join(err, end)
		}
	}()
	err = fn()
	returned = true
	return err
}

// setSavepoint returns the context that a savepoint is ended with: one of the caller's that
// has ended must not leave it, nor stop the statement that sets it, which would abort the
// transaction.
func (s *Store) setSavepoint(ctx context.Context) (context.Context, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	longer, done := s.Writer.Lingering(ctx)
	if err := s.run(longer, "SAVEPOINT convostore"); err != nil {
		done()
		return nil, nil, query.Because(ctx, err)
	}
	return longer, done, nil
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

// Undone takes back in the host's transaction whatever fn did.
func (s *Store) Undone(ctx context.Context, fn func() error) (err error) {
	longer, done, err := s.setSavepoint(ctx)
	if err != nil {
		return err
	}
	defer done()
	defer func() { err = errors.Join(err, s.endSavepoint(longer, false)) }()
	return fn()
}

// NoteWrite notes, when a write returns, that it is acknowledged: also one that failed, since
// of some it is not known whether they did. Inside a transaction it is noted for its end.
// The end of a host's transaction is not seen: its writes count as acknowledged for as
// long as the rules say that it may take.
func (s *Store) NoteWrite(ctx context.Context, w replica.Whose) {
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

// noteCommit notes the writes of a transaction of the store's own.
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

// Retry is that of the store, for writes of the scope.
func (sc Scope) Retry(ctx context.Context, fn func() error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Retry(ctx, fn)
}

// Guarded is that of the store, for writes of the scope.
func (sc Scope) Guarded(ctx context.Context, fn func() error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Guarded(ctx, fn)
}

// Transaction is that of the store, for writes of the scope.
func (sc Scope) Transaction(ctx context.Context, fn func(tx *Store) error) error {
	defer sc.NoteWrite(ctx, sc.Whose())
	return sc.Store.Transaction(ctx, fn)
}
