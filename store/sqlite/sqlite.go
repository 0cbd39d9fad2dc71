// Package sqlite opens a store on an SQLite database: a file, or memory for tests. The
// driver is modernc.org/sqlite, which needs no C compiler.
//
// The driver registers itself as "sqlite", and so does that of github.com/glebarez/sqlite: a
// program that imports both panics at start. Such a program opens its own handle with
// Dialector instead, and drops glebarez. The drivers of mattn and of ncruces are both "sqlite3";
// a program may have one of them beside this package, which compiles neither.
//
// Importing this package sets modernc's driver to strict pragmas, to OFD locks where there are
// some, and to fdatasync, for the whole process: see docs/host.md.
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/uuid"
	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// settings are the DSN settings of the writing connection. Its transactions are IMMEDIATE: a
// deferred transaction that reads first and writes later fails when another one has written in
// between, however long the busy timeout is.
const settings = "_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite"

// readerSettings are the DSN settings of a connection that reads.
const readerSettings = "mode=ro&_foreign_keys=on&_busy_timeout=5000&_time_format=sqlite"

// Open opens a store on the database file at path. It creates a missing file, with permissions
// for its owner alone; the folder must exist. The store owns the connections, and Close closes
// them. An empty path, the names of databases in memory and DSNs are ErrInvalid.
//
// The file is in WAL mode. Readers and the writer do not wait for each other. One connection
// writes and several read. Other processes may use the file at the same time. Do not put it on
// a network file system.
//
// What was acknowledged is on the disk: neither a killed process nor a power cut loses it,
// unless WithSynchronous says otherwise. Writes that come at the same time share the sync.
// When the file or its write-ahead log was deleted, renamed or replaced, writes and
// Health().Ready return store.ErrFileGone.
//
// The write-ahead log is emptied after a write that finds it larger than 64 MiB, and by Close.
// A read that takes long, of this or another process, prevents that: the log then grows until a
// write after the read.
//
// Open and every call of the store wait for a lock of another process only until their ctx
// ends.
//
// Open migrates only with convostore.WithMigrate, under ctx, which the store does not keep. If
// ctx has ended, Open returns its error and creates no file.
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
	if strings.HasPrefix(path, "file:") || strings.Contains(path, "?_") {
		return nil, rule.Invalid("path", "is a DSN, not the name of a file; what Open does not set by itself is an option")
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("convostore: create database: %w", err)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	writer, reader, err := openFile(ctx, c, path)
	if err != nil {
		return nil, err
	}
	c.Doorbell = &doorbell{dsn: fileDSN(path) + "?" + readerSettings}
	return newStore(ctx, c, writer, reader)
}

// openFile opens the writing connection and the pool of the reading ones, and watches the file.
func openFile(ctx context.Context, c *config.Config, path string) (writer, reader *gorm.DB, err error) {
	dsn := fileDSN(path)
	c.File = query.NewFile(path, true)
	writer, err = open(ctx, c, pooled{
		dsn: dsn + "?" + settings + "&_synchronous=" + cmp.Or(c.Synchronous, string(Full)), conns: 1,
		pragmas: []string{limitWAL}, opened: c.File.HoldsLog,
	})
	if err != nil {
		return nil, nil, err
	}
	reader, err = open(ctx, c, pooled{dsn: dsn + "?" + readerSettings, conns: max(4, runtime.NumCPU()), options: c.Pool})
	if err == nil {
		err = c.File.Check() // that it is the same as before SQLite opened it
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeAll(writer, reader))
	}
	return writer, reader, nil
}

// OpenMemory opens a store on a new, migrated database in memory. Each call makes its own
// database, and Close drops it, so that parallel tests can have one each. It has a single
// connection, and so does not show how a file behaves under load.
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
	if c.Pool != (config.Pool{}) {
		return nil, rule.Invalid("WithMaxConns", "and the other settings of a pool are for files; a database in memory has one connection")
	}
	// The VFS memdb gives each name its own database. The alternative, a shared cache, locks
	// whole tables.
	dsn := "file:/" + uuid.NewString() + "?vfs=memdb&" + strings.Replace(settings, "_journal_mode=WAL&", "", 1)
	db, err := open(ctx, c, pooled{dsn: dsn, conns: 1})
	if err != nil {
		return nil, err
	}
	return newStore(ctx, c, db, nil)
}

// newStore takes over the handles, and closes them if it fails.
func newStore(ctx context.Context, c *config.Config, writer, reader *gorm.DB) (store.Store, error) {
	// The writer closes last: the last connection to close checkpoints the write-ahead log into
	// the file, and a read-only connection cannot.
	handles := []*gorm.DB{reader, writer}
	c.Reader = reader
	c.Closer = func() error { return closeAll(handles...) }
	if c.File != nil {
		wal, err := newWAL(c.File, writer)
		if err != nil {
			return nil, errors.Join(err, c.Closer())
		}
		c.Written = wal.written
		c.Closer = func() error { return errors.Join(closeAll(reader), wal.close(), closeAll(writer)) }
	}
	st, err := engine.New(ctx, writer, c)
	if err != nil {
		return nil, errors.Join(err, c.Closer())
	}
	return st, nil
}

// create creates a missing file readable by its owner alone; SQLite would make it readable by
// everybody. SQLite gives the -wal and -shm files the same permissions.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// fileDSN returns an absolute path as a URI, with characters such as ? and % escaped.
func fileDSN(path string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}).String()
}

// pooled says how to open a pool.
type pooled struct {
	dsn string
	// conns is how many connections the pool has, unless the options say otherwise.
	conns   int
	options config.Pool
	// pragmas are run on each new connection, after which opened is called.
	pragmas []string
	opened  func()
}

// open opens a pool. Without options it keeps its idle connections: closing the last one of a
// database in memory drops the database.
func open(ctx context.Context, c *config.Config, p pooled) (*gorm.DB, error) {
	pool, err := openPool(p.dsn, p.pragmas, p.opened)
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	p.options.Apply(pool, p.conns)
	// Ping before gorm.Open, which would open a connection without a context.
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: open database: %w", err), pool.Close())
	}
	db, err := gorm.Open(dialector{sqlite.Dialector{Conn: pool}}, &gorm.Config{
		NamingStrategy: c.Naming(),
		Logger:         logger.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: open database: %w", err), pool.Close())
	}
	db.ConnPool = newPool(pool, p.conns)
	db.Statement.ConnPool = db.ConnPool
	return db, nil
}

func closeAll(dbs ...*gorm.DB) error {
	var errs []error
	for _, db := range dbs {
		if db == nil {
			continue
		}
		conn, err := db.DB()
		if err == nil {
			err = conn.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Dialector returns GORM's dialector for SQLite with the driver of this package, for hosts
// that open their own *gorm.DB. The DSN must have the settings that convostore.New asks for.
func Dialector(dsn string) gorm.Dialector {
	return dialector{sqlite.Dialector{DSN: dsn}}
}
