package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func searchPartTests() subtests {
	return subtests{
		"SearchPart":       testSearchPart,
		"SearchPartLong":   testSearchPartLong,
		"SearchPartTitles": testSearchPartTitles,
		"SearchPartFolded": testSearchPartFolded,
	}
}

// partQueries are texts, parts of them and parts that they do not have. Case is that of
// Unicode's simple folding: one character for one, in no language.
var partQueries = []struct {
	text      string
	has, lack []string
}{
	{"GRÜSSE aus Wien", []string{"grüsse", "Grüsse AUS", "gru\u0308sse", "aus w"}, []string{"grusse", "grüße"}},
	{"Straße", []string{"straße", "STRAẞE", "aß"}, []string{"strasse"}},
	{"STRASSE", []string{"strasse", "ſtraſſe"}, []string{"straße"}},
	{"Привет Мир", []string{"ПРИВЕТ", "ивет ми", "МИР"}, []string{"приветмир"}},
	{"ΟΔΥΣΣΕΥΣ", []string{"οδυσσευς", "οδυσσευσ", "σσ", "ςς"}, []string{"οδυσσευ σ"}},
	{"οδυσσεύς", []string{"ΟΔΥΣΣΕΎΣ", "ΣΣΕ"}, []string{"ΟΔΥΣΣΕΥΣ"}},
	{"caf\u00e9", []string{"CAFÉ", "cafe\u0301", "CAFE\u0301", "AF\u00c9"}, []string{"cafe"}},
	{"cafe\u0301", []string{"CAFÉ", "cafe\u0301", "caf\u00e9", "cafe"}, []string{"cafè"}},
	{"273 \u212A", []string{"k", "273 K", "\u212A"}, []string{"273k"}},
	{"Kelvin", []string{"\u212Aelvin", "KELVIN"}, nil},
	{"5 \u212Bngström", []string{"ångström", "\u212BNGSTRÖM", "A\u030Angstro\u0308m"}, []string{"angström"}},
	{"Congreſs", []string{"CONGRESS", "congress"}, nil},
	{"µg and μg", []string{"ΜG AND µG"}, []string{"ug"}},
	{"İstanbul ılık Iğdır", []string{"İSTANBUL", "iğdıR", "ılıK"}, []string{"istanbul", "ilik"}},
	{"Ǆ ǅ ǆ", []string{"ǆ Ǆ ǅ"}, []string{"dž"}},
	{"ᲐᲑᲒ აბგ", []string{"აბგ ᲐᲑᲒ"}, nil},
	{"ᏣᎳᎩ", []string{"ꮳꮃꭹ"}, nil},
	{"𐐔𐐯𐑅𐐨𐑉𐐯𐐻", []string{"𐐼𐐇𐐝𐐀", "𐐇𐐻"}, []string{"𐐀𐐀"}},
	{"Ａｂｃ", []string{"ａＢＣ"}, []string{"abc"}},
	{"東京都に住んでいます", []string{"東京", "に住ん", "ます"}, []string{"京東"}},
	{"订单号是12345，", []string{"12345", "是1", "5，"}, nil},
	{"한글", []string{"한", "\u1112\u1161\u11ab글", "글"}, []string{"하"}},
	{"100% [sic] a_b *x* what? \\n 'q' \"z\" {1} ^$ (a|b) .+", []string{
		"% [S", "a_B", "*X*", "T?", "\\N", "'Q'", "\"z\"", "{1}", "^$", "(A|B)", ".+", "[sic]", "sic]",
	}, []string{"%%", "a?b", "*y*", "[sxc]", "a.b", "s.c", "a|z", "\\\\", "what\\?", "\\m", "***=a"}},
	{"first line\nsecond\tline", []string{"LINE\nSECOND", "d\tl"}, []string{"line second"}},
	{"\ufdd0 and \ufffd", []string{"\ufdd0 AND \ufffd"}, []string{"\ufdd1", "\ufffe", "\uffff"}},
	{"שלום 😀 مرحبا", []string{"לום 😀", "مرح"}, []string{"😁"}},
}

