// Package pgtest gives tests a PostgreSQL server, databases of their own on it,
// and servers of their own to kill.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver the databases are made with

	"github.com/convostore/convostore/internal/testrun"
)

const (
	// EnvDSN names the variable with the server that the tests use.
	EnvDSN = "CONVOSTORE_TEST_POSTGRES"
	// EnvRequire names the variable that, with 1 in its list, makes a missing server a
	// failure.
	EnvRequire = testrun.EnvRequire
)

// DSN returns the address of the test server, with the right to make
// databases. Without one it skips the test, or fails it when EnvRequire has 1.
func DSN(tb testing.TB) string {
	tb.Helper()
	dsn := os.Getenv(EnvDSN)
	if dsn == "" {
		missing(tb, "no PostgreSQL server: run `make test`, which starts one, or set "+EnvDSN+
			" to the DSN of a server with pgvector where this test may create databases")
	}
	return dsn
}

// Database makes an empty database on the test server and returns its DSN. It
// is dropped when the test ends, whatever is still connected to it.
func Database(tb testing.TB) string {
	tb.Helper()
	return DatabaseOn(tb, DSN(tb))
}

// DatabaseOn is Database on the server at dsn.
func DatabaseOn(tb testing.TB, dsn string) string {
	tb.Helper()
	// Not template1, because a session in it would make the statement fail.
	return create(tb, dsn, "template0")
}

// create makes a copy of the database template, file by file: by way of the log,
// as PostgreSQL would do it, takes twice the time.
func create(tb testing.TB, dsn, template string) string {
	tb.Helper()
	name := newName()
	own, err := withDatabase(dsn, name)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	if err = execute(dsn, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy"); err != nil {
		tb.Fatalf("pgtest: create a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := drop(dsn, name); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return own
}

// newName is a database's, which no other run on the server has.
func newName() string { return "convostore_test_" + strings.ToLower(rand.Text()[:16]) }

func drop(dsn, name string) error {
	if err := execute(dsn, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop the database: %w", err)
	}
	return nil
}

// execute runs one statement, bounded so that a stuck server fails the test that
// waits and not the whole run.
func execute(dsn, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, done, err := admin(dsn)
	if err != nil {
		return err
	}
	defer done()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// pool is of connections to the test server, which stay open until the process
// ends: opening one takes the server as long as making a database.
var pool = sync.OnceValues(func() (*sql.DB, error) { return sql.Open("pgx", os.Getenv(EnvDSN)) })

// admin lends the pool, or opens one where another server is meant: a private
// one may be gone or restarted before the next statement.
func admin(dsn string) (db *sql.DB, done func(), err error) {
	if dsn == os.Getenv(EnvDSN) {
		db, err = pool()
		return db, func() {}, err
	}
	db, err = sql.Open("pgx", dsn)
	return db, func() { _ = db.Close() }, err
}

// withDatabase returns dsn with another database in it, after asking the driver
// whether it reads it so: "… password=" would take what follows for its value.
func withDatabase(dsn, name string) (string, error) {
	made, err := replaceDatabase(dsn, name)
	if err != nil {
		return "", err
	}
	config, err := pgx.ParseConfig(made)
	if err != nil {
		return "", fmt.Errorf("parse the DSN: %w", err)
	}
	if config.Database != name {
		return "", errors.New("the DSN takes no other database; does its last key lack a value?")
	}
	return made, nil
}

// replaceDatabase knows both kinds of DSN: a URL, and a list of key=value, of
// which the last one of a key counts.
func replaceDatabase(dsn, name string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn + " dbname=" + name, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("parse the DSN: %w", err)
	}
	query := u.Query()
	query.Del("dbname") // either would win over the path
	query.Del("database")
	u.Path, u.RawQuery = "/"+name, query.Encode()
	return u.String(), nil
}

func missing(tb testing.TB, reason string) {
	tb.Helper()
	if testrun.Requires(testrun.Postgres) {
		tb.Fatal("pgtest: " + reason)
	} else {
		tb.Skip("pgtest: " + reason)
	}
}

// Encoded makes an empty database with an encoding, for the test's time.
func Encoded(tb testing.TB, encoding string) string {
	tb.Helper()
	return create(tb, DSN(tb), "template0 ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
}

// Localized makes an empty database in UTF-8 with a locale, for the test's time. locale is what
// CREATE DATABASE says of it.
func Localized(tb testing.TB, locale string) string {
	tb.Helper()
	return create(tb, DSN(tb), "template0 ENCODING 'UTF8' "+locale)
}
