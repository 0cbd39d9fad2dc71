// Package bothtest runs tests of the store on SQLite and on PostgreSQL. It is for tests alone.
package bothtest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// Database is empty at first, and gone when the test ends.
type Database struct {
	SQLite bool
	// DSN is the path of the file of SQLite, which is not there until it is opened.
	DSN string
}

// Run runs a test on each, both at once. Without a PostgreSQL server that half skips itself
// or fails, see [pgtest.DSN].
func Run(t *testing.T, test func(t *testing.T, d Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Database{DSN: pgtest.Database(t)})
	})
}

// Bench runs a benchmark on each, one after the other.
func Bench(b *testing.B, bench func(b *testing.B, d Database)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) {
		bench(b, Database{SQLite: true, DSN: filepath.Join(b.TempDir(), "chat.db")})
	})
	b.Run("postgres", func(b *testing.B) { bench(b, Database{DSN: pgtest.Database(b)}) })
}

// Open opens a store on the database, also several times.
func (d Database) Open(ctx context.Context, opts ...convostore.Option) (store.Store, error) {
	if d.SQLite {
		return sqlite.Open(ctx, d.DSN, opts...)
	}
	return postgres.Open(ctx, d.DSN, opts...)
}

// Store is Open for a test, whose end closes the store.
func (d Database) Store(t testing.TB, opts ...convostore.Option) store.Store {
	t.Helper()
	st, err := d.Open(t.Context(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}
