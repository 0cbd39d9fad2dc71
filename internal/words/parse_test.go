package words_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/rule"
)

// written is a query with its groups in brackets and the words of a phrase joined by a plus.
func written(q words.Query) string {
	alternatives := func(terms []words.Term) string {
		var all []string
		for _, t := range terms {
			w := strings.Join(t.Words, "+")
			if t.Prefix {
				w += "*"
			}
			all = append(all, w)
		}
		return "[" + strings.Join(all, " | ") + "]"
	}
	var all []string
	for _, g := range q.Groups {
		all = append(all, alternatives(g))
	}
	if len(q.Not) > 0 {
		all = append(all, "-"+alternatives(q.Not))
	}
	return strings.Join(all, " ")
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"invoice paid":            "[invoice] [paid]",
		" invoice\tINVOICE\n":     "[invoice]",
		`"unpaid invoice"`:        "[unpaid+invoice]",
		`“unpaid invoice” x`:      "[unpaid+invoice] [x]",
		`„unpaid invoice“ «x y»`:  "[unpaid+invoice] [x+y]",
		`a "b c`:                  "[a] [b+c]",
		`a"b c"d`:                 "[a] [b+c] [d]",
		"a OR b c":                "[a | b] [c]",
		"a OR b OR a c OR c":      "[a | b] [c]",
		"a OR b A OR B":           "[a | b]",
		"OR a OR OR b OR":         "[a | b]",
		"a OR -b c":               "[a] [c] -[b]",
		"a -b OR c":               "[a] [c] -[b]",
		`a or "OR" b`:             "[a] [or] [b]",
		"inv* -dra* a** b*c":      "[inv*] [a*] [b+c] -[dra*]",
		"x-y* z-* é* e\u0301*":    "[x+y*] [z] [e*]",
		`a -"old one" --b - c`:    "[a] [c] -[old+one | b]",
		`"a b*" "a b"*`:           "[a+b]",
		"":                        "",
		`"" - -- * ! () | & : ""`: "",
		"-a OR -b":                "-[a | b]",
		`it's C:\x`:               "[it+s] [c+x]",
		"-":                       "",
		"a -":                     "[a]",
		`-"`:                      "",
		"C++ c# C++*":             "[c+++] [c+#] [c+++*]",
		"東京都 京* 都 \"東 京\"":        "[東京+京都] [京*] [都*] [東+京*]",
		"abc是 是12 東京-x":           "[abc+是*] [是+12] [東京+京+x]",
		"👍 🇩🇪":                    "[👍] [🇩🇪]",
	} {
		q := words.Parse(text)
		assert.Equal(t, want, written(q), text)
		assert.Equal(t, want == "" || want[0] == '-', q.Empty(), text)
	}
	assert.Equal(t, "[a | b | c] -[d]", written(words.Parse("a b OR c a -d").Any()))
	assert.True(t, words.Parse("-a").Any().Empty())
	assert.Equal(t, "Old-One", words.Parse(`"Old-One"`).Groups[0][0].Text)
}

func TestQueryCheck(t *testing.T) {
	t.Parallel()
	numbers := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d ", i)
		}
		return b.String()
	}
	a := strings.Repeat("a ", 2_000)
	for text, want := range map[string]string{
		"":            "",
		numbers(1024): "",
		a:             "",
		numbers(1025): "has more than 1024 different words",
		"-" + strings.ReplaceAll(numbers(1025), " ", " -"):           "has more than 1024 different words",
		`"` + a[:2*256] + `"`:                                        "",
		`"` + a[:2*257] + `"`:                                        "has a phrase of more than 256 words",
		`x -"` + a[:2*257] + `"`:                                     "has a phrase of more than 256 words",
		strings.ReplaceAll(a[:2*257], " ", "-"):                      "has a phrase of more than 256 words",
		strings.Repeat("東", 257):                                     "",
		strings.Repeat("東", 258):                                     "has a phrase of more than 256 words",
		strings.Repeat("a", 64*256):                                  "",
		strings.Repeat("a", 64*256+1):                                "has a phrase of more than 256 words",
		numbers(1020) + `"x1 x2 x3 x4" "x1 x2 x3 x4 x1"`:             "",
		numbers(1020) + `"x1 x2 x3 x4 x5" "x1 x2 x3 x4 x1" OR x5 -x`: "has more than 1024 different words",
	} {
		for _, q := range []words.Query{words.Parse(text), words.Parse(text).Any()} {
			err := q.Check()
			if want == "" {
				require.NoError(t, err, "%.40q", text)
				continue
			}
			var invalid *rule.InvalidError
			require.ErrorAs(t, err, &invalid, "%.40q", text)
			assert.Equal(t, rule.InvalidError{Field: "text", Rule: want}, *invalid)
		}
	}
}

// checkQuery checks what holds for every query, and that Find agrees with the plain walk.
func checkQuery(t require.TestingT, query, text string) {
	q := words.Parse(query)
	terms := append(q.Terms(), q.Not...)
	for _, term := range terms {
		require.NotEmpty(t, term.Words)
		require.Contains(t, query, term.Text)
		require.NotContains(t, term.Text, `"`)
	}
	require.Equal(t, q.Empty(), q.Any().Empty())
	require.Equal(t, written(q), written(words.Parse(query)))
	checkFind(t, text, terms)
	if utf8.ValidString(query) && !q.Empty() {
		require.NotEmpty(t, words.Find(query, q.Terms(), nil), "a text has its own words: %+q", query)
	}
}

// anyQuery draws queries of any text, and of parts of one text.
func anyQuery(text string) *rapid.Generator[string] {
	part := rapid.Custom(func(t *rapid.T) string {
		all := []rune(text)
		from := rapid.IntRange(0, len(all)).Draw(t, "from")
		return string(all[from:min(len(all), from+rapid.IntRange(0, 20).Draw(t, "length"))])
	})
	syntax := rapid.SampledFrom([]string{`"`, "-", " OR ", "*", " ", " ", "“", "c++"})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(part, syntax, anyText()), 0, 8).Draw(t, "query"), "")
	})
}

func TestAnyQuery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		checkQuery(t, anyQuery(text).Draw(t, "query"), text)
	})
}

func FuzzParse(f *testing.F) {
	for _, query := range []string{"a OR b", `-"a b" c*`, `"`, "-OR", "a\u0301 é", "\ufdd0", "東京都 c++", "\"a a b\" \"a a*\"", strings.Repeat(`"-a OR `, 50)} {
		f.Add(query, "a a a b c a 東京都 C++ "+query)
	}
	f.Fuzz(func(t *testing.T, query, text string) { checkQuery(t, query, text) })
}

// TestTimes: a term counts as often as the query has it, however it is written.
func TestTimes(t *testing.T) {
	t.Parallel()
	q := words.Parse(`Invoice paid invoice OR "an invoice" INVOICE -invoice paid*`).Any()
	want := map[string]int{"Invoice": 3, "paid": 1, "an invoice": 1}
	for _, term := range q.Terms() {
		if times, ok := want[term.Text]; ok && !term.Prefix {
			assert.Equal(t, times, q.Times(term), term.Text)
		}
	}
}
