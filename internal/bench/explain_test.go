package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// plan is what matters of how a statement was answered.
type plan struct {
	// indexes serve it, in the order in which they are read.
	indexes []string
	// scanned are the big tables read from end to end.
	scanned []string
	// wasted counts the rows that were read and thrown away.
	wasted float64
	rows   float64
	text   string
}

var bigTables = []string{"conversations", "messages", "ai_suggestions", "message_embeddings"}

// explainPostgres asks for the plan that the server comes to with a statement that a
// driver keeps prepared: it may turn to a generic plan after five runs, which cannot use
// every partial index.
func explainPostgres(t *testing.T, db *sql.DB, s statement) plan {
	ctx := t.Context()
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // the pool closes it
	_, err = conn.ExecContext(ctx, "PREPARE probe AS "+s.sql)
	require.NoError(t, err, s.sql)
	defer func() {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "DEALLOCATE probe")
		require.NoError(t, err)
	}()
	execute := "EXECUTE probe"
	if len(s.args) > 0 {
		values := make([]string, len(s.args))
		for i, a := range s.args {
			values[i] = literal(a)
		}
		execute += "(" + strings.Join(values, ", ") + ")"
	}
	tx, err := conn.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer tx.Rollback()
	if s.isSelect() {
		for range 6 {
			_, err = tx.ExecContext(ctx, execute)
			require.NoError(t, err, "%s\n%s", s.sql, execute)
		}
	}
	var doc string
	err = tx.QueryRowContext(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+execute).Scan(&doc)
	require.NoError(t, err, "%s\n%s", s.sql, execute)
	var top []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(doc), &top))
	p := plan{text: doc, rows: top[0].Plan.Rows}
	top[0].Plan.walk(&p)
	return p
}

// node is one step of a plan of PostgreSQL.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []node
}

func (n node) walk(p *plan) {
	if n.Type == "Seq Scan" && n.Loops > 0 && slices.Contains(bigTables, n.Relation) {
		p.scanned = append(p.scanned, n.Relation)
	}
	if n.Index != "" && !slices.Contains(p.indexes, n.Index) {
		p.indexes = append(p.indexes, n.Index)
	}
	p.wasted += n.Removed * max(1, n.Loops)
	for _, child := range n.Plans {
		child.walk(p)
	}
}

// explainSQLite reads the lines of EXPLAIN QUERY PLAN, "SEARCH messages USING INDEX x (…)".
func explainSQLite(t *testing.T, db *sql.DB, s statement) plan {
	rs, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.sql, s.args...)
	require.NoError(t, err, s.sql)
	defer rs.Close()
	p := plan{rows: -1}
	for rs.Next() {
		var (
			number, parent, unused int
			detail                 string
		)
		require.NoError(t, rs.Scan(&number, &parent, &unused, &detail))
		p.text += detail + "\n"
		p.readSQLite(detail)
	}
	require.NoError(t, rs.Err())
	return p
}

// autoIndexes are SQLite's names for the indexes of constraints, in the order of the
// table's definition.
var autoIndexes = map[string]string{
	"sqlite_autoindex_conversations_1":      "conversations_pkey",
	"sqlite_autoindex_messages_1":           "messages_id_key",
	"sqlite_autoindex_messages_2":           "messages_seq_key",
	"sqlite_autoindex_ai_suggestions_1":     "ai_suggestions_pkey",
	"sqlite_autoindex_message_embeddings_1": "message_embeddings_pkey",
}

func (p *plan) readSQLite(detail string) {
	words := strings.Fields(detail)
	for i, w := range words[:len(words)-1] {
		if w != "INDEX" {
			continue
		}
		name := words[i+1]
		if constraint, found := autoIndexes[name]; found {
			name = constraint
		}
		if !slices.Contains(p.indexes, name) {
			p.indexes = append(p.indexes, name)
		}
	}
	if words[0] == "SCAN" && !strings.Contains(detail, "INDEX") && len(words) > 1 {
		p.scanned = append(p.scanned, words[1])
	}
}

// onlyBig keeps the big tables of what was scanned, by their names: SQLite's plans have
// the aliases.
func (p *plan) onlyBig(text string) {
	var big []string
	for _, name := range p.scanned {
		for _, table := range bigTables {
			if name == table || strings.Contains(text, fmt.Sprintf("%q AS %s ", table, name)) || strings.Contains(text, fmt.Sprintf("%q %s ", table, name)) {
				big = append(big, table)
			}
		}
	}
	p.scanned = big
}
