package search_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// train gives the vectors lists.
func (w *simWorld) train(t *testing.T) {
	t.Helper()
	got, err := w.st.AllUsers().Embeddings().Train(t.Context(), simModel, store.TrainOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, len(w.all), got.Vectors)
	assert.Equal(t, 94, got.Lists, "twice the root")
	assert.Less(t, got.Probes, got.Lists/2, "clusters")
	assert.GreaterOrEqual(t, got.Recall, 0.99)
	w.listed(t, len(w.all), 0)
}

// listed requires that the lists have just the vectors of the table, so many in all and so many
// without a list of their own, and that their codes are those of the vectors.
func (w *simWorld) listed(t *testing.T, all, unlisted int) {
	t.Helper()
	var n struct{ Rows, Unlisted, Right int }
	require.NoError(t, w.st.DB(t.Context()).Raw(`SELECT count(*) AS rows, coalesce(sum(l.list = -1), 0) AS unlisted,
		coalesce(sum(l.code = substr(e.embedding, ?) AND l.user_id = e.user_id), 0) AS right
		FROM message_embedding_lists l LEFT JOIN message_embeddings e ON e.row_id = l.row_id`, 4*simDims+1).Scan(&n).Error)
	assert.Equal(t, []int{all, unlisted, all}, []int{n.Rows, n.Unlisted, n.Right}, "rows, rows without a list, rows that are right")
}

// openSim opens an empty database of small vectors.
func openSim(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trained.db"), simOptions())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

// TestTrainedIsKeptUp: each way to write and to remove vectors keeps the lists right.
func TestTrainedIsKeptUp(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	w := newSimWorld(t, openSim(t))
	w.train(t)
	ctx, all, n := t.Context(), w.st.AllUsers(), len(w.all)
	m := w.all[0]
	require.NoError(t, all.Embeddings().Set(ctx, m.ID, simModel, w.vector()))
	w.listed(t, n, 0)
	require.NoError(t, all.Embeddings().SetMany(ctx, simModel, []store.MessageVector{{MessageID: m.ID, Vector: w.vector()}, {MessageID: w.all[1].ID, Vector: w.vector()}}))
	w.listed(t, n, 0)
	require.NoError(t, all.Embeddings().Set(ctx, m.ID, "another model", w.vector()))
	w.listed(t, n, 0)
	own := &message.Message{Role: message.RoleUser, Content: "own"}
	require.NoError(t, own.SetEmbedding(simModel, w.vector()))
	_, err := w.st.ForUser(m.UserID).Messages().Append(ctx, m.ConversationID, own)
	require.NoError(t, err)
	w.listed(t, n+1, 0)

	changed := w.all[2]
	changed.vector = w.vector()
	require.NoError(t, w.st.DB(ctx).Save(changed.embedding()).Error)
	w.listed(t, n+1, 1)
	trainings, err := all.Embeddings().Trainings(ctx)
	require.NoError(t, err)
	require.Len(t, trainings, 1)
	assert.Equal(t, []int64{int64(n), 3, 1}, []int64{trainings[0].Vectors, trainings[0].Since, trainings[0].Unlisted})
	require.NoError(t, w.st.ForUser(changed.UserID).Embeddings().Set(ctx, m.ID, simModel, w.vector()))
	w.listed(t, n+1, 0)

	_, err = w.st.ForUser(m.UserID).Messages().Update(ctx, own.ID, store.MessageUpdate{Content: new("edited")})
	require.NoError(t, err)
	w.listed(t, n, 0)
	require.NoError(t, w.st.DB(ctx).Where("message_id = ?", changed.ID).Delete(&message.Embedding{}).Error)
	w.listed(t, n-1, 0)
	erased, err := all.Conversations().Erase(ctx, m.ConversationID)
	require.NoError(t, err)
	gone := int(erased.Embeddings) - 1 // that of another model
	w.listed(t, n-1-gone, 0)

	_, err = all.Embeddings().DropModel(ctx, simModel)
	require.NoError(t, err)
	for _, table := range []string{"message_embedding_lists", "message_embedding_centroids", "message_embedding_partitions"} {
		var left int64
		require.NoError(t, w.st.DB(ctx).Table(table).Count(&left).Error)
		assert.Zero(t, left, table)
	}
}

// TestTrainedCost counts the pages that Set writes.
func TestTrainedCost(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cost.db")
	st, err := sqlite.Open(t.Context(), path, simOptions())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	w := newSimWorld(t, st)
	random := rand.New(rand.NewPCG(6, 7))
	pages := func() float64 {
		const sets, header, frame = 80, 32, 24 + 4096 // so few that no checkpoint comes between
		require.NoError(t, st.DB(t.Context()).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error)
		for range sets {
			m := w.all[random.IntN(len(w.all))]
			require.NoError(t, st.ForUser(m.UserID).Embeddings().Set(t.Context(), m.ID, simModel, w.vector()))
		}
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return float64(info.Size()-header) / frame / sets
	}
	before := pages()
	w.train(t)
	after := pages()
	t.Logf("pages to replace a vector: %.2f, trained %.2f", before, after)
	assert.Less(t, after-before, 5.0, "two pages that it leaves, and three that it comes to")
}

// TestTrainContinues ends a training at each of its steps; the next one goes on, and searches find
// everything all the while.
func TestTrainContinues(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	w := newSimWorld(t, openSim(t))
	train := w.st.AllUsers().Embeddings().Train
	finds := func() {
		for _, m := range w.all[:20] {
			if m.gone {
				continue
			}
			got, err := w.st.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: m.vector}, store.SimilarOptions{Model: simModel, Limit: 1})
			require.NoError(t, err)
			require.Equal(t, m.ID, got.Hits[0].Message.ID)
		}
	}
	steps := 0
	for range 2 { // the first training, and one beside lists that serve
		done := false
		for stop := 1; !done; stop++ {
			ctx, cancel := context.WithCancel(t.Context())
			at := 0
			_, err := train(ctx, simModel, store.TrainOptions{Progress: func(store.TrainProgress) {
				if at++; at == stop {
					cancel()
				}
			}})
			cancel()
			if done = err == nil; !done {
				require.ErrorIs(t, err, context.Canceled)
				steps++
			}
			finds()
		}
		w.listed(t, len(w.all), 0)
	}
	assert.Greater(t, steps, 8)
	got, err := train(t.Context(), simModel, store.TrainOptions{Lists: 7})
	require.NoError(t, err)
	assert.Equal(t, 7, got.Lists)
	w.listed(t, len(w.all), 0)
}

