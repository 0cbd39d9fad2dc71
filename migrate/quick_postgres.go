package migrate

import (
	"context"
	"strings"
)

// quickForm is the part of a definition that quickObjects reads as well.
func quickForm(o object, definition string) string {
	switch {
	case o.kind == "table":
		return "table"
	case o.kind == "index" && strings.HasPrefix(definition, "create unique "):
		return "unique"
	case o.kind == "column" && strings.Contains(definition, "not null"):
		return "not null"
	}
	return ""
}

// quickObjects reads the objects of the tables $1 of a schema, without the definitions, which the
// server would have to put together from its catalogue. What is wrong with an object is its
// definition. It also tells whether somebody migrates the database.
const quickObjects = `
WITH t AS (
    SELECT c.oid, c.relname::text AS relname, c.relpersistence
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p') AND c.relname = ANY (string_to_array($1, ','))
)
SELECT 'table', t.relname, '', CASE t.relpersistence WHEN 'p' THEN 'table' ELSE 'unlogged table' END FROM t
UNION ALL
SELECT 'column', t.relname, a.attname::text, CASE WHEN a.attnotnull THEN 'not null' ELSE '' END
    || CASE WHEN a.atthasdef OR a.attidentity <> '' THEN ' default' ELSE '' END
FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', t.relname, k.conname::text, concat_ws(', ', CASE WHEN NOT k.convalidated THEN 'not validated' END,
    CASE WHEN NOT x.indisvalid THEN 'its index is invalid' END,
    CASE WHEN k.contype = 'f' AND {disabled} THEN 'its triggers are disabled' END)
FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = k.conindid AND k.contype <> 'f'
UNION ALL
SELECT 'index', t.relname, i.relname::text, concat_ws(', ', CASE WHEN x.indisunique THEN 'unique' END,
    CASE WHEN NOT x.indisvalid THEN 'invalid' END, CASE WHEN NOT x.indisready THEN 'not ready' END)
FROM t JOIN pg_catalog.pg_index x ON x.indrelid = t.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', t.relname, g.tgname::text, CASE WHEN g.tgenabled IN ('O', 'A') THEN '' ELSE 'disabled' END
FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
UNION ALL
SELECT '` + migrating + `', '', '', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid()
        AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = ` + lockKey + `)`

// triggersDisabled is the condition that a foreign key k is not enforced because one of its
// triggers, on either table, does not fire. Citus enforces keys between shards, where the
// triggers of the table itself do not matter.
const triggersDisabled = `(EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A'))
    AND NOT ` + isCitus + `)`

func (m *migrator) quickPostgres(ctx context.Context, q querier, want catalogue) (catalogue, error) {
	query := strings.NewReplacer("{schema}", m.options.schemaSQL(), "{disabled}", triggersDisabled).Replace(quickObjects)
	found, err := readObjects(ctx, q, query, want.names())
	for o, definition := range found {
		_, ours := want[o]
		if o.kind == "column" && ours {
			found[o] = strings.TrimSuffix(definition, " default")
		}
	}
	return found, err
}
