package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/searchtest"
)

// TestWhatAWordIs holds docs/search.md against the table of texts and queries, which the tests of
// the store hold against both databases.
func TestWhatAWordIs(t *testing.T) {
	table := []string{"| text | query | finds |", "|---|---|---|"}
	for _, g := range searchtest.Groups() {
		for _, q := range g.Queries {
			if q.Doc != "" {
				table = append(table, tokenRow(g, q))
			}
		}
	}
	require.Greater(t, len(table), 40)
	report(t, searchDocument, "search tokens", table)
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", searchDocument))
	require.NoError(t, err)
	require.Contains(t, string(document), strings.Join(table, "\n"), "go test -run TestWhatAWordIs -update writes the table")
}

// tokenRow shows what a query finds in the text that it names: the words, or nothing.
func tokenRow(g searchtest.Group, q searchtest.Query) string {
	finds := "nothing"
	if marks, ok := q.Finds[q.Doc]; ok {
		finds = strings.ReplaceAll(inTable(strings.ReplaceAll(marks, "|", "\n")), "\n", ", ")
	}
	how := map[searchtest.How]string{searchtest.Any: ", MatchAny", searchtest.Part: ", MatchSubstring"}[q.How]
	return "| " + inTable(g.Text(q.Doc)) + " | `" + q.Ask + "`" + how + " | " + finds + " |"
}

// inTable escapes a text for a cell of Markdown.
func inTable(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(text)
}
