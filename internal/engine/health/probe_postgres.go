package health

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/store"
)

// postgresProbe answers Health from a PostgreSQL server, with or without Citus.
type postgresProbe struct{ st *scope.Store }

// conn asks the primary, because a replica has statistics of its own.
func (p postgresProbe) conn(ctx context.Context) query.Conn { return query.On(ctx, p.st.Writer) }

func (p postgresProbe) identify(db query.Conn, version string, r *store.Readiness) error {
	// "PostgreSQL 15.18 (Debian …) on x86_64-pc-linux-gnu, compiled by …"
	words := strings.Fields(version)
	r.Database = strings.Join(words[:min(2, len(words))], " ")
	extensions, err := readExtensions(db)
	r.Extensions = extensions
	return err
}

func readExtensions(db query.Conn) (map[string]string, error) {
	type extension struct{ name, version string }
	q := query.New("SELECT extname, extversion FROM pg_extension WHERE extname IN ('vector', 'pg_trgm', 'pg_stat_statements', 'citus')")
	found, err := query.All(db, q, func(e *extension) []any { return []any{&e.name, &e.version} })
	extensions := make(map[string]string, len(found))
	for _, e := range found {
		extensions[e.name] = e.version
	}
	return extensions, err
}

// readerNeedsCheck is true for a reader on a replica, which may not have the migrations yet.
func (p postgresProbe) readerNeedsCheck() bool { return p.st.Reader != p.st.Writer }

func (p postgresProbe) pages(context.Context) (store.Pages, error) {
	return store.Pages{}, fmt.Errorf("%w: PostgreSQL has a file for each table, see TableSizes", store.ErrUnsupported)
}

func (p postgresProbe) check(context.Context) ([]string, error) {
	return nil, fmt.Errorf("%w: PostgreSQL has the extension amcheck and the program pg_amcheck", store.ErrUnsupported)
}

// addTables adds the object identifiers of the library's tables, NULL for a missing table.
func (p postgresProbe) addTables(q *query.Query) *query.Query {
	for i, name := range slices.Concat(naming.All(), naming.Search()) {
		comma := ", "
		if i == 0 {
			comma = ""
		}
		q.Add(comma+"to_regclass(?)", p.st.Config.Tables.Quoted(name))
	}
	return q
}

func (p postgresProbe) tableSizes(ctx context.Context) ([]store.TableSize, error) {
	db := p.conn(ctx)
	if err := p.st.CheckSchema(db); err != nil {
		return nil, err
	}
	distributed, err := p.st.Distributed(db)
	if err != nil {
		return nil, query.Wrap("read the sizes of the tables", err)
	}
	if distributed {
		return p.distributedSizes(ctx, db)
	}
	sizes, err := p.plainSizes(db)
	return sizes, query.Wrap("read the sizes of the tables", err)
}

// distributedSizes asks over connections of Citus' own, which it does not open inside a
// transaction that has written to several shards: they would not see what was written. That
// shows only as an error, so that it asks inside a savepoint, which a host's transaction
// survives.
func (p postgresProbe) distributedSizes(ctx context.Context, db query.Conn) (sizes []store.TableSize, err error) {
	err = p.st.Guarded(ctx, func(*scope.Store) error {
		sizes, err = p.citusSizes(db)
		return err
	})
	const activeTransaction = "25001"
	if dialect.CodeOf(err) == activeTransaction {
		return nil, fmt.Errorf("%w: the transaction has written to several shards, and their sizes are read outside of it: "+
			"ask before it, or after (%w)", store.ErrUnsupported, err)
	}
	return sizes, query.Wrap("read the sizes of the tables", err)
}

