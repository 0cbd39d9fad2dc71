package search_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// checkHybrid fuses the two lists itself and compares. Message 7 is in both lists.
func (w *simWorld) checkHybrid(t *testing.T) {
	t.Helper()
	m := w.all[7]
	mine := w.st.ForUser(m.UserID).Search()
	const text = `2 "of 1" nothing`
	similar := store.SimilarOptions{Model: simModel, Limit: 40, Mode: store.SearchExact}
	byText, err := mine.Messages(t.Context(), text, store.TextOptions{Match: store.MatchAny}, store.PageRequest{Limit: 30})
	require.NoError(t, err)
	similar.Limit = 30
	byVector, err := mine.SimilarMessages(t.Context(), store.SimilarTo{Vector: m.vector}, similar)
	require.NoError(t, err)
	want := map[uuid.UUID]store.HybridHit{}
	for i, h := range byText.Items {
		want[h.Message.ID] = store.HybridHit{TextRank: i + 1, TextScore: h.Score, Score: 1 / float64(11+i)}
	}
	for i, h := range byVector.Hits {
		old := want[h.Message.ID]
		old.VectorRank, old.Similarity, old.Score = i+1, h.Similarity, old.Score+1/float64(11+i)
		want[h.Message.ID] = old
	}
	similar.Limit = 1000
	got, err := mine.Hybrid(t.Context(), text, store.HybridOptions{Vector: m.vector, SimilarOptions: similar, K: 10, Depth: 30})
	require.NoError(t, err)
	require.Len(t, got.Hits, len(want))
	both := 0
	for i, h := range got.Hits {
		expected := want[h.Message.ID]
		assert.Equal(t, []int{expected.TextRank, expected.VectorRank}, []int{h.TextRank, h.VectorRank})
		assert.InDelta(t, expected.Score, h.Score, 1e-12)
		assert.InDelta(t, expected.Similarity, h.Similarity, 1e-9)
		assert.Equal(t, h.TextRank > 0, h.Snippet.Text != "")
		if i > 0 {
			assert.GreaterOrEqual(t, got.Hits[i-1].Score, h.Score)
		}
		if h.TextRank > 0 && h.VectorRank > 0 {
			both++
		}
	}
	assert.Positive(t, both)
	alone, err := mine.Hybrid(t.Context(), "-", store.HybridOptions{Vector: m.vector, SimilarOptions: store.SimilarOptions{Model: simModel}})
	require.NoError(t, err)
	require.Len(t, alone.Hits, store.DefaultSimilar)
	assert.Equal(t, m.ID, alone.Hits[0].Message.ID)
}

// checkRefusals searches with invalid input.
func (w *simWorld) checkRefusals(t *testing.T) {
	t.Helper()
	v := w.vector()
	ok := store.SimilarOptions{Model: simModel}
	nan := append(message.Vector{float32(math.NaN())}, v[1:]...)
	for name, c := range map[string]struct {
		field string
		like  store.SimilarTo
		o     store.SimilarOptions
	}{
		"nothing":    {"like", store.SimilarTo{}, ok},
		"both":       {"like", store.SimilarTo{Vector: v, Text: "x"}, ok},
		"length":     {"embedding", store.SimilarTo{Vector: v[1:]}, ok},
		"NaN":        {"embedding", store.SimilarTo{Vector: nan}, ok},
		"zero":       {"embedding", store.SimilarTo{Vector: make(message.Vector, simDims)}, ok},
		"embedder":   {"embedder", store.SimilarTo{Text: "x"}, ok},
		"model":      {"model", store.SimilarTo{Vector: v}, store.SimilarOptions{}},
		"limit":      {"limit", store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Limit: 1001}},
		"similarity": {"min_similarity", store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, MinSimilarity: math.NaN()}},
		"mode":       {"mode", store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Mode: 3}},
		"candidates": {"candidates", store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Candidates: -1}},
		"roles": {"roles", store.SimilarTo{Vector: v}, store.SimilarOptions{
			Model: simModel, Filter: store.SearchFilter{Roles: []message.Role{"boss"}},
		}},
		"statuses": {"statuses", store.SimilarTo{Vector: v}, store.SimilarOptions{
			Model: simModel, Filter: store.SearchFilter{Statuses: []conversation.Status{"lost"}},
		}},
		"direction": {"direction", store.SimilarTo{Vector: v}, store.SimilarOptions{
			Model: simModel, Filter: store.SearchFilter{Direction: "up"},
		}},
	} {
		_, err := w.st.ForUser(w.users[0]).Search().SimilarMessages(t.Context(), c.like, c.o)
		var invalid *store.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		assert.Equal(t, c.field, invalid.Field, name)
		_, err = w.st.AllUsers().Search().SimilarConversations(t.Context(), c.like, c.o)
		require.ErrorIs(t, err, store.ErrInvalid, name)
	}
	for _, o := range []store.HybridOptions{{K: -1}, {Depth: -1}, {Depth: 1001}} {
		o.SimilarOptions, o.Vector = ok, v
		_, err := w.st.AllUsers().Search().Hybrid(t.Context(), "x", o)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
	_, err := w.st.ForUser(uuid.Nil).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, ok)
	require.ErrorIs(t, err, store.ErrInvalid)
}

// answers is an embedder that returns its vectors and its error, whatever the texts.
type answers struct {
	vectors [][]float32
	err     error
}

func (a *answers) Model() string { return simModel }

func (a *answers) Embed(context.Context, []string) ([][]float32, error) { return a.vectors, a.err }

func TestSimilarText(t *testing.T) {
	t.Parallel()
	e := &answers{vectors: [][]float32{{1, 0}}}
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{Dimensions: 2}), convostore.WithEmbedder(e))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	find := func(o store.SimilarOptions) error {
		_, err := st.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Text: "x"}, o)
		return err
	}
	require.NoError(t, find(store.SimilarOptions{}))
	require.ErrorIs(t, find(store.SimilarOptions{Model: "another"}), store.ErrInvalid)
	e.vectors = [][]float32{{0, 0}}
	require.ErrorIs(t, find(store.SimilarOptions{}), store.ErrInvalid)
	e.vectors = nil
	require.ErrorContains(t, find(store.SimilarOptions{}), "0 vectors for one text")
	e.err = errors.New("no quota")
	require.ErrorIs(t, find(store.SimilarOptions{}), e.err)
}

func TestSimilarUnsupported(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{WithoutPgvector: true}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	_, err = st.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: message.Vector{1}}, store.SimilarOptions{Model: simModel})
	require.ErrorIs(t, err, store.ErrUnsupported)
}
