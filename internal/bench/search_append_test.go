package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// appendMessages is the most messages with vectors that there are before one is appended.
const appendMessages = 20_000

// appendKind is a choice of the migrations' options, and whether the message gets a vector.
type appendKind struct {
	name       string
	options    migrate.Options
	vector     bool
	onPostgres bool
}

var appendKinds = []appendKind{
	{name: "without full text, no vector", options: withoutSearch},
	{name: "full text", options: migrate.Options{WithoutVectorIndex: true}},
	{name: "full text, then the vector", options: migrate.Options{WithoutVectorIndex: true}, vector: true},
	{name: "full text, then the vector into HNSW", vector: true, onPostgres: true},
}

// appendFigures measures what the indexes of search cost a message.
func (r *searchRun) appendFigures(t *testing.T) {
	c := newSearchCorpus(min(appendMessages, r.corpus.messages), newClusters().vector)
	table := []string{"| database | messages before | an append with | time | ratio to the barest (min–max) |", "|---|--:|---|--:|--:|"}
	for _, d := range databases {
		var kinds []appendKind
		var sides []func(i int) error
		for _, k := range appendKinds {
			if k.onPostgres && !d.postgres {
				continue
			}
			kinds = append(kinds, k)
			sides = append(sides, d.appending(t, c, k))
		}
		all := inTurnsFor(t, 3*turnBudget, sides...)
		for i, k := range kinds {
			table = append(table, fmt.Sprintf("| %s | %s | %s | %s | %s |", d.name, thousands(c.messages), k.name, short(all[i].median()), all[i].ratio(all[0])))
		}
	}
	report(t, searchDocument, "search append", table)
}

// appending fills a database and returns an append to it.
func (d database) appending(t *testing.T, c *searchCorpus, k appendKind) func(i int) error {
	t.Helper()
	ctx := context.Background()
	address := d.loaded(t, c, func(int, []float32) {})
	d.rebuild(t, address, k.options)
	st, err := d.open(ctx, address, k.options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	vectors := make([][]float32, 1000)
	for i := range vectors {
		vectors[i] = c.vector(c.messages + i)
	}
	return func(i int) error {
		return appendWith(ctx, st, c, i, k, vectors[i%len(vectors)])
	}
}

func appendWith(ctx context.Context, st store.Store, c *searchCorpus, i int, k appendKind, v []float32) error {
	j := i % c.conversations()
	scope := st.ForUser(ownerOf(j))
	m := &message.Message{Direction: message.DirectionInbound, Content: c.texts[i%len(c.texts)]}
	if _, err := scope.Messages().Append(ctx, id(kindConversation, j), m); err != nil || !k.vector {
		return err
	}
	return scope.Embeddings().Set(ctx, m.ID, searchModel, v)
}
