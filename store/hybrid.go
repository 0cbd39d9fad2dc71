package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
)

const defaultK = 60

func (s search) Hybrid(ctx context.Context, text string, o HybridOptions) (Similar[*HybridHit], error) {
	result, err := s.hybrid(ctx, text, o)
	return result, fail("find by text and meaning", err)
}

func (s search) hybrid(ctx context.Context, text string, o HybridOptions) (result Similar[*HybridHit], err error) {
	like := Like{Vector: o.Vector}
	if len(o.Vector) == 0 {
		like.Text = text
	}
	if err := check.First(o.check(), checkPart("text", text)); err != nil {
		return result, err
	}
	n, err := s.nearestTo(ctx, like, o.SimilarOptions)
	if err != nil {
		return result, err
	}
	o = o.filled(n.o)
	byText, err := s.textHits(ctx, text, TextOptions{Match: MatchAny, Filter: o.Filter}, o.Depth)
	if err != nil {
		return result, err
	}
	f, err := n.find(ctx, o.Depth)
	if err != nil {
		return result, err
	}
	byVector, err := n.messages(f)
	if err != nil {
		return result, err
	}
	return Similar[*HybridHit]{
		Hits: fuse(byText, byVector.Hits, o), Model: byVector.Model, Exact: byVector.Exact, Short: byVector.Short,
	}, nil
}

func (o HybridOptions) check() error {
	switch {
	case o.K < 0:
		return rule.Invalid("k", "is negative")
	case o.Depth < 0 || o.Depth > MaxLimit:
		return rule.Invalid("depth", "is not between 1 and %d", MaxLimit)
	}
	return nil
}

// filled sets what is unset; similar are the checked options of the vectors.
func (o HybridOptions) filled(similar SimilarOptions) HybridOptions {
	o.SimilarOptions = similar
	if o.K == 0 {
		o.K = defaultK
	}
	if o.Depth == 0 {
		o.Depth = min(max(4*o.Limit, 100), MaxLimit)
	}
	return o
}

// fuse makes one list of two, each in its order.
func fuse(byText []*MessageHit, byVector []*SimilarMessage, o HybridOptions) []*HybridHit {
	hits := make([]*HybridHit, 0, len(byText)+len(byVector))
	byKey := make(map[ownedID]*HybridHit, len(byText))
	for i, t := range byText {
		h := &HybridHit{
			Message: t.Message, Conversation: t.Conversation, Snippet: t.Snippet,
			TextRank: i + 1, TextScore: t.Score, Score: o.score(i + 1),
		}
		hits, byKey[ownedID{t.Message.ID, t.Message.UserID}] = append(hits, h), h
	}
	for i, v := range byVector {
		h := byKey[ownedID{v.Message.ID, v.Message.UserID}]
		if h == nil {
			h = &HybridHit{Message: v.Message, Conversation: v.Conversation}
			hits = append(hits, h)
		}
		h.VectorRank, h.Similarity = i+1, v.Similarity
		h.Score += o.score(i + 1)
	}
	slices.SortFunc(hits, func(a, b *HybridHit) int {
		return cmp.Or(
			cmp.Compare(b.Score, a.Score),
			bytes.Compare(a.Message.ID[:], b.Message.ID[:]),
			bytes.Compare(a.Message.UserID[:], b.Message.UserID[:]),
		)
	})
	return hits[:min(o.Limit, len(hits))]
}

// score is what a rank, from 1, adds.
func (o HybridOptions) score(rank int) float64 { return 1 / float64(o.K+rank) }
