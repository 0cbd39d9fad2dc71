package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// TestSnippetOfBadRanges: a snippet may have gone through somebody's JSON, or its text may
// have been changed since.
func TestSnippetOfBadRanges(t *testing.T) {
	t.Parallel()
	for ranges, want := range map[string]string{
		`null`:                                      "a&lt;é&gt;b",
		`[{"start":0,"end":1}]`:                     "<mark>a</mark>&lt;é&gt;b",
		`[{"start":-5,"end":1}]`:                    "<mark>a</mark>&lt;é&gt;b",
		`[{"start":-5,"end":-1}]`:                   "a&lt;é&gt;b",
		`[{"start":5,"end":99}]`:                    "a&lt;é&gt;<mark>b</mark>",
		`[{"start":98,"end":99}]`:                   "a&lt;é&gt;b",
		`[{"start":3,"end":1}]`:                     "a&lt;é&gt;b",
		`[{"start":1,"end":1}]`:                     "a&lt;é&gt;b",
		`[{"start":3,"end":4}]`:                     "a&lt;<mark>é</mark>&gt;b",
		`[{"start":2,"end":3}]`:                     "a&lt;<mark>é</mark>&gt;b",
		`[{"start":3,"end":3}]`:                     "a&lt;é&gt;b",
		`[{"start":2,"end":3},{"start":3,"end":6}]`: "a&lt;<mark>é</mark><mark>&gt;b</mark>",
		`[{"start":0,"end":4},{"start":1,"end":5}]`: "<mark>a&lt;é</mark><mark>&gt;</mark>b",
		`[{"start":4,"end":5},{"start":0,"end":1}]`: "a&lt;é<mark>&gt;</mark>b",
		`[{"start":-9223372036854775808,"end":9223372036854775807},null]`: "<mark>a&lt;é&gt;b</mark>",
	} {
		var s store.Snippet
		require.NoError(t, json.Unmarshal([]byte(`{"text":"a<é>b","matches":`+ranges+`}`), &s))
		if assert.NotPanics(t, func() { assert.Equal(t, want, s.HTML(), ranges) }, ranges) {
			assert.Equal(t, s.Text, s.Mark("", ""), ranges)
		}
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add("a<é>b", 3, 1, -1, 9)
	f.Add("\xff\xc3", 1, 2, 0, 1)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d int) {
		s := store.Snippet{Text: text, Matches: []store.Range{{Start: a, End: b}, {Start: c, End: d}}}
		if s.Mark("", "") != text {
			t.Fatal("the text changed")
		}
		page := s.HTML()
		if utf8.ValidString(text) && !utf8.ValidString(page) {
			t.Fatal("a letter was cut")
		}
		if strings.ContainsAny(strings.NewReplacer("<mark>", "", "</mark>", "").Replace(page), "<>") {
			t.Fatal("not escaped")
		}
	})
}
