package dialect

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

type postgres struct{}

func (postgres) Name() string                   { return Postgres }
func (postgres) ForUpdate() string              { return " FOR UPDATE" }
func (postgres) Greatest() string               { return "GREATEST" }
func (postgres) Like() string                   { return "ILIKE" }
func (postgres) Param(sqlType string) string    { return "CAST(? AS " + sqlType + ")" }
func (postgres) Unindexed(column string) string { return column }
func (postgres) OrderedJoin() string            { return " JOIN " }
func (postgres) OneStatementAppend() bool       { return true }

func (postgres) RowsPerInsert() int { return 1000 }

func (postgres) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " = ANY(CAST(? AS uuid[]))", "{" + joinUUIDs(ids, "") + "}"
}

func (postgres) InTexts(column string, values []string) (sql string, arg any) {
	a := NewArrays(1)
	for _, v := range values {
		_ = a.Add([]any{v}) // a text always can be added
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

func (postgres) SumMoney(column string) string { return "coalesce(sum(" + column + "), 0)" }

func (postgres) ArrayLength(column string) string {
	return "CASE jsonb_typeof(" + column + ") WHEN 'array' THEN jsonb_array_length(" + column + ") ELSE 0 END"
}

func (postgres) SortedArray(column string) string {
	return "array_agg(" + column + " ORDER BY " + column + ") FILTER (WHERE " + column + " IS NOT NULL)"
}

func (postgres) Element(array, index string) string { return array + "[" + index + " + 1]" }

func (postgres) ByBytes(column string) string { return "CAST(" + column + ` AS text) COLLATE "C"` }

// The SQLSTATEs are those of PostgreSQL's appendix A.
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
