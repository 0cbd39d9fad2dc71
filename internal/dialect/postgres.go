package dialect

import "github.com/google/uuid"

type postgres struct{}

func (postgres) Name() string                   { return Postgres }
func (postgres) ForUpdate() string              { return " FOR UPDATE" }
func (postgres) Greatest() string               { return "GREATEST" }
func (postgres) Like() string                   { return "ILIKE" }
func (postgres) Param(sqlType string) string    { return "CAST(? AS " + sqlType + ")" }
func (postgres) Unindexed(column string) string { return column }
func (postgres) OrderedJoin() string            { return " JOIN " }
func (postgres) OneStatementAppend() bool       { return true }

func (postgres) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " = ANY(CAST(? AS uuid[]))", "{" + joinUUIDs(ids, "") + "}"
}

// The SQLSTATEs are those of PostgreSQL's appendix A.
func postgresKind(state string) Kind {
	switch state {
	case "23505":
		return Unique
	case "23503":
		return ForeignKey
	case "40001", "40P01":
		return Retry
	}
	return Other
}
