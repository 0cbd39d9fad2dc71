package dialect

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

type sqlite struct{}

func (sqlite) Name() string { return SQLite }

func (sqlite) Numbered() bool          { return false }
func (sqlite) Param(string) string     { return "?" }
func (sqlite) ClosesCancelled() bool   { return false }
func (sqlite) OneWriter() bool         { return true }
func (sqlite) VectorLists() bool       { return true }
func (sqlite) BindsTime() bool         { return false }
func (sqlite) RollsBackByItself() bool { return true }
func (sqlite) Copies() bool            { return false }

func (sqlite) ForUpdate() string          { return "" }
func (sqlite) LockShare(string) string    { return "" }
func (sqlite) LockKeyShare(string) string { return "" }
func (sqlite) SkipLocked(string) string   { return "" }

func (sqlite) OneStatementAppend() bool { return false }
func (sqlite) DeletesTogether() bool    { return false }
func (sqlite) RowsPerInsert() int       { return 50 }

func (sqlite) Replacing(string, ...string) (insert, onConflict string) {
	return "INSERT OR REPLACE INTO ", ""
}

func (sqlite) Unindexed(column string) string { return "+" + column }
func (sqlite) Unshared(column string) string  { return column }
func (sqlite) OrderedJoin() string            { return " CROSS JOIN " }
func (sqlite) Through(index string) string    { return " INDEXED BY " + index }
func (sqlite) SortKey() string                { return "row_id" }
func (sqlite) Lateral() bool                  { return false }

func (sqlite) Greatest() string              { return "MAX" }
func (sqlite) IndexesParts() bool            { return false }
func (sqlite) FromByte(column string) string { return "substr(CAST(" + column + " AS blob), ?)" }

func (sqlite) Position() string { return "instr" }

func (sqlite) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " IN (SELECT value FROM json_each(?))", "[" + joinUUIDs(ids, `"`) + "]"
}

func (sqlite) InTexts(column string, values []string) (sql string, arg any) {
	doc, _ := json.Marshal(values) // a list of texts never fails
	return column + " IN (SELECT value FROM json_each(?))", string(doc)
}

func (sqlite) Pairs(a, b []uuid.UUID) (sql string, args []any) {
	both := make([]string, len(a))
	for i := range a {
		both[i] = `["` + a[i].String() + `","` + b[i].String() + `"]`
	}
	return "(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each(?))",
		[]any{"[" + strings.Join(both, ",") + "]"}
}

func (sqlite) Places(a, b []uuid.UUID, c, d []int64) (sql string, args []any) {
	places := make([]string, len(a))
	for i := range a {
		places[i] = `["` + a[i].String() + `","` + b[i].String() + `",` + strconv.FormatInt(c[i], 10) + "," + strconv.FormatInt(d[i], 10) + "]"
	}
	return "(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b, " +
			"json_extract(value, '$[2]') AS c, json_extract(value, '$[3]') AS d FROM json_each(?))",
		[]any{"[" + strings.Join(places, ",") + "]"}
}

func (sqlite) TextPlaces(a []string, b []uuid.UUID) (sql string, args []any) {
	pairs := make([][2]string, len(a))
	for i := range a {
		pairs[i] = [2]string{a[i], b[i].String()}
	}
	doc, _ := json.Marshal(pairs) // texts never fail
	return "(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b, key AS c FROM json_each(?))", []any{string(doc)}
}

func (sqlite) ForEach(outer, table, alias, condition string) string {
	return outer + " CROSS JOIN " + table + " " + alias + " ON " + condition
}

func (sqlite) Unnest([]string) string { return "" }

// LocalDay cuts off the fraction of the second first: SQLite rounds it to milliseconds, which
// would move the last moment of a day into the next day. The bias keeps the division from
// rounding up before 1970.
func (sqlite) LocalDay(column string, zone []Offset) string {
	const bias = 1_000_000 // days
	return fmt.Sprintf("((unixepoch(substr(%s, 1, 19)) + %s + %d) / 86400 - %d)",
		column, byOffset(column, zone, strconv.Itoa), bias*86400, bias)
}

func (sqlite) Micros(from, to string) string {
	return "(" + sqliteMicros(to) + " - " + sqliteMicros(from) + ")"
}

