package query

import (
	"database/sql"
	"errors"
	"time"

	"github.com/convostore/convostore/store"
)

// Read is Rows for a connection that may be on a replica, which may fail between two rows.
// begin is called before each try and must discard what each has read.
func (q *Query) Read(db Conn, begin func(), each func(*sql.Rows) error) error {
	return WithFallback(db, func(db Conn) error {
		begin()
		return q.Rows(db, each)
	})
}

// Values returns the values of pointers, none of which is nil.
func Values[T any](found []*T) []T {
	all := make([]T, len(found))
	for i, f := range found {
		all[i] = *f
	}
	return all
}

// Rows runs a query and calls each for every row, until each returns an error. It closes the
// rows.
func (q *Query) Rows(db Conn, each func(*sql.Rows) error) error {
	begin, n := time.Now(), int64(0)
	rows, err := db.query(q)
	if err == nil {
		n, err = readRows(rows, each)
	}
	err = db.closing(Stopped(db.Ctx, err))
	db.trace(q, begin, n, err)
	return db.checkLost(err)
}

func readRows(rows *sql.Rows, each func(*sql.Rows) error) (n int64, err error) {
	defer rows.Close()
	for ; rows.Next(); n++ {
		if err := each(rows); errors.Is(err, ErrEnough) {
			return n, rows.Close()
		} else if err != nil {
			return n, err
		}
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	return n, rows.Close()
}

// Row reads the first row into dest and tells whether there was one. No row is no error.
func (q *Query) Row(db Conn, dest ...any) (bool, error) {
	found := false
	err := q.Read(db, func() { found = false }, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

// Exec runs a statement and returns how many rows it changed.
func (q *Query) Exec(db Conn) (int64, error) {
	begin := time.Now()
	n, err := db.exec(q)
	err = db.closing(Stopped(db.Ctx, err))
	db.trace(q, begin, n, err)
	return n, db.checkLost(err)
}

// All reads every row into a new T, whose destinations dest returns. The result is not nil.
func All[T any](db Conn, q *Query, dest func(*T) []any) ([]*T, error) {
	var items []*T
	err := q.Read(db, func() { items = []*T{} }, func(rows *sql.Rows) error {
		item := new(T)
		items = append(items, item)
		return rows.Scan(dest(item)...)
	})
	return items, err
}

// ErrEnough ends the reading of rows without an error.
var ErrEnough = errors.New("convostore: enough rows")

// Within reads rows as All does until they have the given number of bytes, which size tells of
// each. It reads at least one row, and more tells whether it left rows out. The driver reads row
// by row, so that no more than these and the next one are in memory; of a server, the rest of the
// result comes over the wire and is dropped.
func Within[T any](db Conn, q *Query, dest func(*T) []any, size func(*T) int, bytes int) (items []*T, more bool, err error) {
	left := 0
	err = q.Read(db, func() { items, more, left = []*T{}, false, bytes }, func(rows *sql.Rows) error {
		if more = left <= 0; more {
			return ErrEnough
		}
		item := new(T)
		items = append(items, item)
		err := rows.Scan(dest(item)...)
		left -= size(item)
		return err
	})
	return items, more, err
}

// One reads the only row. It returns ErrNotFound if there is none, and ErrManyOwners if there
// are several: rows with the same id or key belong to different users, which only a scope of
// all users can find.
func One[T any](db Conn, q *Query, dest func(*T) []any) (item *T, err error) {
	err = WithFallback(db, func(db Conn) error {
		items, err := All(db, q, dest)
		if err == nil {
			item, err = exactlyOne(items)
		}
		return err
	})
	return item, err
}

func exactlyOne[T any](items []T) (item T, err error) {
	switch len(items) {
	case 0:
		return item, store.ErrNotFound
	case 1:
		return items[0], nil
	}
	return item, ErrManyOwners
}
