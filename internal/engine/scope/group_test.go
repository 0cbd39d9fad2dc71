package scope_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// shared is a store on a file with a table of numbers, and what its writes return.
type shared struct {
	*scope.Store
	path string
	runs [100]atomic.Int64
	errs [100]chan error
}

func newShared(t *testing.T) *shared {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	st, err := sqlite.Open(t.Context(), path, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	db := st.DB(context.Background())
	for _, q := range []string{
		"CREATE TABLE numbers (n integer PRIMARY KEY)",
		"CREATE TABLE parents (n integer PRIMARY KEY REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)",
		"CREATE TRIGGER unwanted BEFORE INSERT ON numbers WHEN NEW.n >= 1000 BEGIN SELECT RAISE(ROLLBACK, 'unwanted'); END",
	} {
		require.NoError(t, db.Exec(q).Error)
	}
	c, err := config.New()
	require.NoError(t, err)
	d, err := dialect.Of(db)
	require.NoError(t, err)
	s, err := scope.NewStore(c, d, db, db)
	require.NoError(t, err)
	return &shared{Store: s, path: path}
}

// insert is a write of one number, after which do is called.
func (s *shared) insert(ctx context.Context, n int, do func() error) func(*scope.Store) error {
	return func(on *scope.Store) error {
		s.runs[n].Add(1)
		_, err := query.New("INSERT INTO numbers VALUES (?)", n).Exec(query.On(ctx, on.Writer))
		if err == nil && do != nil {
			err = do()
		}
		return err
	}
}

// start runs a write of its own goroutine. Its result is in errs.
func (s *shared) start(ctx context.Context, n int, fn func(*scope.Store) error) {
	s.errs[n] = make(chan error, 1)
	go func() {
		err := errPanicked
		defer func() {
			_ = recover()
			s.errs[n] <- err
		}()
		err = s.Shared(ctx, fn)
	}()
}

var (
	errPanicked = errors.New("did not return")
	errOwn      = errors.New("own")
)

// lead starts a write that leads until it is released.
func (s *shared) lead(ctx context.Context, n int, do func() error) (release func()) {
	begun, held := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	s.start(ctx, n, s.insert(ctx, n, func() error {
		if once.CompareAndSwap(false, true) {
			close(begun)
			<-held
		}
		if do != nil {
			return do()
		}
		return nil
	}))
	<-begun
	return func() { close(held) }
}

// queue starts a write and waits until it waits.
func (s *shared) queue(ctx context.Context, n int, fn func(*scope.Store) error) {
	before := s.Waiting()
	s.start(ctx, n, fn)
	for s.Waiting() == before {
		runtime.Gosched()
	}
}

// stored is how many of the numbers are in the file.
func (s *shared) stored(t *testing.T) (all []int) {
	t.Helper()
	rows, err := query.All(query.On(t.Context(), s.Reader), query.New("SELECT n FROM numbers ORDER BY n"), func(n *int) []any { return []any{n} })
	require.NoError(t, err)
	return query.Values(rows)
}

// commits counts the transactions in the write-ahead log.
func commits(t *testing.T, path string) (n int) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	const header, frameHeader = 32, 24
	size := frameHeader + int(binary.BigEndian.Uint32(log[8:]))
	for at := header; at+size <= len(log); at += size {
		if bytes.Equal(log[at+8:at+16], log[16:24]) && binary.BigEndian.Uint32(log[at+4:]) != 0 {
			n++
		}
	}
	return n
}

func numbers(n int, without ...int) (all []int) {
next:
	for i := range n {
		for _, w := range without {
			if i == w {
				continue next
			}
		}
		all = append(all, i)
	}
	return all
}

func TestWritesShareACommit(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	before := commits(t, s.path)
	release := s.lead(t.Context(), 0, nil)
	for n := 1; n < 64; n++ {
		s.queue(t.Context(), n, s.insert(t.Context(), n, nil))
	}
	require.Equal(t, before, commits(t, s.path), "nobody is told of anything yet")
	release()
	for n := range 64 {
		require.NoError(t, <-s.errs[n])
		require.EqualValues(t, 1, s.runs[n].Load())
	}
	require.Equal(t, numbers(64), s.stored(t))
	require.Equal(t, before+1, commits(t, s.path))
}

func TestErrorsStayWithTheirWrite(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	release := s.lead(t.Context(), 0, nil)
	for n := 1; n < 30; n++ {
		s.queue(t.Context(), n, s.insert(t.Context(), n, func() error {
			if n%3 == 0 {
				return errOwn
			}
			return nil
		}))
	}
	release()
	var failed []int
	for n := range 30 {
		if n%3 == 0 && n > 0 {
			failed = append(failed, n)
			require.ErrorIs(t, <-s.errs[n], errOwn)
		} else {
			require.NoError(t, <-s.errs[n])
		}
	}
	require.Equal(t, numbers(30, failed...), s.stored(t))
}

// The leader's own failure rolls the transaction back before others join it.
func TestTheFirstFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return errOwn }, "panic": func() error { panic("own") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShared(t)
			release := s.lead(t.Context(), 0, fail)
			for n := 1; n < 4; n++ {
				s.queue(t.Context(), n, s.insert(t.Context(), n, nil))
			}
			release()
			require.Error(t, <-s.errs[0])
			for n := 1; n < 4; n++ {
				require.NoError(t, <-s.errs[n])
			}
			require.Equal(t, numbers(4, 0), s.stored(t))
		})
	}
}

