package migrate

import (
	"context"
	"fmt"
	"strings"
)

// inspectPostgres returns the catalogue that the migrations create and the one in the database.
// It leaves scratch tables and another search_path in the transaction, for the caller to roll
// back.
func (m *migrator) inspectPostgres(ctx context.Context, q querier, at int64) (want, got catalogue, err error) {
	schema, err := m.schemaPostgres(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	if missing, err := m.missingExtensions(ctx, q, at); len(missing) > 0 || err != nil {
		return missing, catalogue{}, err
	}
	if err := m.makeScratch(ctx, q, at); err != nil {
		return nil, nil, err
	}
	hosts, err := m.hostKeys(ctx, q, at)
	if err != nil {
		return nil, nil, err
	}
	// PostgreSQL's functions leave a schema out of a definition if the search_path implies it.
	// Without this setting a table and its scratch copy could differ in that.
	if _, err := q.ExecContext(ctx, "SET LOCAL search_path = pg_catalog"); err != nil {
		return nil, nil, fmt.Errorf("convostore: set the search_path: %w", err)
	}
	if want, err = readPostgres(ctx, q, schema, "left(%[1]s, length($2)) = $2", scratch); err != nil {
		return nil, nil, err
	}
	want = want.renamed(scratch, m.options.Prefix)
	got, err = readPostgres(ctx, q, schema, "%[1]s = ANY (string_to_array($2, ','))", want.names())
	for o, definition := range hosts {
		want[o] = definition
	}
	return want, got, err
}

func (m *migrator) schemaPostgres(ctx context.Context, q querier) (string, error) {
	if m.options.Schema != "" {
		return m.options.Schema, nil
	}
	var schema string
	if err := q.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return "", fmt.Errorf("convostore: the current schema: %w", err)
	}
	return schema, nil
}

// embeddingsVersion is the first migration that needs the type of vectors.
const embeddingsVersion = 3

// missingExtensions returns the extensions that the migrations need and the database no
// longer has. Dropping an extension drops columns and indexes with it, and without it no scratch
// tables can be created.
func (m *migrator) missingExtensions(ctx context.Context, q querier, at int64) (catalogue, error) {
	missing := catalogue{}
	for _, e := range []struct {
		needed             bool
		name, brings, look string
	}{{
		at >= embeddingsVersion && !m.options.WithoutPgvector,
		"vector", "type " + m.options.vectorType(), "to_regtype('" + m.options.vectorType() + "') IS NOT NULL",
	}, {
		at >= searchVersion && m.options.Trigrams,
		"pg_trgm", "operator class gin_trgm_ops",
		"EXISTS (SELECT FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid))",
	}} {
		there := true
		if e.needed {
			if err := q.QueryRowContext(ctx, "SELECT "+e.look).Scan(&there); err != nil {
				return nil, fmt.Errorf("convostore: look for the extension %s: %w", e.name, err)
			}
		}
		if !there {
			missing[object{kind: "extension", table: e.name}] = e.brings + " on the search_path"
		}
	}
	return missing, nil
}

// disabledMark ends the definition of a foreign key whose triggers are disabled.
const disabledMark = " (triggers disabled)"

// objectsPostgres reads the objects of those tables of schema $1 that meet the condition %[1]s, and
// the functions of triggers that meet %[2]s. A
// unique or primary key is listed as a constraint, and its index therefore not as an index. NOT
// NULL is part of the column, although newer servers have a constraint for it.
const objectsPostgres = `
WITH t AS (
    SELECT c.oid, c.relname::text AS relname, c.relpersistence
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND %[1]s
)
SELECT 'table', t.relname, '', CASE t.relpersistence WHEN 'p' THEN 'table' ELSE 'unlogged table' END
FROM t
UNION ALL
SELECT 'column', t.relname, a.attname::text, format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN a.attgenerated <> '' OR a.attidentity <> '' THEN ' GENERATED' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'constraint', t.relname, k.conname::text, pg_get_constraintdef(k.oid)
    || CASE WHEN k.contype = 'f' AND ` + triggersDisabled + ` THEN '` + disabledMark + `' ELSE '' END
FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'index', t.relname, i.relname::text, pg_get_indexdef(i.oid) || CASE WHEN x.indisvalid AND x.indisready THEN '' ELSE ' (invalid)' END
FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', t.relname, g.tgname::text, pg_get_triggerdef(g.oid) || CASE WHEN g.tgenabled IN ('O', 'A') THEN '' ELSE ' (disabled)' END
FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'function', p.proname::text, '', pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = $1 AND p.prorettype = 'trigger'::regtype AND %[2]s`

func readPostgres(ctx context.Context, q querier, schema, condition, argument string) (catalogue, error) {
	query := fmt.Sprintf(objectsPostgres, fmt.Sprintf(condition, "c.relname"), fmt.Sprintf(condition, "p.proname"))
	return readObjects(ctx, q, query, schema, argument)
}

// hostKeys returns the foreign keys to the host's tables, in the form of pg_get_constraintdef. It
// composes their definitions, because creating scratch copies would lock the host's tables.
func (m *migrator) hostKeys(ctx context.Context, q querier, at int64) (catalogue, error) {
	with, err := written(m.files, newPage(m.dialect, m.options), at)
	if err != nil {
		return nil, err
	}
	keys := catalogue{}
	for _, ref := range []func(*Options) **Ref{
		func(o *Options) **Ref { return &o.Users },
		func(o *Options) **Ref { return &o.Leads },
	} {
		bare := m.options
		host := *ref(&bare)
		if host == nil {
			continue
		}
		*ref(&bare) = nil
		without, err := written(m.files, newPage(m.dialect, bare), at)
		if err != nil {
			return nil, err
		}
		for o, definition := range with {
			if _, ok := without[o]; ok || o.kind != "constraint" {
				continue
			}
			if keys[o], err = hostKeyDefinition(ctx, q, columnsOf(definition), host); err != nil {
				return nil, err
			}
		}
	}
	return keys, nil
}

// columnsOf returns what stands in the first brackets of a definition.
func columnsOf(definition string) string {
	_, rest, _ := strings.Cut(definition, "(")
	columns, _, _ := strings.Cut(rest, ")")
	return columns
}

// hostKeyDefinition returns the foreign key of some columns to a host's table in the form of
// pg_get_constraintdef.
func hostKeyDefinition(ctx context.Context, q querier, columns string, r *Ref) (string, error) {
	var definition string
	query := fmt.Sprintf(`SELECT format('FOREIGN KEY (%s) REFERENCES %%s(%%s) ON DELETE CASCADE', coalesce(
		(SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('%[2]s')), '%[2]s'),
		(SELECT string_agg(quote_ident(c), ', ' ORDER BY place) FROM unnest(string_to_array('%[3]s', ',')) WITH ORDINALITY u (c, place)))`,
		columns, r.quoted().Table, strings.Join(r.columns(), ","))
	if err := q.QueryRowContext(ctx, query).Scan(&definition); err != nil {
		return "", fmt.Errorf("convostore: the host's table %s: %w", r.Table, err)
	}
	return definition, nil
}
