package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
)

// handle is what the store makes of a *gorm.DB: where its statements go, and who is told.
//
// Statements go to GORM's connection pool as they are. GORM's own Raw copies a session,
// puts the text together once more and looks at each argument by reflection, which took
// as long as the driver for a statement of two dozen arguments. It is used where the host
// has plugins, which see a statement only there, or a timeout, which is set there.
type handle struct {
	// gorm is the host's or the backend's, of the pool that a transaction began in.
	gorm *gorm.DB
	pool gorm.ConnPool
	// numbered says that placeholders are $1, $2 and not question marks.
	numbered bool
	log      *statementLog
	// losable is set in a transaction that the engine may roll back by itself.
	losable gorm.ConnPool
	// done lets go of the context of a transaction that this handle began.
	done func()
}

func newHandle(db *gorm.DB, log *statementLog) *handle {
	h := &handle{gorm: db, pool: db.Statement.ConnPool, numbered: db.Name() == dialect.Postgres, log: log}
	h.losable = losable(h.pool, h.numbered)
	return h
}

// begin begins a transaction, as GORM does.
func (h *handle) begin(ctx context.Context) (*handle, error) {
	tx, done, err := h.beginLingering(ctx)
	if err != nil {
		return nil, err
	}
	within := *h
	within.pool, within.done = tx, done
	within.losable = losable(tx, h.numbered)
	return &within, nil
}

func (h *handle) beginTx(ctx context.Context) (gorm.ConnPool, error) {
	switch pool := h.pool.(type) {
	case gorm.TxBeginner:
		return pool.BeginTx(ctx, nil)
	case gorm.ConnPoolBeginner:
		return pool.BeginTx(ctx, nil)
	}
	return nil, gorm.ErrInvalidTransaction
}

// end commits, or undoes what was done since begin.
func (h *handle) end(keep bool) error {
	defer h.done()
	tx, ok := h.pool.(gorm.TxCommitter)
	switch {
	case !ok:
		return gorm.ErrInvalidTransaction
	case keep:
		return tx.Commit()
	}
	return tx.Rollback()
}

// transaction commits what fn did, or undoes it if fn fails or panics, or if the engine
// has undone it already, whatever fn made of that.
func (h *handle) transaction(ctx context.Context, fn func(tx *handle) error) error {
	tx, err := h.begin(ctx)
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			_ = tx.end(false) // the error that is returned says what was wrong
		}
		if tx.losable != nil {
			lost.forget(tx.losable)
		}
	}()
	err = fn(tx)
	if refusal := tx.refusal(); refusal != nil && !errors.Is(err, ErrRolledBack) {
		return errors.Join(refusal, err)
	}
	if err != nil {
		return stopped(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = tx.end(true)
	kept = err == nil
	return stopped(ctx, err)
}

func (h *handle) inTx() bool {
	_, ok := h.pool.(gorm.TxCommitter)
	return ok
}

// session returns the handle for one call.
func session(ctx context.Context, h *handle) conn { return conn{ctx: ctx, handle: h} }

// conn runs statements for one call, under its context.
type conn struct {
	ctx context.Context //nolint:containedctx // as in GORM's session: it lives for one call
	*handle
	// lease is set for a read that may be on a replica.
	lease *lease
}

// host returns the session as hosts know it. It drops whatever conditions their handle
// carries: they are not meant for these tables.
func (c conn) host() *gorm.DB {
	s := &gorm.Session{NewDB: true, SkipDefaultTransaction: true, Context: c.ctx}
	if c.log != nil {
		s.Logger = c.log
	}
	db := c.gorm.Session(s)
	db.Statement.ConnPool = c.pool
	return db
}

// silent is host for a statement that trace tells of.
func (c conn) silent() *gorm.DB {
	return c.host().Session(&gorm.Session{Logger: logger.Discard})
}

func (c conn) throughGORM() bool { return len(c.gorm.Plugins) > 0 || c.gorm.DefaultContextTimeout > 0 }

func (c conn) query(q *query) (*sql.Rows, error) {
	if err := c.refusal(); err != nil {
		return nil, err
	}
	if c.throughGORM() {
		return c.silent().Raw(string(q.sql), q.args...).Rows()
	}
	return c.pool.QueryContext(c.ctx, c.text(q), q.args...)
}

func (c conn) exec(q *query) (int64, error) {
	if err := c.refusal(); err != nil {
		return 0, err
	}
	if c.throughGORM() {
		res := c.silent().Exec(string(q.sql), q.args...)
		return res.RowsAffected, res.Error
	}
	res, err := c.pool.ExecContext(c.ctx, c.text(q), q.args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// stored is a vector as the database keeps it.
func (c conn) stored(v message.Vector) any { return v.GormValue(c.ctx, c.gorm).Vars[0] }

// text is the statement in the words of the driver.
func (c conn) text(q *query) string {
	switch {
	case q.text != "":
		return q.text
	case c.numbered:
		return numberMarks(q.sql, len(q.args))
	}
	return string(q.sql)
}

// numberMarks puts $1, $2 in the place of n question marks.
func numberMarks(sql []byte, n int) string {
	text := make([]byte, 0, len(sql)+2*n)
	n = 0
	for _, b := range sql {
		if b != '?' {
			text = append(text, b)
			continue
		}
		n++
		text = strconv.AppendInt(append(text, '$'), int64(n), 10)
	}
	return string(text)
}

// trace tells the store's log or the host's logger how a statement went.
func (c conn) trace(q *query, begin time.Time, n int64, err error) {
	switch {
	case c.log != nil:
		c.log.trace(c.ctx, time.Since(begin), func() (string, int64) { return c.text(q), n }, err)
	case c.gorm.Logger != logger.Discard:
		c.gorm.Logger.Trace(c.ctx, begin, func() (string, int64) { return c.explain(q), n }, err)
	}
}

// explain is the statement as the host's logger wants it.
func (c conn) explain(q *query) string {
	text, args := c.text(q), q.args
	if filter, ok := c.gorm.Logger.(gorm.ParamsFilter); ok {
		text, args = filter.ParamsFilter(c.ctx, text, args...)
	}
	return c.gorm.Explain(text, args...)
}
