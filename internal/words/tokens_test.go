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
)

func terms(text string) (all []string) {
	for t := range words.Tokens(text) {
		all = append(all, t.Term)
	}
	return all
}

// places returns where a term stands in the tokens of a text: the first and the last of each
// match. It is what the index and Find have to answer.
func places(text []words.Token, term words.Term) (at [][2]int) {
	for i := range text {
		if last := i + len(term.Words) - 1; last < len(text) && hasAt(text[i:], term) {
			at = append(at, [2]int{i, last})
		}
	}
	return at
}

func hasAt(text []words.Token, term words.Term) bool {
	for i, w := range term.Words {
		begun := term.Prefix && i == len(term.Words)-1 && strings.HasPrefix(text[i].Term, w)
		if text[i].Term != w && !begun {
			return false
		}
	}
	return true
}

// matches tells whether a text is for a query.
func matches(text, query string) bool {
	q := words.Parse(query)
	var all []words.Token
	for t := range words.Tokens(text) {
		all = append(all, t)
	}
	anyOf := func(terms []words.Term) bool {
		for _, t := range terms {
			if len(places(all, t)) > 0 {
				return true
			}
		}
		return false
	}
	for _, g := range q.Groups {
		if !anyOf(g) {
			return false
		}
	}
	return !q.Empty() && !anyOf(q.Not)
}

const uuid = "0b6dd3a2-90f1-4a5f-9c3e-0d1d6d4c8a55"

