package dialect

type sqlite struct{}

func (sqlite) Name() string             { return "sqlite" }
func (sqlite) ForUpdate() string        { return "" }
func (sqlite) Greatest() string         { return "MAX" }
func (sqlite) Like() string             { return "LIKE" }
func (sqlite) Param(string) string      { return "?" }
func (sqlite) OneStatementAppend() bool { return false }
func (sqlite) MaxParams() int           { return 32766 }

// The codes are those of SQLite's "Result and Error Codes"; the low byte of an extended
// code is the primary one.
func sqliteKind(code int) Kind {
	const (
		busy, locked                     = 5, 6
		foreignKey, primaryKey, uniqueIx = 787, 1555, 2067
	)
	switch code {
	case primaryKey, uniqueIx:
		return Unique
	case foreignKey:
		return ForeignKey
	}
	if primary := code & 0xff; primary == busy || primary == locked {
		return Retry
	}
	return Other
}
