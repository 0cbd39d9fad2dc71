package migrate

import (
	"regexp"
	"strings"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

const (
	defaultDimensions = 1536
	// maxDimensions is the most that pgvector can index, as halfvec.
	maxDimensions = 4000
	// maxVector is the most that pgvector can index as vector, in full precision.
	maxVector = 2000
)

// Options says what the tables are called and what they are tied to. The zero value is
// good: no prefix, the connection's schema, no foreign key to the host's tables, 1536
// dimensions, full text, pgvector with an index on PostgreSQL.
//
// The options belong to the database: give every call the same ones. With another
// Prefix or Schema the functions of this package look at other tables; another ref,
// type or number of dimensions changes nothing in tables that exist, and Verify tells.
// What search can do is changed with RebuildSearch.
type Options struct {
	// Prefix stands before every name of a table, index and constraint: at most 20
	// bytes of a-z, 0-9 and _, the first no digit.
	Prefix string
	// Schema is the PostgreSQL schema, made by Up where it is missing. Empty is the
	// first schema of the connection's search_path. SQLite has none.
	//
	// The vector extension does not go there, since a database has it once: it is made
	// in the first schema of the search_path unless it is there already, and must be
	// on the search_path.
	Schema string
	// Users and Leads are tables of the host's, which must exist. Where one is set a
	// real foreign key is made, and deleting its row deletes the conversations. Nil
	// makes none.
	Users, Leads *Ref
	// Dimensions is the length of an embedding; 0 is 1536, the most 4000. Above 2000
	// PostgreSQL keeps them in half precision (halfvec), which is all it can index.
	Dimensions int
	// WithoutPgvector makes the column of embeddings text, for PostgreSQL servers
	// without the extension: vectors are kept, similarity search is not supported.
	// SQLite needs none and ignores it.
	WithoutPgvector bool
	// WithoutVectorIndex leaves out PostgreSQL's HNSW index, which makes writing a vector
	// slower many times over. Searches then compare every vector of their scope:
	// good where each user's are some ten thousand at most. SQLite has none and ignores
	// it.
	WithoutVectorIndex bool
	// WithoutFullText leaves out the indexes of words: appends are faster, and a text
	// search finds substrings only. On SQLite it also does without FTS5, which some
	// drivers have only with a build tag.
	WithoutFullText bool
	// TextConfig is PostgreSQL's text search configuration, "simple" if empty: "english"
	// or another of pg_ts_config, also with its schema. It decides what a word is.
	// SQLite ignores it.
	TextConfig string
	// Trigrams makes PostgreSQL indexes for substrings, with the extension pg_trgm, for
	// searching everybody's messages for a part of a word. SQLite ignores it.
	Trigrams bool
}

// Ref names a column of a host's table.
type Ref struct {
	// Table is the table's name, "users", or on PostgreSQL "crm.users". Case counts.
	Table string
	// Column is its primary key or another unique column; empty is "id". Case counts.
	Column string
	// Type is the column's type as SQL writes it, "bigint" or "varchar(36)": lead_id
	// gets the same one. Empty is text. For Users leave it empty: user_id is a uuid on
	// PostgreSQL and text on SQLite.
	Type string
}

var (
	// textConfig takes "english" and "public.english".
	textConfig = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$`)
	// hostType takes "bigint", "character varying(36)", "timestamp(3) with time zone";
	// a comma stands only between numbers, or it would start another column.
	hostType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ ]*(\( *[0-9]+( *, *[0-9]+)* *\)[A-Za-z ]*)?$`)
)

// maxHostName is PostgreSQL's limit for a name.
const maxHostName = 63

func (o Options) tables() naming.Tables {
	return naming.Tables{Prefix: o.Prefix, Schema: o.Schema}
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

func (o Options) textConfig() string {
	if o.TextConfig == "" {
		return "simple"
	}
	return o.TextConfig
}

// maxPlain is the most bytes of a vector that leave room for the rest of its row in a
// page of PostgreSQL.
const maxPlain = 7000

// plainVectors says whether a vector fits beside its row. The sizes are those of
// pgvector's documentation: 4 bytes a dimension and 8, or 2 and 8 in half precision.
func (o Options) plainVectors() bool {
	size := 4
	if o.dimensions() > maxVector {
		size = 2
	}
	return !o.WithoutPgvector && size*o.dimensions()+8 <= maxPlain
}

// check returns a *rule.InvalidError for the first option that the dialect cannot have.
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
	if !textConfig.MatchString(o.textConfig()) {
		return rule.Invalid("text_config", "is not the name of a text search configuration")
	}
	if o.Users != nil && o.Users.Type != "" {
		return rule.Invalid("users", "no type: user_id is a uuid on PostgreSQL and text on SQLite")
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
	if err := naming.CheckHost(field, r.Table, r.column()); err != nil {
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
