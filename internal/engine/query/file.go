package query

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/convostore/convostore/store"
)

// File notices that the file of an open SQLite database is no longer at its path. SQLite goes
// on with the file that it opened: what is written into a deleted one is gone with the process,
// and what is written into a renamed one is where nobody looks for it. A nil File notices
// nothing. It may be used by several goroutines.
type File struct {
	path string
	at   os.FileInfo
	// log is the path of the write-ahead log, empty if the database has none.
	log string
	// holds says that a connection keeps the log open, so that no other file may take its place.
	// Otherwise the connections may close and make a new log at any time.
	holds atomic.Bool
	// logAt is nil until the log is first seen.
	logAt   atomic.Pointer[os.FileInfo]
	logSize atomic.Int64
}

// NewFile returns the watch of a database file, in WAL mode or not, as it is now. It returns nil if there is no file at path: the database is in memory or in a VFS of its own.
func NewFile(path string, wal bool) *File {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f := &File{path: path, at: info}
	if wal {
		f.log = path + "-wal"
		if target, err := filepath.EvalSymlinks(path); err == nil { // SQLite puts the log beside the file itself
			f.log = target + "-wal"
		}
	}
	return f
}

// HoldsLog says that a new connection opens the write-ahead log and keeps it open until the
// next call.
func (f *File) HoldsLog() {
	f.holds.Store(true)
	f.logAt.Store(nil)
}

// Check returns store.ErrFileGone if the database file, or a log that a connection holds, is no
// longer at its path. It takes a microsecond or two.
func (f *File) Check() error {
	if f == nil {
		return nil
	}
	if _, err := same(f.path, f.at); err != nil {
		return err
	}
	if !f.holds.Load() {
		return nil
	}
	held := f.logAt.Load()
	if held != nil {
		return f.checkLog(*held)
	}
	if now, err := os.Stat(f.log); err == nil {
		f.logAt.CompareAndSwap(nil, &now)
	}
	return nil
}

// CheckWritten is Check inside a transaction that has written: a database in WAL mode has a log
// then, whoever opened it. A file that goes during the commit is as good as one that goes right
// after it, so that nobody looks again.
func (f *File) CheckWritten() error {
	if err := f.Check(); err != nil || f == nil || f.log == "" || f.holds.Load() {
		return err
	}
	return f.checkLog(nil)
}

func (f *File) checkLog(held os.FileInfo) error {
	now, err := same(f.log, held)
	if err == nil {
		f.logSize.Store(now.Size())
	}
	return err
}

// LogSize is how many bytes the write-ahead log had at the last check.
func (f *File) LogSize() int64 { return f.logSize.Load() }

// same returns store.ErrFileGone unless the file at path is the given one, or any for nil.
func same(path string, was os.FileInfo) (os.FileInfo, error) {
	now, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrFileGone, err)
	}
	if was != nil && !os.SameFile(was, now) {
		return nil, fmt.Errorf("%w: %s is another file than the one that was opened", store.ErrFileGone, path)
	}
	return now, nil
}
