package store

import (
	"context"
	"database/sql"
	"time"
)

// Health reports on the database itself: on whole tables, not on anybody's rows. Its methods
// only read, except ResetSlowQueries. Where the database lacks the ability, a method returns
// ErrUnsupported with a message that says what is missing.
//
// On PostgreSQL the methods ask the primary, the server that the store writes to; Replicas
// says what is known of the replicas. A replica has statistics of its own: to read them, open
// a store of convostore.New on the replica.
type Health interface {
	// Ready says whether the store can work: the database, and that of WithReader, answers and
	// has a schema that this version works with, with nothing of it missing, invalid or switched
	// off, and whether the connection that it gets has the settings that the store needs. It asks
	// each time that it is called, also what has changed in the schema since the migrations: see
	// migrate.QuickVerify for what it compares. The error is ErrSetting with a *SettingError for
	// each setting that is wrong; docs/host.md says which. It is ErrSchema if the
	// schema is another one, with a *migrate.DriftError if parts of it are missing, which lists
	// what migrate.Repair has to mend. Otherwise it is that of the connection. The
	// Readiness says what was found, also beside an error. On SQLite Ready does not wait for a
	// writer.
	Ready(ctx context.Context) (Readiness, error)

	// PoolStats returns the figures of the connection pools: first the writer's, then the
	// reader's if it has its own, then those of the replicas in the order of their
	// configuration. It sends nothing to the database. Inside a transaction they are the pools
	// that the store was opened with.
	PoolStats() []PoolStats

	// Replicas returns what is known of the replicas, in the order of their configuration;
	// none without replicas. It sends nothing to them: the store polls them all the time.
	Replicas() []ReplicaState

	// TableSizes returns the sizes of the library's tables, largest first, ties by name. On
	// SQLite it needs the table dbstat, which some drivers lack (ErrUnsupported), and takes as
	// long as reading the whole file. Of distributed tables it adds up the shards, and needs
	// every node; inside a transaction that has written to several of them it is ErrUnsupported,
	// and the transaction goes on.
	TableSizes(ctx context.Context) ([]TableSize, error)

	// IndexUsage returns how often PostgreSQL has used each index of the library's tables since
	// its statistics were last reset, least used first, ties by name. It is ErrUnsupported on
	// distributed tables, for which each node counts by itself.
	//
	// SQLite does not count. It returns the indexes by name, with what it knows of them and
	// without Counted; docs/indexes.md says which query uses which index there. The sizes take
	// SQLite's table dbstat and as long as reading the whole file.
	IndexUsage(ctx context.Context) ([]IndexUsage, error)

	// SlowQueries returns the statements on the library's tables that took PostgreSQL the
	// longest on average, slowest first, limit of them, 20 if 0; below 0 or above MaxLimit
	// is ErrInvalid. It takes statements that read or write rows, whoever sent them, and that
	// contain the name of one of the tables as a word. The texts have placeholders for all
	// values. To see the statements of other roles, the store's role needs pg_read_all_stats.
	// It is ErrUnsupported without the extension pg_stat_statements, and on SQLite.
	SlowQueries(ctx context.Context, limit int) ([]SlowQuery, error)

	// ResetSlowQueries resets the statistics of pg_stat_statements for this database, including
	// those of the host's statements. The store's role needs the right to call
	// pg_stat_statements_reset. It is ErrUnsupported where SlowQueries is.
	ResetSlowQueries(ctx context.Context) error

	// Deliveries counts what is in the outbox of all users, and what of it is overdue: alert on
	// OldestDue, which grows when no worker runs.
	Deliveries(ctx context.Context) (DeliveryHealth, error)

	// Pages returns how much of an SQLite file is in use. On PostgreSQL, which has files for
	// each table, it is ErrUnsupported; see TableSizes.
	Pages(ctx context.Context) (Pages, error)

	// Check has SQLite look for damage in the whole file, and for rows whose parent is gone,
	// also in the host's tables. It reads everything. It returns what it found:
	// nothing if all is well, 100 findings at most. A finding names tables and rows and quotes
	// no value. A file that SQLite cannot read at all is a finding; if SQLite does not answer,
	// that is an error. On PostgreSQL, which has amcheck, it is ErrUnsupported.
	Check(ctx context.Context) ([]string, error)
}

