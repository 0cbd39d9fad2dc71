package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// judgedHits is how many hits of a query are judged.
const judgedHits = 1000

// ranking is a way to rank: it returns the ids of the best documents for words of which any may
// be there, best first.
type ranking struct {
	name string
	rank func(ctx context.Context, words []string) ([]string, error)
}

// TestJudgedRanking tells how good the ranking of the library is, beside the databases' own, on
// the sets in the folder that CONVOSTORE_BENCH_JUDGED names: each a folder with documents.jsonl and
// queries.jsonl (lines with id and text) and judgements.tsv (query, document, grade). No set is a
// part of this repository. It asserts nothing but that each ranking finds something.
func TestJudgedRanking(t *testing.T) {
	root := os.Getenv("CONVOSTORE_BENCH_JUDGED")
	if root == "" {
		t.Skip("set CONVOSTORE_BENCH_JUDGED to a folder of judged sets to measure the ranking")
	}
	folders, err := filepath.Glob(filepath.Join(root, "*", "judgements.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, folders, "no judged set in %s", root)
	table := []string{"| set | documents | queries | ranking | nDCG@10 | MAP | recall@100 |", "|---|--:|--:|---|--:|--:|--:|"}
	for _, file := range folders {
		set := readJudgedSet(t, filepath.Dir(file))
		for _, r := range slices.Concat(set.library(t), set.fts5(t), set.tsrank(t)) {
			j := set.judge(t, r)
			table = append(table, fmt.Sprintf("| %s | %s | %d | %s | %.4f | %.4f | %.4f |",
				set.name, thousands(len(set.documents)), len(set.queries), r.name, j.ndcg10, j.map1000, j.recall100))
		}
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

func (s *judgedSet) judge(t *testing.T, r ranking) (mean judgement) {
	t.Helper()
	for _, q := range s.queries {
		ranked, err := r.rank(t.Context(), q.words())
		require.NoError(t, err, "%s: %q", r.name, q.Text)
		one, n := judge(ranked, s.grades[q.ID]), float64(len(s.queries))
		mean.ndcg10 += one.ndcg10 / n
		mean.map1000 += one.map1000 / n
		mean.recall100 += one.recall100 / n
	}
	require.Positive(t, mean.recall100, r.name)
	return mean
}

// library searches through the library, each document a message.
func (s *judgedSet) library(t *testing.T) (all []ranking) {
	t.Helper()
	for _, d := range databases {
		st, err := d.open(t.Context(), d.fresh(t), migrate.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		mine, ids := st.ForUser(uuid.New()), map[uuid.UUID]string{}
		for some := range slices.Chunk(s.documents, 500) {
			c := &conversation.Conversation{}
			for _, doc := range some {
				m := &message.Message{ID: uuid.New(), Role: message.RoleUser, Content: doc.Text}
				c.Messages, ids[m.ID] = append(c.Messages, m), doc.ID
			}
			require.NoError(t, mine.Conversations().Create(t.Context(), c))
		}
		all = append(all, ranking{"convostore, " + d.name, func(ctx context.Context, words []string) (ranked []string, err error) {
			page, err := mine.Search().Messages(ctx, strings.Join(words, " "), store.TextOptions{Match: store.MatchAny}, store.PageRequest{Limit: judgedHits})
			for _, hit := range page.Items {
				ranked = append(ranked, ids[hit.Message.ID])
			}
			return ranked, err
		}})
	}
	return all
}

// fts5 is SQLite's own, with and without English endings.
func (s *judgedSet) fts5(t *testing.T) (all []ranking) {
	t.Helper()
	db := databases[0].openSQL(t, databases[0].fresh(t), "")
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for i, tokenizer := range []string{"unicode61 remove_diacritics 2", "porter unicode61 remove_diacritics 2"} {
		name := fmt.Sprint("texts", i)
		s.fill(t, db, "CREATE VIRTUAL TABLE "+name+" USING fts5(id UNINDEXED, body, tokenize = '"+tokenizer+"')", "INSERT INTO "+name+" VALUES (?, ?)")
		all = append(all, ranking{"FTS5 bm25, " + tokenizer, func(ctx context.Context, words []string) ([]string, error) {
			return rankedIDs(ctx, db, "SELECT id FROM "+name+" WHERE "+name+" MATCH ? ORDER BY rank LIMIT ?",
				`"`+strings.Join(words, `" OR "`)+`"`, judgedHits)
		}})
	}
	return all
}

// tsrank is PostgreSQL's own, by cover density and by frequency.
func (s *judgedSet) tsrank(t *testing.T) (all []ranking) {
	t.Helper()
	db := databases[1].openSQL(t, databases[1].fresh(t), "")
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.fill(t, db, `CREATE TABLE texts (id text, body text,
		simple tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
		english tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED)`, "INSERT INTO texts VALUES ($1, $2)")
	for _, config := range []string{"simple", "english"} {
		for _, function := range []string{"ts_rank_cd", "ts_rank"} {
			query := fmt.Sprintf("SELECT id FROM texts, to_tsquery('%s', $1) q WHERE %s @@ q ORDER BY %s(%s, q) DESC, id LIMIT $2",
				config, config, function, config)
			all = append(all, ranking{function + ", " + config, func(ctx context.Context, words []string) ([]string, error) {
				return rankedIDs(ctx, db, query, "'"+strings.Join(words, "' | '")+"'", judgedHits)
			}})
		}
	}
	return all
}

func (s *judgedSet) fill(t *testing.T, db *sql.DB, create, insert string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), create)
	require.NoError(t, err)
	for _, doc := range s.documents {
		_, err := db.ExecContext(t.Context(), insert, doc.ID, doc.Text)
		require.NoError(t, err)
	}
}

func rankedIDs(ctx context.Context, db *sql.DB, query string, args ...any) (ids []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
