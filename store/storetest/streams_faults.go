package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// streamFaults has every statement of a stream fail once, the first, the second and so on: before
// the database got it, and after it was carried out, when nobody but the database knows. What is
// tried again then leaves each text there once.
func streamFaults(t *testing.T, w *world) {
	for _, after := range []bool{false, true} {
		for name, end := range map[string]func(store.MessageStream) error{
			"finish":    func(s store.MessageStream) error { return s.Finish(t.Context(), store.Usage{Model: "m"}) },
			"interrupt": func(s store.MessageStream) error { return s.Interrupt(t.Context()) },
		} {
			c := w.thread(t, 1)
			for n := 1; ; n++ {
				f := &failing{after: after}
				st, err := convostore.New(t.Context(), f.wrap(w.st.DB(t.Context())), convostore.WithClock(w.clock.Now))
				require.NoError(t, err)
				must[*conversation.Conversation](t)(st.ForUser(w.user).Conversations().Get(t.Context(), c.ID)) // the schema has been checked
				f.arm(n)
				what := fmt.Sprintf("%s, statement %d, after %v", name, n, after)
				w.streamThrough(t, st.ForUser(w.user), c, end, what)
				if !f.done() {
					require.Greater(t, n, 6, what)
					break
				}
			}
		}
	}
}

// streamThrough streams a message, and tries what fails again.
func (w *world) streamThrough(t *testing.T, mine store.Scope, c *conversation.Conversation, end func(store.MessageStream) error, what string) {
	t.Helper()
	ctx, m := t.Context(), reply()
	s, err := mine.Messages().Stream(ctx, c.ID, m, store.StreamOptions{})
	if err != nil {
		require.ErrorIs(t, err, errInjected, what)
		s, err = mine.Messages().Stream(ctx, c.ID, m, store.StreamOptions{})
		if errors.Is(err, store.ErrConflict) {
			lost(t, err, store.StreamExists)
			s, err = mine.Messages().ResumeStream(ctx, m.ID, store.StreamOptions{})
		}
		require.NoError(t, err, what)
	}
	again := func(step func() error) {
		t.Helper()
		if err := step(); err != nil {
			require.ErrorIs(t, err, errInjected, what)
			require.True(t, strings.HasPrefix(s.Text(), w.message(t, s.ID()).Content), what)
			require.NoError(t, step(), what)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := s.Write(ctx, text); err != nil { // the text is taken all the same
			require.ErrorIs(t, err, errInjected, what)
		}
	}
	for i := range 3 {
		write(fmt.Sprint("é", i))
		if i == 1 {
			require.NoError(t, s.SetToolCalls(ctx, message.JSON(`[1]`)))
		}
		again(func() error { return s.Flush(ctx) })
		require.Equal(t, s.Text(), w.message(t, s.ID()).Content, what)
	}
	w.tick()
	again(func() error { return s.Beat(ctx) })
	w.tick()
	write(".") // which flushes
	again(func() error { return end(s) })
	m = w.message(t, s.ID())
	require.Equal(t, "é0é1é2.", m.Content, what)
	require.True(t, m.State.Ended(), what)
	sameJSON(t, `[1]`, m.ToolCalls)
	CheckConversation(t, w.mine, c.ID)
}

var errInjected = errors.New("the connection is gone, says the test")

// failing fails one of the statements that go through it.
type failing struct {
	mu    sync.Mutex
	left  int
	after bool
}

// arm has the n-th statement from now on fail, or none if n is 0.
func (f *failing) arm(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = n
}

// done tells whether the statement has failed.
func (f *failing) done() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left <= 0
}

// now tells whether this statement is to fail.
func (f *failing) now() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left--
	return f.left == 0
}

func (f *failing) wrap(db *gorm.DB) *gorm.DB {
	db = db.Session(&gorm.Session{NewDB: true, Context: db.Statement.Context})
	pool := &failingPool{recordedPool{ConnPool: db.Statement.ConnPool, to: &Recorder{}}, f}
	db.ConnPool, db.Statement.ConnPool = pool, pool
	return db
}

type failingPool struct {
	recordedPool
	f *failing
}

// try runs a statement, unless it is to fail before.
func (p *failingPool) try(run func() error) error {
	fails := p.f.now()
	if fails && !p.f.after {
		return errInjected
	}
	if err := run(); err != nil || !fails {
		return err
	}
	return errInjected
}

func (p *failingPool) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	err = p.try(func() (err error) { res, err = p.ConnPool.ExecContext(ctx, query, args...); return err })
	return res, err
}

func (p *failingPool) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = p.try(func() (err error) {
		rows, err = p.ConnPool.QueryContext(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // below, or by the caller
		return err
	})
	if err == nil || rows == nil {
		return rows, err
	}
	for rows.Next() { // a statement is carried out as its rows are read
		continue
	}
	return nil, errors.Join(err, rows.Err(), rows.Close())
}

func (p *failingPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (tx gorm.ConnPool, err error) {
	err = p.try(func() (err error) { tx, err = p.recordedPool.BeginTx(ctx, opts); return err })
	switch begun, ok := tx.(*recordedTx); {
	case err == nil:
		return &failingTx{failingPool{begun.recordedPool, p.f}}, nil
	case ok:
		return nil, errors.Join(err, begun.Rollback())
	}
	return nil, err
}

type failingTx struct{ failingPool }

// Commit implements gorm.TxCommitter.
func (t *failingTx) Commit() error {
	err := t.try(t.ConnPool.(gorm.TxCommitter).Commit)
	if errors.Is(err, errInjected) && !t.f.after {
		return errors.Join(err, t.Rollback())
	}
	return err
}

// Rollback implements gorm.TxCommitter.
func (t *failingTx) Rollback() error { return t.ConnPool.(gorm.TxCommitter).Rollback() }
