package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/libtnb/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

type database struct{ *gorm.DB }

func (d database) close() {
	if pool, err := d.DB.DB(); err == nil {
		_ = pool.Close() // the migration has committed or failed before
	}
}

// dialect distinguishes a PostgreSQL address from the name of a file.
func dialect(db string) string {
	if strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://") || strings.Contains(db, "host=") {
		return "postgres"
	}
	return "sqlite"
}

// file returns the path of an SQLite database: chat.db, sqlite:chat.db, sqlite:///var/chat.db and
// file:chat.db are all taken.
func file(db string) string {
	for _, scheme := range []string{"sqlite3:", "sqlite:", "file:"} {
		if rest, ok := strings.CutPrefix(db, scheme); ok {
			return strings.TrimPrefix(rest, "//")
		}
	}
	return db
}

func open(ctx context.Context, db string, create bool) (database, error) {
	dialector := postgres.Open(db)
	if dialect(db) == "sqlite" {
		db = file(db)
		if _, err := os.Stat(db); err != nil && !create {
			return database{}, err // SQLite would make an empty file
		}
		// Escaped, or SQLite would end the name at a # or ? within.
		path := (&url.URL{Path: filepath.ToSlash(db)}).EscapedPath()
		dialector = sqlite.Dialector{DriverName: "sqlite", DSN: "file:" + path + "?_foreign_keys=on&_busy_timeout=5000"}
	}
	opened, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return database{}, err
	}
	return database{opened.WithContext(ctx)}, nil
}
