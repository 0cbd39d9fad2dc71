// Package sqlite opens a store on an SQLite database: a file, or memory for tests. The
// driver is modernc.org/sqlite, which needs no C compiler.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/uuid"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// settings are those of a connection that writes. A transaction begins immediate: one
// that reads first and writes later fails when another wrote between, whatever the
// timeout.
const settings = "_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate&_time_format=sqlite"

const readerSettings = "mode=ro&_foreign_keys=on&_busy_timeout=5000&_time_format=sqlite"

// Open opens the database file, and creates it, readable by its owner alone, if there is
// none; its folder must exist. The store owns the file's connections, and Close closes
// them.
//
// The file is in WAL mode with synchronous NORMAL: readers and the writer do not wait for
// each other, a killed process loses nothing that was acknowledged, and a power cut may
// lose the last moments, never the file. One connection writes and several read; other
// processes may use the file at the same time. Network file systems do not work.
//
// What waits for a lock of another process's, this and every call of the store, waits no
// longer than until its ctx ends.
//
// Nothing migrates unless convostore.WithMigrate says so, under ctx, which the store does not
// keep. If ctx is over, Open returns its error and makes no file.
func Open(ctx context.Context, path string, opts ...convostore.Option) (store.Store, error) {
	c, err := config.New(opts...)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.ContainsRune(path, 0) {
		return nil, rule.Invalid("path", "is not the name of a file; for memory call OpenMemory")
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("convostore: create database: %w", err)
	}
	dsn, err := fileDSN(path)
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	writer, err := open(ctx, c, dsn+"?"+settings, 1)
	if err != nil {
		return nil, err
	}
	reader, err := open(ctx, c, dsn+"?"+readerSettings, max(4, runtime.NumCPU()))
	if err != nil {
		return nil, errors.Join(err, closeAll(writer))
	}
	return newStore(ctx, c, writer, reader)
}

// OpenMemory opens a new, migrated database in memory, which no other call shares and
// which Close drops: one for each test, also for tests in parallel. It has a single
// connection, so that it shows nothing of how a file behaves under load.
func OpenMemory(ctx context.Context, opts ...convostore.Option) (store.Store, error) {
	c, err := config.New()
	if err != nil {
		return nil, err
	}
	if err := c.Apply(convostore.WithMigrate(migrate.Options{})); err != nil {
		return nil, err
	}
	if err := c.Apply(opts...); err != nil {
		return nil, err
	}
	// The in-memory file system gives each name a database of its own; a shared cache,
	// the other way to have one for several connections, locks whole tables.
	dsn := "file:/" + uuid.NewString() + "?vfs=memdb&" + strings.Replace(settings, "_journal_mode=WAL&", "", 1)
	db, err := open(ctx, c, dsn, 1)
	if err != nil {
		return nil, err
	}
	return newStore(ctx, c, db, nil)
}

// newStore owns the handles, also if it fails.
func newStore(ctx context.Context, c *config.Config, writer, reader *gorm.DB) (store.Store, error) {
	handles := []*gorm.DB{writer}
	if reader != nil {
		// The writer last: whoever closes last moves the write-ahead log into the file, and
		// a reader may not.
		handles = []*gorm.DB{reader, writer}
		c.Reader = reader
	}
	c.Closer = func() error { return closeAll(handles...) }
	st, err := engine.New(ctx, writer, c)
	if err != nil {
		return nil, errors.Join(err, c.Closer())
	}
	return st, nil
}

// create makes the file with its permissions, since SQLite would make it readable by
// everybody. The -wal and -shm files get the permissions of the file.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// fileDSN makes a URI of the path, so that a question mark or a per cent sign in it is
// a letter.
func fileDSN(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath()}).String(), nil
}

// open opens a pool of connections that stay: opening one costs more than a query, and
// the last one of a database in memory takes it along.
func open(ctx context.Context, c *config.Config, dsn string, conns int) (*gorm.DB, error) {
	pool, err := openPool(dsn)
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	// Before GORM, which opens a connection without a context.
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: open database: %w", err), pool.Close())
	}
	db, err := gorm.Open(dialector{sqlite.Dialector{Conn: pool}}, &gorm.Config{
		NamingStrategy:         c.Naming(),
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: open database: %w", err), pool.Close())
	}
	db.ConnPool = newPool(pool, conns)
	db.Statement.ConnPool = db.ConnPool
	return db, nil
}

func closeAll(dbs ...*gorm.DB) error {
	var errs []error
	for _, db := range dbs {
		conn, err := db.DB()
		if err == nil {
			err = conn.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Dialector returns GORM's dialector for SQLite on the driver of this package, for hosts
// that open their own *gorm.DB. Give the DSN the settings that convostore.New asks for.
func Dialector(dsn string) gorm.Dialector {
	return dialector{sqlite.Dialector{DriverName: "sqlite", DSN: dsn}}
}
