package snippet_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/snippet"
	"github.com/convostore/convostore/internal/substring"
	"github.com/convostore/convostore/internal/words"
)

func marked(text, query string) string {
	cut, spans := snippet.Cut(text, words.Find(text, words.Parse(query).Terms(), nil))
	for i := len(spans) - 1; i >= 0; i-- {
		s := spans[i]
		cut = cut[:s.Start] + "[" + cut[s.Start:s.End] + "]" + cut[s.End:]
	}
	return cut
}

func TestCut(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("filler word ", 40)
	assert.Equal(t, "a [b] c [d e]", marked(" a\n\n b c\td \n e ", `b "d e"`))
	assert.Equal(t, "[a b] c", marked("a b c", `"a b" a b`), "what overlaps is one")
	assert.Equal(t, "no match", marked("no  match", "x"))
	assert.Empty(t, marked("", "x"))
	assert.Empty(t, marked(" \n ", "x"))

	assert.Equal(t, "[東京都]に住む", marked("東京都に住む", "東京都"), "a phrase of two pairs")
	assert.Equal(t, "[東京都]に住む", marked("東京都に住む", "東京 京都"), "pairs that overlap")
	assert.Equal(t, "東京[都]に住む[都]市", marked("東京都に住む都市", "都"), "a character alone, and before another")
	assert.Equal(t, "東京[都]", marked("東京都", "都"), "the last character")
	assert.Equal(t, "x [ﷺ] y", marked("x ﷺ y", "الله وسلم"), "several words of one character")
	assert.Equal(t, "ok [👍🏽]!", marked("ok 👍🏽!", "👍"))
	assert.Equal(t, "a\ufdd0[b]\ufdd1c", marked("a\ufdd0b\ufdd1c", "b"))

	got := marked(filler+"one needle "+filler, "needle")
	assert.True(t, strings.HasPrefix(got, "…filler") || strings.HasPrefix(got, "…word"), got)
	assert.Contains(t, got, "one [needle] filler")
	got = marked(filler+"needle "+filler+"needle and thread "+filler, "needle thread")
	assert.Contains(t, got, "[needle] and [thread]", "the part with both")
	got = marked("needle "+filler, "needle")
	assert.True(t, strings.HasPrefix(got, "[needle] filler") && strings.HasSuffix(got, "…"), got)
	assert.Greater(t, len(got), 150, "the room in front goes behind")
	got = marked(filler+"needle", "needle")
	assert.Greater(t, len(got), 150, "the room behind goes to the front")
	got = marked(strings.Repeat("好", 500)+"東京都"+strings.Repeat("好", 500), "東京都")
	assert.Contains(t, got, "好[東京都]好")
	assert.Equal(t, 160+2+2, utf8.RuneCountInString(got))
	got = marked(strings.Repeat("好", 500), strings.Repeat("好", 500))
	assert.True(t, utf8.ValidString(got))
}

func TestCutProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab é好東\n\t …🙂-\u0301ﷺ")), 0, 600, -1).Draw(t, "text")
		query := rapid.StringOfN(rapid.SampledFrom([]rune("ab é好東\"*")), 0, 12, -1).Draw(t, "query")
		matches := words.Find(text, words.Parse(query).Terms(), nil)
		if rapid.Bool().Draw(t, "part") {
			matches = substring.New(strings.TrimSpace(query)).Find(text)
		}
		cut, spans := snippet.Cut(text, matches)
		require.True(t, utf8.ValidString(cut))
		require.LessOrEqual(t, utf8.RuneCountInString(cut), 162)
		plain := strings.Join(strings.Fields(text), " ")
		require.Contains(t, plain, strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(cut, "…"), "…")))
		require.Equal(t, len(matches) > 0, len(spans) > 0)
		end := 0
		for _, s := range spans {
			require.True(t, end <= s.Start && s.Start < s.End && s.End <= len(cut))
			require.True(t, utf8.ValidString(cut[s.Start:s.End]))
			end = s.End
		}
	})
}

func BenchmarkCut(b *testing.B) {
	text := strings.Repeat("filler words of a long log ", 10<<20/27) + " ending"
	matches := substring.New("ending").Find(text)
	for b.Loop() {
		snippet.Cut(text, matches)
	}
}
