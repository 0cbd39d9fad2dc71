package dialect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

type postgres struct{}

func (postgres) Name() string { return Postgres }

func (postgres) Numbered() bool              { return true }
func (postgres) Param(sqlType string) string { return "CAST(? AS " + sqlType + ")" }
func (postgres) ClosesCancelled() bool       { return true }
func (postgres) OneWriter() bool             { return false }
func (postgres) VectorLists() bool           { return false }
func (postgres) BindsTime() bool             { return true }
func (postgres) RollsBackByItself() bool     { return false }
func (postgres) Copies() bool                { return true }

func (postgres) ForUpdate() string                { return " FOR UPDATE" }
func (postgres) LockShare(alias string) string    { return " FOR SHARE" + ofTable(alias) }
func (postgres) LockKeyShare(alias string) string { return " FOR KEY SHARE" + ofTable(alias) }
func (postgres) SkipLocked(alias string) string {
	return " FOR UPDATE" + ofTable(alias) + " SKIP LOCKED"
}

func (postgres) OneStatementAppend() bool { return true }
func (postgres) DeletesTogether() bool    { return true }
func (postgres) RowsPerInsert() int       { return 1000 }

func (postgres) Unindexed(column string) string { return column }
func (postgres) Unshared(column string) string  { return "(" + column + " + 0)" }
func (postgres) OrderedJoin() string            { return " JOIN " }
func (postgres) Through(string) string          { return "" }
func (postgres) SortKey() string                { return "" }
func (postgres) Lateral() bool                  { return true }

func (postgres) Greatest() string   { return "GREATEST" }
func (postgres) IndexesParts() bool { return true }
func (postgres) FromByte(column string) string {
	return "substring(convert_to(" + column + ", 'UTF8') FROM CAST(? AS integer))"
}

func (postgres) Position() string { return "strpos" }

func ofTable(alias string) string {
	if alias == "" {
		return ""
	}
	return " OF " + alias
}

func (postgres) Replacing(key string, columns ...string) (insert, onConflict string) {
	assign := make([]string, len(columns))
	for i, c := range columns {
		assign[i] = c + " = excluded." + c
	}
	return "INSERT INTO ", " ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(assign, ", ")
}

func (postgres) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " = ANY(CAST(? AS uuid[]))", "{" + joinUUIDs(ids, "") + "}"
}

func (postgres) Pairs(a, b []uuid.UUID) (sql string, args []any) {
	return "(SELECT p.a, p.b FROM unnest(CAST(? AS uuid[]), CAST(? AS uuid[])) AS p (a, b))",
		[]any{"{" + joinUUIDs(a, "") + "}", "{" + joinUUIDs(b, "") + "}"}
}

func (postgres) Places(a, b []uuid.UUID, c, d []int64) (sql string, args []any) {
	return "(SELECT p.a, p.b, p.c, p.d FROM unnest(CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS bigint[]), CAST(? AS bigint[])) AS p (a, b, c, d))",
		[]any{"{" + joinUUIDs(a, "") + "}", "{" + joinUUIDs(b, "") + "}", "{" + joinNumbers(c) + "}", "{" + joinNumbers(d) + "}"}
}

func (postgres) TextPlaces(a []string, b []uuid.UUID) (sql string, args []any) {
	_, texts := postgres{}.InTexts("", a)
	return "(SELECT p.a, p.b, p.c - 1 AS c FROM unnest(CAST(? AS text[]), CAST(? AS uuid[])) WITH ORDINALITY AS p (a, b, c))",
		[]any{texts, "{" + joinUUIDs(b, "") + "}"}
}

func joinNumbers(numbers []int64) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, ",")
}

// ForEach keeps the planner from merging the subquery into the join.
func (postgres) ForEach(outer, table, alias, condition string) string {
	return outer + " CROSS JOIN LATERAL (SELECT * FROM " + table + " " + alias + " WHERE " + condition + " OFFSET 0) " + alias
}

func (postgres) InTexts(column string, values []string) (sql string, arg any) {
	a := NewArrays(1)
	for _, v := range values {
		_ = a.Add([]any{v}) // a text never fails
	}
	return column + " = ANY(CAST(? AS text[]))", a.Args()[0]
}

func (postgres) Unnest(types []string) string {
	return "unnest(CAST(? AS " + strings.Join(types, "[]), CAST(? AS ") + "[]))"
}

func (postgres) LocalDay(column string, zone []Offset) string {
	interval := func(seconds int) string { return fmt.Sprintf("interval '%d seconds'", seconds) }
	return "(CAST(" + column + " AT TIME ZONE 'UTC' + " + byOffset(column, zone, interval) + " AS date) - DATE '1970-01-01')"
}

func (postgres) Micros(from, to string) string {
	return "CAST(extract(epoch FROM " + to + " - " + from + ") * 1000000 AS bigint)"
}

func (postgres) SumMoney(column string) string {
	return "coalesce(sum(" + column + ") FILTER (WHERE " + column + " BETWEEN 0 AND 1e18), 0)" // NaN is above
}

func (postgres) ArrayLength(column string) string {
	return "CASE jsonb_typeof(" + column + ") WHEN 'array' THEN jsonb_array_length(" + column + ") ELSE 0 END"
}

func (postgres) Filled(column string) string {
	return "(" + column + " IS NOT NULL AND " + column + ` NOT IN ('null', '[]', '{}', '""'))`
}

func (postgres) HasText(column string) string {
	return "coalesce(" + column + " -> CAST(? AS text) = to_jsonb(CAST(? AS text)), false)"
}

func (postgres) SortedArray(column string) string {
	return "array_agg(" + column + " ORDER BY " + column + ") FILTER (WHERE " + column + " IS NOT NULL)"
}

func (postgres) Element(array, index string) string { return array + "[" + index + " + 1]" }

func (postgres) ByBytes(column string) string { return "CAST(" + column + ` AS text) COLLATE "C"` }

// postgresKind knows the SQLSTATEs of appendix A of PostgreSQL's manual.
func postgresKind(state string) Kind {
	switch state {
	case "23505":
		return Unique
	case "23503":
		return ForeignKey
	case "40001", "40P01":
		return Retry
	case "XX001", "XX002":
		return Damaged
	case "57014":
		return Stopped
	case "25006":
		return ReadOnly
	case "53300", "57P01", "57P02", "57P03":
		return Unavailable
	}
	if strings.HasPrefix(state, "08") {
		return Unavailable
	}
	return Other
}
