package bench

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/migrate"
)

// filled makes a database with rows; the indexes that no rule needs come after them.
func (d database) filled(t *testing.T, z size, o migrate.Options) (address string) {
	t.Helper()
	ctx := t.Context()
	address = d.fresh(t)
	st, err := d.open(ctx, address, o)
	require.NoError(t, err)
	require.NoError(t, st.Close())
	start := time.Now()
	// A cache that holds the indexes: the rows of a thread lie far apart in time.
	db := d.openSQL(t, address, "&_pragma=cache_size(-2000000)&_pragma=synchronous(OFF)&_pragma=temp_store(MEMORY)")
	defer func() { require.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	if d.postgres {
		run(t, db, "SET work_mem = '512MB'")
		run(t, db, "SET maintenance_work_mem = '1GB'")
		run(t, db, "SET synchronous_commit = off")
	}
	later := d.takeIndexes(t, db)
	fill(t, db, d.postgres, z)
	rows := time.Since(start)
	for _, statement := range later {
		run(t, db, statement)
	}
	analyze(t, db, d.postgres)
	t.Logf("%s: %s messages in %s, with %d indexes in %s", d.name, thousands(z.total()), short(rows), len(later), short(time.Since(start)))
	return address
}

// total is how many messages there are.
func (z size) total() int { return z.conversations*z.messages + z.users*z.extra }

// takeIndexes drops the indexes of messages that are not of a constraint, and returns the
// statements that make them again.
func (d database) takeIndexes(t *testing.T, db *sql.DB) (again []string) {
	t.Helper()
	query := `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages' AND sql IS NOT NULL`
	if d.postgres {
		query = `SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
			WHERE i.indrelid = 'messages'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)`
	}
	names, statements := twoColumns(t.Context(), t, db, query)
	for _, name := range names {
		run(t, db, "DROP INDEX "+name)
	}
	return statements
}

func twoColumns(ctx context.Context, t *testing.T, db *sql.DB, query string) (first, second []string) {
	t.Helper()
	rs, err := db.QueryContext(ctx, query)
	require.NoError(t, err)
	defer rs.Close()
	for rs.Next() {
		var a, b string
		require.NoError(t, rs.Scan(&a, &b))
		first, second = append(first, a), append(second, b)
	}
	require.NoError(t, rs.Err())
	return first, second
}
