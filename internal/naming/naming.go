// Package naming has the names of the library's tables in a host's database, so that migrations,
// models and hand-written SQL cannot disagree. It also checks and quotes names of the host.
package naming

import (
	"regexp"
	"strings"

	"github.com/convostore/convostore/rule"
)

// The names of the library's tables, without a prefix.
const (
	Conversations = "conversations"
	Messages      = "messages"
	Suggestions   = "ai_suggestions"
	Embeddings    = "message_embeddings"
	Claims        = "message_embedding_claims"
	Failures      = "message_embedding_failures"
	Refs          = "message_refs"
	Votes         = "message_votes"
	Deliveries    = "deliveries"
	Labels        = "conversation_labels"
	Reads         = "conversation_reads"
	States        = "conversation_states"
	UserStates    = "conversation_user_states"
	Summaries     = "conversation_summaries"
	// AppStates has rows that all users of an app share, and no owner.
	AppStates = "conversation_app_states"
	// Migrations has a row for each migration that was applied.
	Migrations = "convostore_migrations"
	// Partitions, Centroids and Lists divide the vectors among lists, on SQLite alone.
	Partitions = "message_embedding_partitions"
	Centroids  = "message_embedding_centroids"
	Lists      = "message_embedding_lists"
	// The index of words, which is there with full text alone. SearchNotes has what is read from
	// its row, SearchGone what is void in the segments, SearchBlocks what the segments are made of.
	SearchNotes    = "search_notes"
	SearchGone     = "search_gone"
	SearchSegments = "search_segments"
	SearchBlocks   = "search_blocks"
)

// All returns the names of all tables that every database has: not those of Search.
func All() []string { return append(WithRows(), AppStates, Migrations) }

// Search returns the names of the tables of the index of words, parents before children.
func Search() []string { return []string{SearchNotes, SearchGone, SearchSegments, SearchBlocks} }

// OnSQLite returns the names of all tables on SQLite: those of All, and the index of vectors that
// a training makes there.
func OnSQLite() []string { return append(All(), Partitions, Centroids, Lists) }

// WithRows returns the names of the tables with rows of users, parents before children.
func WithRows() []string {
	return []string{
		Conversations, Messages, Suggestions, Embeddings, Claims, Failures, Refs, Votes, Deliveries,
		Labels, Reads, States, UserStates, Summaries,
	}
}

// SearchTriggers returns the names of the triggers that note what is to be searched. PostgreSQL's
// functions for them have the same names, and SQLite has no TRUNCATE.
func SearchTriggers(dialect string) []string {
	names := []string{
		"messages_search_insert", "messages_search_update", "messages_search_delete",
		"conversations_search_insert", "conversations_search_update", "conversations_search_delete",
	}
	if dialect == "postgres" {
		names = append(names, "messages_search_truncate", "conversations_search_language")
	}
	return names
}

const (
	// maxPrefix leaves room for the longest index name in PostgreSQL's 63 bytes.
	maxPrefix = 20
	// maxName is PostgreSQL's limit for a name. It silently cuts off a longer one.
	maxName = 63
)

// identifier has lower case only, so that a name means the same with and without quotes.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Tables names the library's tables. The zero value has neither prefix nor schema.
type Tables struct {
	// Prefix is put before the name of each table, index and constraint.
	Prefix string
	// Schema is a PostgreSQL schema; empty means the connection's search_path.
	Schema string
}

// Validate returns a *rule.InvalidError for a prefix or schema that is not a plain
// identifier, is too long, or is reserved by PostgreSQL.
func (t Tables) Validate() error {
	if t.Prefix != "" && (len(t.Prefix) > maxPrefix || !identifier.MatchString(t.Prefix)) {
		return rule.Invalid("prefix", "at most %d bytes of a-z, 0-9 and _, the first no digit", maxPrefix)
	}
	if t.Schema != "" && (len(t.Schema) > maxName || !identifier.MatchString(t.Schema)) {
		return rule.Invalid("schema", "at most %d bytes of a-z, 0-9 and _, the first no digit", maxName)
	}
	if len(t.Schema) >= 3 && t.Schema[:3] == "pg_" {
		return rule.Invalid("schema", "pg_ is kept for PostgreSQL")
	}
	return nil
}

// Table returns the full name without quotes, "schema.prefix_name". This is the form for GORM,
// which quotes each part itself.
func (t Tables) Table(name string) string {
	if t.Schema == "" {
		return t.Prefix + name
	}
	return t.Schema + "." + t.Prefix + name
}

// Quoted returns the full name for hand-written SQL, "schema"."prefix_name".
func (t Tables) Quoted(name string) string {
	if t.Schema == "" {
		return t.Name(name)
	}
	return `"` + t.Schema + `".` + t.Name(name)
}

// Name returns the quoted name of an index or a constraint, which takes no schema.
func (t Tables) Name(name string) string {
	return `"` + t.Prefix + name + `"`
}

// hostName allows upper case, since the name is quoted. It allows neither quotes nor dots.
var hostName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_$]*$`)

// CheckHost returns a *rule.InvalidError if a table of the host or one of its columns has no
// valid name. The table may have a schema, "crm.leads".
func CheckHost(field, table string, columns ...string) error {
	parts := strings.Split(table, ".")
	if len(parts) > 2 {
		return rule.Invalid(field, "is not a table, or schema.table")
	}
	for _, name := range append(parts, columns...) {
		if len(name) > maxName || !hostName.MatchString(name) {
			return rule.Invalid(field, "has a name that is not of letters, digits, _ and $, at most %d bytes", maxName)
		}
	}
	return nil
}

// Quote returns a name of the host in quotes, "crm.leads" part by part. The name must have
// passed CheckHost.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, ".", `"."`) + `"` }
