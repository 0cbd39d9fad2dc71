package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
)

// statement is what a database was asked.
type statement struct {
	sql  string
	args []any
}

// pool is what *sql.DB and *sql.Tx share.
type pool interface {
	gorm.ConnPool
}

// recorder stands between the store and the driver, so that what it keeps is what runs,
// whichever way of GORM's it was built.
type recorder struct {
	pool
	seen *[]statement
}

func (r recorder) keep(text string, args []any) {
	*r.seen = append(*r.seen, statement{text, args})
}

func (r recorder) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	r.keep(text, args)
	return r.pool.ExecContext(ctx, text, args...)
}

func (r recorder) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	r.keep(text, args)
	return r.pool.QueryContext(ctx, text, args...)
}

func (r recorder) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	r.keep(text, args)
	return r.pool.QueryRowContext(ctx, text, args...)
}

// recorderDB and recorderTx tell GORM what it can do with them.
type recorderDB struct {
	recorder
	db *sql.DB
}

func (r recorderDB) GetDBConn() (*sql.DB, error) { return r.db, nil }

func (r recorderDB) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := r.db.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &recorderTx{recorder{tx, r.seen}, tx}, nil
}

type recorderTx struct {
	recorder
	tx *sql.Tx
}

func (r *recorderTx) Commit() error   { return r.tx.Commit() }
func (r *recorderTx) Rollback() error { return r.tx.Rollback() }

// recording returns a store on db and the statements that it runs.
func recording(t *testing.T, db *sql.DB, postgres bool) (store.Store, *[]statement) {
	seen := new([]statement)
	conn := recorderDB{recorder{db, seen}, db}
	var dialector gorm.Dialector = gormsqlite.Dialector{DriverName: "sqlite", Conn: conn}
	if postgres {
		dialector = gormpostgres.New(gormpostgres.Config{Conn: conn})
	}
	g, err := gorm.Open(dialector, &gorm.Config{SkipDefaultTransaction: true})
	require.NoError(t, err)
	st, err := convostore.New(t.Context(), g)
	require.NoError(t, err)
	return st, seen
}

// literal writes an argument as SQL. The type of the parameter makes of the text what
// the driver would have sent.
func literal(arg any) string {
	if v, ok := arg.(driver.Valuer); ok && !isNil(arg) {
		arg, _ = v.Value() // It has been sent once already, without an error.
	}
	switch v := arg.(type) {
	case nil:
		return "NULL"
	case time.Time:
		return "'" + v.Format(time.RFC3339Nano) + "'"
	case []byte:
		return quote(string(v))
	}
	v := reflect.ValueOf(arg)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "NULL"
		}
		return literal(v.Elem().Interface())
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return quote("{" + strings.Join(parts, ",") + "}")
	}
	return quote(fmt.Sprint(arg))
}

func isNil(arg any) bool {
	v := reflect.ValueOf(arg)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (s statement) isSelect() bool {
	head := strings.ToUpper(strings.TrimSpace(s.sql))
	return strings.HasPrefix(head, "SELECT")
}

// control tells what has no plan.
func (s statement) control() bool {
	head, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(s.sql)), " ")
	switch head {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
		return strings.Contains(s.sql, "convostore_migrations") || strings.Contains(s.sql, "information_schema") ||
			strings.Contains(s.sql, "sqlite_master") || strings.Contains(s.sql, "pg_catalog")
	}
	return true
}