// TestTrainBesideWritersAndReaders: nobody misses a vector while the lists are made anew.
func TestTrainBesideWritersAndReaders(t *testing.T) {
	t.Parallel()
	w := newSimWorld(t, openSim(t))
	ctx, all := t.Context(), w.st.AllUsers()
	var over atomic.Bool
	trained := make(chan error, 2)
	for range 2 {
		go func() {
			var err error
			for range 2 {
				_, one := all.Embeddings().Train(ctx, simModel, store.TrainOptions{})
				err = errors.Join(err, one)
			}
			trained <- err
		}()
	}
	go func() {
		err := errors.Join(<-trained, <-trained)
		over.Store(true)
		trained <- err
	}()
	random, searches := rand.New(rand.NewPCG(3, 4)), 0
	for ; !over.Load() || searches < 50; searches++ {
		m := w.all[random.IntN(len(w.all))]
		if m.gone {
			continue
		}
		m.vector = w.vector()
		require.NoError(t, w.st.ForUser(m.UserID).Embeddings().Set(ctx, m.ID, simModel, m.vector))
		got, err := all.Search().SimilarMessages(ctx, store.SimilarTo{Vector: m.vector}, store.SimilarOptions{Model: simModel, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, m.ID, got.Hits[0].Message.ID, "search %d", searches)
	}
	require.NoError(t, <-trained)
	w.listed(t, len(w.all), 0)
	t.Logf("%d vectors were set and found", searches)
}

// between calls a function once, after the first statement on the partitions.
type between struct {
	slog.Handler
	do func()
}

func (b *between) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if do := b.do; do != nil && strings.Contains(a.Value.String(), "message_embedding_partitions") {
			b.do = nil
			do()
		}
		return true
	})
	return nil
}

