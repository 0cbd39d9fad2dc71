package health

import (
	"strconv"
	"strings"
)

func (sqliteProbe) settings() settings { return sqliteSettings }

func (sqliteProbe) version() string { return "'SQLite ' || sqlite_version()" }

// pragma is SQL for a setting of SQLite.
func pragma(name, column string) string { return "(SELECT " + column + " FROM pragma_" + name + ")" }

// busyTimeout is NULL for a database in memory, whose locks it does not wait for.
const busyTimeout = "(SELECT t.timeout FROM pragma_busy_timeout t, pragma_database_list l WHERE l.name = 'main' AND l.file <> '')"

var sqliteSettings = settings{
	{
		name: "sqlite_version", value: "sqlite_version()", want: oldestSQLite + " or newer", works: newEnough,
		why: "older versions lack functions that the library's statements call",
	},
	{
		name: "encoding", value: pragma("encoding", "encoding"), want: "UTF-8", works: is("UTF-8"),
		why: "texts sort by the bytes of UTF-16; the encoding is fixed when the file is made",
	},
	{
		name: "foreign_keys", value: pragma("foreign_keys", "foreign_keys"), want: "1", works: is("1"), writing: true,
		why: "what belongs to an erased conversation stays, and a transaction that SQLite has rolled back could commit",
	},
	{
		name: "ignore_check_constraints", value: pragma("ignore_check_constraints", "ignore_check_constraints"), want: "0", works: is("0"), writing: true,
		why: "nothing keeps a host's own statements from writing what the library cannot read",
	},
	{
		name: "busy_timeout", value: busyTimeout, want: "above 0, such as 5000", works: func(v string) bool { return v != "0" }, writing: true,
		why: "a write fails as soon as another connection writes",
	},
	{
		name: "journal_mode", value: pragma("journal_mode", "journal_mode"), want: "wal", works: func(v string) bool { return v != "off" }, writing: true,
		why: "nothing can be rolled back",
	},
	{
		name: "case_sensitive_like", value: "'a' NOT LIKE 'A'", want: "0", works: is("0"),
		why: "filters and searches do not find a word in another case",
	},
	{
		name: "_texttotime", value: "'" + timeText + "'", want: timeText, works: is(timeText),
		why: "the driver turns what people wrote into another text if it looks like a time",
	},
	{
		name: "full_column_names", value: "(SELECT full_column_names AND NOT short_column_names FROM pragma_full_column_names, pragma_short_column_names)",
		want: "0", works: is("0"),
		why: "with short_column_names = 0 the columns of subqueries have other names than the statements use",
	},
}

// timeText is a text that looks like a time, for drivers that would make one of it.
const timeText = "2026-01-02 03:04:05"

// oldestSQLite is the oldest version that the tests ran on.
const oldestSQLite = "3.44.0"

// newEnough compares with oldestSQLite, number by number.
func newEnough(version string) bool {
	have, want := strings.Split(version, "."), strings.Split(oldestSQLite, ".")
	for i := range min(len(have), len(want)) {
		h, errH := strconv.Atoi(have[i])
		w, errW := strconv.Atoi(want[i])
		if errH != nil || errW != nil || h != w {
			return errH != nil || errW != nil || h > w
		}
	}
	return true
}
