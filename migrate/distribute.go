package migrate

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// maxShards is the most shards that Citus accepts.
const maxShards = 64000

// DistributeOptions says how Distribute distributes the rows.
type DistributeOptions struct {
	// Shards is the number of shards of each table. 0 is the server's citus.shard_count, by
	// default 32. Only the first call uses it.
	Shards int
}

// PreflightError lists what prevents the tables from being distributed. Nothing was changed.
type PreflightError struct {
	// Findings is not empty, and ordered as by Preflight.
	Findings []Finding
}

// Error returns the number of findings and the first of them.
func (e *PreflightError) Error() string {
	return fmt.Sprintf("convostore: the tables cannot be distributed, for %d reasons: %s", len(e.Findings), e.Findings[0])
}

// Distribute distributes the library's tables over the nodes of a Citus cluster by user_id. All
// rows of a user are then on one node, and every statement of ForUser goes to that node. The
// host's tables of Options.Users and Options.Leads become reference tables, with a copy on every
// node. So does convostore_migrations, which a store reads on whichever node it connects to.
// Leads that the host has distributed by their Owner stay so, and the library's tables take
// their shards. Foreign keys keep their names and definitions.
//
// db must be on the coordinator, and its database must have the extension citus. Everything runs
// in one transaction under the lock of Up: an error leaves the tables as they were. Nobody can
// read or write them meanwhile; 100,000 messages take some ten seconds. After the commit
// Distribute removes the rows that stay behind on the coordinator, and analyzes the tables. An
// error in these two steps says so, and another call repeats them.
//
// Distributed tables take no triggers: the index of words, which triggers keep up, is dropped, and
// the options of later calls cannot bring it back. A search of words then reads the texts of its
// scope, which suits users with some thousand messages.
//
// Tables that are already distributed by user_id stay as they are, with their number of shards,
// so that a second call only repeats the two steps after the commit.
//
// Bad options, SQLite, a db inside a transaction or on a worker, a database without the
// extension or at a version before 3, and tables that are distributed in another way are a
// *rule.InvalidError. What Preflight finds is a *PreflightError.
func Distribute(ctx context.Context, db *gorm.DB, o Options, d DistributeOptions) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	if d.Shards < 0 || d.Shards > maxShards {
		return rule.Invalid("shards", "is not between 1 and %d, or 0 for the server's", maxShards)
	}
	var tables []string
	err = m.inCluster(ctx, func(c *cluster) error {
		tables = slices.Concat(c.own, c.references)
		return c.distribute(ctx, d)
	})
	if err != nil {
		return err
	}
	return m.tidy(ctx, tables)
}

// Undistribute makes the library's tables plain tables on the coordinator again, with their rows,
// keys and indexes. It does the same with the host's tables of Options.Users and Options.Leads
// and with the tables that refer to them, unless foreign keys link them to other tables that the
// host has distributed. RebuildSearch then brings the index of words back. Like Distribute it is one transaction, and it refuses the same, except
// for what Preflight finds. It leaves plain tables alone.
func Undistribute(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	return m.inCluster(ctx, func(c *cluster) error { return c.undistribute(ctx) })
}

func (c *cluster) distribute(ctx context.Context, d DistributeOptions) error {
	own, references := c.plain(c.own), c.plain(c.references)
	if len(own)+len(references) == 0 {
		return nil
	}
	found, err := c.preflight(ctx, c, nil)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return &PreflightError{Findings: found}
	}
	if err := c.dropWords(ctx, c); err != nil {
		return err
	}
	return c.withoutForeignKeys(ctx, own, func() error {
		for _, table := range references {
			if err := c.call(ctx, "create_reference_table(%s)", literal(table)); err != nil {
				return err
			}
		}
		for _, table := range own {
			if err := c.distributeTable(ctx, table, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// distributeTable distributes one table. The first one gets the shards, or those of the host's
// leads if they are distributed, and the others are colocated with it.
func (c *cluster) distributeTable(ctx context.Context, table string, d DistributeOptions) error {
	const distribute = "create_distributed_table(%s, 'user_id', "
	if i := slices.IndexFunc(c.references, c.byOwner); i >= 0 {
		return c.call(ctx, distribute+"colocate_with => %s)", literal(table), literal(c.references[i]))
	}
	switch first := c.own[0]; {
	case table != first:
		return c.call(ctx, distribute+"colocate_with => %s)", literal(table), literal(first))
	case d.Shards > 0:
		return c.call(ctx, distribute+"colocate_with => 'none', shard_count => %d)", literal(table), d.Shards)
	}
	return c.call(ctx, distribute+"colocate_with => 'none')", literal(table))
}

func (c *cluster) undistribute(ctx context.Context) error {
	own := c.distributed(c.own)
	return c.withoutForeignKeys(ctx, own, func() error {
		for _, table := range own {
			if err := c.call(ctx, "undistribute_table(%s)", literal(table)); err != nil {
				return err
			}
		}
		for _, table := range c.distributed(c.references) {
			shared, err := c.sharedByHost(ctx, table)
			if err != nil {
				return err
			}
			if shared {
				continue
			}
			if err := c.call(ctx, "undistribute_table(%s, cascade_via_foreign_keys => true)", literal(table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// tidy removes the rows that stayed behind on the coordinator, which no statement sees any more,
// and analyzes the tables.
func (m *migrator) tidy(ctx context.Context, tables []string) error {
	var statements []string
	for _, table := range tables {
		var rowsLeft bool
		if err := scanRow(ctx, m.pool, "SELECT pg_relation_size("+literal(table)+") > 0", &rowsLeft); err != nil {
			return fmt.Errorf("convostore: the tables are distributed, but the size of %s is not known: %w", table, err)
		}
		if rowsLeft {
			statements = append(statements, "SELECT truncate_local_data_after_distributing_table("+literal(table)+")")
		}
	}
	// One by one: Citus cannot analyze a reference table together with other tables.
	for _, table := range tables {
		statements = append(statements, "ANALYZE "+table)
	}
	for _, s := range statements {
		if _, err := m.pool.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("convostore: the tables are distributed, but %s failed: %w", s, err)
		}
	}
	return nil
}
