package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/convostore/convostore/rule"
)

// hostColumnsSQL returns for each of the columns $2 of the table $1, in their order, its type, empty
// if there is none, and whether a foreign key of the type at the same place of $3 can refer to
// it. That is so if the types are the same, share an operator of a btree, or if the one is cast to
// the other without being asked. Domains count as what they are made of.
const hostColumnsSQL = `
WITH RECURSIVE wanted AS (
    SELECT c, to_regtype(y)::oid AS type, y AS name, place
    FROM unnest(string_to_array($2, '|'), string_to_array($3, '|')) WITH ORDINALITY u (c, y, place)
), base (oid, type) AS (
    SELECT oid, oid FROM pg_catalog.pg_type
    UNION
    SELECT b.oid, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
), plain AS (
    SELECT b.oid, b.type FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype <> 'd'
)
SELECT coalesce(format_type(a.atttypid, a.atttypmod), ''), w.type IS NOT NULL, w.name,
    coalesce(f.type = p.type
        OR EXISTS (SELECT FROM pg_catalog.pg_amop o JOIN pg_catalog.pg_am m ON m.oid = o.amopmethod
            WHERE m.amname = 'btree' AND o.amopstrategy = 3 AND o.amoplefttype = p.type AND o.amoprighttype = f.type)
        OR EXISTS (SELECT FROM pg_catalog.pg_cast k
            WHERE k.castsource = f.type AND k.casttarget = p.type AND k.castcontext = 'i'), false)
FROM wanted w
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = to_regclass($1) AND a.attname = w.c AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN plain p ON p.oid = a.atttypid
LEFT JOIN plain f ON f.oid = w.type
ORDER BY w.place`

// hostTableSQL tells whether $1 is a table, and whether it has a unique index on just the columns $2,
// in any order, to which a foreign key can refer.
const hostTableSQL = `
SELECT coalesce((SELECT c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c WHERE c.oid = to_regclass($1)), false),
    EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
            AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
                FROM unnest((string_to_array(i.indkey::text, ' ')::int2[])[1:i.indnkeyatts]) n
                JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n)
            = (SELECT array_agg(c ORDER BY c) FROM unnest(string_to_array($2, '|')) c))`

// readHostPostgres reads the catalogue, and locks nothing of the host's.
func readHostPostgres(ctx context.Context, q querier, k hostKey) (t hostTable, err error) {
	table, columns := k.ref.quoted().Table, strings.Join(k.ref.columns(), "|")
	failed := func(err error) error { return fmt.Errorf("convostore: the host's table %s: %w", k.ref.Table, err) }
	if err := q.QueryRowContext(ctx, hostTableSQL, table, columns).Scan(&t.there, &t.unique); err != nil {
		return t, failed(err)
	}
	rows, err := q.QueryContext(ctx, hostColumnsSQL, table, columns, strings.Join(k.types, "|"))
	if err != nil {
		return t, failed(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c hostColumn
		var known bool
		var wanted string
		if err := rows.Scan(&c.declared, &known, &wanted, &c.fits); err != nil {
			return t, failed(err)
		}
		if !known {
			return t, rule.Invalid(k.field, "has the type %s, which the database does not know", wanted)
		}
		t.columns = append(t.columns, c)
	}
	return t, rows.Err()
}
