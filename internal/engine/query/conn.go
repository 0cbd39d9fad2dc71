package query

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/message"
)

// On returns the handle for one call.
func On(ctx context.Context, h *Handle) Conn { return Conn{Ctx: ctx, Handle: h} }

// Conn runs statements for one call, under its context.
type Conn struct {
	Ctx context.Context //nolint:containedctx // as in GORM's session: it lives for one call
	*Handle
	// Lease is set for a read that may be on a replica.
	Lease *Lease
}

// Host returns the session as hosts know it. It drops whatever conditions their handle
// carries: they are not meant for these tables.
func (c Conn) Host() *gorm.DB {
	s := &gorm.Session{NewDB: true, SkipDefaultTransaction: true, Context: c.Ctx}
	if c.log != nil {
		s.Logger = c.log
	}
	db := c.gorm.Session(s)
	db.Statement.ConnPool = c.pool
	return db
}

// silent is host for a statement that trace tells of.
func (c Conn) silent() *gorm.DB {
	return c.Host().Session(&gorm.Session{Logger: logger.Discard})
}

func (c Conn) throughGORM() bool { return len(c.gorm.Plugins) > 0 || c.gorm.DefaultContextTimeout > 0 }

func (c Conn) query(q *Query) (*sql.Rows, error) {
	if err := c.refusal(); err != nil {
		return nil, err
	}
	if c.throughGORM() {
		return c.silent().Raw(string(q.sql), q.Args...).Rows()
	}
	return c.pool.QueryContext(c.Ctx, c.text(q), q.Args...)
}

func (c Conn) exec(q *Query) (int64, error) {
	if err := c.refusal(); err != nil {
		return 0, err
	}
	if c.throughGORM() {
		res := c.silent().Exec(string(q.sql), q.Args...)
		return res.RowsAffected, res.Error
	}
	res, err := c.pool.ExecContext(c.Ctx, c.text(q), q.Args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Stored is a vector as the database keeps it.
func (c Conn) Stored(v message.Vector) any { return v.GormValue(c.Ctx, c.gorm).Vars[0] }

// text is the statement in the words of the driver.
func (c Conn) text(q *Query) string {
	switch {
	case q.text != "":
		return q.text
	case c.driver.Numbered():
		return numberMarks(q.sql, len(q.Args))
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
func (c Conn) trace(q *Query, begin time.Time, n int64, err error) {
	switch {
	case c.log != nil:
		c.log.trace(c.Ctx, time.Since(begin), func() (string, int64) { return c.text(q), n }, err)
	case c.gorm.Logger != logger.Discard:
		c.gorm.Logger.Trace(c.Ctx, begin, func() (string, int64) { return c.explain(q), n }, err)
	}
}

// explain is the statement as the host's logger wants it.
func (c Conn) explain(q *Query) string {
	text, args := c.text(q), q.Args
	if filter, ok := c.gorm.Logger.(gorm.ParamsFilter); ok {
		text, args = filter.ParamsFilter(c.Ctx, text, args...)
	}
	return c.gorm.Explain(text, args...)
}
