package storetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// scored is a message and its true similarity.
type scored struct {
	*message.Message
	similarity float64
}

// tolerance is what single precision may cost.
const tolerance = 1e-5

var questions = []string{
	"How much does it cost to redesign our website?", "where is the parcel that you sent", "my password does not work any more",
}

// cosine is the definition, in double precision.
func cosine(a, b []float32) float64 {
	var dot, na, nb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		na += float64(a[i]) * float64(a[i])
		nb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(na*nb)
}

// nearest compares everything with everything.
func (c *corpus) nearest(v view, f store.SearchFilter, to []float32, least float64) []scored {
	var all []scored
	for _, m := range c.messages {
		vector, ok := c.vectors[m.ID]
		if !ok || !c.passes(v, f, m) {
			continue
		}
		if s := cosine(to, vector); least == 0 || s >= least {
			all = append(all, scored{m, s})
		}
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.similarity, a.similarity), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return all
}

// runSimilarSearch compares every question, filter and scope with what the vectors say.
func runSimilarSearch(t *testing.T, c *corpus) {
	t.Helper()
	for name, f := range c.filters() {
		t.Run(name, func(t *testing.T) {
			some, bounds := questions, []float64{0, 0.3}
			if name != "none" {
				some, bounds = questions[:1], bounds[1:]
			}
			for _, v := range c.views() {
				for _, question := range some {
					for _, least := range bounds {
						c.checkSimilar(t, v, question, store.SimilarOptions{Limit: 15, MinSimilarity: least, Filter: f})
					}
				}
			}
		})
	}
	t.Run("more like", func(t *testing.T) { c.checkMoreLike(t) })
	t.Run("hybrid", func(t *testing.T) { c.checkHybrid(t) })
}

func (c *corpus) checkSimilar(t *testing.T, v view, question string, o store.SimilarOptions) {
	t.Helper()
	what := fmt.Sprintf("%s: %s, at least %v", v.name, question, o.MinSimilarity)
	want := c.nearest(v, o.Filter, c.embedText(t, question), o.MinSimilarity)
	for _, mode := range []store.SimilarMode{store.SearchExact, store.SearchAuto, store.SearchApproximate} {
		o.Mode = mode
		got, err := v.scope.Search().SimilarMessages(t.Context(), store.SimilarTo{Text: question}, o)
		require.NoError(t, err, what)
		require.Equal(t, c.embedder.Model(), got.Model)
		if mode == store.SearchExact {
			require.True(t, got.Exact, what)
		}
		if got.Exact {
			require.False(t, got.Short, what)
			checkExact(t, want, got.Hits, o.Limit, what)
			continue
		}
		if mode == store.SearchAuto {
			require.Len(t, got.Hits, min(o.Limit, len(want)), "%s: as many as there are", what)
		}
		if len(got.Hits) < min(o.Limit, len(want)) {
			require.True(t, got.Short, "%s: %d of %d", what, len(got.Hits), len(want))
		} else {
			assert.GreaterOrEqual(t, recall(want, got.Hits, o.Limit), 0.9, what)
		}
	}
	o.Mode = store.SearchExact
	c.checkSimilarConversations(t, v, question, o, want, what)
}

// checkExact allows near ties to change places, and nothing else.
func checkExact(t *testing.T, want []scored, got []*store.SimilarMessage, limit int, what string) {
	t.Helper()
	require.NotNil(t, got, what)
	require.Len(t, got, min(limit, len(want)), what)
	truth := map[uuid.UUID]float64{}
	for _, w := range want {
		truth[w.ID] = w.similarity
	}
	for i, hit := range got {
		require.Contains(t, truth, hit.Message.ID, what)
		require.InDelta(t, truth[hit.Message.ID], hit.Similarity, tolerance, what)
		require.InDelta(t, want[i].similarity, hit.Similarity, tolerance, "%s: hit %d", what, i)
		require.Equal(t, hit.Message.ConversationID, hit.Conversation.ID)
		if i > 0 && got[i-1].Similarity == hit.Similarity {
			require.Less(t, got[i-1].Message.ID.String(), hit.Message.ID.String(), "%s: ties by id", what)
		}
		delete(truth, hit.Message.ID)
	}
}

// recall is the share of what should have come that is as near as it should be.
func recall(want []scored, got []*store.SimilarMessage, limit int) float64 {
	n := min(limit, len(want))
	if n == 0 {
		return 1
	}
	good := 0
	for _, hit := range got {
		if hit.Similarity >= want[n-1].similarity-tolerance {
			good++
		}
	}
	return float64(good) / float64(n)
}

