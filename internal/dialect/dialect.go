// Package dialect holds what differs between PostgreSQL and SQLite: words and lines of SQL,
// and the codes of their errors. SQL that both databases take alike stands with the query
// that uses it, and a whole algorithm that differs stands in a file named for its database.
package dialect

import (
	"errors"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// Postgres and SQLite are the names that GORM's dialects have.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// Dialect is the SQL and the behaviour of one database, grouped by who uses it.
type Dialect interface {
	// Name is Postgres or SQLite. It is for messages and for Pick; a difference in SQL is a
	// method instead.
	Name() string

	Driver
	Locks
	Inserts
	Deletes
	Lists
	Planning
	Times
	Money
	JSON
	Documents
	Text
	Care
}

// Driver is how a driver takes statements and ends transactions.
type Driver interface {
	// Numbered tells whether placeholders are $1, $2 instead of question marks.
	Numbered() bool
	// Param is a placeholder of a SQL type, for places where the database cannot infer the
	// type of a parameter.
	Param(sqlType string) string
	// ClosesCancelled tells whether the driver closes the connection when it rolls back a
	// transaction whose context has ended.
	ClosesCancelled() bool
	// OneWriter tells whether a transaction that writes keeps all others from writing.
	OneWriter() bool
	// VectorLists says that the schema has lists of near vectors, which a training makes: there is
	// no index that the database keeps by itself.
	VectorLists() bool
	// Copies tells whether the server takes rows by COPY, if the driver can send them.
	Copies() bool
	// BindsTime tells whether the driver may be given a time as it is. Where it may not, the
	// text of TimeText is bound in its place.
	BindsTime() bool
	// RollsBackByItself tells whether the database may roll back a transaction over a failed
	// statement, and then commits each further statement by itself.
	RollsBackByItself() bool
}

// Deletes are the forms of DELETE.
type Deletes interface {
	// DeletesTogether tells whether one statement can delete from several tables.
	DeletesTogether() bool
}

// Locks end a SELECT that locks its rows. Each is empty where the first write of a
// transaction locks the whole database.
type Locks interface {
	// ForUpdate keeps other transactions from changing or locking the rows.
	ForUpdate() string
	// LockShare keeps other transactions from changing the rows. With an alias, only the rows
	// of that table are locked.
	LockShare(alias string) string
	// LockKeyShare keeps other transactions from deleting the rows or changing their keys.
	// With an alias, only the rows of that table are locked.
	LockKeyShare(alias string) string
	// SkipLocked is ForUpdate of the rows of one table by its alias, without those that another
	// transaction has locked.
	SkipLocked(alias string) string
}

// Inserts are the forms of INSERT.
type Inserts interface {
	// OneStatementAppend tells whether an INSERT can take its rows from an UPDATE.
	OneStatementAppend() bool
	// RowsPerInsert is how many rows one statement inserts fastest.
	RowsPerInsert() int
	// Replacing is an INSERT INTO that replaces rows with the same key: what stands before the
	// table, and what stands after the rows. SQLite deletes the old row and gives the new one
	// the next row id; PostgreSQL updates the given columns.
	Replacing(key string, columns ...string) (insert, onConflict string)
	// Unnest makes rows of Arrays with columns of the given types. It is empty where the
	// database has no arrays.
	Unnest(types []string) string
}

// Lists are conditions on any number of values. The statement is the same however many there
// are, so that drivers keep it prepared.
type Lists interface {
	// InUUIDs is the condition that a column is one of ids, with its one argument.
	InUUIDs(column string, ids []uuid.UUID) (sql, arg string)
	// InTexts is the condition that a column is one of values, with its one argument.
	InTexts(column string, values []string) (sql string, arg any)
	// Pairs is a table of pairs of ids in its columns a and b, with its arguments. The two lists
	// are of one length.
	Pairs(a, b []uuid.UUID) (sql string, args []any)
	// Places is Pairs with two numbers each, in its columns c and d.
	Places(a, b []uuid.UUID, c, d []int64) (sql string, args []any)
	// TextPlaces is Pairs of a text and an id, with the place of each in the lists, counted from
	// 0, in its column c.
	TextPlaces(a []string, b []uuid.UUID) (sql string, args []any)
}

// Planning steers a planner that can be steered. It changes no result.
type Planning interface {
	// Unindexed keeps SQLite from looking a column up in an index. Without it a condition on
	// the owner, beside one on ids, makes SQLite read all rows of the owner.
	Unindexed(column string) string
	// Unshared is a column of integers as the indexes have it that are made for one order alone. No other
	// index serves that order on PostgreSQL; on SQLite Through names the index.
	Unshared(column string) string
	// OrderedJoin joins two tables and has SQLite read the first one first. PostgreSQL
	// decides by its statistics, which SQLite does not have.
	OrderedJoin() string
	// ForEach has the rows of a table, under an alias, that meet a condition for each row of
	// outer, which comes first. They are looked up by an index each time, also where the
	// condition is a range that PostgreSQL would expect a third of the table in.
	ForEach(outer, table, alias, condition string) string
	// Through, behind a table and its alias, has SQLite read the table through an index, and
	// fail without it. SQLite takes an index that has only the first column of an order for
	// useless, and sorts the whole table.
	Through(index string) string
	// SortKey is the column by which SQLite finds a row again when only the keys of rows are
	// sorted: it sorts rows with all that is selected of them. It is empty where a sort takes
	// only what it needs.
	SortKey() string
	// Lateral tells whether a subquery in FROM may depend on a row of what stands before it.
	Lateral() bool
}

// Times are calculations with times.
type Times interface {
	// LocalDay is the number of the calendar day, counted from 1970-01-01, on which a
	// column's time falls in a zone.
	LocalDay(column string, zone []Offset) string
	// Micros is how many microseconds lie between two times.
	Micros(from, to string) string
}

// Money is exact arithmetic with decimals.
type Money interface {
	// SumMoney adds amounts without losing a decimal. The sum also sorts by amount.
	SumMoney(column string) string
}

// JSON reads and makes JSON arrays and, on PostgreSQL, arrays.
type JSON interface {
	// ArrayLength is how many elements a JSON array has, and 0 for any other value.
	ArrayLength(column string) string
	// Filled is the condition that a column has a JSON document with something in it: not NULL
	// and not null, [], {} or "". It begins with IS NOT NULL, which partial indexes ask for.
	Filled(column string) string
	// HasText is the condition that a column has a JSON object with a text under a key: two
	// arguments, the key and the text.
	HasText(column string) string
	// SortedArray aggregates a column of integers without its NULLs, the lowest first.
	SortedArray(column string) string
	// Element is an element of a SortedArray by its index from 0, NULL beyond the end.
	Element(array, index string) string
}

// Text compares texts and other values.
type Text interface {
	// Greatest is the function that returns the greatest of its arguments.
	Greatest() string
	// HasLetters is the condition that a text has some letters side by side. Each is any of its
	// characters. It may take U+FFFD, U+FFFE and U+FFFF for one, and İ for any. The time is at
	// most the product of the number of letters and the length of the text.
	HasLetters(column string, letters [][]rune) (sql string, args []any)
	// Replaced is a text with the characters from replaced by those of to.
	Replaced(column string, from, to []rune) (sql string, args []any)
	// IndexesParts says that there may be an index that finds HasLetters.
	IndexesParts() bool
	// FromByte are the bytes of a text from one on, counted from 1, which is its argument.
	FromByte(column string) string
	// Position is the function that returns where a text has a part, from 1, or else 0.
	Position() string
	// ByBytes is a text that sorts by its bytes, whatever the database's collation.
	ByBytes(column string) string
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
	return nil, unknown(db.Name())
}

// Listed is the condition that a column has a JSON array of at least one element. It begins with
// IS NOT NULL, which partial indexes ask for.
func Listed(d JSON, column string) string {
	return "(" + column + " IS NOT NULL AND " + d.ArrayLength(column) + " > 0)"
}

// Pick returns the value for a dialect, or ErrInvalid where there is none. It chooses between
// implementations that differ by more than a line of SQL. Each database has a parameter, so
// that the compiler names every place where a new one lacks its implementation.
func Pick[T any](d Dialect, forPostgres, forSQLite T) (T, error) {
	switch d.(type) {
	case postgres:
		return forPostgres, nil
	case sqlite:
		return forSQLite, nil
	}
	var none T
	return none, unknown(d.Name())
}

func unknown(name string) error {
	return rule.Invalid("db", "is %s, not postgres or sqlite", name)
}

// Kind is what an error of a database means to the store.
type Kind int

const (
	// Other is any error without a meaning of its own, and no error.
	Other Kind = iota
	// Unique is a duplicate key.
	Unique
	// ForeignKey is a reference to a row that does not exist.
	ForeignKey
	// Retry is an error that may not come again if the transaction is run again: a deadlock,
	// a serialization failure, a busy database.
	Retry
	// Stopped is a statement that was cancelled, or that ran into a timeout of the server.
	Stopped
	// ReadOnly is a write in a read-only transaction or on a replica.
	ReadOnly
	// Unavailable is a server that takes no connections, or has ended one.
	Unavailable
	// Damaged is a corrupt table or file.
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

// KindOf returns what an error means. It goes by SQLSTATE or SQLite's extended code and never
// by the text, which servers translate and change.
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
	// With GORM's TranslateError only these are left of the error.
	switch {
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return Unique
	case errors.Is(err, gorm.ErrForeignKeyViolated):
		return ForeignKey
	}
	return Other
}
