package dialect

import "github.com/google/uuid"

type sqlite struct{}

func (sqlite) Name() string                   { return SQLite }
func (sqlite) ForUpdate() string              { return "" }
func (sqlite) Greatest() string               { return "MAX" }
func (sqlite) Like() string                   { return "LIKE" }
func (sqlite) Param(string) string            { return "?" }
func (sqlite) Unindexed(column string) string { return "+" + column }
func (sqlite) OrderedJoin() string            { return " CROSS JOIN " }
func (sqlite) OneStatementAppend() bool       { return false }

func (sqlite) InUUIDs(column string, ids []uuid.UUID) (sql, arg string) {
	return column + " IN (SELECT value FROM json_each(?))", "[" + joinUUIDs(ids, `"`) + "]"
}

// The codes are those of SQLite's "Result and Error Codes"; the low byte of an extended
// code is the primary one.
func sqliteKind(code int) Kind {
	// A busy database is another connection's write; a locked shared cache likewise. A
	// plain SQLITE_LOCKED is a connection in its own way, which does not pass.
	const (
		busy, lockedSharedCache          = 5, 262
		foreignKey, primaryKey, uniqueIx = 787, 1555, 2067
	)
	switch code {
	case primaryKey, uniqueIx:
		return Unique
	case foreignKey:
		return ForeignKey
	}
	if code&0xff == busy || code == lockedSharedCache {
		return Retry
	}
	return Other
}
