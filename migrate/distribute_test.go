package migrate

import (
	"context"
	"database/sql"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/rule"
)

// onCitus runs a test on an empty database of a cluster, where there is one.
func onCitus(t *testing.T) *gorm.DB {
	t.Helper()
	return openTest(t, postgres, pgtest.Citus(t))
}

// shards is few, since each test makes and drops its tables that many times.
var shards = DistributeOptions{Shards: 4}

// whole is all that the catalogue says of the library's tables: what Verify compares, and
// how columns and indexes are stored.
func whole(t *testing.T, db *gorm.DB, o Options) []string {
	t.Helper()
	var found []string
	require.NoError(t, db.Raw(`WITH t AS (SELECT c.oid, c.relname, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = coalesce(nullif(?, ''), current_schema()) AND c.relkind = 'r' AND left(c.relname, length(?)) = ?
				AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'app', 'applied_at')))
		SELECT format('%s %s', relname, reloptions) FROM t
		UNION ALL SELECT format('%s.%s %s %s %s', relname, attname, attstorage, attcompression, attnotnull) FROM t JOIN pg_attribute a ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT format('%s.%s %s', relname, attname, pg_get_expr(adbin, adrelid)) FROM t JOIN pg_attrdef d ON adrelid = t.oid JOIN pg_attribute a ON attrelid = t.oid AND attnum = adnum
		UNION ALL SELECT format('%s.%s %s %s', relname, conname, convalidated, pg_get_constraintdef(k.oid)) FROM t JOIN pg_constraint k ON conrelid = t.oid
		UNION ALL SELECT pg_get_indexdef(indexrelid) FROM t JOIN pg_index ON indrelid = t.oid
		ORDER BY 1`, o.Schema, o.Prefix, o.Prefix).Scan(&found).Error)
	require.Greater(t, len(found), 100)
	return found
}

// rowsOf is every row of every table, as text.
func rowsOf(t *testing.T, db *gorm.DB, o Options) (all []string) {
	t.Helper()
	for _, table := range naming.All() {
		var found []string
		name := o.tables().Quoted(table)
		require.NoError(t, db.Raw("SELECT CAST(t AS text) FROM "+name+" t ORDER BY 1").Scan(&found).Error)
		all = append(all, found...)
	}
	return all
}

// spreads tells how many shards each of the library's tables and of the references has.
func spreads(t *testing.T, db *gorm.DB) map[string]int {
	t.Helper()
	var found []struct {
		Name   string
		Shards int
	}
	require.NoError(t, db.Raw(`SELECT p.logicalrelid::text AS name, count(s.shardid) AS shards
		FROM pg_dist_partition p JOIN pg_dist_shard s USING (logicalrelid) WHERE NOT p.autoconverted GROUP BY 1`).Scan(&found).Error)
	by := map[string]int{}
	for _, f := range found {
		by[f.Name] = f.Shards
	}
	return by
}

// fillMore puts a row into each table that fill leaves empty, but for those of embeddings.
func fillMore(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	fill(t, db, o)
	for table, row := range map[string]string{
		naming.Refs:       "(user_id, message_id, provider, ref) VALUES ('" + user + "', '" + inbound + "', 'x', 'y')",
		naming.Votes:      "(user_id, message_id, value, voter) VALUES ('" + user + "', '" + inbound + "', 1, 'v')",
		naming.Deliveries: "(user_id, id, message_id, due_at, channel) VALUES ('" + user + "', '" + other + "', '" + inbound + "', now(), 'mail')",
		naming.Labels:     "(user_id, conversation_id, label) VALUES ('" + user + "', '" + thread + "', 'l')",
		naming.Reads:      "(user_id, conversation_id, seq, reader) VALUES ('" + user + "', '" + thread + "', 1, 'r')",
		naming.States:     "(user_id, conversation_id, key, value) VALUES ('" + user + "', '" + thread + "', 'k', '1')",
		naming.UserStates: "(user_id, key, value) VALUES ('" + user + "', 'k', '1')",
		naming.Summaries:  "(user_id, id, conversation_id, from_seq, to_seq, content) VALUES ('" + user + "', '" + other + "', '" + thread + "', 1, 1, 's')",
		naming.AppStates:  "(app, key, value) VALUES ('a', 'k', '1')",
	} {
		run(t, db, "INSERT INTO "+o.tables().Quoted(table)+" "+row)
	}
}

// spread is what spreads has to tell of the library's tables: those with rows of users have
// shards, and those of everybody are whole on every node.
func spread(o Options) map[string]int {
	by := map[string]int{}
	for _, table := range naming.All() {
		name := o.tables().Table(table)
		if by[name] = 1; slices.Contains(naming.WithRows(), table) {
			by[name] = shards.Shards
		}
	}
	return by
}

