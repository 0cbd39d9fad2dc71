package health

import (
	"database/sql"
	"fmt"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

// notDistributed returns ErrUnsupported for distributed tables.
func (s health) notDistributed(db query.Conn) error {
	spread, err := s.st.Distributed(db)
	if err == nil && spread {
		err = fmt.Errorf("%w: the tables are distributed, and each node counts for its own shards: "+
			"ask pg_stat_all_indexes there, with run_command_on_all_nodes", store.ErrUnsupported)
	}
	return err
}

// shardRows is what one shard says of its rows, as postgresSizes does of a table.
const shardRows = "SELECT CAST(CASE WHEN reltuples < 0 THEN coalesce(pg_stat_get_live_tuples(oid), 0) ELSE reltuples END AS bigint)" +
	" FROM pg_class WHERE oid = '%s'::regclass"

// citusSizes adds up the shards. A shard that does not answer is an error, and not none.
func (s health) citusSizes(db query.Conn) ([]store.TableSize, error) {
	var sizes []store.TableSize
	q := query.New(`SELECT c.relname, (SELECT coalesce(sum(CAST(r.result AS bigint)), 0) FROM run_command_on_shards(CAST(c.oid AS regclass), ?) r),
		citus_table_size(c.oid), citus_total_relation_size(c.oid)
		FROM pg_class c WHERE c.oid IN (`, shardRows)
	err := s.addTables(q).Add(")").Rows(db, func(rows *sql.Rows) error {
		var t store.TableSize
		err := rows.Scan(&t.Table, &t.Rows, &t.Heap, &t.Total)
		t.Indexes = t.Total - t.Heap
		sizes = append(sizes, t)
		return err
	})
	return sizes, err
}
