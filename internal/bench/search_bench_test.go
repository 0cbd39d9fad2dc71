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

// wordPair looks for a word that many texts have.
func wordPair(name, word string, order store.TextOrder, user uuid.UUID) searchPair {
	return searchPair{
		name: name,
		hand: func(ctx context.Context, b *searchBase, _ int) error {
			if order == store.Newest {
				hits, err := b.hand.newest(ctx, user, word)
				return expect(len(hits), textLimit+1, err)
			}
			hits, err := b.hand.ranked(ctx, user, word, 2000)
			return expect(len(hits), textLimit+1, err)
		},
		library: func(ctx context.Context, b *searchBase, _ int) error {
			n, err := libraryWords(ctx, b.st, user, word, order)
			return expect(n, textLimit, err)
		},
	}
}

// BenchmarkSearch has the searches of a user with half of 10,000 messages and of everybody.
func BenchmarkSearch(b *testing.B) {
	c := newSearchCorpus(10_000, newClusters().vector)
	half := searchScopes[2].user
	word := wordIn(c.inTexts, c.messages/20)
	pairs := []searchPair{
		similarPair("SimilarUser", c, half), similarPair("SimilarAll", c, uuid.Nil),
		wordPair("RankedUser", word, store.ByRank, half), wordPair("RankedAll", word, store.ByRank, uuid.Nil),
		wordPair("NewestUser", word, store.Newest, half), wordPair("NewestAll", word, store.Newest, uuid.Nil),
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
