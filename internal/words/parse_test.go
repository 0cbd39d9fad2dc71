package words_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/words"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ fts, ts string }{
		"invoice paid":            {`(("invoice") AND ("paid"))`, `('invoice') & ('paid')`},
		" invoice\tinvoice\n":     {`(("invoice"))`, `('invoice')`},
		`"unpaid invoice"`:        {`(("unpaid invoice"))`, `(('unpaid' <-> 'invoice'))`},
		`“unpaid invoice” x`:      {`(("unpaid invoice") AND ("x"))`, `(('unpaid' <-> 'invoice')) & ('x')`},
		`a "b c`:                  {`(("a") AND ("b c"))`, `('a') & (('b' <-> 'c'))`},
		`a"b c"d`:                 {`(("a") AND ("b c") AND ("d"))`, `('a') & (('b' <-> 'c')) & ('d')`},
		"a OR b c":                {`(("a" OR "b") AND ("c"))`, `('a' | 'b') & ('c')`},
		"a OR b OR a c OR c":      {`(("a" OR "b") AND ("c"))`, `('a' | 'b') & ('c')`},
		"OR a OR OR b OR":         {`(("a" OR "b"))`, `('a' | 'b')`},
		"a OR -b c":               {`(("a") AND ("c")) NOT ("b")`, `('a') & ('c') & !('b')`},
		"a -b OR c":               {`(("a") AND ("c")) NOT ("b")`, `('a') & ('c') & !('b')`},
		`a or "OR" b`:             {`(("a") AND ("or") AND ("OR") AND ("b"))`, `('a') & ('or') & ('OR') & ('b')`},
		"inv* -dra* a** b*c":      {`(("inv"*) AND ("a"*) AND ("b*c")) NOT ("dra"*)`, `('inv':*) & ('a':*) & (('b*c' | ('b' <-> 'c'))) & !('dra':*)`},
		"x-y* z-*":                {`(("x-y"*) AND ("z-"))`, `(('x-y':* | ('x' <-> 'y':*))) & (('z-' | ('z')))`},
		`a -"old one" --b - c`:    {`(("a") AND ("c")) NOT ("old one" OR "-b")`, `('a') & ('c') & !(('old' <-> 'one') | ('-b' | ('b')))`},
		"":                        {},
		`"" - -- * ! () | & : ""`: {},
		"-a OR -b":                {},
		`it's C:\x`:               {`(("it's") AND ("C:\x"))`, `(('it''s' | ('it' <-> 's'))) & (('C:\\x' | ('C' <-> 'x')))`},
	} {
		q := words.Parse(text)
		if want.fts != "" {
			want.fts = "content : (" + want.fts + ")"
		}
		assert.Equal(t, want.fts, q.FTS5("content"), text)
		all, _ := q.TSQuery()
		assert.Equal(t, want.ts, all, text)
		assert.Equal(t, want.fts == "", q.Empty(), text)
	}
	all, positive := words.Parse("a -b").TSQuery()
	assert.Equal(t, "('a') & !('b')", all)
	assert.Equal(t, "('a')", positive)
	assert.Equal(t, `content : ((("a" OR "b" OR "c")) NOT ("d"))`, words.Parse("a b OR c a -d").Any().FTS5("content"))
	assert.True(t, words.Parse("-a").Any().Empty())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a OR b", `-"a b" c*`, `"`, "-OR", "a\u0301 é", "\ufdd0", strings.Repeat(`"-a OR `, 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		q := words.Parse(text)
		for _, term := range append(q.Terms(), q.Not...) {
			require.NotEmpty(t, term.Words)
			require.Contains(t, text, term.Text)
			require.NotContains(t, term.Text, `"`)
		}
		require.Equal(t, q.Empty(), q.Any().Empty())
		// Where a text has the query's own words, each term is found in it.
		found := map[int]bool{}
		for _, m := range words.Find(text, q.Terms()) {
			require.Less(t, m.Start, m.End)
			require.True(t, utf8.ValidString(text[m.Start:m.End]))
			found[m.Term] = true
		}
		require.GreaterOrEqual(t, len(found), min(len(q.Terms()), 1))
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, text, want string }{
		{"creme", "Die CRÈME brûlée, cre\u0300me.", "[CRÈME] [cre\u0300me]"},
		{"pay*", "Pay, paying; repay", "[Pay] [paying]"},
		{`"a b" b`, "a b c a-b a  B", "[a b] [b] [a-b] [b] [a  B] [B]"},
		{`"a a b"`, "a a a b", "[a a b]"},
		{`"a b*"`, "a bc", ""},
		{"a-b*", "x a (bc)", "[a (bc]"},
		{"straße", "STRASSE Straße", "[Straße]"},
		{"привет", "ПРИВЕТ", "[ПРИВЕТ]"},
		{"-a b", "a b", "[b]"},
	} {
		var got []string
		for _, m := range words.Find(tt.text, words.Parse(tt.query).Terms()) {
			got = append(got, "["+tt.text[m.Start:m.End]+"]")
		}
		assert.Equal(t, tt.want, strings.Join(got, " "), tt.query)
	}
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("filler words of a long log with Ünïcode ", 10<<20/42)
	terms := words.Parse("needle hay* \"some phrase\"").Terms()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		words.Find(text, terms)
	}
}