func (c *corpus) checkSimilarConversations(t *testing.T, v view, question string, o store.SimilarOptions, want []scored, what string) {
	t.Helper()
	var order []scored // the best of each conversation
	relevant := map[uuid.UUID]int64{}
	for _, w := range want {
		if relevant[w.ConversationID]++; relevant[w.ConversationID] == 1 {
			order = append(order, w)
		}
	}
	o.Limit = 5
	got, err := v.scope.Search().SimilarConversations(t.Context(), store.SimilarTo{Vector: c.embedText(t, question)}, o)
	require.NoError(t, err, what)
	require.True(t, got.Exact, what)
	require.Len(t, got.Hits, min(o.Limit, len(order)), what)
	for i, hit := range got.Hits {
		require.InDelta(t, order[i].similarity, hit.Similarity, tolerance, what)
		require.Equal(t, hit.Conversation.ID, hit.Best.ConversationID, what)
		require.Equal(t, relevant[hit.Conversation.ID], hit.Relevant, "%s: relevant messages", what)
	}
}

func (c *corpus) checkMoreLike(t *testing.T) {
	t.Helper()
	seen := 0
	for _, m := range c.messages {
		if _, ok := c.vectors[m.ID]; !ok || seen == 5 {
			continue
		}
		seen++
		v := view{"owner", c.st.ForUser(m.UserID), m.UserID}
		want := slices.DeleteFunc(c.nearest(v, store.SearchFilter{}, c.vectors[m.ID], 0), func(s scored) bool { return s.ID == m.ID })
		got, err := v.scope.Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Mode: store.SearchExact})
		require.NoError(t, err)
		checkExact(t, want, got.Hits, store.DefaultSimilar, "more like")
		all, err := c.st.AllUsers().Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Mode: store.SearchExact})
		require.NoError(t, err)
		require.Len(t, all.Hits, store.DefaultSimilar)
		for _, hit := range all.Hits {
			require.NotEqual(t, m.ID, hit.Message.ID, "itself")
		}
		_, err = c.st.ForUser(uuid.New()).Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{})
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	require.Equal(t, 5, seen)
}

// checkHybrid fuses the two lists by hand.
func (c *corpus) checkHybrid(t *testing.T) {
	t.Helper()
	const depth, k = 100, 60
	for _, v := range c.views() {
		for _, question := range questions {
			text := c.messageHits(t, v, question, store.TextOptions{Match: store.MatchAny}, depth)
			text = text[:min(depth, len(text))]
			similar, err := v.scope.Search().SimilarMessages(t.Context(), store.SimilarTo{Text: question},
				store.SimilarOptions{Limit: depth, Mode: store.SearchExact})
			require.NoError(t, err)
			want := map[uuid.UUID]*store.HybridHit{}
			hitOf := func(id uuid.UUID) *store.HybridHit {
				if want[id] == nil {
					want[id] = &store.HybridHit{}
				}
				return want[id]
			}
			for i, hit := range text {
				h := hitOf(hit.Message.ID)
				h.TextRank, h.TextScore, h.Score = i+1, hit.Score, h.Score+1/float64(k+i+1)
			}
			for i, hit := range similar.Hits {
				h := hitOf(hit.Message.ID)
				h.VectorRank, h.Similarity, h.Score = i+1, hit.Similarity, h.Score+1/float64(k+i+1)
			}
			got, err := v.scope.Search().Hybrid(t.Context(), question, store.HybridOptions{
				SimilarOptions: store.SimilarOptions{Limit: 20, Mode: store.SearchExact}, Depth: depth,
			})
			require.NoError(t, err)
			c.checkFusion(t, want, got.Hits, v.name+": "+question)
		}
	}
}

func (c *corpus) checkFusion(t *testing.T, want map[uuid.UUID]*store.HybridHit, got []*store.HybridHit, what string) {
	t.Helper()
	require.Len(t, got, min(20, len(want)), what)
	for i, hit := range got {
		w := want[hit.Message.ID]
		require.NotNil(t, w, what)
		assert.InDelta(t, w.Score, hit.Score, 1e-12, what)
		assert.Equal(t, []int{w.TextRank, w.VectorRank}, []int{hit.TextRank, hit.VectorRank}, what)
		assert.InDelta(t, w.Similarity, hit.Similarity, tolerance, what)
		assert.InDelta(t, w.TextScore, hit.TextScore, tolerance, what)
		assert.Equal(t, hit.Message.ConversationID, hit.Conversation.ID, what)
		if i > 0 {
			assert.GreaterOrEqual(t, got[i-1].Score, hit.Score, what)
		}
		delete(want, hit.Message.ID)
	}
}