func TestDistributeAndBack(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"plain":  {Dimensions: 3},
		"hosted": {Prefix: "chat_", Schema: "crm", Trigrams: true, Dimensions: 2500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := onCitus(t), t.Context()
			own := spread(o)
			if name == "hosted" {
				o = hostTables(t, db, o)
				run(t, db, "INSERT INTO host.users VALUES ('"+user+"')",
					"CREATE TABLE host.pets (owner uuid REFERENCES host.users ON DELETE CASCADE)", "INSERT INTO host.pets VALUES ('"+user+"')")
				own["host.users"], own["host.leads"] = 1, 1
			}
			require.NoError(t, Up(ctx, db, o))
			fillMore(t, db, o)
			catalogue, rows := whole(t, db, o), rowsOf(t, db, o)
			require.Len(t, rows, len(naming.All())-4+int(Latest()), "one of each, none of embeddings, and of the migrations one each")

			for range 2 {
				require.NoError(t, Distribute(ctx, db, o, shards))
				require.Equal(t, own, spreads(t, db))
				found, err := Preflight(ctx, db, o)
				require.NoError(t, err)
				require.Nil(t, found)
				require.Equal(t, catalogue, whole(t, db, o))
				require.Equal(t, rows, rowsOf(t, db, o))
				requireNoDrift(t, db, o)
			}
			var local int64
			require.NoError(t, db.Raw("SELECT sum(pg_relation_size(logicalrelid)) FROM pg_dist_partition WHERE NOT autoconverted").Scan(&local).Error)
			require.Zero(t, local, "nothing is left behind")
			run(t, db, "DELETE FROM "+o.tables().Quoted("ai_suggestions"))
			rows = rowsOf(t, db, o)

			for range 2 {
				require.NoError(t, Undistribute(ctx, db, o))
				require.Empty(t, spreads(t, db))
				require.Equal(t, catalogue, whole(t, db, o))
				require.Equal(t, rows, rowsOf(t, db, o))
				requireNoDrift(t, db, o)
			}
			if name == "hosted" {
				run(t, db, "DELETE FROM host.users")
				require.Len(t, rowsOf(t, db, o), 1+int(Latest()), "what is the app's stays")
				require.Zero(t, count(t, db, "host.pets"))
			}
		})
	}
}

// TestDistributeWithTheHostsLeads has the host distribute its leads by their owner. The
// library's tables take their shards, and their foreign key holds.
func TestDistributeWithTheHostsLeads(t *testing.T) {
	t.Parallel()
	db, ctx := onCitus(t), t.Context()
	o := hostTables(t, db, Options{})
	require.NoError(t, Up(ctx, db, o))
	run(t, db, "INSERT INTO host.users VALUES ('"+user+"')", "INSERT INTO host.leads VALUES (7, '"+user+"')",
		"SELECT create_distributed_table('host.leads', 'owner', shard_count => 2)")
	fillMore(t, db, o)
	run(t, db, "UPDATE conversations SET lead_id = 7")
	catalogue, rows := whole(t, db, o), rowsOf(t, db, o)
	require.NoError(t, Distribute(ctx, db, o, shards))
	want := spread(o)
	for table, n := range want {
		want[table] = min(n, 2)
	}
	want["host.users"], want["host.leads"] = 1, 2
	require.Equal(t, want, spreads(t, db))
	require.Equal(t, catalogue, whole(t, db, o))
	require.Equal(t, rows, rowsOf(t, db, o))
	require.Error(t, db.Exec("UPDATE conversations SET lead_id = 8 WHERE user_id = '"+user+"'").Error, "there is no such lead")
	require.NoError(t, Undistribute(ctx, db, o))
	require.Empty(t, spreads(t, db))
	require.Equal(t, catalogue, whole(t, db, o))
	require.Equal(t, rows, rowsOf(t, db, o))
}

// TestUndistributeLeavesTheHostsTables has the host distribute a table of its own that
// points to the users.
func TestUndistributeLeavesTheHostsTables(t *testing.T) {
	t.Parallel()
	db, ctx := onCitus(t), t.Context()
	o := hostTables(t, db, Options{Prefix: "chat_"})
	require.NoError(t, Up(ctx, db, o))
	run(t, db, "CREATE TABLE pets (user_id uuid REFERENCES host.users)", "SELECT create_reference_table('host.users')",
		"SELECT create_distributed_table('pets', 'user_id', shard_count => 2)")
	catalogue := whole(t, db, o)
	require.NoError(t, Distribute(ctx, db, o, shards))
	require.NoError(t, Undistribute(ctx, db, o))
	require.Equal(t, map[string]int{"host.users": 1, "pets": 2}, spreads(t, db))
	require.Equal(t, catalogue, whole(t, db, o))
	requireNoDrift(t, db, o)
	require.NoError(t, Distribute(ctx, db, o, DistributeOptions{}))
}

