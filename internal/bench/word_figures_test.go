package bench

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wordBudget is how long a line of the table of words is measured.
const wordBudget = 3 * time.Second

// TestWordFigures writes the tables of words in docs/search.md, from messages without vectors.
func TestWordFigures(t *testing.T) {
	if os.Getenv("CONVOSTORE_BENCH_SEARCH") != "1" {
		t.Skip("set CONVOSTORE_BENCH_SEARCH=1 to measure search")
	}
	r := &searchRun{corpus: newSearchCorpus(searchMessages(t, "CONVOSTORE_BENCH_MESSAGES"), nil)}
	for _, d := range databases {
		r.bases = append(r.bases, newSearchBase(t, d, r.corpus, nil))
	}
	t.Run("data", r.wordData)
	t.Run("words", r.wordFigures)
	t.Run("bytes", r.textBytes)
}

func (r *searchRun) wordData(t *testing.T) {
	c := r.corpus
	table := []string{
		"| what | this run |", "|---|---|",
		fmt.Sprintf("| messages | %s, of which one in 50 is deleted, in %s conversations |", thousands(c.messages), thousands(c.conversations())),
		fmt.Sprintf("| texts | 25 to 55 words of %s, Zipf |", thousands(vocabulary)),
	}
	for _, b := range r.bases {
		state, err := b.st.AllUsers().Maintenance().SearchState(t.Context())
		require.NoError(t, err)
		require.Zero(t, state.Noted)
		table = append(table,
			fmt.Sprintf("| index of words on %s: noting all rows, then packing them | %s, %s |", b.name, short(b.noted), short(b.packed)),
			fmt.Sprintf("| segments on %s | %d |", b.name, state.Segments),
			fmt.Sprintf("| index by hand on %s, of the same rows | %s |", b.name, short(b.byHand)))
	}
	for _, line := range table {
		t.Log(line)
	}
	report(t, searchDocument, "search word data", table)
}

func (r *searchRun) wordFigures(t *testing.T) {
	table := []string{
		"| search | scope | database | hand-written | convostore | ratio (min–max) |",
		"|---|---|---|--:|--:|--:|",
	}
	for _, b := range r.bases {
		for _, a := range r.corpus.asks() {
			for _, s := range []searchScope{searchScopes[0], searchScopes[1], searchScopes[3]} {
				table = append(table, r.wordLine(t, b, a, s))
				t.Log(table[len(table)-1])
			}
		}
	}
	report(t, searchDocument, "search words", table)
}

// wordLine compares the two sides on the same texts: the library must find as many as the other
// one, up to its page.
func (r *searchRun) wordLine(t *testing.T, b *searchBase, a ask, s searchScope) string {
	t.Helper()
	ctx := t.Context()
	want := -1
	all := inTurnsFor(t, wordBudget, func(int) error {
		hits, err := b.hand.find(ctx, s.user, a)
		if want < 0 {
			want = len(hits)
		}
		return expect(len(hits), want, err)
	}, func(int) error {
		n, err := libraryFinds(ctx, b.st, s.user, a)
		return expect(n, min(want, textLimit), err)
	})
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", a.name, s.name, b.name, short(all[0].median()), short(all[1].median()), all[1].ratio(all[0]))
}
