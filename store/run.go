package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/rule"
)

// maxTries is how often a transaction runs that meets others: with the waits of pause
// it gives up after about two seconds.
const maxTries = 10

func (s *store) Transaction(ctx context.Context, fn func(tx Store) error) error {
	if fn == nil {
		return errNil("fn")
	}
	return s.transaction(ctx, func(tx *store) error { return fn(tx) })
}

// transaction is Transaction for this package: a new transaction, tried again when the
// database asks for it, or a savepoint in the one that s is in.
func (s *store) transaction(ctx context.Context, fn func(tx *store) error) error {
	if s.inTx {
		return s.savepoint(ctx, func() error { return fn(s) })
	}
	t := s.written.begin()
	defer s.ended(ctx, t)
	return s.retry(ctx, func() error {
		return s.writer.transaction(ctx, func(tx *handle) error {
			in := s.within(tx)
			in.touched = t
			return fn(in)
		})
	})
}

// retry runs fn until it succeeds, fails for good, or was tried often enough.
func (s *store) retry(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if s.inTx || try == maxTries || dialect.KindOf(err) != dialect.Retry {
			return err
		}
		if waitErr := pause(ctx, try); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

// guarded runs a single statement that may fail for a reason that the caller is told,
// such as a duplicate key: in PostgreSQL that would abort a transaction around it.
func (s *store) guarded(ctx context.Context, fn func() error) error {
	if s.inTx {
		return s.savepoint(ctx, fn)
	}
	return s.retry(ctx, fn)
}

// pause waits longer from try to try, and at random, so that those who collided do not
// meet again.
func pause(ctx context.Context, try int) error {
	return sleep(ctx, time.Duration(rand.Int64N(int64(time.Millisecond)<<try)))
}

// sleep waits, or returns the error of ctx as soon as it ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// savepoint undoes what fn wrote if fn fails, so that an error of one method leaves the
// host's transaction usable. GORM's own savepoints are never released and a host can
// switch them off.
func (s *store) savepoint(ctx context.Context, fn func() error) (err error) {
	longer, done, err := s.setSavepoint(ctx)
	if err != nil {
		return err
	}
	defer done()
	returned := false // and did not panic
	defer func() {
		end := s.endSavepoint(longer, returned && err == nil)
		if end != nil && !errors.Is(err, ErrRolledBack) { // which took the savepoint along
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
func (s *store) setSavepoint(ctx context.Context) (context.Context, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	longer, done := s.writer.lingering(ctx)
	if err := s.run(longer, "SAVEPOINT convostore"); err != nil {
		done()
		return nil, nil, because(ctx, err)
	}
	return longer, done, nil
}

func (s *store) endSavepoint(ctx context.Context, keep bool) error {
	if !keep {
		if err := s.run(ctx, "ROLLBACK TO SAVEPOINT convostore"); err != nil {
			return err
		}
	}
	return s.run(ctx, "RELEASE SAVEPOINT convostore")
}

// run runs a statement without arguments.
func (s *store) run(ctx context.Context, statement string) error {
	_, err := newQuery(statement).exec(session(ctx, s.writer))
	return err
}

// query is SQL under construction with its arguments.
type query struct {
	sql  []byte
	args []any
	// text is that of a statement, which nothing is added to.
	text string
}

// statement is SQL that is put together once, for what runs most often.
type statement struct {
	sql []byte
	// text is what the driver takes.
	text string
}

func newStatement(sql string, numbered bool) statement {
	s := statement{sql: []byte(sql), text: sql}
	if numbered {
		s.text = numberMarks(s.sql, strings.Count(sql, "?"))
	}
	return s
}

func (s *statement) with(args []any) *query { return &query{sql: s.sql, args: args, text: s.text} }

func newQuery(sql string, args ...any) *query {
	return (&query{sql: make([]byte, 0, 1024)}).add(sql, args...)
}

// add appends SQL and its arguments, one for each question mark.
func (q *query) add(sql string, args ...any) *query {
	q.sql = append(q.sql, sql...)
	for _, a := range args {
		q.args = append(q.args, plain(a))
	}
	return q
}

// plain makes a text of an id, which every driver takes as it is: pgx tries three ways to
// encode a type of its own that is a driver.Valuer.
func plain(arg any) any {
	if id, ok := arg.(uuid.UUID); ok {
		return id.String()
	}
	return arg
}

// values is rows as the SELECT or the VALUES of a statement. Each begins with the scope's
// user, who is not among its values.
func (sc scope) values(types []string, rows [][]any) (*query, error) {
	unnest := sc.dialect.Unnest(types)
	if unnest == "" {
		return sc.valuesOf(len(types), rows), nil
	}
	arrays, err := arraysOf(len(types), rows)
	if err != nil {
		return nil, err
	}
	return newQuery("SELECT CAST(? AS uuid), v.* FROM "+unnest+" AS v", append([]any{sc.user}, arrays...)...), nil
}

// arraysOf are rows as the arguments of Unnest.
func arraysOf(width int, rows [][]any) ([]any, error) {
	a := dialect.NewArrays(width)
	for _, row := range rows {
		if err := a.Add(row); err != nil {
			return nil, err
		}
	}
	return a.Args(), nil
}

func (sc scope) valuesOf(width int, rows [][]any) *query {
	q := newQuery("VALUES ")
	row := "(?, " + marks(width) + ")"
	for i, args := range rows {
		if i > 0 {
			q.add(", ")
		}
		q.add(row, sc.user)
		q.args = append(q.args, args...)
	}
	return q
}

// anyOf appends the condition that a column is one of values.
func anyOf[T any](q *query, column string, values []T) *query {
	q.add(column + " IN (")
	for i, v := range values {
		if i > 0 {
			q.add(", ")
		}
		q.add("?", v)
	}
	if len(values) == 0 {
		q.add("NULL")
	}
	return q.add(")")
}

// addQuery appends a part with its arguments.
func (q *query) addQuery(o *query) *query {
	q.sql = append(q.sql, o.sql...)
	q.args = append(q.args, o.args...)
	return q
}

// and appends another condition.
func (q *query) and(o *query) *query { return q.add(" AND ").addQuery(o) }

// rows runs a query and calls each for every row. The rows are closed when it returns.
func (q *query) rows(db conn, each func(*sql.Rows) error) error {
	begin, n := time.Now(), int64(0)
	rows, err := db.query(q)
	if err == nil {
		n, err = readRows(rows, each)
	}
	err = stopped(db.ctx, err)
	db.trace(q, begin, n, err)
	return db.judge(err)
}

func readRows(rows *sql.Rows, each func(*sql.Rows) error) (n int64, err error) {
	defer rows.Close()
	for ; rows.Next(); n++ {
		if err := each(rows); err != nil {
			return n, err
		}
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	return n, rows.Close()
}

// row reads the first row into dest and tells whether there was one.
func (q *query) row(db conn, dest ...any) (bool, error) {
	found := false
	err := q.read(db, func() { found = false }, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

// exec runs a statement and returns how many rows it touched.
func (q *query) exec(db conn) (int64, error) {
	begin := time.Now()
	n, err := db.exec(q)
	err = stopped(db.ctx, err)
	db.trace(q, begin, n, err)
	return n, db.judge(err)
}

// collect reads every row with its reader.
func collect[T any](db conn, q *query, dest func(*T) []any) ([]*T, error) {
	var items []*T
	err := q.read(db, func() { items = []*T{} }, func(rows *sql.Rows) error {
		item := new(T)
		items = append(items, item)
		return rows.Scan(dest(item)...)
	})
	return items, err
}

// one reads a single row, or returns ErrNotFound. Two rows of one id or key are two
// users', which only a scope of all users sees.
func one[T any](db conn, q *query, dest func(*T) []any) (item *T, err error) {
	err = anew(db, func(db conn) error {
		items, err := collect(db, q, dest)
		if err == nil {
			item, err = sole(items)
		}
		return err
	})
	return item, err
}

func sole[T any](items []T) (item T, err error) {
	switch len(items) {
	case 0:
		return item, ErrNotFound
	case 1:
		return items[0], nil
	}
	return item, errManyOwners
}

// fail gives an error of the database the name of what was done, and the errors of this
// package as they are.
func fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	var (
		invalid    *InvalidError
		transition *TransitionError
		seq        *SeqConflictError
		batch      *BatchError
		embed      *EmbedError
	)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrNotEmbedded), errors.Is(err, ErrSchema), errors.Is(err, ErrUnsupported),
		errors.As(err, &invalid), errors.As(err, &transition), errors.As(err, &seq), errors.As(err, &batch), errors.As(err, &embed):
		return err
	case errors.Is(err, ErrConflict):
		return err
	case dialect.KindOf(err) == dialect.ForeignKey:
		return fmt.Errorf("%w (%w)", rule.Invalid("user_id or lead_id", "names no row of the host's table"), err)
	}
	return fmt.Errorf("convostore: %s: %w", doing, err)
}
