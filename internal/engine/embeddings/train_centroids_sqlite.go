package embeddings

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/vector"
)

const (
	// sampledEach is how many vectors of the sample there are for each list.
	sampledEach = 32
	// rounds is how often k-means moves the centroids. More make the lists hardly better.
	rounds = 5
)

// errTooFew is returned if the vectors were removed while they were counted and sampled.
var errTooFew = errors.New("the vectors are gone")

// newRand returns random numbers that are the same each time, so that a training of the same
// vectors finds the same lists.
func newRand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(2026, stream)) } //nolint:gosec // not a secret

// findCentroids finds the centroids of the lists by k-means on a sample. It reads the sample in
// each round, so that its memory is that of the centroids alone, twice.
func (t *trainer) findCentroids(ctx context.Context) (*vector.Lists, error) {
	n := t.lists()
	sample, err := t.sample(sampledEach * n)
	if err != nil {
		return nil, err
	}
	lists, err := t.firstCentroids(ctx, sample, n)
	if err != nil {
		return nil, err
	}
	t.progress.Of = rounds
	for t.progress.Rounds = range rounds {
		t.report()
		if lists, err = t.moveCentroids(ctx, sample, lists); err != nil {
			return nil, err
		}
	}
	t.progress.Rounds = rounds
	t.report()
	return lists, nil
}

// sample returns the row_ids of at most n vectors of the model, each with the same probability,
// ascending.
func (t *trainer) sample(n int) ([]int64, error) {
	var sample []int64
	random, seen := newRand(1), 0
	q := query.New("SELECT row_id FROM "+t.sc.Tables.Embeddings+" WHERE model = ?", t.model)
	err := q.Rows(t.db, func(rows *sql.Rows) error {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return err
		}
		if seen++; len(sample) < n {
			sample = append(sample, row)
		} else if i := random.IntN(seen); i < n {
			sample[i] = row
		}
		return nil
	})
	slices.Sort(sample)
	return sample, err
}

// firstCentroids takes n vectors of the sample.
func (t *trainer) firstCentroids(ctx context.Context, sample []int64, n int) (*vector.Lists, error) {
	var chosen [][]float32
	err := t.eachVector(ctx, someOf(sample, n, 2), func(_ int64, v []float32) { chosen = append(chosen, v) })
	if err == nil && len(chosen) == 0 {
		err = errTooFew
	}
	if err != nil {
		return nil, err
	}
	return vector.NewLists(chosen), nil
}

// moveCentroids is a round of k-means. A list that no vector of the sample belongs to gets a new
// centroid, a vector of the sample.
func (t *trainer) moveCentroids(ctx context.Context, sample []int64, lists *vector.Lists) (*vector.Lists, error) {
	means := vector.NewMeans(lists)
	if err := t.eachVector(ctx, sample, func(_ int64, v []float32) { means.Add(v) }); err != nil {
		return nil, err
	}
	empty := means.Empty()
	stream := 3 + uint64(t.progress.Rounds) //nolint:gosec // small
	err := t.eachVector(ctx, someOf(sample, len(empty), stream), func(_ int64, v []float32) {
		means.Replace(empty[0], v)
		empty = empty[1:]
	})
	return means.Lists(), err
}

// someOf returns n of the rows at random, or all if there are fewer, ascending.
func someOf(rows []int64, n int, stream uint64) []int64 {
	chosen := make([]int64, 0, n)
	for _, i := range newRand(stream).Perm(len(rows))[:min(n, len(rows))] {
		chosen = append(chosen, rows[i])
	}
	slices.Sort(chosen)
	return chosen
}
