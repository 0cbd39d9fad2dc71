package store

import (
	"context"
	"database/sql"
	"time"
)

// Health is what an operator asks of the database itself: it is about whole tables, not
// about anybody's rows. Its methods read; what is said of a database that lacks the
// ability is ErrUnsupported, whose message says what it would take.
//
// On PostgreSQL it asks the server that the store writes to, except Replicas, which tells
// what is known of the others. A replica has statistics of its own: ask it through a store
// of New on it.
type Health interface {
	// Ready tells whether the store can work: the database answers and has the schema of
	// this version, and so does the one of WithReader. It asks each time. The error is
	// ErrSchema for another schema, and else that of the connection; what was found comes
	// back beside it. On SQLite it does not wait for a writer.
	Ready(ctx context.Context) (Readiness, error)

	// PoolStats returns the pools of connections, the writer's first, then the reader's if
	// it has one of its own, then those of replicas as they were configured. It asks
	// nothing of the database. Inside a transaction they are those that the store was
	// opened with.
	PoolStats() []PoolStats

	// Replicas returns what is known of the replicas, as they were configured, none
	// without replicas. It asks nothing of them: the store does so all the time.
	Replicas() []ReplicaState

	// TableSizes returns the library's tables, the largest first, ties by name. SQLite
	// knows the bytes only with its table dbstat, which some drivers lack: ErrUnsupported.
	// It reads every page there, which takes as long as reading the file. Of distributed
	// tables it adds up the shards, and needs every node.
	TableSizes(ctx context.Context) ([]TableSize, error)

	// IndexUsage returns the indexes of the library's tables as PostgreSQL has counted
	// their use since its statistics were last reset, the least used first, ties by name.
	// SQLite counts nothing, and of distributed tables each node counts for itself:
	// ErrUnsupported.
	IndexUsage(ctx context.Context) ([]IndexUsage, error)

	// SlowQueries returns the statements on the library's tables that took PostgreSQL the
	// longest on average, slowest first, limit of them, 20 if 0; below 0 or above MaxLimit
	// is ErrInvalid. They are those that read or write rows, whoever sent them, and have
	// the name of a table of the library's as a word; the texts have placeholders for all
	// values. Those of other roles need the right pg_read_all_stats. Without the extension
	// pg_stat_statements, and on SQLite, it returns ErrUnsupported.
	SlowQueries(ctx context.Context, limit int) ([]SlowQuery, error)

	// ResetSlowQueries forgets what SlowQueries has counted of this database, the host's
	// statements among it. It needs the right to call pg_stat_statements_reset, and
	// returns ErrUnsupported where SlowQueries does.
	ResetSlowQueries(ctx context.Context) error

	// Pages returns how much of an SQLite file is in use. PostgreSQL keeps a file a
	// table, see TableSizes: ErrUnsupported.
	Pages(ctx context.Context) (Pages, error)

	// Check lets SQLite look for damage in the whole file and for rows whose parent is
	// gone, of the host's tables as well, and returns what it found, nothing if all is
	// well, 100 findings at most. They name tables and rows and quote nothing. It reads
	// everything. A file that SQLite cannot read at all is a finding; no answer is an
	// error. PostgreSQL has tools of its own (amcheck): ErrUnsupported.
	Check(ctx context.Context) ([]string, error)
}

// Readiness is what Ready found.
type Readiness struct {
	// Database is its name and version, "PostgreSQL 15.18" or "SQLite 3.54.1", empty if it
	// did not answer.
	Database string `json:"database"`
	// Schema is the version that the database has, Wanted the one that this code needs.
	Schema int64 `json:"schema"`
	Wanted int64 `json:"wanted"`
	// Extensions are PostgreSQL's that the store makes use of and that are there, with
	// their versions: vector, pg_trgm, pg_stat_statements, citus.
	Extensions map[string]string `json:"extensions,omitempty"`
	// FullText, Vectors and VectorIndex are what the migrations' options left in it.
	FullText    bool `json:"full_text"`
	Vectors     bool `json:"vectors"`
	VectorIndex bool `json:"vector_index"`
	// Took is how long the answer took.
	Took time.Duration `json:"took"`
}

// PoolStats are figures of a pool of connections.
type PoolStats struct {
	// Name is "writer", "reader", or "replica " with its address.
	Name string `json:"name"`
	sql.DBStats
}

// TableSize is how much there is of a table.
type TableSize struct {
	Table string `json:"table"`
	// Rows are counted on SQLite and PostgreSQL's estimate on PostgreSQL, deleted ones
	// included.
	Rows int64 `json:"rows"`
	// Heap, Indexes and Total are bytes. PostgreSQL's Heap includes what is stored out of
	// line; SQLite's full text tables count as indexes of their table.
	Heap    int64 `json:"heap"`
	Indexes int64 `json:"indexes"`
	Total   int64 `json:"total"`
}

// IndexUsage is how often an index served.
type IndexUsage struct {
	Table string `json:"table"`
	Index string `json:"index"`
	// Scans counts queries that used it, Read and Fetched the entries and rows that they
	// got.
	Scans   int64 `json:"scans"`
	Read    int64 `json:"read"`
	Fetched int64 `json:"fetched"`
	// Bytes is its size.
	Bytes int64 `json:"bytes"`
	// Constraint says that it keeps a key unique, which is of use without a scan.
	Constraint bool `json:"constraint"`
	// Unused says that it served no query and keeps no key.
	Unused bool `json:"unused"`
}

// SlowQuery is a statement with how long it took.
type SlowQuery struct {
	Query string `json:"query"`
	Calls int64  `json:"calls"`
	// The times are of one call, but for Total.
	Total  time.Duration `json:"total"`
	Mean   time.Duration `json:"mean"`
	Max    time.Duration `json:"max"`
	StdDev time.Duration `json:"std_dev"`
}

// Pages are those of an SQLite file.
type Pages struct {
	// Size is the bytes of a page, Total how many there are, Free how many are empty and
	// will be used again.
	Size  int64 `json:"size"`
	Total int64 `json:"total"`
	Free  int64 `json:"free"`
}

// ReplicaState is what the store knows of a replica.
type ReplicaState struct {
	// Address is its host and port.
	Address string `json:"address"`
	// InUse says that reads may go to it. If not, Reason says why.
	InUse  bool   `json:"in_use"`
	Reason string `json:"reason,omitempty"`
	// Behind is how many bytes of the log it had not replayed when it was asked last, 0 if
	// it did not answer.
	Behind int64 `json:"behind"`
	// Age is how old what it shows is at most, 0 while that is not known.
	Age time.Duration `json:"age"`
	// Reads counts the methods that were sent to it, Fallbacks those of them that went on to
	// the primary, because it failed or did not find a row.
	Reads     int64 `json:"reads"`
	Fallbacks int64 `json:"fallbacks"`
}
