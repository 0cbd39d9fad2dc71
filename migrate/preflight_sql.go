package migrate

// preflightSQL returns the rule, table and object of each reason why the tables $1 cannot be
// distributed by user_id with the tables $2 as reference tables. Both parameters are lists of
// quoted names, separated by commas. $3 are the names of triggers that Distribute drops from the
// tables $4.
//
// It leaves out the foreign keys of partitions, which repeat those of their partitioned table.
const preflightSQL = `
WITH named AS (
    SELECT n AS name, to_regclass(n)::oid AS oid, false AS reference FROM unnest(string_to_array($1, ',')) n
    UNION
    SELECT n, to_regclass(n)::oid, true FROM unnest(string_to_array($2, ',')) n
), t AS (
    SELECT DISTINCT ON (c.oid) c.oid, s.nspname || '.' || c.relname AS name, c.relkind, c.relpersistence, named.reference,
        a.attnum AS key, a.attnotnull, a.atttypid
    FROM named
    JOIN pg_catalog.pg_class c ON c.oid = named.oid
    JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a
        ON a.attrelid = c.oid AND a.attname = 'user_id' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.oid, named.reference DESC
), keys AS (
    SELECT k.conname::text AS name, k.confdeltype, k.confupdtype,
        k.conrelid, k.confrelid, source.oid AS source, target.oid AS target,
        source.reference AS source_reference, target.reference AS target_reference,
        from_table.nspname || '.' || from_class.relname AS from_name,
        coalesce(source.key = ANY (k.conkey), false) AS has_key,
        EXISTS (SELECT FROM unnest(k.conkey, k.confkey) pair (a, b) WHERE a = source.key AND b = target.key) AS paired
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class from_class ON from_class.oid = k.conrelid
    JOIN pg_catalog.pg_namespace from_table ON from_table.oid = from_class.relnamespace
    LEFT JOIN t source ON source.oid = k.conrelid
    LEFT JOIN t target ON target.oid = k.confrelid
    WHERE k.contype = 'f' AND k.conparentid = 0 AND (source.oid IS NOT NULL OR target.oid IS NOT NULL)
)
SELECT 'table' AS rule, replace(name, '"', '') AS name, '' AS object FROM named WHERE oid IS NULL
UNION ALL
SELECT 'table', name, '' FROM t
WHERE relkind NOT IN ('r', 'p') OR relpersistence = 't'
    OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = t.oid OR (i.inhparent = t.oid AND t.relkind = 'r'))
UNION ALL
SELECT 'key', name, '' FROM t WHERE NOT reference AND key IS NULL
UNION ALL
SELECT 'key_type', name, 'user_id' FROM t WHERE NOT reference AND atttypid <> 'uuid'::regtype
UNION ALL
SELECT 'key_null', name, 'user_id' FROM t WHERE NOT reference AND NOT attnotnull
UNION ALL
SELECT 'unique', t.name, c.relname::text
FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE NOT t.reference AND (i.indisunique OR i.indisexclusion)
    AND NOT coalesce(t.key = ANY ((string_to_array(i.indkey::text, ' ')::int2[])[1:i.indnkeyatts]), false)
UNION ALL
SELECT 'foreign_key', from_name, name FROM keys
WHERE NOT source_reference AND NOT target_reference AND NOT paired
UNION ALL
SELECT 'referenced', from_name, name FROM keys WHERE NOT source_reference AND target IS NULL
UNION ALL
SELECT 'referencing', from_name, name FROM keys WHERE NOT target_reference AND source_reference IS NOT FALSE
UNION ALL
SELECT 'action', from_name, name FROM keys
WHERE CASE
    WHEN source_reference THEN target IS NULL AND (confdeltype NOT IN ('a', 'r') OR confupdtype NOT IN ('a', 'r'))
    WHEN has_key OR NOT target_reference THEN confdeltype IN ('n', 'd') OR confupdtype IN ('c', 'n', 'd')
END
UNION ALL
SELECT 'trigger', t.name, g.tgname::text
FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
WHERE NOT (g.tgname = ANY (string_to_array($3, ',')) AND t.oid IN (SELECT to_regclass(n)::oid FROM unnest(string_to_array($4, ',')) n))
UNION ALL
SELECT 'identity', t.name, a.attname::text
FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.atttypid IN ('smallint'::regtype, 'integer'::regtype)
    AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%')
UNION ALL
SELECT DISTINCT 'extension', t.name, e.extname::text
FROM t
JOIN LATERAL (
    SELECT 'pg_catalog.pg_type'::regclass AS class, a.atttypid AS oid
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_catalog.pg_opclass'::regclass, o
    FROM pg_catalog.pg_index i, unnest(i.indclass) o WHERE i.indrelid = t.oid
) used ON true
JOIN pg_catalog.pg_depend d
    ON d.classid = used.class AND d.objid = used.oid AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE n.nspname NOT IN ('public', 'pg_catalog')`