// plainSizes takes the number of rows from the planner. Until VACUUM or ANALYZE has set it,
// which in a small table may never happen, it takes the live rows of the statistics.
func (p postgresProbe) plainSizes(db query.Conn) ([]store.TableSize, error) {
	var sizes []store.TableSize
	q := query.New(`SELECT c.relname,
		CAST(CASE WHEN c.reltuples < 0 THEN coalesce(pg_stat_get_live_tuples(c.oid), 0) ELSE c.reltuples END AS bigint),
		coalesce(pg_table_size(c.oid), 0), coalesce(pg_indexes_size(c.oid), 0)
		FROM pg_class c WHERE c.oid IN (`)
	err := p.addTables(q).Add(")").Rows(db, func(rows *sql.Rows) error {
		var t store.TableSize
		err := rows.Scan(&t.Table, &t.Rows, &t.Heap, &t.Indexes)
		t.Total = t.Heap + t.Indexes
		sizes = append(sizes, t)
		return err
	})
	return sizes, err
}

// shardRows counts the rows of one shard in the way that plainSizes counts those of a table.
const shardRows = "SELECT CAST(CASE WHEN reltuples < 0 THEN coalesce(pg_stat_get_live_tuples(oid), 0) ELSE reltuples END AS bigint)" +
	" FROM pg_class WHERE oid = '%s'::regclass"

// citusSizes adds up the shards of each table. A shard that does not answer makes it fail: it
// must not count as empty.
func (p postgresProbe) citusSizes(db query.Conn) ([]store.TableSize, error) {
	var sizes []store.TableSize
	q := query.New(`SELECT c.relname, (SELECT coalesce(sum(CAST(r.result AS bigint)), 0) FROM run_command_on_shards(CAST(c.oid AS regclass), ?) r),
		citus_table_size(c.oid), citus_total_relation_size(c.oid)
		FROM pg_class c WHERE c.oid IN (`, shardRows)
	err := p.addTables(q).Add(")").Rows(db, func(rows *sql.Rows) error {
		var t store.TableSize
		err := rows.Scan(&t.Table, &t.Rows, &t.Heap, &t.Total)
		t.Indexes = t.Total - t.Heap
		sizes = append(sizes, t)
		return err
	})
	return sizes, err
}

func (p postgresProbe) indexUsage(ctx context.Context) ([]store.IndexUsage, error) {
	db := p.conn(ctx)
	if err := p.st.CheckSchema(db); err != nil {
		return nil, err
	}
	if err := p.notDistributed(db); err != nil {
		return nil, query.Wrap("read the use of the indexes", err)
	}
	// The library makes no exclusion constraint. One that the host made keeps a key as well.
	q := query.New(`SELECT t.relname, i.relname, coalesce(u.idx_scan, 0), coalesce(u.idx_tup_read, 0), coalesce(u.idx_tup_fetch, 0),
		coalesce(pg_relation_size(i.oid), 0), x.indisunique OR x.indisexclusion, greatest(i.reltuples, 0)::bigint,
		current_setting('track_counts') = 'on'
		FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_stat_all_indexes u ON u.indexrelid = x.indexrelid
		WHERE x.indrelid IN (`)
	var usage []store.IndexUsage
	err := p.addTables(q).Add(") ORDER BY 3, 2").Rows(db, func(rows *sql.Rows) error {
		var u store.IndexUsage
		err := rows.Scan(&u.Table, &u.Index, &u.Scans, &u.Read, &u.Fetched, &u.Bytes, &u.Constraint, &u.Entries, &u.Counted)
		u.Unused = u.Counted && u.Scans == 0 && !u.Constraint
		usage = append(usage, u)
		return err
	})
	return usage, query.Wrap("read the use of the indexes", err)
}

// notDistributed returns store.ErrUnsupported for distributed tables.
func (p postgresProbe) notDistributed(db query.Conn) error {
	distributed, err := p.st.Distributed(db)
	if err == nil && distributed {
		err = fmt.Errorf("%w: the tables are distributed, and each node counts for its own shards: "+
			"ask pg_stat_all_indexes there, with run_command_on_all_nodes", store.ErrUnsupported)
	}
	return err
}

