package search

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// defaultK is the K of a hybrid search that sets none.
const defaultK = 60

func (s search) Hybrid(ctx context.Context, text string, o store.HybridOptions) (store.Similar[*store.HybridHit], error) {
	result, err := s.hybrid(ctx, text, o)
	return result, query.Wrap("find by text and meaning", err)
}

func (s search) hybrid(ctx context.Context, text string, o store.HybridOptions) (result store.Similar[*store.HybridHit], err error) {
	s.sc.Clean.Text(&text)
	like := store.SimilarTo{Vector: o.Vector}
	if len(o.Vector) == 0 {
		like.Text = text
	}
	if err := check.First(checkHybrid(o), scope.CheckPart("text", text)); err != nil {
		return result, err
	}
	similar, err := s.prepareSimilarTo(ctx, like, o.SimilarOptions)
	if err != nil {
		return result, err
	}
	o = withDefaults(o, similar.options)
	byText, err := s.textHits(ctx, text, store.TextOptions{Match: store.MatchAny, Filter: o.Filter}, o.Depth)
	if err != nil {
		return result, err
	}
	found, err := similar.find(ctx, o.Depth)
	if err != nil {
		return result, err
	}
	byVector, err := similar.messages(found)
	if err != nil {
		return result, err
	}
	return store.Similar[*store.HybridHit]{
		Hits: fuse(byText, byVector.Hits, o), Model: byVector.Model, Exact: byVector.Exact, Short: byVector.Short,
	}, nil
}

func checkHybrid(o store.HybridOptions) error {
	switch {
	case o.K < 0:
		return rule.Invalid("k", "is negative")
	case o.Depth < 0 || o.Depth > store.MaxLimit:
		return rule.Invalid("depth", "is not between 1 and %d", store.MaxLimit)
	}
	return nil
}

// withDefaults fills in K and Depth where they are 0; similar has the checked options of the
// similarity search.
func withDefaults(o store.HybridOptions, similar store.SimilarOptions) store.HybridOptions {
	o.SimilarOptions = similar
	if o.K == 0 {
		o.K = defaultK
	}
	if o.Depth == 0 {
		o.Depth = min(max(4*o.Limit, 100), store.MaxLimit)
	}
	return o
}

// fuse merges two ranked lists into one by reciprocal rank. Ties go by message id and user.
func fuse(byText []*store.MessageHit, byVector []*store.SimilarMessage, o store.HybridOptions) []*store.HybridHit {
	hits := make([]*store.HybridHit, 0, len(byText)+len(byVector))
	byKey := make(map[scope.OwnedID]*store.HybridHit, len(byText))
	for i, t := range byText {
		h := &store.HybridHit{
			Message: t.Message, Conversation: t.Conversation, Snippet: t.Snippet,
			TextRank: i + 1, TextScore: t.Score, Score: fusedScore(o, i+1),
		}
		hits, byKey[scope.OwnedID{ID: t.Message.ID, User: t.Message.UserID}] = append(hits, h), h
	}
	for i, v := range byVector {
		h := byKey[scope.OwnedID{ID: v.Message.ID, User: v.Message.UserID}]
		if h == nil {
			h = &store.HybridHit{Message: v.Message, Conversation: v.Conversation}
			hits = append(hits, h)
		}
		h.VectorRank, h.Similarity = i+1, v.Similarity
		h.Score += fusedScore(o, i+1)
	}
	slices.SortFunc(hits, func(a, b *store.HybridHit) int {
		return cmp.Or(
			cmp.Compare(b.Score, a.Score),
			bytes.Compare(a.Message.ID[:], b.Message.ID[:]),
			bytes.Compare(a.Message.UserID[:], b.Message.UserID[:]),
		)
	})
	return hits[:min(o.Limit, len(hits))]
}

// fusedScore is what a list adds to the score of its hit at a rank, counted from 1.
func fusedScore(o store.HybridOptions, rank int) float64 { return 1 / float64(o.K+rank) }
