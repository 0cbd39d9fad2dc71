// Package dialect holds what differs between the databases: a few words of SQL and the
// codes of their errors. SQL that both take alike stands with its query in package
// store.
package dialect

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// The names that GORM's dialects give themselves.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// Dialect is one database's way of saying things.
type Dialect interface {
	// Name is Postgres or SQLite.
	Name() string
	// ForUpdate ends a SELECT that locks its rows; empty where a write locks everything.
	ForUpdate() string
	// Greatest is the name of the function that returns the greatest of its arguments.
	Greatest() string
	// Like is the operator of a match that ignores the case of letters.
	Like() string
	// Param is a placeholder of the given SQL type, for places where the type of a
	// parameter cannot be inferred.
	Param(sqlType string) string
	// InUUIDs is the condition that a column is one of ids, with its one argument: however
	// many there are, it is the same statement, which drivers keep prepared.
	InUUIDs(column string, ids []uuid.UUID) (sql, arg string)
	// InTexts is InUUIDs for texts.
	InTexts(column string, values []string) (sql string, arg any)
	// Unnest makes rows of Arrays with columns of the given types; empty where there is no
	// such thing.
	Unnest(types []string) string
	// RowsPerInsert is how many rows a statement inserts best.
	RowsPerInsert() int
	// Unindexed keeps a column from being looked up in an index where the database can be
	// told: of SQLite's rows by id, the one more condition on their owner must not have it
	// read all that the owner has.
	Unindexed(column string) string
	// OrderedJoin joins two tables, the first to be read first where the database can be
	// told. PostgreSQL goes by its statistics, of which SQLite has none.
	OrderedJoin() string
	// LocalDay is the number of the calendar day, counted from 1970-01-01, that a column's
	// time falls on in a zone.
	LocalDay(column string, zone []Offset) string
	// Micros is how many microseconds lie between two times.
	Micros(from, to string) string
	// SumMoney adds amounts up to the last decimal. What it returns also sorts by amount.
	SumMoney(column string) string
	// ArrayLength is how many elements a JSON array has, 0 for anything else.
	ArrayLength(column string) string
	// SortedArray aggregates a column of integers, NULL left out, the lowest first.
	SortedArray(column string) string
	// Element is one of a SortedArray, counted from 0, NULL beyond its end.
	Element(array, index string) string
	// ByBytes is a text that sorts by its bytes, whatever the database's language.
	ByBytes(column string) string
	// OneStatementAppend tells whether an INSERT can take its rows from an UPDATE.
	OneStatementAppend() bool

	Care
}

func joinUUIDs(ids []uuid.UUID, quote string) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = quote + id.String() + quote
	}
	return strings.Join(words, ",")
}

// Of returns the dialect of a GORM handle, or ErrInvalid for a database that is not
// supported.
func Of(db *gorm.DB) (Dialect, error) {
	switch db.Name() {
	case Postgres:
		return postgres{}, nil
	case SQLite:
		return sqlite{}, nil
	}
	return nil, rule.Invalid("db", "is %s, not postgres or sqlite", db.Name())
}

// Kind is what an error of a database means to the store.
type Kind int

// The kinds.
const (
	Other Kind = iota
	// Unique is a duplicate key.
	Unique
	// ForeignKey is a reference to a row that is not there.
	ForeignKey
	// Retry passes if the transaction is run again: a deadlock, a serialization failure,
	// a busy database.
	Retry
	// Stopped is a statement that was cancelled, or that ran into a timeout of the server's.
	Stopped
	// ReadOnly is a write where there can be none.
	ReadOnly
	// Unavailable is a server that takes no connections, or ended one.
	Unavailable
	// Damaged is a file that the database cannot make sense of.
	Damaged
)

// CodeOf returns the SQLSTATE or SQLite's extended code, empty if the error has neither.
func CodeOf(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	if code, ok := sqliteCode(err); ok {
		return strconv.Itoa(code)
	}
	return ""
}

// KindOf tells what an error means, by SQLSTATE or by SQLite's extended code, never by
// its text: servers translate and rename.
func KindOf(err error) Kind {
	if err == nil {
		return Other
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return postgresKind(state.SQLState())
	}
	if code, ok := sqliteCode(err); ok {
		return sqliteKind(code)
	}
	// What a host's TranslateError leaves of the error.
	switch {
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return Unique
	case errors.Is(err, gorm.ErrForeignKeyViolated):
		return ForeignKey
	}
	return Other
}

// sqliteCode finds the extended result code: modernc has a method for it, mattn a field.
// mattn is not imported for it, since that would compile C into every host.
func sqliteCode(err error) (int, bool) {
	var coder interface{ Code() int }
	if errors.As(err, &coder) {
		return coder.Code(), true
	}
	return mattnCode(err)
}

// mattnCode looks into every error that err wraps, since several may be joined.
func mattnCode(err error) (int, bool) {
	if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct {
		if f := v.FieldByName("ExtendedCode"); f.IsValid() && f.CanInt() {
			return int(f.Int()), true
		}
	}
	switch wrapping := err.(type) { //nolint:errorlint // each of the chain in its turn
	case interface{ Unwrap() error }:
		return mattnCode(wrapping.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			if code, ok := mattnCode(err); ok {
				return code, true
			}
		}
	}
	return 0, false
}