// TestTrainedAnew: the lists are replaced, and some of the old ones removed, after a search has
// looked which ones to read.
func TestTrainedAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "anew.db")
	b := &between{Handler: slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})}
	var stores [2]store.Store
	for i, options := range [][]convostore.Option{{simOptions()}, {simOptions(), convostore.WithLogger(slog.New(b), 0)}} {
		st, err := sqlite.Open(t.Context(), path, options...)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, st.Close()) })
		stores[i] = st
	}
	w := newSimWorld(t, stores[0])
	w.train(t)
	m, replaced := w.all[0], false
	b.do = func() {
		replaced = true
		for _, statement := range []string{
			"UPDATE message_embedding_partitions SET state = 'retired'",
			"DELETE FROM message_embedding_lists WHERE list = (SELECT l.list FROM message_embedding_lists l" +
				" JOIN message_embeddings e ON e.row_id = l.row_id WHERE e.message_id = '" + m.ID.String() + "')",
		} {
			assert.NoError(t, stores[0].DB(t.Context()).Exec(statement).Error)
		}
	}
	got, err := stores[1].AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: m.vector}, store.SimilarOptions{Model: simModel, Limit: 1})
	require.NoError(t, err)
	require.True(t, replaced)
	require.Len(t, got.Hits, 1)
	assert.Equal(t, m.ID, got.Hits[0].Message.ID)
}

// TestTrainedWithoutForeignKeys: what a host's connection leaves behind, RemoveOrphans removes.
func TestTrainedWithoutForeignKeys(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	w := newSimWorld(t, openSim(t))
	w.train(t)
	ctx := t.Context()
	require.NoError(t, w.st.DB(ctx).Exec("PRAGMA foreign_keys = OFF").Error)
	require.NoError(t, w.st.DB(ctx).Where("message_id = ?", w.all[0].ID).Delete(&message.Embedding{}).Error)
	require.NoError(t, w.st.DB(ctx).Exec("PRAGMA foreign_keys = ON").Error)
	_, err := w.st.ForUser(uuid.New()).Maintenance().RemoveOrphans(ctx)
	require.NoError(t, err)
	_, err = w.st.ForUser(w.all[0].UserID).Maintenance().RemoveOrphans(ctx)
	require.NoError(t, err)
	w.listed(t, len(w.all)-1, 0)
}

// TestTrainedRecall measures searches with lists on several kinds of vectors. Of noise, which has
// no lists worth reading, a search goes through the codes of all.
func TestTrainedRecall(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	const dims, vectors, queries, limit = 128, 6000, 60, 10
	gaussian := func(r *rand.Rand, size float64) message.Vector {
		v := make(message.Vector, dims)
		for i := range v {
			v[i] = float32(r.NormFloat64() * size)
		}
		return v
	}
	centers := make([]message.Vector, 40)
	for i := range centers {
		centers[i] = gaussian(rand.New(rand.NewPCG(5, uint64(i))), 1)
	}
	for name, vector := range map[string]func(r *rand.Rand) message.Vector{
		"clusters": func(r *rand.Rand) message.Vector { return plus(gaussian(r, 0.4), centers[r.IntN(len(centers))]) },
		// Models of texts put all vectors into one part of the space.
		"one direction": func(r *rand.Rand) message.Vector {
			return plus(plus(gaussian(r, 0.3), centers[1+r.IntN(len(centers)-1)]), plus(centers[0], centers[0]))
		},
		"clusters of unequal size": func(r *rand.Rand) message.Vector {
			return plus(gaussian(r, 0.4), centers[min(r.IntN(len(centers)), r.IntN(len(centers)), r.IntN(len(centers)))])
		},
		"noise": func(r *rand.Rand) message.Vector { return gaussian(r, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVectorWorld(t, dims, vectors, vector)
			before := w.recall(t, queries, limit, vector)
			training, err := w.st.AllUsers().Embeddings().Train(t.Context(), simModel, store.TrainOptions{})
			require.NoError(t, err)
			after := w.recall(t, queries, limit, vector)
			t.Logf("recall@%d %.3f through all codes, %.3f through %d of %d lists, %d vectors compared",
				limit, before, after, training.Probes, training.Lists, training.Candidates)
			if name == "noise" {
				assert.Greater(t, training.Probes, training.Lists/2)
				assert.GreaterOrEqual(t, after, before-0.02)
				return
			}
			assert.LessOrEqual(t, training.Probes, training.Lists/2)
			assert.GreaterOrEqual(t, after, 0.99)
		})
	}
}

