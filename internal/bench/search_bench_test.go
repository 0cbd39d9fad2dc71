package bench

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// searchPair is one kind of search, by hand and with the library.
type searchPair struct {
	name          string
	hand, library func(ctx context.Context, b *searchBase, i int) error
}

// similarPair looks for the nearest. By hand a user's vectors are all compared.
func similarPair(name string, c *searchCorpus, user uuid.UUID) searchPair {
	return searchPair{
		name: name,
		hand: func(ctx context.Context, b *searchBase, i int) error {
			find := b.hand.exact
			if user == uuid.Nil {
				find = b.hand.indexed
			}
			hits, err := find(ctx, user, c.queries[i%queryCount])
			return expect(len(hits), similarLimit, err)
		},
		library: func(ctx context.Context, b *searchBase, i int) error {
			hits, _, err := librarySimilar(ctx, b.st, user, c.queries[i%queryCount], store.SimilarOptions{})
			return expect(len(hits), similarLimit, err)
		},
	}
}

// textPair looks for what many texts have.
func textPair(name string, a ask, user uuid.UUID) searchPair {
	return searchPair{
		name: name,
		hand: func(ctx context.Context, b *searchBase, _ int) error {
			hits, err := b.hand.find(ctx, user, a)
			return expect(len(hits), textLimit+1, err)
		},
		library: func(ctx context.Context, b *searchBase, _ int) error {
			n, err := libraryFinds(ctx, b.st, user, a)
			return expect(n, textLimit, err)
		},
	}
}

// BenchmarkSearch has the searches of a user with half of 10,000 messages and of everybody.
func BenchmarkSearch(b *testing.B) {
	c := newSearchCorpus(10_000, newClusters().vector)
	half := searchScopes[2].user
	word := []string{wordIn(c.inTexts, c.messages/20)}
	ranked, newest := ask{words: word, order: store.ByRank}, ask{words: word, order: store.Newest}
	pairs := []searchPair{
		similarPair("SimilarUser", c, half), similarPair("SimilarAll", c, uuid.Nil),
		textPair("RankedUser", ranked, half), textPair("RankedAll", ranked, uuid.Nil),
		textPair("NewestUser", newest, half), textPair("NewestAll", newest, uuid.Nil),
	}
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			base := newSearchBase(b, d, c, func(int, []float32) {})
			for _, p := range pairs {
				b.Run(p.name+"/handwritten", func(b *testing.B) { loopSearch(b, base, p.hand) })
				b.Run(p.name+"/convostore", func(b *testing.B) { loopSearch(b, base, p.library) })
			}
		})
	}
}

func loopSearch(b *testing.B, base *searchBase, search func(ctx context.Context, b *searchBase, i int) error) {
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := search(ctx, base, i); err != nil {
			b.Fatal(err)
		}
	}
}