// whatFindsWhat has texts, and queries that have to find them and that must not.
var whatFindsWhat = map[string]struct{ found, missed []string }{
	"Put the <style> block first. Then reload apache.": {[]string{"apache", "style", "<style>"}, []string{"styl"}},
	"if x<y return … else -> retry":                    {[]string{"retry", "x<y", "x", "y"}, nil},
	"read/write":                                       {[]string{"write", "read", "read/write", "read-write", "Read*"}, []string{"write/read", "rite"}},
	"he/she":                                           {[]string{"she", "he/she"}, nil},
	"24/7":                                             {[]string{"24", "24/7"}, []string{"247"}},
	"km/h yes/no thanks.Bye":                           {[]string{"km", "no", "thanks", "bye"}, nil},
	"DEC-0054 in src/main.go":                          {[]string{"0054", "dec-0054", "main", "src/main.go", "main.g*"}, []string{"54"}},
	"ann@example.com":                                  {[]string{"example", "ann@example.com", "ann@ex*"}, []string{"bob@example.com", "ann@com"}},
	"https://a.example/path?q=1":                       {[]string{"path", "https://a.example/path?q=1", "a.example"}, nil},
	strings.Repeat("the ", 260) + "the dragon":         {[]string{`"the dragon"`}, []string{`"dragon the"`}},
	strings.Repeat("snake_case ", 300) + "snake_tail":  {[]string{"snake_tail", "snake_case"}, []string{"snake_case -snake_tail"}},
	strings.Repeat(uuid+"-", 3500):                     {[]string{uuid, "4a5f"}, []string{"4a5"}},
	"a\ufdd0b\ufdd1c":                                  {[]string{"b", "a b c"}, []string{"abc"}},
	strings.Repeat("a", 100_000):                       {[]string{strings.Repeat("a", 100_000), strings.Repeat("a", 70) + "*"}, []string{strings.Repeat("a", 99_999)}},
	// Signs.
	"user_id, foo-bar":                  {[]string{"id", "user_id", "bar"}, []string{"userid"}},
	"C++ and C":                         {[]string{"c++", "c", `"c++ and"`}, []string{"c#", `"c and"`}},
	"C and D":                           {[]string{"c"}, []string{"c++", "c#"}},
	"C++17":                             {[]string{"c++", "c++17", "17"}, []string{"c++11"}},
	"C# code":                           {[]string{"c#", "c"}, []string{"c++"}},
	"a++b b#c c+++":                     {[]string{"a", "b", "c", "a++b"}, []string{"a++", "b#", "c++"}},
	"the .NET runtime":                  {[]string{".net", "net"}, nil},
	"call +49 (0)30/1234-56":            {[]string{"1234-56", "30/1234"}, nil},
	"version 1.2.3":                     {[]string{"1.2.3", "1.2"}, []string{"1.3"}},
	"v1.2.3":                            {[]string{"v1", "2.3"}, []string{"1.2.3"}},
	"issue #123 $5.00 3/4 ½ 2026-11-27": {[]string{"#123", "5.00", "3/4", "1/2", "11-27"}, nil},
	"it's l'eau, don’t":                 {[]string{"it's", "eau", "don't"}, nil},
	"foo™ bar, mc² ①":                   {[]string{"foo", `"foo bar"`, "mc", "2", "1"}, []string{"footm"}},
	"№ 5, 20℃, 5㎏, ⒶⒷ, 🅰":               {[]string{"no", "c", "kg", "ab", "🅰"}, nil},
	"Zu\u00adsammen zero\u200bwidth":    {[]string{"zusammen", "width"}, nil},
	"\u202babc\u202c def ab\xff\xfecd":  {[]string{"abc", "def", "cd"}, []string{"abcd"}},
	"\ufeffhello file\u2044name می\u200cخواهم": {[]string{"hello", "name", "میخواهم"}, nil},
	"ship it 👍🏽! 👩‍👧 I ❤️ it, 1️⃣, 🇩🇪🇫🇷":       {[]string{"👍", "👩", "👧", "❤", "1", "🇫🇷", "👍🏿"}, []string{"🇪🇫"}},
	// Accents and case.
	"un café noir, un cafe\u0301 noir": {[]string{"cafe\u0301", "café", "CAFÉ"}, nil},
	"Crème brûlée":                     {[]string{"creme brulee", `"creme brulee"`}, nil},
	"GRÜSSE, Straße, Müller":           {[]string{"grüsse", "Grüße", "STRASSE", "straẞe", "muller"}, []string{"mueller"}},
	"İstanbul ISPARTA":                 {[]string{"istanbul", "ısparta"}, nil},
	"đường Việt Nam":                   {[]string{"duong viet"}, nil},
	"ΟΔΥΣΣΕΥΣ άλφα ᾳ":                  {[]string{"οδυσσευς", "αλφα", "ᾼ", "ΑΙ"}, nil},
	"Ёлка мой":                         {[]string{"елка", "мой"}, []string{"мои"}},
	"שָׁלוֹם مُحَمَّد محـــمد ﷺ":       {[]string{"שלום", "محمد", "الله"}, nil},
	"कि हिन्दी में":                    {[]string{"हिन्दी", "कि"}, []string{"क", "हिन"}},
	"ＡＢＣ１２ ﬁx 𝕬𝖇":                      {[]string{"abc12", "fix", "ab"}, nil},
	strings.Repeat("é", 100):           {[]string{strings.Repeat("e\u0301", 100), strings.Repeat("E", 100)}, []string{strings.Repeat("e", 99)}},
	strings.Repeat("ß", 50):            {[]string{strings.Repeat("SS", 50)}, nil},
	// Scripts without spaces.
	"東京都に住んでいます":           {[]string{"東京", "京都", "東京都に住", "都", "す", "京*", `"東京都"`}, []string{"京東", "東都"}},
	"订单号是12345，":           {[]string{"12345", "订单号", "是12345", "号是12345", "是"}, []string{"是1234"}},
	"서울에서 만나요":             {[]string{"서울", "\u1109\u1165\u110b\u116e\u11af", "만나"}, []string{"서에"}},
	"API를 ㅋㅋㅋ":             {[]string{"api", "를", "api를", "ㅋㅋ", "ㅋ", "ﾻﾻ"}, nil},
	"ภาษาไทยง่าย หน้า น้ำ": {[]string{"ไทย", "น้า", "น้\u0e4dา", "น\u0e4d้า"}, []string{"น้ำา"}},
	"かきｶﾞｷﾞ":               {[]string{"かき", "ガギ", "ガ"}, []string{"がき", "カ"}},
	"㍿東京 ㈱東芝 ㌔ ㋿":          {[]string{"株式会社", "会社東京", "(株)東芝", "キロ", "令和"}, nil},
	"ໜ":                    {[]string{"ຫນ"}, nil},
}

func TestWhatFindsWhat(t *testing.T) {
	t.Parallel()
	for text, queries := range whatFindsWhat {
		for _, q := range queries.found {
			assert.True(t, matches(text, q), "%.60q has to be found by %.60q; terms %.200q and %.200q", text, q, terms(text), terms(q))
		}
		for _, q := range queries.missed {
			assert.False(t, matches(text, q), "%.60q must not be found by %.60q; terms %.200q and %.200q", text, q, terms(text), terms(q))
		}
	}
}

