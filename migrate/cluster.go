package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/convostore/convostore/rule"
)

// cluster is the coordinator of a Citus cluster, in the transaction of one call.
type cluster struct {
	*migrator
	querier
	// own are the tables to distribute and references those to copy, all quoted.
	own, references []string
	// spreads has the column by which a table is distributed, everywhere for one that is
	// copied, and nothing for a plain one.
	spreads map[string]string
}

const everywhere = "*"

// inCluster runs fn on a coordinator whose tables are all there and spread as Distribute
// does it, or not at all.
func (m *migrator) inCluster(ctx context.Context, fn func(*cluster) error) error {
	if m.dialect != postgres {
		return errNotPostgres
	}
	return m.locked(ctx, func(q querier) error {
		if err := onCoordinator(ctx, q); err != nil {
			return err
		}
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		if at < embeddingsVersion {
			return rule.Invalid("db", "is at version %d, and version %d makes the last table: call Up", at, embeddingsVersion)
		}
		c := &cluster{migrator: m, querier: q}
		if err := c.look(ctx); err != nil {
			return err
		}
		return fn(c)
	})
}

func onCoordinator(ctx context.Context, q querier) error {
	var there, coordinator bool
	if err := scanRow(ctx, q, "SELECT "+isCitus, &there); err != nil {
		return fmt.Errorf("convostore: look for the extension citus: %w", err)
	}
	if !there {
		return rule.Invalid("db", "has no extension citus: CREATE EXTENSION citus")
	}
	if err := scanRow(ctx, q, "SELECT citus_is_coordinator()", &coordinator); err != nil {
		return fmt.Errorf("convostore: ask which node it is: %w", err)
	}
	if !coordinator {
		return rule.Invalid("db", "is on a worker: connect to the coordinator")
	}
	return nil
}

// look finds out how the tables are spread.
func (c *cluster) look(ctx context.Context) (err error) {
	if c.own, err = c.ownTables(ctx, c); err != nil {
		return err
	}
	c.references = append(c.migrator.references(), c.options.tables().Quoted(record))
	const query = `SELECT n, CASE WHEN p.partmethod <> 'n' THEN column_to_column_name(p.logicalrelid, p.partkey)
			WHEN p.repmodel = 't' THEN '*' ELSE '' END
		FROM unnest(string_to_array($1, ',')) n LEFT JOIN pg_dist_partition p ON p.logicalrelid = to_regclass(n)`
	c.spreads = map[string]string{}
	err = c.read(ctx, query, []any{strings.Join(slices.Concat(c.own, c.references), ",")}, func(rows *sql.Rows) error {
		var table, by string
		err := rows.Scan(&table, &by)
		c.spreads[table] = by
		return err
	})
	if err != nil {
		return fmt.Errorf("convostore: how the tables are spread: %w", err)
	}
	return c.foreign()
}

// foreign refuses tables that somebody has spread in another way.
func (c *cluster) foreign() error {
	for table, by := range c.spreads {
		switch mine := slices.Contains(c.own, table); {
		case by == "" || (mine && by == "user_id") || (!mine && by == everywhere):
		case by == everywhere:
			return rule.Invalid("db", "has %s as a reference table; undistribute it first", table)
		default:
			return rule.Invalid("db", "has %s distributed by %s; undistribute it first", table, by)
		}
	}
	return nil
}

// plain returns those of the tables that are not spread, spreadOut the others.
func (c *cluster) plain(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return c.spreads[t] != "" })
}

func (c *cluster) spreadOut(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return c.spreads[t] == "" })
}

// sharedByHost tells whether a reference table hangs together, by foreign keys, with tables
// that are spread for the host's own sake.
func (c *cluster) sharedByHost(ctx context.Context, table string) (shared bool, err error) {
	const query = `WITH RECURSIVE linked (oid) AS (
			SELECT to_regclass($1)::oid
			UNION
			SELECT CASE k.conrelid WHEN l.oid THEN k.confrelid ELSE k.conrelid END
			FROM linked l JOIN pg_constraint k ON k.contype = 'f' AND l.oid IN (k.conrelid, k.confrelid)
		)
		SELECT p.logicalrelid FROM linked l JOIN pg_dist_partition p ON p.logicalrelid = l.oid
		WHERE NOT p.autoconverted AND NOT l.oid = ANY (SELECT to_regclass(n) FROM unnest(string_to_array($2, ',')) n)`
	err = c.read(ctx, query, []any{table, strings.Join(c.references, ",")}, func(*sql.Rows) error {
		shared = true
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("convostore: what hangs together with %s: %w", table, err)
	}
	return shared, nil
}

// withoutKeys runs fn while the foreign keys of tables are away: a table cannot be moved
// while one binds it to a table that is elsewhere.
func (c *cluster) withoutKeys(ctx context.Context, tables []string, fn func() error) error {
	const query = `SELECT n, quote_ident(k.conname), pg_get_constraintdef(k.oid)
		FROM unnest(string_to_array($1, ',')) n JOIN pg_constraint k ON k.conrelid = to_regclass(n) AND k.contype = 'f'
		ORDER BY n, k.conname`
	var drop, add []string
	err := c.read(ctx, query, []any{strings.Join(tables, ",")}, func(rows *sql.Rows) error {
		var table, name, definition string
		err := rows.Scan(&table, &name, &definition)
		drop = append(drop, "ALTER TABLE "+table+" DROP CONSTRAINT "+name)
		add = append(add, "ALTER TABLE "+table+" ADD CONSTRAINT "+name+" "+definition)
		return err
	})
	if err != nil {
		return fmt.Errorf("convostore: read the foreign keys: %w", err)
	}
	if err := c.each(ctx, drop); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return c.each(ctx, add)
}

func (c *cluster) each(ctx context.Context, statements []string) error {
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("convostore: %s: %w", s, err)
		}
	}
	return nil
}

// call runs a function of Citus, whose result says nothing.
func (c *cluster) call(ctx context.Context, function string, args ...any) error {
	return c.each(ctx, []string{"SELECT " + fmt.Sprintf(function, args...)})
}

func (c *cluster) read(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// literal writes a quoted name as text; it has no quotes but the double ones.
func literal(name string) string { return "'" + name + "'" }
