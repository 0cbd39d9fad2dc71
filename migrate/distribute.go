package migrate

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// maxShards is the most that Citus takes.
const maxShards = 64000

// DistributeOptions says how Distribute spreads the rows.
type DistributeOptions struct {
	// Shards is how many parts the users are spread over; 0 is what the server's
	// citus.shard_count says, 32 if nobody changed it. It counts at the first call.
	Shards int
}

// PreflightError says what keeps the tables from being distributed. Nothing was changed.
type PreflightError struct {
	// Findings has one at least, ordered as Preflight orders them.
	Findings []Finding
}

func (e *PreflightError) Error() string {
	return fmt.Sprintf("convostore: the tables cannot be distributed, for %d reasons: %s", len(e.Findings), e.Findings[0])
}

// Distribute spreads the library's tables over the nodes of a Citus cluster by user_id, so
// that all rows of one user lie on one node, and every statement of ForUser goes there. The
// host's tables of Options.Users and Options.Leads become reference tables, with a copy on
// every node, and so does convostore_migrations, which stores read on whichever node
// they come in. Foreign keys stay, by name and definition.
//
// db is on the coordinator, and the extension citus in its database. All of it is one
// transaction under the lock of Up: an error leaves the tables as they were. Nobody reads
// or writes them meanwhile; 100,000 messages take some ten seconds. After the commit the
// rows that are left behind on the coordinator are removed and the tables analyzed; an
// error there says so, and another call does it.
//
// Tables that are distributed by user_id stay as they are, with the shards that they
// have, so that a second call does nothing.
//
// Bad options, SQLite, a db inside a transaction or on a worker, a database without the
// extension or at a version before 2, and tables that are distributed in another way are a
// *rule.InvalidError; what Preflight finds is a *PreflightError.
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

// Undistribute brings the library's tables back to the coordinator as plain tables, with
// their rows, keys and indexes. The host's tables of Options.Users and Options.Leads come
// back too, with what points to them, unless other tables that the host distributed hang
// together with them. It is one transaction like Distribute, and refuses the same but for
// what Preflight finds; plain tables it leaves alone.
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
	return c.withoutKeys(ctx, own, func() error {
		for _, table := range references {
			if err := c.call(ctx, "create_reference_table(%s)", literal(table)); err != nil {
				return err
			}
		}
		for _, table := range own {
			if err := c.spread(ctx, table, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// spread distributes a table: the first decides how, and the others follow.
func (c *cluster) spread(ctx context.Context, table string, d DistributeOptions) error {
	const spread = "create_distributed_table(%s, 'user_id', "
	switch first := c.own[0]; {
	case table != first:
		return c.call(ctx, spread+"colocate_with => %s)", literal(table), literal(first))
	case d.Shards > 0:
		return c.call(ctx, spread+"colocate_with => 'none', shard_count => %d)", literal(table), d.Shards)
	}
	return c.call(ctx, spread+"colocate_with => 'none')", literal(table))
}

func (c *cluster) undistribute(ctx context.Context) error {
	own := c.spreadOut(c.own)
	return c.withoutKeys(ctx, own, func() error {
		for _, table := range own {
			if err := c.call(ctx, "undistribute_table(%s)", literal(table)); err != nil {
				return err
			}
		}
		for _, table := range c.spreadOut(c.references) {
			kept, err := c.sharedByHost(ctx, table)
			if err != nil {
				return err
			}
			if kept {
				continue
			}
			if err := c.call(ctx, "undistribute_table(%s, cascade_via_foreign_keys => true)", literal(table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// tidy removes the rows that were left behind on the coordinator, where nobody sees them
// any more, and has the tables analyzed.
func (m *migrator) tidy(ctx context.Context, tables []string) error {
	var steps []string
	for _, table := range tables {
		var left bool
		if err := scanRow(ctx, m.pool, "SELECT pg_relation_size("+literal(table)+") > 0", &left); err != nil {
			return fmt.Errorf("convostore: the tables are distributed, but the size of %s is not known: %w", table, err)
		}
		if left {
			steps = append(steps, "SELECT truncate_local_data_after_distributing_table("+literal(table)+")")
		}
	}
	// One by one: Citus cannot analyze a copied table with the others.
	for _, table := range tables {
		steps = append(steps, "ANALYZE "+table)
	}
	for _, s := range steps {
		if _, err := m.pool.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("convostore: the tables are distributed, but %s failed: %w", s, err)
		}
	}
	return nil
}
