package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

// cluster is the coordinator of a Citus cluster, inside the transaction of one call.
type cluster struct {
	*migrator
	querier
	// own are the tables to distribute, and references those to make reference tables, all
	// quoted.
	own, references []string
	// distribution maps a table to the column by which it is distributed, to referenceTable,
	// or to an empty text for a plain table.
	distribution map[string]string
}

// referenceTable stands in cluster.distribution for a table with a copy on every node.
const referenceTable = "*"

// inCluster runs fn on a coordinator under the lock. It is a *rule.InvalidError if db is not on a
// coordinator, a table is missing, or one is distributed in another way than Distribute does.
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
		if err := c.readDistribution(ctx); err != nil {
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

func (c *cluster) readDistribution(ctx context.Context) (err error) {
	if c.own, err = c.ownTables(ctx, c); err != nil {
		return err
	}
	tables := c.options.tables()
	c.references = append(c.migrator.references(), tables.Quoted(record), tables.Quoted(naming.AppStates))
	const query = `SELECT n, CASE WHEN p.partmethod <> 'n' THEN column_to_column_name(p.logicalrelid, p.partkey)
			WHEN p.repmodel = 't' THEN '*' ELSE '' END
		FROM unnest(string_to_array($1, ',')) n LEFT JOIN pg_dist_partition p ON p.logicalrelid = to_regclass(n)`
	c.distribution = map[string]string{}
	err = c.read(ctx, query, []any{strings.Join(slices.Concat(c.own, c.references), ",")}, func(rows *sql.Rows) error {
		var table, by string
		err := rows.Scan(&table, &by)
		c.distribution[table] = by
		return err
	})
	if err != nil {
		return fmt.Errorf("convostore: how the tables are spread: %w", err)
	}
	return c.checkDistribution()
}

// checkDistribution refuses tables that somebody has distributed in another way.
func (c *cluster) checkDistribution() error {
	for table, by := range c.distribution {
		switch own := slices.Contains(c.own, table); {
		case by == "" || (own && by == "user_id") || (!own && by == referenceTable) || c.byOwner(table):
		case by == referenceTable:
			return rule.Invalid("db", "has %s as a reference table; undistribute it first", table)
		default:
			return rule.Invalid("db", "has %s distributed by %s; undistribute it first", table, by)
		}
	}
	return nil
}

// byOwner tells whether the table is that of the host's leads, distributed by their owner.
func (c *cluster) byOwner(table string) bool {
	leads := c.options.Leads
	return leads != nil && leads.Owner != "" && table == leads.quoted().Table && c.distribution[table] == leads.Owner
}

// plain returns those of the tables that are plain.
func (c *cluster) plain(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return c.distribution[t] != "" })
}

// distributed returns those of the tables that are distributed or reference tables.
func (c *cluster) distributed(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return c.distribution[t] == "" })
}

// sharedByHost tells whether foreign keys, direct or through other tables, link a reference
// table to tables that the host has distributed.
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

// withoutForeignKeys drops the foreign keys of tables, runs fn, and adds the keys again. A table
// cannot be moved while a foreign key binds it to a table that is distributed in another way.
func (c *cluster) withoutForeignKeys(ctx context.Context, tables []string, fn func() error) error {
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
	if err := c.execEach(ctx, drop); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return c.execEach(ctx, add)
}

func (c *cluster) execEach(ctx context.Context, statements []string) error {
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("convostore: %s: %w", s, err)
		}
	}
	return nil
}

// call runs a function of Citus, and ignores its result.
func (c *cluster) call(ctx context.Context, function string, args ...any) error {
	return c.execEach(ctx, []string{"SELECT " + fmt.Sprintf(function, args...)})
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

// literal returns a quoted name as an SQL text literal. Such a name has no single quotes.
func literal(name string) string { return "'" + name + "'" }