func (p postgresProbe) slowQueries(ctx context.Context, limit int) ([]store.SlowQuery, error) {
	var slowest []store.SlowQuery
	err := p.withStatStatements(ctx, func(db query.Conn, schema string) (err error) {
		slowest, err = p.readSlowest(db, schema, limit)
		return err
	})
	return slowest, err
}

func (p postgresProbe) resetSlowQueries(ctx context.Context) error {
	return p.withStatStatements(ctx, func(db query.Conn, schema string) error {
		_, err := query.New("SELECT " + schema + ".pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()").
			Exec(db)
		return err
	})
}

const (
	slowInstall = "statistics of statements take the extension pg_stat_statements: put it into shared_preload_libraries, " +
		"restart the server, and run CREATE EXTENSION pg_stat_statements in this database"
	slowUpdate = "the extension pg_stat_statements is older than 1.8: run ALTER EXTENSION pg_stat_statements UPDATE"
)

// withStatStatements calls fn with the quoted name of the schema that holds the extension
// pg_stat_statements. It returns store.ErrUnsupported where the extension is missing, not
// loaded by the server, or too old. The last two show only as an error of fn's statement, so
// that fn runs inside a savepoint and a transaction of the host's survives it.
func (p postgresProbe) withStatStatements(ctx context.Context, fn func(db query.Conn, schema string) error) error {
	var schema string
	db := p.conn(ctx)
	q := query.New("SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace " +
		"WHERE e.extname = 'pg_stat_statements'")
	found, err := q.Row(db, &schema)
	if err == nil && found {
		err = p.st.Guarded(ctx, func(*scope.Store) error { return fn(db, schema) })
	} else if err == nil {
		return fmt.Errorf("%w: %s", store.ErrUnsupported, slowInstall)
	}
	const notPreloaded, noSuchColumn, noSuchFunction = "55000", "42703", "42883"
	switch dialect.CodeOf(err) {
	case notPreloaded:
		return fmt.Errorf("%w: %s (%w)", store.ErrUnsupported, slowInstall, err)
	case noSuchColumn, noSuchFunction:
		return fmt.Errorf("%w: %s (%w)", store.ErrUnsupported, slowUpdate, err)
	}
	return query.Wrap("read the statistics of statements", err)
}

// readsOrWritesRows matches a statement that reads or writes rows, with or without comments
// in front.
const readsOrWritesRows = `^[\s(]*(/\*.*?\*/\s*)*(select|with|insert|update|delete|merge)\y`

// readSlowest leaves out statements that neither read nor write rows, such as CREATE INDEX,
// because the extension keeps their text with its literals. It also replaces every string
// literal in the texts, because the extension can leave literals in when it evicts entries to
// make room.
func (p postgresProbe) readSlowest(db query.Conn, schema string, limit int) ([]store.SlowQuery, error) {
	q := query.New(`SELECT regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), calls,
		total_exec_time, mean_exec_time, max_exec_time, stddev_exec_time
		FROM `+schema+`.pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls > 0
		AND query ~* ? AND query ~* ?
		ORDER BY mean_exec_time DESC, total_exec_time DESC, queryid LIMIT ?`, readsOrWritesRows, p.namesPattern(), limit)
	slowest := make([]store.SlowQuery, 0, limit)
	err := q.Rows(db, func(rows *sql.Rows) error {
		var s store.SlowQuery
		var total, mean, longest, deviation float64
		err := rows.Scan(&s.Query, &s.Calls, &total, &mean, &longest, &deviation)
		s.Total, s.Mean, s.Max, s.StdDev = milliseconds(total), milliseconds(mean), milliseconds(longest), milliseconds(deviation)
		slowest = append(slowest, s)
		return err
	})
	return slowest, err
}

// namesPattern matches a text that names one of the library's tables as a word, quoted or
// not. Table names need no escaping: they hold no character that is special in a pattern.
func (p postgresProbe) namesPattern() string {
	names := slices.Concat(naming.All(), naming.Search())
	for i, name := range names {
		names[i] = p.st.Config.Tables.Prefix + name
	}
	return `\y(` + strings.Join(names, "|") + `)\y`
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