func TestDistributedMigrations(t *testing.T) {
	t.Parallel()
	db, ctx := onCitus(t), t.Context()
	o := Options{Dimensions: 3}
	require.NoError(t, UpTo(ctx, db, o, 1))
	require.ErrorIs(t, Distribute(ctx, db, o, shards), rule.ErrInvalid)
	require.NoError(t, UpTo(ctx, db, o, searchVersion))
	fillWords(t, db)
	require.NoError(t, Distribute(ctx, db, o, shards))
	require.NoError(t, Up(ctx, db, o))
	requireNoIndexOfWords(t, db, o)
	for _, o := range []Options{
		{Dimensions: 3, WithoutFullText: true},
		{Dimensions: 3},
		{Dimensions: 3, Trigrams: true},
		{Dimensions: 3, WithoutVectorIndex: true},
	} {
		require.NoError(t, RebuildSearch(ctx, db, o), "%+v", o)
		requireNoIndexOfWords(t, db, o)
	}
	require.NoError(t, DownTo(ctx, db, o, embeddingsVersion))
	require.NoError(t, Up(ctx, db, o))
	requireNoIndexOfWords(t, db, o)
	require.Equal(t, spread(o), spreads(t, db))
	require.NoError(t, Undistribute(ctx, db, o))
	require.NoError(t, RebuildSearch(ctx, db, o))
	requireNoDrift(t, db, o)
	requireWords(t, db)
	require.NoError(t, DownTo(ctx, db, o, 0))
	require.Empty(t, spreads(t, db))
	require.NoError(t, Up(ctx, db, o))
}

// requireNoIndexOfWords sees to what Distribute leaves, which is no drift whatever the options say.
func requireNoIndexOfWords(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	requireNoDrift(t, db, o)
	requireQuick(t, db, o)
	for _, name := range names(t, db) {
		require.NotContains(t, name, "search")
	}
}

func TestDistributeRefuses(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Citus(t)
	db, ctx := openTest(t, postgres, dsn), t.Context()
	refused := func(err error, says string) {
		t.Helper()
		require.ErrorIs(t, err, rule.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
	both := func(db *gorm.DB, o Options, says string) {
		t.Helper()
		refused(Distribute(ctx, db, o, shards), says)
		refused(Undistribute(ctx, db, o), says)
	}
	both(db, Options{}, "call Up")
	require.NoError(t, Up(ctx, db, Options{}))
	fill(t, db, Options{})
	for _, n := range []int{-1, maxShards + 1} {
		refused(Distribute(ctx, db, Options{}, DistributeOptions{Shards: n}), "shards")
	}
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		both(tx, Options{}, "transaction")
		return nil
	}))

	run(t, db, "CREATE UNIQUE INDEX one_title ON conversations (title)")
	rows := rowsOf(t, db, Options{})
	var found *PreflightError
	require.ErrorAs(t, Distribute(ctx, db, Options{}, shards), &found)
	require.Equal(t, []Finding{{"public.conversations", "one_title", RuleUnique, advice[rank(RuleUnique)].do}}, found.Findings)
	require.ErrorContains(t, found, "one_title")
	require.Empty(t, spreads(t, db))
	require.Equal(t, rows, rowsOf(t, db, Options{}))
	run(t, db, "DROP INDEX one_title")

	worker := openTest(t, postgres, pgtest.CitusWorkers(t, dsn)[0])
	require.NoError(t, Distribute(ctx, db, Options{}, shards))
	both(worker, Options{}, "worker")
	requireVersion(t, worker, Options{}, Latest())
	require.NoError(t, Undistribute(ctx, db, Options{}))

	run(t, db, "TRUNCATE message_embedding_claims")
	run(t, db, "ALTER TABLE message_embedding_claims DROP CONSTRAINT message_embedding_claims_message_fkey",
		"SELECT create_distributed_table('message_embedding_claims', 'message_id', shard_count => 2)")
	both(db, Options{}, "message_id")
	run(t, db, "SELECT undistribute_table('message_embedding_claims')", "SELECT create_reference_table('message_embedding_claims')")
	both(db, Options{}, "reference")
}

// TestDistributeIsOneTransaction has it fail at the end.
func TestDistributeIsOneTransaction(t *testing.T) {
	t.Parallel()
	db, ctx := onCitus(t), t.Context()
	require.NoError(t, Up(ctx, db, Options{}))
	fill(t, db, Options{})
	catalogue, rows := whole(t, db, Options{}), rowsOf(t, db, Options{})
	m, err := open(db, Options{}, 0)
	require.NoError(t, err)
	err = m.inCluster(ctx, func(c *cluster) error {
		require.NoError(t, c.distribute(ctx, shards))
		return sql.ErrTxDone
	})
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.Equal(t, catalogue, whole(t, db, Options{}))
	require.Equal(t, rows, rowsOf(t, db, Options{}))

	require.NoError(t, Distribute(ctx, db, Options{}, shards))
	stopped, stop := context.WithCancel(ctx)
	stop()
	require.ErrorIs(t, Undistribute(stopped, db, Options{}), context.Canceled)
	require.Equal(t, spread(Options{}), spreads(t, db))
}

// TestDistributeWithoutCitus runs where there is no cluster.
func TestDistributeWithoutCitus(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(ctx, db, Options{}))
		want := map[string]string{postgres: "CREATE EXTENSION citus", sqlite: "SQLite"}[db.Name()]
		for _, err := range []error{Distribute(ctx, db, Options{}, shards), Undistribute(ctx, db, Options{})} {
			require.ErrorIs(t, err, rule.ErrInvalid)
			require.ErrorContains(t, err, want)
		}
		require.Zero(t, count(t, db, "messages"), "the tables are there")
	})
}
