package dialect

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

type sqlite struct{}

func (sqlite) Name() string                   { return SQLite }
func (sqlite) ForUpdate() string              { return "" }
func (sqlite) Greatest() string               { return "MAX" }
func (sqlite) Like() string                   { return "LIKE" }
func (sqlite) Param(string) string            { return "?" }
func (sqlite) Unindexed(column string) string { return "+" + column }
func (sqlite) OrderedJoin() string            { return " CROSS JOIN " }
func (sqlite) OneStatementAppend() bool       { return false }

func (sqlite) RowsPerInsert() int { return 50 }

func (sqlite) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " IN (SELECT value FROM json_each(?))", "[" + joinUUIDs(ids, `"`) + "]"
}

func (sqlite) InTexts(column string, values []string) (sql string, arg any) {
	doc, _ := json.Marshal(values) // texts can always be encoded
	return column + " IN (SELECT value FROM json_each(?))", string(doc)
}

func (sqlite) Unnest([]string) string { return "" }

// LocalDay cuts the fraction off first: SQLite rounds it to milliseconds, which would
// move the last moment of a day into the next one. The bias keeps the division from
// rounding up before 1970.
func (sqlite) LocalDay(column string, zone []Offset) string {
	const bias = 1_000_000 // days
	return fmt.Sprintf("((unixepoch(substr(%s, 1, 19)) + %s + %d) / 86400 - %d)",
		column, byOffset(column, zone, strconv.Itoa), bias*86400, bias)
}

func (sqlite) Micros(from, to string) string {
	return "(" + sqliteMicros(to) + " - " + sqliteMicros(from) + ")"
}

// sqliteMicros reads the fraction of "2026-11-24 08:00:00.123456+00:00" apart, since
// SQLite's functions know milliseconds only.
func sqliteMicros(column string) string {
	return fmt.Sprintf("(unixepoch(substr(%[1]s, 1, 19)) * 1000000 + "+
		"CAST(round(CAST('0' || substr(%[1]s, 20, length(%[1]s) - 25) AS real) * 1000000) AS integer))", column)
}

// SumMoney adds the digits before and after the point apart, since a sum of decimals
// would be one of binary fractions: an amount has 18 digits at most, ten of them after the
// point. The sum has leading zeros, by which its text sorts.
func (sqlite) SumMoney(column string) string {
	point := "instr(" + column + " || '.', '.')"
	whole := "CAST(substr(" + column + ", 1, " + point + " - 1) AS integer)"
	high, low := "sum("+whole+" / 1000000000)", "sum("+whole+" % 1000000000)"
	fraction := "sum(CAST(substr(substr(" + column + ", " + point + " + 1) || '0000000000', 1, 10) AS integer))"
	carried := "(" + low + " + " + fraction + " / 10000000000)"
	return "printf('%012d%09d.%010d', " + high + " + " + carried + " / 1000000000, " + carried + " % 1000000000, " +
		fraction + " % 10000000000)"
}

func (sqlite) ArrayLength(column string) string { return "json_array_length(" + column + ")" }

func (sqlite) SortedArray(column string) string {
	return "json_group_array(" + column + " ORDER BY " + column + ") FILTER (WHERE " + column + " IS NOT NULL)"
}

func (sqlite) Element(array, index string) string {
	return "json_extract(" + array + ", '$[' || (" + index + ") || ']')"
}

func (sqlite) ByBytes(column string) string { return "CAST(" + column + " AS text)" }

// ProbeTransaction fails inside a transaction of SQLite, see InTransaction, and begins one
// outside.
const ProbeTransaction = "BEGIN"

// DoomTransaction keeps a transaction from being committed: it breaks a foreign key that is
// looked at when it ends. The table is a temporary one, which takes no room on a full disk,
// and goes with the transaction. Where foreign keys are off the last statement fails.
var DoomTransaction = []string{
	"CREATE TEMP TABLE convostore_rolled_back (id integer PRIMARY KEY, lacks integer " +
		"REFERENCES convostore_rolled_back (id) DEFERRABLE INITIALLY DEFERRED)",
	"INSERT INTO temp.convostore_rolled_back VALUES (1, 2)",
	"INSERT INTO temp.convostore_rolled_back SELECT 1, 2 FROM pragma_foreign_keys WHERE foreign_keys = 0",
}

// InTransaction tells whether ProbeTransaction failed because there is a transaction, or
// one that the pool of connections has ended and lets nothing through.
func InTransaction(err error) bool {
	const generic = 1 // as SQLite calls it: "cannot start a transaction within a transaction"
	code, ok := sqliteCode(err)
	return ok && code == generic || errors.Is(err, sql.ErrTxDone)
}

// The codes are those of SQLite's "Result and Error Codes"; the low byte of an extended
// code is the primary one.
func sqliteKind(code int) Kind {
	// A busy database is another connection's write; a locked shared cache likewise. A
	// plain SQLITE_LOCKED is a connection in its own way, which does not pass.
	const (
		busy, corrupt, notADB            = 5, 11, 26
		lockedSharedCache                = 262
		foreignKey, primaryKey, uniqueIx = 787, 1555, 2067
	)
	switch code {
	case primaryKey, uniqueIx:
		return Unique
	case foreignKey:
		return ForeignKey
	}
	switch primary := code & 0xff; {
	case primary == busy || code == lockedSharedCache:
		return Retry
	case primary == corrupt || primary == notADB:
		return Damaged
	}
	return Other
}
