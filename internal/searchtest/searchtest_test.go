package searchtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/searchtest"
)

// TestTable holds the table against plain Go: what is found, what is marked, in which order.
func TestTable(t *testing.T) {
	t.Parallel()
	rows := checkTable(t, searchtest.Groups(), searchtest.Forms{})
	require.Greater(t, rows, 300)
	t.Log(rows, "rows")
}

// TestLanguages is TestTable of the texts in languages.
func TestLanguages(t *testing.T) {
	t.Parallel()
	rows := checkTable(t, searchtest.Languages(), searchtest.Forms{Standard: "en", Stemmers: searchtest.Stemmers()})
	require.Greater(t, rows, 40)
}

func checkTable(t *testing.T, groups []searchtest.Group, forms searchtest.Forms) (rows int) {
	t.Helper()
	for _, g := range groups {
		rows += len(g.Queries)
		t.Run(g.Kind, func(t *testing.T) {
			t.Parallel()
			names := map[string]bool{}
			for _, text := range g.Texts {
				require.True(t, utf8.ValidString(text.Value), text.Name)
				require.False(t, names[text.Name], "two texts have the name %q", text.Name)
				names[text.Name] = true
			}
			asked := map[string]bool{}
			for _, q := range g.Queries {
				key := string(rune('0'+q.How)) + q.Ask
				require.False(t, asked[key], "%q is asked twice", q.Ask)
				asked[key] = true
				check(t, g, q, forms)
			}
		})
	}
	return rows
}

func check(t *testing.T, g searchtest.Group, q searchtest.Query, forms searchtest.Forms) {
	t.Helper()
	hits := searchtest.FindForms(g.Said(), q.Ask, q.How, forms)
	got := searchtest.Marks{}
	for _, hit := range hits {
		text := g.Texts[hit.Text]
		// A snippet has no room for all of a long text: only a search tells what it marks.
		if want := q.Finds[text.Name]; want != "" && utf8.RuneCountInString(text.Value) > 160 {
			got[text.Name] = want
			continue
		}
		got[text.Name] = joined(searchtest.MarksOfForms(g.Said()[hit.Text], q.Ask, q.How, forms))
	}
	assert.Equal(t, q.Finds, got, "%.60q", q.Ask)
	if q.Order == nil {
		return
	}
	var order []string
	ranked := searchtest.Ranked(hits)
	for i, hit := range ranked {
		order = append(order, g.Texts[hit.Text].Name)
		if i > 0 {
			assert.Greater(t, ranked[i-1].Score, hit.Score*1.01, "%.60q: an order is not a matter of rounding", q.Ask)
		}
	}
	assert.Equal(t, q.Order, order, "%.60q", q.Ask)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(q.Finds)), q.Order, "%.60q", q.Ask)
}

func joined(marks []string) string {
	for i, m := range marks {
		marks[i] = strings.Join(strings.Fields(m), " ")
	}
	return strings.Join(marks, "|")
}

// TestScores compares scores with ones that were worked out on paper: of three texts that have
// words, two on average, two have the word, so idf is ln(1 + 1.5/2.5).
func TestScores(t *testing.T) {
	t.Parallel()
	hits := searchtest.Find([]string{"a b", "a a c", "d", ""}, "a", searchtest.All)
	require.Len(t, hits, 2)
	assert.InDelta(t, 0.4700036, hits[0].Score, 1e-7, "2.2 / (1 + 1.2) of it")
	assert.InDelta(t, 0.5665797, hits[1].Score, 1e-7, "2 × 2.2 / (2 + 1.2 × 1.375) of it")
	assert.Equal(t, 1, searchtest.Ranked(hits)[0].Text)
}
