package bench

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// trainedSide is a way in which SQLite searches for what is similar.
type trainedSide struct {
	name string
	base *searchBase
}

// trained compares SQLite's ways to search, in turns: on the database as it is, with the codes in
// memory, and on a copy of the file whose vectors were trained.
func (r *searchRun) trained(t *testing.T) {
	plain := r.bases[0]
	copied := copyOf(t, plain)
	training, took := train(t, copied)
	sides := []trainedSide{
		{"codes scanned", plain},
		{"codes in memory", plain.reopened(t, plain.address, convostore.WithCodesInMemory())},
		{"trained", copied},
	}
	table := []string{
		fmt.Sprintf("%s vectors in %s lists, of which a search reads at least %d: made in %s, on one processor.",
			thousands(int(training.Vectors)), thousands(training.Lists), training.Probes, short(took)), "",
		"| scope | vectors | how | time | ratio to scanning (min–max) | recall@10 | fewest hits |", "|---|--:|---|--:|--:|--:|--:|",
	}
	for _, s := range searchScopes {
		table = append(table, r.trainedLines(t, s, sides)...)
	}
	report(t, searchDocument, "search trained", table)
}

func (r *searchRun) trainedLines(t *testing.T, s searchScope, sides []trainedSide) (lines []string) {
	var search []func(i int) error
	for _, side := range sides {
		search = append(search, func(i int) error {
			_, _, err := librarySimilar(t.Context(), side.base.st, s.user, r.query(i), store.SimilarOptions{})
			return err
		})
	}
	all := inTurnsFor(t, 2*turnBudget, search...)
	for k, side := range sides {
		q := r.recall(t, side.base, s.user, store.SimilarOptions{})
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %.3f | %d |", s.name, thousands(r.corpus.vectorsOf(s.user)), side.name,
			short(all[k].median()), all[k].ratio(all[0]), q.recall, q.fewest))
		t.Log(lines[k])
	}
	return lines
}

// train makes the lists of the vectors and says how long it took.
func train(t *testing.T, b *searchBase) (store.Training, time.Duration) {
	t.Helper()
	start := time.Now()
	training, err := b.st.AllUsers().Embeddings().Train(t.Context(), searchModel, store.TrainOptions{})
	require.NoError(t, err)
	return training, time.Since(start)
}

// copyOf opens a copy of an SQLite database that nobody writes to.
func copyOf(t *testing.T, b *searchBase) *searchBase {
	t.Helper()
	address := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, b.st.DB(t.Context()).Exec("VACUUM INTO ?", address).Error)
	return b.reopened(t, address)
}

// reopened is the base with another store, and perhaps another file.
func (b *searchBase) reopened(t *testing.T, address string, o ...convostore.Option) *searchBase {
	t.Helper()
	st, err := b.open(t.Context(), address, migrate.Options{}, o...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	own := *b
	own.st, own.address = st, address
	return &own
}