// Readiness is what Ready has found.
type Readiness struct {
	// Database is its name and version, "PostgreSQL 15.18" or "SQLite 3.54.1", empty if it
	// did not answer.
	Database string `json:"database"`
	// Schema is the version of the schema in the database, Wanted the one that this code was
	// made for. A schema may be newer and work all the same; see ErrSchema.
	Schema int64 `json:"schema"`
	Wanted int64 `json:"wanted"`
	// Extensions are the installed extensions of PostgreSQL that the store can use, with their
	// versions: vector, pg_trgm, pg_stat_statements, citus.
	Extensions map[string]string `json:"extensions,omitempty"`
	// FullText, Vectors and VectorIndex say what the database was migrated with.
	FullText    bool `json:"full_text"`
	Vectors     bool `json:"vectors"`
	VectorIndex bool `json:"vector_index"`
	// Took is how long the database took to answer.
	Took time.Duration `json:"took"`
}

// PoolStats are the figures of a connection pool.
type PoolStats struct {
	// Name is "writer", "reader", or "replica " followed by the address.
	Name string `json:"name"`
	sql.DBStats
}

// TableSize is the size of a table.
type TableSize struct {
	Table string `json:"table"`
	// Rows is exact on SQLite and the server's estimate on PostgreSQL. It includes deleted
	// rows.
	Rows int64 `json:"rows"`
	// Heap, Indexes and Total are bytes. On PostgreSQL, Heap includes what is stored out of
	// line (TOAST).
	Heap    int64 `json:"heap"`
	Indexes int64 `json:"indexes"`
	Total   int64 `json:"total"`
}

// IndexUsage is how often an index was used.
type IndexUsage struct {
	Table string `json:"table"`
	Index string `json:"index"`
	// Counted says that the database counts. If not, nothing is known of Scans, Read, Fetched
	// and Unused, which are 0 and false.
	Counted bool `json:"counted"`
	// Scans is the number of index scans, Read that of the index entries they returned,
	// Fetched that of the rows they fetched.
	Scans   int64 `json:"scans"`
	Read    int64 `json:"read"`
	Fetched int64 `json:"fetched"`
	// Bytes is the size of the index; 0 on SQLite with a driver that lacks dbstat, as
	// github.com/mattn/go-sqlite3 does unless it is built with it.
	Bytes int64 `json:"bytes"`
	// Entries is the number of entries that the database's planner reckons with, 0 before the
	// first TableCare.Analyze. A partial index has fewer than its table has rows.
	Entries int64 `json:"entries"`
	// Constraint says that the index keeps a key unique, for which it is needed without scans.
	Constraint bool `json:"constraint"`
	// Unused says that the database counts, that no query used the index and that it keeps no key unique.
	Unused bool `json:"unused"`
}

// SlowQuery is a statement and how long it took.
type SlowQuery struct {
	Query string `json:"query"`
	Calls int64  `json:"calls"`
	// Total is the time of all calls; the other times are of one call.
	Total  time.Duration `json:"total"`
	Mean   time.Duration `json:"mean"`
	Max    time.Duration `json:"max"`
	StdDev time.Duration `json:"std_dev"`
}

// Pages are the pages of an SQLite file.
type Pages struct {
	// Size is the size of a page in bytes, Total the number of pages, Free the number of empty
	// ones, which SQLite will use again.
	Size  int64 `json:"size"`
	Total int64 `json:"total"`
	Free  int64 `json:"free"`
}

// ReplicaState is what the store knows of a replica.
type ReplicaState struct {
	// Address is the host and port.
	Address string `json:"address"`
	// InUse says that reads may go to the replica. If not, Reason says why.
	InUse  bool   `json:"in_use"`
	Reason string `json:"reason,omitempty"`
	// Behind is the number of bytes of the primary's log that the replica had not replayed at
	// the last poll; 0 if it did not answer.
	Behind int64 `json:"behind"`
	// Age is the greatest possible age of the state that the replica shows; 0 while unknown.
	Age time.Duration `json:"age"`
	// Reads is the number of method calls sent to the replica. Fallbacks is the number of those
	// that were then run on the primary, because the replica failed or did not find a row.
	Reads     int64 `json:"reads"`
	Fallbacks int64 `json:"fallbacks"`
}
