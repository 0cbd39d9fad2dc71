package bench

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

const (
	searchDocument = "search.md"
	// turnBudget is how long a line of a table is measured.
	turnBudget = 6 * time.Second
	hardModel  = 50_000
)

// searchRun is what the tables of docs/search.md are made from.
type searchRun struct {
	corpus *searchCorpus
	bases  []*searchBase
}

// TestSearchFigures writes the tables of docs/search.md. It asserts nothing about time: a
// busy machine must not break a build.
func TestSearchFigures(t *testing.T) {
	if os.Getenv("CONVOSTORE_BENCH_SEARCH") != "1" {
		t.Skip("set CONVOSTORE_BENCH_SEARCH=1 to measure search")
	}
	c := newSearchCorpus(searchMessages(t, "CONVOSTORE_BENCH_VECTORS"), newClusters().vector)
	r := &searchRun{corpus: c}
	each := c.compare
	for _, d := range databases {
		r.bases = append(r.bases, newSearchBase(t, d, c, each))
		each = func(int, []float32) {} // Compared once is enough.
	}
	t.Run("data", r.data)
	t.Run("similar", r.similar)
	t.Run("candidates", r.candidates)
	t.Run("trained", r.trained)
	t.Run("bytes", r.vectorBytes)
	t.Run("memory", r.memory)
	t.Run("append", r.appendFigures)
}

func (r *searchRun) data(t *testing.T) {
	c := r.corpus
	table := []string{
		"| what | this run |", "|---|---|",
		fmt.Sprintf("| messages | %s, of which one in 50 is deleted, in %s conversations |", thousands(c.messages), thousands(c.conversations())),
		fmt.Sprintf("| vectors | one a message, %s dimensions, %d clusters of rank %d with noise |", thousands(vectorSize), clusterCount, clusterRank),
		"| owners | one user of 0.5 %, one of 5 %, one of 50 %, 200 of the rest |",
		fmt.Sprintf("| machine | %s %s, %d processors |", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
	}
	for _, b := range r.bases {
		if b.postgres {
			table = append(table, fmt.Sprintf("| HNSW index on %s, made after the rows with maintenance_work_mem of 2 GB | %s |", b.name, short(b.vectors)))
		}
	}
	report(t, searchDocument, "search data", table)
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (r *searchRun) similar(t *testing.T) {
	table := []string{
		"| scope | vectors | database | how | hand-written | convostore | ratio (min–max) | recall@10 | fewest hits |",
		"|---|--:|---|---|--:|--:|--:|--:|--:|",
	}
	for _, b := range r.bases {
		for _, s := range searchScopes {
			table = append(table, r.similarLine(t, b, s))
			t.Log(table[len(table)-1])
		}
	}
	report(t, searchDocument, "search similar", table)
}

func (r *searchRun) similarLine(t *testing.T, b *searchBase, s searchScope) string {
	ctx := t.Context()
	found := r.recall(t, b, s.user, store.SimilarOptions{})
	byHand, how := b.hand.indexed, "approximate"
	if found.exact {
		byHand, how = b.hand.exact, "exact"
	}
	all := inTurnsFor(t, turnBudget, func(i int) error {
		_, err := byHand(ctx, s.user, r.query(i))
		return err
	}, func(i int) error {
		_, _, err := librarySimilar(ctx, b.st, s.user, r.query(i), store.SimilarOptions{})
		return err
	})
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %.3f | %d |", s.name, thousands(r.corpus.vectorsOf(s.user)), b.name, how,
		short(all[0].median()), short(all[1].median()), all[1].ratio(all[0]), found.recall, found.fewest)
}

func (r *searchRun) query(i int) []float32 { return r.corpus.queries[i%queryCount] }

// vectorsOf counts those of live messages.
func (c *searchCorpus) vectorsOf(user uuid.UUID) (n int) {
	for i := range c.messages {
		if !deletedMessage(i) && (user == uuid.Nil || c.ownerOf(i) == user) {
			n++
		}
	}
	return n
}

// quality is how good the library's answers to all queries were.
type quality struct {
	recall float64
	fewest int
	exact  bool
}

func (r *searchRun) recall(t *testing.T, b *searchBase, user uuid.UUID, o store.SimilarOptions) quality {
	t.Helper()
	q := quality{fewest: similarLimit, exact: true}
	for k, v := range r.corpus.queries {
		hits, found, err := librarySimilar(t.Context(), b.st, user, v, o)
		require.NoError(t, err)
		q.recall += r.corpus.recall(user, k, hits) / queryCount
		q.fewest = min(q.fewest, len(hits))
		q.exact = q.exact && found.Exact
	}
	return q
}

func (r *searchRun) candidates(t *testing.T) {
	table := []string{"| database | data | scope | Candidates | time | recall@10 |", "|---|---|---|--:|--:|--:|"}
	lines := func(r *searchRun, b *searchBase, data string, scopes []searchScope, depths []int) {
		for _, s := range scopes {
			for _, depth := range depths {
				o := store.SimilarOptions{Mode: store.SearchApproximate, Candidates: depth}
				q := r.recall(t, b, s.user, o)
				all := inTurnsFor(t, turnBudget/3, func(i int) error {
					_, _, err := librarySimilar(t.Context(), b.st, s.user, r.query(i), o)
					return err
				})
				table = append(table, fmt.Sprintf("| %s | %s | %s | %d | %s | %.3f |", b.name, data, s.name, depth, short(all[0].median()), q.recall))
				t.Log(table[len(table)-1])
			}
		}
	}
	rerank := []int{100, 200, 400, 800, 1600}
	for _, b := range r.bases {
		if b.postgres {
			lines(r, b, "clusters", searchScopes[2:], []int{40, 100, 200, 400, 800})
		} else {
			lines(r, b, "clusters", searchScopes[3:], rerank)
		}
	}
	hard := newSearchCorpus(min(hardModel, r.corpus.messages), isotropic)
	base := newSearchBase(t, databases[0], hard, hard.compare)
	lines(&searchRun{corpus: hard}, base, fmt.Sprintf("noise, %s vectors", thousands(hard.messages)), searchScopes[3:], rerank)
	report(t, searchDocument, "search candidates", table)
}