// testSearchPart: every text is found with its parts, and not with others, among messages,
// titles, subjects and in a list of conversations.
func testSearchPart(t *testing.T, w *world) {
	thread := w.conversation(t)
	for _, q := range partQueries {
		w.append(t, thread, text(q.text))
		w.create(t, &conversation.Conversation{Title: "t " + q.text})
		w.create(t, &conversation.Conversation{Title: "s", Subject: oneLine(q.text)})
	}
	for _, q := range partQueries {
		for _, part := range q.has {
			assert.Contains(t, w.finds(t, part, store.MatchSubstring), q.text, part)
			both := []string{"t " + q.text, "s"}
			if strings.Contains(part, "\n") {
				both = both[:1] // a subject is one line
			}
			assert.Subset(t, w.findsThreads(t, part, store.MatchSubstring), both, part)
			assert.Subset(t, titles(w.listed(t, store.ConversationFilter{Text: part})), both, part)
			w.marks(t, part)
		}
		for _, part := range q.lack {
			assert.NotContains(t, w.finds(t, part, store.MatchSubstring), q.text, part)
			assert.NotContains(t, w.findsThreads(t, part, store.MatchSubstring), "t "+q.text, part)
			assert.NotContains(t, titles(w.listed(t, store.ConversationFilter{Text: part})), "t "+q.text, part)
		}
	}
}

// marks wants a place marked in the snippet of each hit.
func (w *world) marks(t testing.TB, part string) {
	t.Helper()
	page, err := w.mine.Search().Messages(t.Context(), part, store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
	require.NoError(t, err)
	for _, hit := range page.Items {
		assert.NotEmpty(t, hit.Snippet.Matches, "%q in %q", part, hit.Message.Content)
	}
}

// testSearchPartLong: a part counts to its last character, also where the texts agree in all
// that a database compares. Pages, counts and the best message leave the others out.
func testSearchPartLong(t *testing.T, w *world) {
	const long = "Größe und Länge des GESAMTEN Textes entscheiden, nicht sein Anfang allein: "
	var want, threads []string
	for i := range 12 {
		c := w.create(t, &conversation.Conversation{Title: fmt.Sprint(i)})
		for n := range 3 {
			end := "nein"
			if i%3 == 0 && n < 2 {
				end = "ÄTSCH"
			}
			m := w.append(t, c, text(fmt.Sprint(i, n, " ", strings.ToUpper(long), end)))
			if end != "nein" {
				want = append(want, m.Content)
			}
			w.tick()
		}
		if i%3 == 0 {
			threads = append(threads, c.Title)
		}
	}
	slices.Reverse(want)
	slices.Reverse(threads)
	for _, part := range []string{strings.ToUpper(long) + "ätsch", long + "ätsch", long + "A\u0308TSCH"} {
		for _, size := range []int{1, 2, 5, 50} {
			o := store.TextOptions{Match: store.MatchSubstring}
			messages, err := list(size, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
				return w.mine.Search().Messages(t.Context(), part, o, p)
			})
			require.NoError(t, err)
			var got []string
			for _, hit := range messages {
				got = append(got, hit.Message.Content)
			}
			require.Equal(t, want, got, "pages of %d", size)
			hits, err := list(size, func(p store.PageRequest) (store.Page[*store.ConversationHit], error) {
				return w.mine.Search().Conversations(t.Context(), part, o, p)
			})
			require.NoError(t, err)
			require.Len(t, hits, len(threads))
			for i, hit := range hits {
				require.Equal(t, threads[i], hit.Conversation.Title, "pages of %d", size)
				require.EqualValues(t, 2, hit.Messages)
				require.Contains(t, hit.Best.Content, threads[i]+" 1 ")
				require.NotEmpty(t, hit.Snippet.Matches)
			}
		}
	}
	require.Empty(t, w.finds(t, long+"ätschi", store.MatchSubstring))
	require.Empty(t, w.findsThreads(t, long+"ätschi", store.MatchSubstring))
}

