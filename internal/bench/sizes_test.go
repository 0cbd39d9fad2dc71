package bench

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/migrate"
)

// relation is a table or an index with its bytes.
type relation struct {
	table, name string
	bytes       int
}

const (
	sizeMessages = 200_000
	sizeVectors  = 20_000
)

// sizeFigures tell how much disk a row takes, of real tables without any churn.
func sizeFigures(t *testing.T) {
	table := []string{"| database | rows | relation | bytes a row | MiB for a million |", "|---|---|---|--:|--:|"}
	raw := newRaw("sizes")
	add := func(d database, what string, rows int, all []relation) {
		for _, r := range all {
			each := float64(r.bytes) / float64(rows)
			table = append(table, fmt.Sprintf("| %s | %s | %s | %.0f | %.0f |", d.name, what, r.name, each, each*1e6/(1<<20)))
			raw.add("Size", []string{"db=" + d.name, "rows=" + strings.ReplaceAll(what, " ", "_"), "relation=" + strings.ReplaceAll(r.name, " ", "_")},
				rows, metric{each, "B/row"})
		}
	}
	corpus := newSearchCorpus(max(2000, fraction(t, sizeVectors)), newClusters().vector)
	mail := scaleSize(max(2000, fraction(t, sizeMessages)))
	for _, d := range databases {
		db := d.openSQL(t, d.filled(t, mail, withoutWords), "")
		add(d, "half e-mail", mail.total(), d.relations(t, db, "messages"))
		add(d, "conversations", mail.conversations, d.relations(t, db, "conversations"))
		require.NoError(t, db.Close())
		base := newSearchBase(t, d, corpus, func(int, []float32) {})
		db = d.openSQL(t, base.address, "")
		add(d, "chat of 25 to 55 words", corpus.messages, d.relations(t, db, "messages"))
		add(d, "vectors of 1,536 dimensions", corpus.messages, d.relations(t, db, "message_embeddings"))
		add(d, "chat of 25 to 55 words", corpus.messages, []relation{d.words(t, db)})
		require.NoError(t, db.Close())
	}
	report(t, scaleDocument, "sizes", table)
	raw.save(t)
}

// relations are a table with its TOAST, its indexes, and the sum of them.
func (d database) relations(t *testing.T, db *sql.DB, table string) (all []relation) {
	t.Helper()
	query := fmt.Sprintf(`SELECT m.name, sum(s.pgsize) FROM sqlite_master m JOIN dbstat s ON s.name = m.name AND s.aggregate = TRUE
		WHERE m.tbl_name = '%s' GROUP BY m.type, m.name ORDER BY m.type DESC, m.name`, table)
	if d.postgres {
		query = fmt.Sprintf(`SELECT c.relname, CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
			FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
			WHERE c.oid = '%[1]s'::regclass OR i.indrelid = '%[1]s'::regclass ORDER BY c.relkind DESC, c.relname`, table)
	}
	rs, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rs.Close()
	sum := 0
	for rs.Next() {
		r := relation{table: table}
		require.NoError(t, rs.Scan(&r.name, &r.bytes))
		if constraint, found := autoIndexes[r.name]; found {
			r.name = constraint
		}
		if r.bytes > 0 {
			all = append(all, r)
		}
		sum += r.bytes
	}
	require.NoError(t, rs.Err())
	return append(all, relation{table, "**" + table + " with all indexes**", sum})
}

// words are what the index of words takes.
func (d database) words(t *testing.T, db *sql.DB) relation {
	t.Helper()
	parts := sqliteParts
	if d.postgres {
		parts = postgresParts
	}
	return relation{"messages", "index of words", bytesOf(t, db, parts[1])}
}

// TestSizes adds up what the database says of a table as a whole.
func TestSizes(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			address := d.filled(t, size{users: 20, conversations: 100, messages: 10, suggestions: 10}, migrate.Options{Dimensions: dimensions})
			db := d.openSQL(t, address, "")
			defer func() { require.NoError(t, db.Close()) }()
			all := d.relations(t, db, "messages")
			sum := 0
			for _, r := range all[:len(all)-1] {
				sum += r.bytes
			}
			require.Equal(t, sum, all[len(all)-1].bytes)
			require.Equal(t, "messages", all[0].name)
			want := sqliteBytes(`tbl_name = 'messages'`)
			if d.postgres {
				want = `SELECT pg_total_relation_size('messages')`
			}
			require.Equal(t, bytesOf(t, db, part{"messages", want}), sum)
			require.Positive(t, d.words(t, db).bytes)
		})
	}
}
