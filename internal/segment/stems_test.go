package segment_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// TestStemsOfManyDocuments: stems that take several pieces of a segment, merged with others, find
// what the texts find, and give the same bytes in whatever order they come.
func TestStemsOfManyDocuments(t *testing.T) {
	t.Parallel()
	languages := words.NewLanguages("", map[string]words.Stemmer{
		"en": {Version: "1", Stem: func(w string) string { return strings.TrimSuffix(w, "ing") }},
		"de": {Version: "1", Stem: func(w string) string { return strings.TrimSuffix(w, "en") }},
	})
	var documents []segment.Document
	var all, first, second segment.Builder
	for i := range 6000 {
		d := segment.Document{
			Key:      segment.Key{Kind: segment.Message, ID: uuid.UUID{byte(i >> 8), byte(i)}},
			Texts:    []segment.Text{{Field: segment.Content, Value: []string{"pay paying", "payen", "paying", "other"}[i%4]}},
			Language: languages.Of([]string{"en", "de", "", "xx"}[i%3]),
		}
		documents = append(documents, d)
		all.Add(d)
		if i%2 == 0 {
			first.Add(d)
		} else {
			second.Add(d)
		}
	}
	_, want, err := all.Build()
	require.NoError(t, err)
	var merged segment.Builder
	for _, b := range []*segment.Builder{&first, &second} {
		_, blocks, err := b.Build()
		require.NoError(t, err)
		require.NoError(t, merged.Absorb(blocks, segment.Dead{}))
	}
	header, blocks, err := merged.Build()
	require.NoError(t, err)
	require.Equal(t, want, blocks)

	plan := segment.NewPlan(words.ParseForms("pay"), []segment.Field{segment.Content}, languages.Of("de"), languages.Of("en"))
	in := segment.Input{Documents: header.Documents, To: uint32(header.Documents)}
	exact := in
	for _, r := range plan.Ranges() {
		var of []segment.Block
		for _, b := range blocks {
			if b.Part == segment.PartTerms {
				of = append(of, b)
			}
		}
		require.False(t, r.Positions, "a stem has no places")
		in.Terms = append(in.Terms, of)
		if r.Stem {
			of = nil
		}
		exact.Terms = append(exact.Terms, of)
	}
	for _, b := range blocks {
		if b.Part == segment.PartLengths {
			in.Lengths = append(in.Lengths, b)
		}
	}
	exact.Lengths = in.Lengths
	source, err := plan.Segment(in)
	require.NoError(t, err)
	found := plan.Rank([]*segment.Source{source})
	texts := plan.Rank([]*segment.Source{plan.Texts(documents)})
	require.Len(t, texts, len(found))
	for i := range found {
		require.Equal(t, texts[i].Document, found[i].Document)
		require.InDelta(t, texts[i].Score, found[i].Score, 0)
	}
	assert.Len(t, found, 2500, "pay itself 1500; of the rest, English paying 500 and German payen 500")
	source, err = plan.Segment(exact)
	require.NoError(t, err)
	assert.Len(t, plan.Rank([]*segment.Source{source}), 1500, "without the stems, the word")
}