// testSearchPartTitles: a title and a subject are separate texts, and each counts to its last
// character.
func testSearchPartTitles(t *testing.T, w *world) {
	const long = "Ein sehr langer Gegenstand, länger als jeder Vergleich: "
	w.create(t, &conversation.Conversation{Title: "a", Subject: long + "JÄ"})
	w.create(t, &conversation.Conversation{Title: long + "Jä", Subject: "b"})
	w.create(t, &conversation.Conversation{Title: long, Subject: "jä"})
	upper := strings.ToUpper(long) + "jä"
	require.ElementsMatch(t, []string{"a", long + "Jä"}, w.findsThreads(t, upper, store.MatchSubstring))
	require.ElementsMatch(t, []string{"a", long + "Jä"}, titles(w.listed(t, store.ConversationFilter{Text: upper})))
	numbered, err := w.mine.Conversations().ListNumbered(t.Context(), store.ConversationFilter{Text: upper}, store.NumberRequest{Size: 1})
	require.NoError(t, err)
	require.EqualValues(t, 2, numbered.Total)
	require.Len(t, numbered.Items, 1)
	require.Empty(t, w.findsThreads(t, long+"jäj", store.MatchSubstring))
	page, err := w.mine.Search().Conversations(t.Context(), upper, store.TextOptions{
		Match: store.MatchSubstring, Filter: store.SearchFilter{Roles: message.Roles()},
	}, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Items, "titles have no role")
}

// testSearchPartFolded: the text of a filter has a bound of its own, which a part does not have.
func testSearchPartFolded(t *testing.T, w *world) {
	cased := func(n int) string { // n letters, each with one other case, that are not composed
		var all strings.Builder
		for r := 'А'; n > 0; r++ {
			if unicode.IsUpper(r) && norm.NFD.IsNormalString(string(r)) && unicode.SimpleFold(r) != r && unicode.SimpleFold(unicode.SimpleFold(r)) == r {
				all.WriteRune(r)
				n--
			}
		}
		return all.String()
	}
	most := cased(store.MaxFolded)
	w.create(t, &conversation.Conversation{Title: "yes", Subject: "with " + strings.ToLower(most)})
	w.create(t, &conversation.Conversation{Title: "no", Subject: "with " + strings.ToLower(cased(store.MaxFolded-1))})
	require.Equal(t, []string{"yes"}, titles(w.listed(t, store.ConversationFilter{Text: most})))
	require.Equal(t, []string{"yes"}, w.findsThreads(t, most, store.MatchSubstring))
	_, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{Text: cased(store.MaxFolded + 1)}, store.PageRequest{})
	invalid(t, err, "text")
	require.Empty(t, w.findsThreads(t, cased(store.MaxFolded+1), store.MatchSubstring))
	require.Empty(t, w.listed(t, store.ConversationFilter{Text: strings.Repeat("ж", store.MaxQuery/2)}))
}

// testSearchPartHostile: what repeats itself takes no longer than other texts. A search that
// compares a part with each place of a text would take minutes.
func testSearchPartHostile(t *testing.T, w *world) {
	if testing.Short() {
		t.Skip("texts of a megabyte take a while")
	}
	c := w.conversation(t)
	const size = 960 << 10
	for _, unit := range []string{"a/", "a", "σ", "e\u0301"} {
		w.append(t, c, text(strings.Repeat(unit, size/len(unit))))
	}
	for _, tt := range []struct {
		part string
		hits int
	}{
		{strings.Repeat("A/", store.MaxQuery/2), 1},
		{strings.Repeat("a/", store.MaxQuery/2-1) + "b", 0},
		{strings.Repeat("a", store.MaxQuery-1) + "b", 0},
		{"b" + strings.Repeat("a", store.MaxQuery-1), 0},
		{strings.Repeat("a", 31) + "b", 0},
		{strings.Repeat("ς", store.MaxQuery/2-1) + "b", 0},
		{strings.Repeat("Σ", store.MaxQuery/2), 1},
		{strings.Repeat("É", store.MaxQuery/2), 1},
	} {
		require.Len(t, w.finds(t, tt.part, store.MatchSubstring), tt.hits, "%.20q", tt.part)
		require.Len(t, w.findsThreads(t, tt.part, store.MatchSubstring), tt.hits, "%.20q", tt.part)
	}
}
