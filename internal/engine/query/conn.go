package query

import (
	"bytes"
	"context"
	"database/sql"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
)

// On returns a connection for one call on a handle.
func On(ctx context.Context, h *Handle) Conn { return Conn{Ctx: ctx, Handle: h} }

// Conn runs the statements of one call under its context.
type Conn struct {
	Ctx context.Context //nolint:containedctx // like GORM's session, it lives for one call
	*Handle
	// Lease is set if the call reads from a replica.
	Lease *Lease
}

// Host returns a GORM session on the same pool or transaction. It has none of the conditions
// that the host's handle may carry: they are not meant for the library's tables.
func (c Conn) Host() *gorm.DB {
	s := &gorm.Session{NewDB: true, SkipDefaultTransaction: true, Context: c.Ctx}
	if c.log != nil {
		s.Logger = c.log
	}
	db := c.gorm.Session(s)
	db.Statement.ConnPool = c.pool
	return db
}

// unlogged is Host without GORM's logging, for a statement that trace logs.
func (c Conn) unlogged() *gorm.DB {
	return c.Host().Session(&gorm.Session{Logger: logger.Discard})
}

// throughGORM tells whether the host has plugins or a timeout, which only take effect on
// statements that go through GORM.
func (h *Handle) throughGORM() bool {
	return len(h.gorm.Plugins) > 0 || h.gorm.DefaultContextTimeout > 0
}

func (c Conn) query(q *Query) (*sql.Rows, error) {
	if err := c.refused(); err != nil {
		return nil, err
	}
	c.bind(q)
	if c.throughGORM() {
		return c.unlogged().Raw(string(q.sql), q.Args...).Rows()
	}
	return c.pool.QueryContext(c.Ctx, c.text(q), q.Args...)
}

func (c Conn) exec(q *Query) (int64, error) {
	if err := c.refused(); err != nil {
		return 0, err
	}
	c.bind(q)
	if c.throughGORM() {
		res := c.unlogged().Exec(string(q.sql), q.Args...)
		return res.RowsAffected, res.Error
	}
	res, err := c.pool.ExecContext(c.Ctx, c.text(q), q.Args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// bind makes the arguments of a statement those that the driver gets. Every statement of the
// store goes through it.
func (c Conn) bind(q *Query) {
	if !c.driver.BindsTime() {
		dialect.BindTimes(q.Args)
	}
}

// Stored returns a vector in the form in which the database keeps it.
func (c Conn) Stored(v message.Vector) any { return v.GormValue(c.Ctx, c.gorm).Vars[0] }

// text is the statement with the driver's placeholders.
func (c Conn) text(q *Query) string {
	if q.text != "" {
		return q.text
	}
	return marked(q.sql, c.driver.Numbered())
}

// marked returns SQL with the placeholders of a driver in place of its question marks.
func marked(sql []byte, numbered bool) string {
	n := bytes.Count(sql, []byte("?"))
	if numbered {
		return numberMarks(sql, n)
	}
	// With the figures of ANALYZE, SQLite plans a statement by the values of its parameters, and so
	// parses and plans a prepared one anew whenever they change, which takes longer than a short
	// read. Behind a plus, which changes nothing, it does not look at the value.
	text := make([]byte, 0, len(sql)+n)
	for _, b := range sql {
		if b == '?' {
			text = append(text, '+')
		}
		text = append(text, b)
	}
	return string(text)
}

// numberMarks replaces n question marks with $1, $2 and so on.
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

// trace logs a statement with its duration, its number of rows and its error, to the store's
// log or else to the host's GORM logger.
func (c Conn) trace(q *Query, begin time.Time, n int64, err error) {
	switch {
	case c.log != nil:
		c.log.trace(c.Ctx, time.Since(begin), func() (string, int64) { return c.text(q), n }, err)
	case c.gorm.Logger != logger.Discard:
		c.gorm.Logger.Trace(c.Ctx, begin, func() (string, int64) { return c.explain(q), n }, err)
	}
}

// explain is the statement as the host's GORM logger prints it.
func (c Conn) explain(q *Query) string {
	text, args := c.text(q), q.Args
	if filter, ok := c.gorm.Logger.(gorm.ParamsFilter); ok {
		text, args = filter.ParamsFilter(c.Ctx, text, args...)
	}
	return c.gorm.Explain(text, args...)
}