// sqliteMicros adds the fraction of "2026-11-24 08:00:00.123456+00:00" separately, since
// SQLite's functions know milliseconds only.
func sqliteMicros(column string) string {
	return fmt.Sprintf("(unixepoch(substr(%[1]s, 1, 19)) * 1000000 + "+
		"CAST(round(CAST('0' || substr(%[1]s, 20, length(%[1]s) - 25) AS real) * 1000000) AS integer))", column)
}

// SumMoney adds the digits before and after the decimal point separately, since SQLite adds
// decimals as binary fractions. An amount has at most 18 digits, ten of them after the point.
// The sum is a text with leading zeros, which sorts by amount.
func (sqlite) SumMoney(column string) string {
	point := "instr(" + column + " || '.', '.')"
	whole := "CAST(substr(" + column + ", 1, " + point + " - 1) AS integer)"
	valid := " FILTER (WHERE CAST(" + column + " AS real) BETWEEN 0 AND 1e18)"
	sum := func(of string) string { return "coalesce(sum(" + of + ")" + valid + ", 0)" }
	high, low := sum(whole+" / 1000000000"), sum(whole+" % 1000000000")
	fraction := sum("CAST(substr(substr(" + column + ", " + point + " + 1) || '0000000000', 1, 10) AS integer)")
	carried := "(" + low + " + " + fraction + " / 10000000000)"
	return "printf('%012d%09d.%010d', " + high + " + " + carried + " / 1000000000, " + carried + " % 1000000000, " +
		fraction + " % 10000000000)"
}

func (sqlite) ArrayLength(column string) string { return "json_array_length(" + column + ")" }

// Filled has json() take white space out, which SQLite keeps as it was written.
func (sqlite) Filled(column string) string {
	return "(" + column + " IS NOT NULL AND json(" + column + `) NOT IN ('null', '[]', '{}', '""'))`
}

// HasText asks for an object: json_each gives the elements of an array numbers as keys.
func (sqlite) HasText(column string) string {
	return "(json_type(" + column + ") IS 'object' AND EXISTS (SELECT 1 FROM json_each(" + column + ") j WHERE j.key = ? AND j.type = 'text' AND j.value = ?))"
}

func (sqlite) SortedArray(column string) string {
	return "json_group_array(" + column + " ORDER BY " + column + ") FILTER (WHERE " + column + " IS NOT NULL)"
}

func (sqlite) Element(array, index string) string {
	return "json_extract(" + array + ", '$[' || (" + index + ") || ']')"
}

func (sqlite) ByBytes(column string) string { return "CAST(" + column + " AS text)" }

// ProbeTransaction is a statement that fails inside a transaction of SQLite, see
// InTransaction, and begins a transaction outside of one.
const ProbeTransaction = "BEGIN"

// PreventCommit are statements after which a transaction of SQLite cannot commit: they violate
// a deferred foreign key. The table is temporary, so that it needs no space on a full disk, and
// is rolled back with the transaction. Where foreign keys are off, the last statement fails.
var PreventCommit = []string{
	"CREATE TEMP TABLE convostore_rolled_back (id integer PRIMARY KEY, lacks integer " +
		"REFERENCES convostore_rolled_back (id) DEFERRABLE INITIALLY DEFERRED)",
	"INSERT INTO temp.convostore_rolled_back VALUES (1, 2)",
	"INSERT INTO temp.convostore_rolled_back SELECT 1, 2 FROM pragma_foreign_keys WHERE foreign_keys = 0",
}

// InTransaction tells whether ProbeTransaction failed because a transaction is open, or
// because database/sql has ended it and passes no statement on.
func InTransaction(err error) bool {
	const generic = 1 // SQLITE_ERROR, "cannot start a transaction within a transaction"
	code, ok := sqliteCode(err)
	return ok && code == generic || errors.Is(err, sql.ErrTxDone)
}

// sqliteKind knows the codes of SQLite's "Result and Error Codes". The low byte of an extended
// code is the primary code.
func sqliteKind(code int) Kind {
	// SQLITE_BUSY and a locked shared cache mean that another connection writes. A plain
	// SQLITE_LOCKED is a conflict within one connection, which a retry does not end.
	const (
		busy, interrupted                = 5, 9
		corrupt, notADB                  = 11, 26
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
	case primary == interrupted:
		return Stopped
	case primary == corrupt || primary == notADB:
		return Damaged
	}
	return Other
}
