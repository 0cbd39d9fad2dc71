package bench

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// part is a part of a database, with a query for its bytes.
type part struct{ name, query string }

var postgresParts = []part{
	{"messages and their indexes, without search", `SELECT pg_total_relation_size('messages') - pg_relation_size('messages_search_idx')
		- (SELECT sum(pg_column_size(search)) FROM messages)::bigint`},
	{"full text: column", `SELECT sum(pg_column_size(search))::bigint FROM messages`},
	{"full text: index", `SELECT pg_relation_size('messages_search_idx')`},
	{"vectors: rows", `SELECT pg_table_size('message_embeddings')`},
	{"vectors: HNSW index", `SELECT pg_relation_size('message_embeddings_vector_idx')`},
	{"vectors: other indexes", `SELECT pg_indexes_size('message_embeddings') - pg_relation_size('message_embeddings_vector_idx')`},
}

var sqliteParts = []part{
	{"messages and their indexes, without search", sqliteBytes(`tbl_name = 'messages'`)},
	{"full text", sqliteBytes(`tbl_name LIKE 'messages\_fts%' ESCAPE '\'`)},
	{"vectors: rows", sqliteBytes(`name = 'message_embeddings'`)},
	{"vectors: codes", sqliteBytes(`name = 'message_embeddings_code_idx'`)},
	{"vectors: other indexes", sqliteBytes(`tbl_name = 'message_embeddings' AND name NOT IN ('message_embeddings', 'message_embeddings_code_idx')`)},
}

// sqliteBytes counts the pages of what the schema has by this condition.
func sqliteBytes(which string) string {
	return `SELECT coalesce(sum(d.pgsize), 0) FROM dbstat d WHERE d.aggregate = TRUE AND d.name IN (SELECT name FROM sqlite_master WHERE ` + which + `)`
}

func (r *searchRun) bytes(t *testing.T) {
	table := []string{"| database | what | bytes a message |", "|---|---|--:|"}
	for _, b := range r.bases {
		parts := sqliteParts
		if b.postgres {
			parts = postgresParts
		}
		db, err := b.st.DB(t.Context()).DB()
		require.NoError(t, err)
		for _, p := range parts {
			table = append(table, fmt.Sprintf("| %s | %s | %s |", b.name, p.name, thousands(bytesOf(t, db, p)/r.corpus.messages)))
		}
	}
	report(t, searchDocument, "search bytes", table)
}

func bytesOf(t *testing.T, db *sql.DB, p part) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), p.query).Scan(&n), p.name)
	return n
}
