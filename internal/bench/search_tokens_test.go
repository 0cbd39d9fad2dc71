package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// wordQuestion asks whether a query finds a text.
type wordQuestion struct {
	text, query string
	match       store.Match
}

var wordQuestions = []wordQuestion{
	{text: "An INVOICE", query: "invoice"},
	{text: "Crème brûlée", query: "creme brulee"},
	{text: "Crème brûlée", query: "CRÈME"},
	{text: "Straße", query: "strasse"},
	{text: "They are paying", query: "pay"},
	{text: "They are paying", query: "they"},
	{text: "our website", query: "web"},
	{text: "our website", query: "web*"},
	{text: "our website", query: "site"},
	{text: "our website", query: "site", match: store.MatchSubstring},
	{text: "a well-known firm", query: "known"},
	{text: "a well-known firm", query: "well-known"},
	{text: "a well known firm", query: "well-known"},
	{text: "write to ann@example.com", query: "ann@example.com"},
	{text: "write to ann@example.com", query: "example"},
	{text: "invoice 2026-117", query: "117"},
	{text: "C++ and C", query: "c++"},
	{text: "東京都に住んでいます", query: "東京"},
	{text: "東京都に住んでいます", query: "東京", match: store.MatchSubstring},
	{text: "GRÜSSE aus Wien", query: "grüsse", match: store.MatchSubstring},
	{text: "100 % sure", query: "100 %", match: store.MatchSubstring},
}

// TestWhatAWordIs holds the table of docs/search.md against both databases.
func TestWhatAWordIs(t *testing.T) {
	columns := []struct {
		name string
		d    database
	}{{"SQLite", databases[0]}, {"PostgreSQL", databases[1]}}
	table := []string{"| text | query |", "|---|---|"}
	for _, q := range wordQuestions {
		how := ""
		if q.match == store.MatchSubstring {
			how = ", MatchSubstring"
		}
		table = append(table, "| "+q.text+" | `"+q.query+"`"+how+" |")
	}
	for _, c := range columns {
		st, err := c.d.open(t.Context(), c.d.fresh(t), migrate.Options{})
		require.NoError(t, err)
		table[0], table[1] = table[0]+" "+c.name+" |", table[1]+":-:|"
		for i, q := range wordQuestions {
			table[2+i] += " " + answer(t, st, q) + " |"
		}
		require.NoError(t, st.Close())
	}
	report(t, searchDocument, "search tokens", table)
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", searchDocument))
	require.NoError(t, err)
	require.Contains(t, string(document), strings.Join(table, "\n"), "go test -run TestWhatAWordIs -update writes the table")
}

func answer(t *testing.T, st store.Store, q wordQuestion) string {
	t.Helper()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Messages: []*message.Message{{Direction: message.DirectionInbound, Content: q.text}}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	page, err := mine.Search().Messages(t.Context(), q.query, store.TextOptions{Match: q.match}, store.PageRequest{})
	require.NoError(t, err)
	return []string{"no", "yes"}[len(page.Items)]
}