// What takes the transaction along hits the one whose fault it is; the others run again.
func TestOneBreaksTheTransaction(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*scope.Store) error{
		"panic":  func(*scope.Store) error { panic("own") },
		"goexit": func(*scope.Store) error { runtime.Goexit(); return nil },
		"rolled back": func(on *scope.Store) error {
			_, err := query.New("INSERT INTO numbers VALUES (?)", 1000).Exec(query.On(context.Background(), on.Writer))
			return err
		},
		"rolled back, swallowed": func(on *scope.Store) error {
			_, _ = query.New("INSERT INTO numbers VALUES (?)", 1000).Exec(query.On(context.Background(), on.Writer))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShared(t)
			release := s.lead(t.Context(), 0, nil)
			for n := 1; n < 9; n++ {
				fn := s.insert(t.Context(), n, nil)
				if n == 4 {
					fn = fail
				}
				s.queue(t.Context(), n, fn)
			}
			release()
			for n := range 9 {
				err := <-s.errs[n]
				switch {
				case n != 4:
					require.NoError(t, err, n)
				case name == "panic" || name == "goexit":
					require.ErrorIs(t, err, errPanicked)
				default:
					require.ErrorIs(t, err, store.ErrRolledBack)
				}
			}
			require.Equal(t, numbers(9, 4), s.stored(t))
			require.EqualValues(t, 2, s.runs[0].Load(), "it ran in the transaction that was lost")
			require.EqualValues(t, 1, s.runs[8].Load(), "it came later")
		})
	}
}

func TestContextsOfFollowers(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	release := s.lead(t.Context(), 0, nil)
	waits, stop := context.WithCancel(t.Context())
	s.queue(waits, 1, s.insert(waits, 1, nil))
	runs, end := context.WithCancel(t.Context())
	s.queue(runs, 2, s.insert(runs, 2, func() error {
		end()
		return nil
	}))
	s.queue(t.Context(), 3, s.insert(t.Context(), 3, nil))
	stop()
	require.ErrorIs(t, <-s.errs[1], context.Canceled, "it need not wait for the leader")
	release()
	require.ErrorIs(t, <-s.errs[2], context.Canceled)
	require.NoError(t, <-s.errs[0])
	require.NoError(t, <-s.errs[3])
	require.Zero(t, s.runs[1].Load())
	require.Equal(t, []int{0, 3}, s.stored(t))
}

// A leader whose context ends while others run in its transaction is told that it is stored.
func TestContextOfTheLeader(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	ctx, cancel := context.WithCancel(t.Context())
	release := s.lead(ctx, 0, nil)
	s.queue(t.Context(), 1, s.insert(t.Context(), 1, func() error {
		cancel()
		return nil
	}))
	s.queue(t.Context(), 2, s.insert(t.Context(), 2, nil))
	release()
	for n := range 3 {
		require.NoError(t, <-s.errs[n])
		require.EqualValues(t, 1, s.runs[n].Load())
	}
	require.Equal(t, numbers(3), s.stored(t))
}

// A leader that still waits for the connection passes the lead on when its context ends.
func TestContextOfTheLeaderBeforeItBegins(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, s.Transaction(t.Context(), func(*scope.Store) error {
		s.start(ctx, 0, s.insert(ctx, 0, nil))
		for s.Waiting() == 0 { // until 0 leads and 1 waits for it
			if s.errs[1] == nil {
				s.start(t.Context(), 1, s.insert(t.Context(), 1, nil))
			}
			runtime.Gosched()
		}
		cancel()
		require.ErrorIs(t, <-s.errs[0], context.Canceled)
		return nil
	}))
	require.NoError(t, <-s.errs[1])
	require.Equal(t, []int{1}, s.stored(t))
}

// A commit that fails is everybody's error, also of those who had another one.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	release := s.lead(t.Context(), 0, nil)
	s.queue(t.Context(), 1, func(on *scope.Store) error {
		_, err := query.New("INSERT INTO parents VALUES (?)", 77).Exec(query.On(t.Context(), on.Writer))
		return err
	})
	s.queue(t.Context(), 2, s.insert(t.Context(), 2, func() error { return errOwn }))
	release()
	for n := range 3 {
		err := <-s.errs[n]
		require.Equal(t, dialect.ForeignKey, dialect.KindOf(err), "%v", err)
		require.NotErrorIs(t, err, errOwn)
	}
	require.Empty(t, s.stored(t))
	require.NoError(t, s.Shared(t.Context(), s.insert(t.Context(), 5, nil)), "the store goes on")
}

// A single statement runs without a transaction, or joins that of others.
func TestSingle(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	require.NoError(t, s.Single(t.Context(), func(on *scope.Store) error {
		require.False(t, on.InTx)
		return s.insert(t.Context(), 0, nil)(on)
	}))
	release := s.lead(t.Context(), 1, nil)
	joined := make(chan error, 1)
	go func() {
		joined <- s.Single(t.Context(), func(on *scope.Store) error {
			if !on.InTx {
				return fmt.Errorf("alone")
			}
			return s.insert(t.Context(), 2, nil)(on)
		})
	}()
	for s.Waiting() == 0 {
		runtime.Gosched()
	}
	release()
	require.NoError(t, <-joined)
	require.NoError(t, <-s.errs[1])
	require.Equal(t, numbers(3), s.stored(t))
}
