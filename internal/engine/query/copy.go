package query

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"time"

	"gorm.io/gorm"
)

// CanCopy tells whether Copy works: in a transaction that the store began itself, on a driver
// that lets its connection copy, and without plugins of the host, which would not see it.
// A transaction of the host is reached only as a *sql.Tx, which does not give out its
// connection.
func (h *Handle) CanCopy() bool { return h.copier != nil }

// Copy sends rows in the text format to COPY … FROM STDIN, within the transaction. The
// statement has no arguments. It must not be called unless CanCopy.
func (c Conn) Copy(statement string, text []byte, rows int) error {
	begin := time.Now()
	err := c.conn.Raw(func(any) error { return c.copier(c.Ctx, bytes.NewReader(text), statement) })
	err = Stopped(c.Ctx, err)
	c.trace(New(statement), begin, int64(rows), err)
	return err
}

// copier is CopyFrom of pgx's PgConn.
type copier func(ctx context.Context, rows io.Reader, statement string) error

// copierOf returns the copier of a driver's connection, nil if it has none. It finds pgx's
// methods by their names: the core must not bring pgx into the program of a host that has
// SQLite alone, and CopyFrom returns a type of pgx, so that no interface of our own matches it.
func copierOf(conn any) copier {
	toPgx := reflect.ValueOf(conn).MethodByName("Conn")
	if !toPgx.IsValid() || !isGetter(toPgx.Type()) {
		return nil
	}
	toPgConn := toPgx.Call(nil)[0].MethodByName("PgConn")
	if !toPgConn.IsValid() || !isGetter(toPgConn.Type()) {
		return nil
	}
	copyFrom := toPgConn.Call(nil)[0].MethodByName("CopyFrom")
	if !copyFrom.IsValid() || !isCopyFrom(copyFrom.Type()) {
		return nil
	}
	return func(ctx context.Context, rows io.Reader, statement string) error {
		out := copyFrom.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(rows), reflect.ValueOf(statement)})
		err, _ := out[1].Interface().(error)
		return err
	}
}

func isGetter(t reflect.Type) bool { return t.NumIn() == 0 && t.NumOut() == 1 }

func isCopyFrom(t reflect.Type) bool {
	want := reflect.TypeFor[func(context.Context, io.Reader, string)]()
	if t.NumIn() != want.NumIn() || t.NumOut() != 2 || t.Out(1) != reflect.TypeFor[error]() {
		return false
	}
	for i := range want.NumIn() {
		if t.In(i) != want.In(i) {
			return false
		}
	}
	return true
}

// beginOnConn begins a transaction on a connection that it takes out of the pool, so that the
// transaction can copy. It returns no connection if that does not work here; the caller then
// begins in the usual way.
func (h *Handle) beginOnConn(ctx context.Context) (*sql.Conn, copier, gorm.ConnPool, error) {
	db, prepared := sqlPool(h.pool)
	if db == nil || !h.driver.Copies() || h.throughGORM() {
		return nil, nil, nil, nil
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	var copies copier
	err = conn.Raw(func(c any) error {
		copies = copierOf(c)
		return nil
	})
	var tx *sql.Tx
	if err == nil && copies != nil {
		tx, err = conn.BeginTx(ctx, nil)
	}
	if err == nil && tx != nil {
		if prepared != nil {
			return conn, copies, &gorm.PreparedStmtTX{Tx: tx, PreparedStmtDB: prepared}, nil
		}
		return conn, copies, tx, nil
	}
	_ = conn.Close() // back into the pool
	if errors.Is(err, driver.ErrBadConn) {
		err = nil // the pool itself tries with another connection
	}
	return nil, nil, nil, err
}

// sqlPool returns the pool under a handle's, and GORM's cache of prepared statements if there is
// one between them. It returns nil for a pool of any other kind.
func sqlPool(pool gorm.ConnPool) (*sql.DB, *gorm.PreparedStmtDB) {
	prepared, _ := pool.(*gorm.PreparedStmtDB)
	if prepared != nil {
		pool = prepared.ConnPool
	}
	db, _ := pool.(*sql.DB)
	return db, prepared
}
