package migrate

import (
	"regexp"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

const (
	defaultDimensions = 1536
	// maxDimensions is the most dimensions that pgvector can index, as halfvec.
	maxDimensions = 4000
	// maxVector is the most dimensions that pgvector can index as vector, in full precision.
	maxVector = 2000
)

// Options says how the tables are named, what they refer to, and what they can do. The zero value
// is a good default: no prefix, the connection's schema, no foreign key to the host's tables,
// 1536 dimensions, full text, and pgvector with an index on PostgreSQL.
//
// The options belong to the database: give every call the same ones. With another Prefix or
// Schema the functions of this package work on other tables. Another Ref, type or number of
// dimensions does not change existing tables, and Verify reports the difference. Use
// RebuildSearch to change what search can do.
type Options struct {
	// Prefix begins the name of every table, index and constraint. It has at most 20 bytes of
	// a-z, 0-9 and _, and does not begin with a digit.
	Prefix string
	// Schema is the PostgreSQL schema. Up creates a missing one. Empty means the first schema
	// of the connection's search_path. SQLite has no schemas.
	//
	// The vector extension does not go into this schema, since a database has it only once. Up
	// creates a missing one in the first schema of the search_path. An existing one is found in
	// whichever schema it is.
	Schema string
	// Users and Leads are tables of the host, which must exist before the first migration. Users
	// gets a foreign key, and so does Leads if it has an Owner; deleting a row of theirs deletes
	// its conversations. Nil makes no foreign key. What a foreign key cannot refer to, because
	// of its type or because it is not unique, is an error of Up and Preflight that says what to
	// do.
	Users, Leads *Ref
	// Dimensions is the length of an embedding, at most 4000; 0 means 1536. Above 2000
	// PostgreSQL stores embeddings in half precision (halfvec), because it can index no longer
	// ones in full precision.
	Dimensions int
	// WithoutPgvector stores embeddings as text, for PostgreSQL servers without the extension.
	// Similarity search is then not supported. SQLite needs no extension and ignores it.
	WithoutPgvector bool
	// WithoutVectorIndex leaves out PostgreSQL's HNSW index, which makes writing a vector many
	// times slower. A search then compares every vector of its scope, which suits users with
	// at most some ten thousand vectors each. SQLite has no such index and ignores it.
	WithoutVectorIndex bool
	// WithoutFullText leaves out the index of words. Appends write a little less, and a search by
	// words reads every text of its scope. A Citus cluster has no such index, whatever is said
	// here: see Distribute.
	WithoutFullText bool
	// Trigrams creates PostgreSQL indexes for substrings, with the extension pg_trgm. They are
	// for searching the messages of all users for a part of a word. SQLite ignores it.
	Trigrams bool

	// The rest belongs to a call and not to the database.

	// LockTimeout is how long Up, Down and RebuildSearch wait for a lock on a table of
	// PostgreSQL before they give it up and try again. Everybody else who needs the table
	// waits behind them for as long. 0 means 500 ms, which is less than PostgreSQL's
	// deadlock_timeout, so that no service becomes the victim of a deadlock. SQLite ignores it.
	LockTimeout time.Duration
	// WaitLimit is how long all tries together may take before a call returns a
	// *BlockedError. 0 means a minute. SQLite ignores it.
	WaitLimit time.Duration
	// OnEvent is told of each migration, each part of one and each wait, as soon as it is
	// committed or over. It runs on the goroutine of the call. Nil tells nobody.
	OnEvent func(Event)
}

const (
	defaultLockTimeout = 500 * time.Millisecond
	defaultWaitLimit   = time.Minute
)

// Ref names the column of a host's table that a foreign key refers to.
type Ref struct {
	// Table is the name of the table, "users", or on PostgreSQL also "crm.users". It is case
	// sensitive.
	Table string
	// Column is the primary key or another unique column; empty means "id". It is case
	// sensitive. The one of Users is a uuid on PostgreSQL, and a uuid as text on SQLite. A host
	// whose users have numbers or names leaves Users out and gives each one a
	// store.TenantID.
	Column string
	// Owner is for Leads alone: the column with the user to whom a lead belongs, of the same
	// type as the Column of Users. The foreign key is then (lead_id, user_id) to (Column,
	// Owner), so that a conversation can only name a lead of its own user, and only that lead's
	// deletion deletes it. The table needs a unique constraint on the two columns:
	//
	//	CREATE UNIQUE INDEX leads_id_owner_key ON leads (id, owner)
	//
	// Without Owner there is no foreign key, since it would tell one user about the leads of
	// another. Only the type of lead_id is then taken from Leads.
	Owner string
	// Type is the SQL type of the column, such as "bigint" or "varchar(36)". lead_id gets the
	// same type. Empty means text. It must be empty for Users: user_id is a uuid on PostgreSQL
	// and text on SQLite.
	Type string
}

// hostType matches "bigint", "character varying(36)", "timestamp(3) with time zone". It
// allows a comma only between numbers, because elsewhere a comma would begin another column.
var hostType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ ]*(\( *[0-9]+( *, *[0-9]+)* *\)[A-Za-z ]*)?$`)

// maxHostName is the most bytes of a name in PostgreSQL.
const maxHostName = 63

func (o Options) tables() naming.Tables {
	return naming.Tables{Prefix: o.Prefix, Schema: o.Schema}
}

func (o Options) lockTimeout() time.Duration {
	if o.LockTimeout == 0 {
		return defaultLockTimeout
	}
	return o.LockTimeout
}

func (o Options) waitLimit() time.Duration {
	if o.WaitLimit == 0 {
		return defaultWaitLimit
	}
	return o.WaitLimit
}

func (o Options) dimensions() int {
	if o.Dimensions == 0 {
		return defaultDimensions
	}
	return o.Dimensions
}

func (o Options) vectorType() string {
	switch {
	case o.WithoutPgvector:
		return "text"
	case o.dimensions() > maxVector:
		return "halfvec"
	}
	return "vector"
}

// maxPlain is the most bytes of a vector that leave room for the rest of its row on a page of
// PostgreSQL.
const maxPlain = 7000

// plainVectors tells whether a vector can be stored inside its row. By pgvector's documentation
// it takes 8 bytes, and for each dimension 4 more, or 2 in half precision.
func (o Options) plainVectors() bool {
	size := 4
	if o.dimensions() > maxVector {
		size = 2
	}
	return !o.WithoutPgvector && size*o.dimensions()+8 <= maxPlain
}

// check returns a *rule.InvalidError for the first option that is not valid in the dialect.
func (o Options) check(dialect string) error {
	if dialect != postgres && dialect != sqlite {
		return rule.Invalid("dialect", "postgres or sqlite")
	}
	if err := o.tables().Validate(); err != nil {
		return err
	}
	if o.Prefix == scratch {
		return rule.Invalid("prefix", "%s is kept for Verify", scratch)
	}
	if o.Schema != "" && dialect == sqlite {
		return rule.Invalid("schema", "SQLite has none; use a prefix")
	}
	if o.Dimensions < 0 || o.Dimensions > maxDimensions {
		return rule.Invalid("dimensions", "1 to %d, or 0 for %d", maxDimensions, defaultDimensions)
	}
	if o.LockTimeout < 0 {
		return rule.Invalid("lock_timeout", "is negative; 0 means %s", defaultLockTimeout)
	}
	if o.WaitLimit < 0 {
		return rule.Invalid("wait_limit", "is negative; 0 means %s", defaultWaitLimit)
	}
	if o.Users != nil && o.Users.Type != "" {
		return rule.Invalid("users", "no type: user_id is a uuid on PostgreSQL and text on SQLite")
	}
	if o.Users != nil && o.Users.Owner != "" {
		return rule.Invalid("users", "no owner: a user belongs to nobody")
	}
	if err := o.Users.check("users", dialect); err != nil {
		return err
	}
	return o.Leads.check("leads", dialect)
}

func (r *Ref) check(field, dialect string) error {
	if r == nil {
		return nil
	}
	if dialect == sqlite && strings.Contains(r.Table, ".") {
		return rule.Invalid(field, "is in a schema, which SQLite has none of")
	}
	if err := naming.CheckHost(field, r.Table, r.columns()...); err != nil {
		return err
	}
	if r.Type != "" && (len(r.Type) > maxHostName || !hostType.MatchString(r.Type)) {
		return rule.Invalid(field, "a type such as bigint or varchar(36)")
	}
	return nil
}

func (r *Ref) column() string {
	if r.Column == "" {
		return "id"
	}
	return r.Column
}

// columns returns the columns that a foreign key refers to.
func (r *Ref) columns() []string {
	if r.Owner == "" {
		return []string{r.column()}
	}
	return []string{r.column(), r.Owner}
}