// TestTokenSpans: a span is what a reader sees as the word.
func TestTokenSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "",
		"Café 東京都 C++ foo_bar":         "cafe=Café 東京=東京 京都=京都 都=都. c=C ++=++ foo=foo bar=bar",
		"a\u200d\u0301b\u202c c":       "ab=a\u200d\u0301b c=c",
		"e\u0301 \u0301x":              "e=e\u0301 x=x",
		"n1\u20e3 👍🏽👍":                 "n1=n1\u20e3 👍=👍🏽 👍=👍",
		"½﷼ﷺ":                          "1=½ 2=½ ریال=﷼ صلى=ﷺ الله=ﷺ عليه=ﷺ وسلم=ﷺ",
		"㍿京":                           "株式=㍿ 式会=㍿ 会社=㍿ 社京=㍿京 京=京.",
		"x\U000e0100\ufe0f y":          "x=x\U000e0100\ufe0f y=y",
		strings.Repeat("a", 65):        strings.Repeat("a", 64) + "=" + strings.Repeat("a", 64) + " a=a",
		strings.Repeat("ß", 33)[:2*33]: strings.Repeat("s", 64) + "=" + strings.Repeat("ß", 32) + " ss=ß",
		"s" + strings.Repeat("ß", 32):  "s" + strings.Repeat("s", 63) + "=s" + strings.Repeat("ß", 32) + " s=ß",
		"ab" + strings.Repeat("𞤀", 64): "ab" + strings.Repeat("𞤢", 62) + "=ab" + strings.Repeat("𞤀", 62) + " 𞤢𞤢=𞤀𞤀",
	} {
		var got []string
		for k := range words.Tokens(text) {
			require.Equal(t, len(got), k.Pos)
			one := k.Term + "=" + text[k.Start:k.End]
			if k.Single {
				one += "."
			}
			got = append(got, one)
		}
		assert.Equal(t, want, strings.Join(got, " "), "%+q", text)
	}
}

func TestTokensStop(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a b", "東京都", "é é", "C++", "½", "㍿", "ﷺ", strings.Repeat("é", 200), "🇩🇪🇩🇪"} {
		n := 0
		for range words.Tokens(text) {
			n++
			break
		}
		assert.Equal(t, 1, n, text)
	}
}

// checkTokens checks what holds for every text.
func checkTokens(t require.TestingT, text string) {
	var last words.Token
	n, size := 0, 0
	for k := range words.Tokens(text) {
		ok := k.Pos == n && k.Start >= last.Start && k.End >= last.End && k.Start < k.End && k.End <= len(text) &&
			k.Term != "" && len(k.Term) <= 256 && utf8.ValidString(k.Term) && !strings.ContainsAny(k.Term, " \x00\n*|")
		require.True(t, ok, "%+q: %+v after %+v", text, k, last)
		if again := terms(k.Term); len(again) != 1 {
			// ++ has no letter before it, and a pair is a pair and its last one.
			require.True(t, k.Term == "++" || k.Term == "#" || len(again) == 2 && again[0] == k.Term, "%+q: %+q is %+q", text, k.Term, again)
		} else {
			require.Equal(t, k.Term, again[0], "%+q", text)
		}
		n, size, last = n+1, size+len(k.Term), k
	}
	require.LessOrEqual(t, n, 3*len(text), "%+q", text)
	require.LessOrEqual(t, size, 14*len(text), "%+q", text)
}

// anyText draws texts of all of Unicode, of hostile runs, and of bytes that are none.
func anyText() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom(hostileUnits),
		rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom(hostileUnits).Draw(t, "unit"), rapid.IntRange(1, 100).Draw(t, "times"))
		}),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes")) }),
		rapid.Custom(func(t *rapid.T) string { return string(rune(rapid.IntRange(0x80, 0x3ffff).Draw(t, "rune"))) }),
		rapid.Custom(func(t *rapid.T) string { return string(rune(rapid.IntRange(0x300, 0x36f).Draw(t, "mark"))) }),
	)
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "") })
}

func TestTokensOfAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkTokens(t, anyText().Draw(t, "text")) })
}

func FuzzTokens(f *testing.F) {
	for _, unit := range hostileUnits {
		f.Add(unit)
		f.Add(strings.Repeat(unit, 100))
	}
	f.Fuzz(func(t *testing.T, text string) { checkTokens(t, text) })
}

func ExampleTokens() {
	for t := range words.Tokens("Café 東京都 C++ foo_bar") {
		fmt.Println(t.Pos, t.Term, t.Start, t.End)
	}
	// Output:
	// 0 cafe 0 5
	// 1 東京 6 12
	// 2 京都 9 15
	// 3 都 12 15
	// 4 c 16 17
	// 5 ++ 17 19
	// 6 foo 20 23
	// 7 bar 24 27
}
