package engine_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// fault is how a statement fails.
type fault struct {
	name string
	// after says that the database has done the statement and the answer is lost.
	after bool
	// fail returns the error.
	fail func() error
}

var errFault = errors.New("the statement failed")

// faultPool fails the statement that left counts down to, once. BEGIN does not count.
type faultPool struct {
	gorm.ConnPool
	*faultPlan
}

type faultPlan struct {
	fault fault
	left  int
	fired bool
}

// wrap returns a session of db whose statements may fail.
func (p *faultPlan) wrap(db *gorm.DB) *gorm.DB {
	db = db.Session(&gorm.Session{NewDB: true, Context: db.Statement.Context})
	pool := &faultPool{db.Statement.ConnPool, p}
	db.ConnPool, db.Statement.ConnPool = pool, pool
	return db
}

func (p *faultPlan) at(n int, f fault) { p.fault, p.left, p.fired = f, n, false }

// due tells whether a statement fails, before or after the database gets it.
func (p *faultPlan) due() bool {
	p.left--
	p.fired = p.fired || p.left == 0
	return p.left == 0
}

func (p *faultPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	due := p.due()
	if due && !p.fault.after {
		return nil, p.fault.fail()
	}
	result, err := p.ConnPool.ExecContext(ctx, query, args...)
	if due {
		return nil, p.fault.fail()
	}
	return result, err
}

func (p *faultPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	due := p.due()
	if due && !p.fault.after {
		return nil, p.fault.fail()
	}
	rows, err := p.ConnPool.QueryContext(ctx, query, args...)
	if due && err == nil {
		defer rows.Close()
		return nil, p.fault.fail()
	}
	return rows, err
}

// GetDBConn implements gorm.GetDBConnector.
func (p *faultPool) GetDBConn() (*sql.DB, error) {
	if pool, ok := p.ConnPool.(gorm.GetDBConnector); ok {
		return pool.GetDBConn()
	}
	db, _ := p.ConnPool.(*sql.DB)
	return db, nil
}

// BeginTx implements gorm.ConnPoolBeginner.
func (p *faultPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	var tx gorm.ConnPool
	var err error
	switch pool := p.ConnPool.(type) {
	case gorm.TxBeginner:
		tx, err = pool.BeginTx(ctx, opts)
	case gorm.ConnPoolBeginner:
		tx, err = pool.BeginTx(ctx, opts)
	}
	if err != nil {
		return nil, err
	}
	return &faultTx{faultPool{tx, p.faultPlan}}, nil
}

type faultTx struct{ faultPool }

func (t *faultTx) committer() gorm.TxCommitter {
	return t.ConnPool.(gorm.TxCommitter) // BeginTx of any pool returns one
}

// Commit implements gorm.TxCommitter.
func (t *faultTx) Commit() error {
	due := t.due()
	if due && !t.fault.after {
		return errors.Join(t.committer().Rollback(), t.fault.fail())
	}
	err := t.committer().Commit()
	if due && err == nil {
		return t.fault.fail()
	}
	return err
}

// Rollback implements gorm.TxCommitter.
func (t *faultTx) Rollback() error { return t.committer().Rollback() }

// TestFaultsOfTheIndex has each statement of a packing, of a rebuild, of an erasure and of an append
// that packs fail once, in all ways: whatever the call returns, each text is in the index once, and
// the same call without a fault does the work.
func TestFaultsOfTheIndex(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		plan := &faultPlan{}
		healthy := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		st, err := convostore.New(t.Context(), plan.wrap(healthy.DB(t.Context())))
		require.NoError(t, err)
		w := &faultWorld{t: t, d: d, plan: plan, healthy: healthy, st: st}
		for _, name := range []string{"pack", "reindex", "start over", "erase", "append"} {
			w.each(name)
		}
		t.Log(w.faults, "faults")
	})
}

type faultWorld struct {
	t           *testing.T
	d           bothtest.Database
	plan        *faultPlan
	healthy, st store.Store
	user        uuid.UUID
	c           *conversation.Conversation
	faults      int
}

