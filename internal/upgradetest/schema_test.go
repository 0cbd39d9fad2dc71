package upgradetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// sqliteSchema is every object with its text, and what is recorded of the migrations.
const sqliteSchema = `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
UNION ALL SELECT 'migration ' || version || ' ' || name || ' ' || coalesce(oldest_code, 0) FROM convostore_migrations ORDER BY 1`

// postgresSchema is the same of PostgreSQL, a line each column, constraint, index and trigger.
const postgresSchema = `WITH tables AS (
	SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r')
SELECT c.relname || ' column ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull ||
	' ' || a.attstorage::text || a.attgenerated::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
UNION ALL SELECT c.relname || ' constraint ' || k.conname || ' ' || k.convalidated || ' ' || pg_get_constraintdef(k.oid) FROM tables c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL SELECT c.relname || ' index ' || i.indisvalid || ' ' || pg_get_indexdef(i.indexrelid) FROM tables c JOIN pg_index i ON i.indrelid = c.oid
UNION ALL SELECT c.relname || ' trigger ' || pg_get_triggerdef(g.oid) FROM tables c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
UNION ALL SELECT 'migration ' || version || ' ' || name || ' ' || coalesce(oldest_code, 0) FROM convostore_migrations ORDER BY 1`

// schemaOf returns what the database says of its tables, one line an object. The name of the
// schema is left out.
func schemaOf(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	query := sqliteSchema
	if db.Name() == "postgres" {
		query = postgresSchema
	}
	var lines []string
	require.NoError(t, db.Raw(query).Scan(&lines).Error)
	require.Greater(t, len(lines), 50)
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "public.", "")
	}
	return lines
}
