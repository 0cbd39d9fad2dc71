package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/query"
)

// maxWAL is how many bytes the write-ahead log may have before a write empties it. SQLite moves
// pages into the file every 1,000 pages, but starts the log anew only at a moment when nobody
// reads from it, and does not make it shorter.
const maxWAL = 64 << 20

// limitWAL has SQLite cut the log when it starts it anew by itself.
var limitWAL = fmt.Sprintf("PRAGMA journal_size_limit = %d", maxWAL)

// wal keeps the write-ahead log of a file from growing without bound. It works in the
// goroutine of a caller that has written.
type wal struct {
	file   *query.File
	writer *sql.DB
	// next is the size at which to try again, max the first of them.
	next atomic.Int64
	max  int64
	busy atomic.Bool
}

func newWAL(file *query.File, writer *gorm.DB) (*wal, error) {
	db, err := writer.DB()
	w := &wal{file: file, writer: db, max: maxWAL}
	w.next.Store(w.max)
	return w, err
}

// written empties the log if it has outgrown its bound. Where a reader prevents it, it tries
// again when the log has grown as much once more. Its own failure is no failure of the write.
func (w *wal) written(ctx context.Context) {
	size := w.file.LogSize()
	if size <= w.next.Load() || !w.busy.CompareAndSwap(false, true) {
		return
	}
	defer w.busy.Store(false)
	if emptied, _ := w.empty(ctx); emptied {
		w.next.Store(w.max)
	} else {
		w.next.Store(size + w.max)
	}
}

// empty moves the log into the file and truncates it, and tells whether it did. It waits for
// the writing connection until ctx ends, but for no reader and no other process.
func (w *wal) empty(ctx context.Context) (emptied bool, err error) {
	conn, err := w.writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return false, err
	}
	var busy, pages, moved int64
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	_, restored := conn.ExecContext(ctx, "PRAGMA busy_timeout = 5000")
	return err == nil && busy == 0, errors.Join(err, restored)
}

// close empties the log, so that others who keep the file open need not. It leaves the log of a
// file that is no longer at its path as it is.
func (w *wal) close() error {
	if w.file.Check() != nil {
		return nil //nolint:nilerr // there is nothing to empty
	}
	_, err := w.empty(context.Background())
	return err
}