// each runs a call with each fault at each of its statements.
func (w *faultWorld) each(name string) {
	ctx, stop := context.WithCancel(w.t.Context())
	defer func() { stop() }()
	serialization := errFault
	if !w.d.SQLite {
		serialization = &pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "could not serialize"}
	}
	for _, f := range []fault{
		{name: "before", fail: func() error { return errFault }},
		{name: "after", after: true, fail: func() error { return errFault }},
		{name: "serialization", fail: func() error { return serialization }},
		{name: "canceled", fail: func() error { stop(); return ctx.Err() }},
	} {
		for n, fired := 1, true; fired; n++ {
			w.fill(name)
			ctx, stop = context.WithCancel(w.t.Context())
			w.plan.at(n, f)
			err := w.call(ctx, w.st, name)
			fired = w.plan.fired
			w.plan.at(0, f)
			stop()
			what := fmt.Sprintf("%s, statement %d fails %s, error %v", name, n, f.name, err)
			if !fired {
				require.NoError(w.t, err, what)
			} else {
				w.faults++
			}
			w.check(what)
			require.NoError(w.t, w.call(w.t.Context(), w.healthy, name), what)
			w.check(what + ", and again")
			if !testrun.Full() {
				n += 8 + rand.IntN(16)
			}
		}
	}
	require.NoError(w.t, w.healthy.AllUsers().Maintenance().ReindexSearch(w.t.Context(), nil))
	checkIndex(w.t, w.healthy)
}

// fill gives a new user texts that are packed, noted, void and deleted past the store.
func (w *faultWorld) fill(name string) {
	t := w.t
	w.user = uuid.New()
	mine := w.healthy.ForUser(w.user)
	w.c = &conversation.Conversation{Title: "faults"}
	for i := range 20 {
		w.c.Messages = append(w.c.Messages, &message.Message{Role: message.RoleUser, Content: fmt.Sprintf("alpha n%d", i)})
	}
	require.NoError(t, mine.Conversations().Create(t.Context(), w.c))
	require.NoError(t, w.healthy.AllUsers().Maintenance().PackSearch(t.Context()))
	for i, m := range w.c.Messages[:6] {
		switch i % 3 {
		case 0:
			_, err := mine.Messages().Update(t.Context(), m.ID, store.MessageUpdate{Content: new("alpha edited")})
			require.NoError(t, err)
		case 1:
			_, err := mine.Messages().Delete(t.Context(), m.ID)
			require.NoError(t, err)
		case 2:
			require.NoError(t, w.healthy.DB(t.Context()).Exec("DELETE FROM messages WHERE id = ?", m.ID.String()).Error)
		}
	}
	if name == "start over" {
		require.NoError(t, w.healthy.DB(t.Context()).Exec("UPDATE search_segments SET documents = documents + 1 WHERE id = (SELECT max(id) FROM search_segments)").Error)
	}
}

func (w *faultWorld) call(ctx context.Context, st store.Store, name string) error {
	care := st.AllUsers().Maintenance()
	switch name {
	case "pack":
		return care.PackSearch(ctx)
	case "erase":
		_, err := st.ForUser(w.user).Maintenance().EraseUser(ctx)
		return err
	case "append":
		beta := make([]*message.Message, 260)
		for i := range beta {
			beta[i] = &message.Message{Role: message.RoleUser, Content: "beta"}
		}
		_, err := st.ForUser(w.user).Messages().AppendMany(ctx, w.c.ID, beta, store.AppendOptions{})
		return err
	}
	return care.ReindexSearch(ctx, nil)
}

// check counts what the user's texts say, and looks at the whole index if it is not damaged.
func (w *faultWorld) check(what string) {
	var live int64
	require.NoError(w.t, w.healthy.DB(w.t.Context()).Raw("SELECT count(*) FROM messages WHERE user_id = ? AND deleted_at IS NULL AND content LIKE 'alpha%'", w.user.String()).Scan(&live).Error)
	page, err := w.healthy.ForUser(w.user).Search().Messages(w.t.Context(), "alpha", store.TextOptions{}, store.PageRequest{Limit: 100})
	if errors.Is(err, store.ErrSearchIndex) {
		return
	}
	require.NoError(w.t, err, what)
	require.Len(w.t, page.Items, int(live), what)
}