// TestTrainedOneUser: lists serve a user with very many vectors as well, and what they do not find
// in the first lists they look for in more.
func TestTrainedOneUser(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	const dims, vectors = 32, 20_200
	centers := make([]message.Vector, 50)
	vector := func(r *rand.Rand) message.Vector {
		v := make(message.Vector, dims)
		for i := range v {
			v[i] = float32(r.NormFloat64() * 0.4)
		}
		if center := centers[r.IntN(len(centers))]; center != nil {
			return plus(v, center)
		}
		return v
	}
	for i := range centers {
		v := vector(rand.New(rand.NewPCG(12, uint64(i))))
		for j := range v {
			v[j] *= 2.5
		}
		centers[i] = v
	}
	w := newVectorWorld(t, dims, vectors, vector)
	user := w.all[0].UserID
	_, err := w.st.AllUsers().Embeddings().Train(t.Context(), simModel, store.TrainOptions{Lists: 100})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, w.recallOf(t, user, 30, 10, vector), 0.99)

	ctx, v := t.Context(), vector(w.rand)
	rare := w.all[:5]
	for _, m := range rare {
		require.NoError(t, w.st.DB(ctx).Exec("UPDATE messages SET role = 'tool' WHERE id = ?", m.ID).Error)
	}
	o := store.SimilarOptions{Model: simModel, Filter: store.SearchFilter{Roles: []message.Role{message.RoleTool}}}
	got, err := w.st.ForUser(user).Search().SimilarMessages(ctx, store.SimilarTo{Vector: v}, o)
	require.NoError(t, err)
	assert.Len(t, got.Hits, len(rare), "in the end it compares all")
	o.Mode = store.SearchApproximate
	got, err = w.st.ForUser(user).Search().SimilarMessages(ctx, store.SimilarTo{Vector: v}, o)
	require.NoError(t, err)
	assert.True(t, got.Short)
	assert.False(t, got.Exact)
	assert.Less(t, len(got.Hits), len(rare))
	o.Candidates = 2 * vectors
	got, err = w.st.ForUser(user).Search().SimilarMessages(ctx, store.SimilarTo{Vector: v}, o)
	require.NoError(t, err)
	assert.Len(t, got.Hits, len(rare))
	assert.True(t, got.Exact, "so many candidates are all vectors")
}

func plus(a, b message.Vector) message.Vector {
	sum := make(message.Vector, len(a))
	for i := range a {
		sum[i] = a[i] + b[i]
	}
	return sum
}

// newVectorWorld is a store with vectors of one user in one conversation.
func newVectorWorld(t *testing.T, dims, n int, vector func(r *rand.Rand) message.Vector) *simWorld {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{Dimensions: dims}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	w := &simWorld{st: st, rand: rand.New(rand.NewPCG(1, 2))}
	c := &conversation.Conversation{ID: uuid.New(), UserID: uuid.New(), LastSeq: int64(n)}
	c.Normalize(message.Now())
	require.NoError(t, st.DB(t.Context()).Create(c).Error)
	for i := range n {
		m := &message.Message{ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, Seq: int64(i + 1), Role: message.RoleUser, Content: "text"}
		m.Normalize(message.Now())
		w.all = append(w.all, &simMessage{Message: m, vector: vector(w.rand)})
	}
	w.insert(t, w.all)
	return w
}

// recall is the share of the nearest to vectors that are not stored which a search of all users
// finds.
func (w *simWorld) recall(t *testing.T, queries, limit int, vector func(r *rand.Rand) message.Vector) float64 {
	t.Helper()
	return w.recallOf(t, uuid.Nil, queries, limit, vector)
}

func (w *simWorld) recallOf(t *testing.T, user uuid.UUID, queries, limit int, vector func(r *rand.Rand) message.Vector) float64 {
	t.Helper()
	random, right := rand.New(rand.NewPCG(8, 9)), 0
	for range queries {
		v := vector(random)
		got, err := w.scope(user).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Limit: limit})
		require.NoError(t, err)
		require.Len(t, got.Hits, limit)
		require.False(t, got.Exact)
		require.False(t, got.Short)
		found := map[uuid.UUID]bool{}
		for _, h := range got.Hits {
			found[h.Message.ID] = true
		}
		for _, h := range w.nearest(uuid.Nil, v, 0, nil)[:limit] {
			if found[h.ID] {
				right++
			}
		}
	}
	return float64(right) / float64(queries*limit)
}
