package bench

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// part is a part of a database, with a query for its bytes.
type part struct{ name, query string }

var postgresParts = []part{
	{"messages and their indexes, without search", `SELECT pg_total_relation_size('messages')`},
	{"index of words", `SELECT pg_total_relation_size('search_segments') + pg_total_relation_size('search_blocks')`},
}

// postgresHand are the parts of the index by hand.
var postgresHand = []part{
	{"by hand: tsvector column", `SELECT sum(pg_column_size(search))::bigint FROM hand_messages`},
	{"by hand: GIN index", `SELECT pg_relation_size('hand_search_idx')`},
}

var postgresVectorParts = []part{
	{"vectors: rows", `SELECT pg_table_size('message_embeddings')`},
	{"vectors: HNSW index", `SELECT pg_relation_size('message_embeddings_vector_idx')`},
	{"vectors: other indexes", `SELECT pg_indexes_size('message_embeddings') - pg_relation_size('message_embeddings_vector_idx')`},
}

var sqliteParts = []part{
	{"messages and their indexes, without search", sqliteBytes(`tbl_name = 'messages'`)},
	{"index of words", sqliteBytes(`tbl_name IN ('search_segments', 'search_blocks')`)},
}

var sqliteHand = []part{{"by hand: FTS5", sqliteBytes(`tbl_name LIKE 'hand\_words%' ESCAPE '\'`)}}

var sqliteVectorParts = []part{
	{"vectors: rows", sqliteBytes(`name = 'message_embeddings'`)},
	{"vectors: codes", sqliteBytes(`name = 'message_embeddings_code_idx'`)},
	{"vectors: other indexes", sqliteBytes(`tbl_name = 'message_embeddings' AND name NOT IN ('message_embeddings', 'message_embeddings_code_idx')`)},
}

// sqliteBytes counts the pages of what the schema has by this condition.
func sqliteBytes(which string) string {
	return `SELECT coalesce(sum(d.pgsize), 0) FROM dbstat d WHERE d.aggregate = TRUE AND d.name IN (SELECT name FROM sqlite_master WHERE ` + which + `)`
}

// vectorBytes are of the vectors, and textBytes of the words.
func (r *searchRun) vectorBytes(t *testing.T) {
	r.bytes(t, "search bytes", sqliteVectorParts, postgresVectorParts)
}

func (r *searchRun) textBytes(t *testing.T) {
	r.bytes(t, "search word bytes", append(slices.Clone(sqliteParts), sqliteHand...), append(slices.Clone(postgresParts), postgresHand...))
}

func (r *searchRun) bytes(t *testing.T, name string, onSQLite, onPostgres []part) {
	t.Helper()
	table := []string{"| database | what | bytes a message |", "|---|---|--:|"}
	for _, b := range r.bases {
		parts := onSQLite
		if b.postgres {
			parts = onPostgres
		}
		db, err := b.st.DB(t.Context()).DB()
		require.NoError(t, err)
		for _, p := range parts {
			table = append(table, fmt.Sprintf("| %s | %s | %s |", b.name, p.name, thousands(bytesOf(t, db, p)/r.corpus.messages)))
			t.Log(table[len(table)-1])
		}
	}
	report(t, searchDocument, name, table)
}

func bytesOf(t *testing.T, db *sql.DB, p part) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), p.query).Scan(&n), p.name)
	return n
}
