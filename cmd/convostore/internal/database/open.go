package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	postgresdriver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// ErrMissing matches the error of an SQLite file that is not there or is empty: SQLite would make one without tables.
var ErrMissing = errors.New("there is no database")

// Exists says whether an SQLite file is there, and has something in it. It knows nothing of a
// PostgreSQL database, and returns true.
func (a Address) Exists() (bool, error) {
	if a.postgres {
		return true, nil
	}
	info, err := os.Stat(a.text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%w: %s is a folder", ErrAddress, a.text)
	}
	return info.Size() > 0, nil
}

// There returns ErrMissing for an SQLite file that is not there.
func (a Address) There() error {
	there, err := a.Exists()
	if err == nil && !there {
		err = fmt.Errorf("%w: %s", ErrMissing, a.text)
	}
	return err
}

// Store opens a store, which the caller closes. Without convostore.WithMigrate it changes nothing.
func (a Address) Store(ctx context.Context, options ...convostore.Option) (store.Store, error) {
	if a.postgres {
		return postgres.Open(ctx, a.text, options...)
	}
	return sqlite.Open(ctx, a.text, options...)
}

// Handle opens a plain handle, for the migrations. Close ends its connections.
func (a Address) Handle(ctx context.Context) (db *gorm.DB, closeAll func(), err error) {
	dialector := postgresdriver.Open(a.text)
	if !a.postgres {
		// Escaped, or SQLite would end the name at a # or ? within.
		path := (&url.URL{Path: filepath.ToSlash(a.text)}).EscapedPath()
		dialector = sqlite.Dialector("file:" + path + "?_foreign_keys=on&_busy_timeout=5000&_txlock=immediate&_time_format=sqlite")
	}
	opened, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, nil, err
	}
	return opened.WithContext(ctx), func() {
		if pool, err := opened.DB(); err == nil {
			_ = pool.Close() // what it did has committed or failed before
		}
	}, nil
}
