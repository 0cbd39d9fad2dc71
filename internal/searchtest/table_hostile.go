package searchtest

import (
	"fmt"
	"strings"
)

// Marked says of a long text that something is marked.
const Marked = "…"

func hostile() []Group { return []Group{longTexts(), repeated(), questions()} }

// Words is how many words a search takes at most, and PhraseWords how many of them side by side.
const (
	Words       = 1024
	PhraseWords = 256
)

func longTexts() Group {
	letters := strings.Repeat("a", 100_000)
	return Group{
		Kind: "long and hostile texts",
		Texts: []Text{
			{"dragon", strings.Repeat("the ", 260) + "the dragon"},
			{"snake", strings.Repeat("snake_case ", 300) + "snake_tail"},
			{"case", "snake_case alone"},
			{"late", numbered(25_000) + "red kite"},
			{"underscores", strings.Repeat("a_", 20_000)},
			{"uuids", strings.Repeat("0b6dd3a2-90f1-4a5f-9c3e-0d1d6d4c8a55-", 3_500)},
			{"letters", "x " + letters},
			{"slashes", strings.Repeat("b/", 50_000)},
			{"accents", "zal" + strings.Repeat("\u0301\u0316", 2_000) + "go"},
			{"spaces", "far" + strings.Repeat(" \n", 5_000) + "apart"},
			{"ligatures", strings.Repeat("ﷺ", 500) + " end1"},
			{"flags", strings.Repeat("🇩🇪", 1_000) + " end2"},
			{"joiners", "join" + strings.Repeat("\u200d", 3_000) + "ed end3"},
			{"dense", strings.Repeat("東", 10_000) + "京"},
			{"jamo", strings.Repeat("\u1100\u1161\u11a8", 2_000) + " end4"},
			{"overrides", strings.Repeat("\u202e", 1_000) + "reversed"},
			{"newlines", strings.Repeat("\r\n", 5_000) + "below"},
			{"nobody", strings.Repeat("\ufdd0\ufdd1", 2_000) + "inside"},
		},
		Queries: []Query{
			{Ask: `"the dragon"`, Finds: Marks{"dragon": "the dragon"}},
			{Ask: `"dragon the"`, Finds: Marks{}},
			{Ask: "dragon", Finds: Marks{"dragon": "dragon"}},
			{Ask: "snake_tail", Finds: Marks{"snake": "snake_tail"}},
			{Ask: "snake_case -snake_tail", Finds: Marks{"case": "snake_case"}},
			{Ask: `"red kite"`, Finds: Marks{"late": "red kite"}},
			{Ask: "w24999-red", Finds: Marks{"late": "w24999 red"}},
			{Ask: "a_a_a", Finds: Marks{"underscores": Marked}},
			{Ask: "0b6dd3a2-90f1-4a5f-9c3e-0d1d6d4c8a55", Finds: Marks{"uuids": Marked}},
			{Ask: "x", Finds: Marks{"letters": "x"}},
			{Ask: letters[:300], Finds: Marks{}},
			{Ask: "b/b", Finds: Marks{"slashes": Marked}},
			{Ask: strings.Repeat("b/", PhraseWords), Finds: Marks{"slashes": Marked}},
			{Ask: "end1", Finds: Marks{"ligatures": "end1"}},
			{Ask: "🇩🇪 end2", Finds: Marks{"flags": Marked}},
			{Ask: "🇪🇩", Finds: Marks{}},
			{Ask: "joined", Finds: Marks{"joiners": Marked}},
			{Ask: "東京", Finds: Marks{"dense": "東京"}},
			{Ask: "end4", Finds: Marks{"jamo": "end4"}},
			{Ask: "reversed", Finds: Marks{"overrides": "reversed"}},
			{Ask: "below", Finds: Marks{"newlines": "below"}},
			{Ask: "inside", Finds: Marks{"nobody": "inside"}},
			{Ask: `"far apart"`, Finds: Marks{"spaces": "far apart"}},
			{Ask: "zalgo", Finds: Marks{"accents": Marked}},
		},
	}
}

// numbered are n different words, each with a space after it.
func numbered(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "w%d ", i)
	}
	return s.String()
}

// repeated are texts and phrases of the same two words over and over.
func repeated() Group {
	g := Group{Kind: "the same two words over and over"}
	found := Marks{}
	for i := range 20 {
		name := fmt.Sprint("text ", i)
		g.Texts = append(g.Texts, Text{name, strings.Repeat("a b ", 300) + fmt.Sprint("end", i)})
		found[name] = Marked
	}
	for _, n := range []int{2, 65, 129, PhraseWords} {
		g.Queries = append(g.Queries, Query{Ask: `"` + strings.Repeat("a b ", n/2) + strings.Repeat("a", n%2) + `"`, Finds: found})
	}
	g.Queries = append(g.Queries,
		Query{Ask: `"` + strings.Repeat("a b ", 32) + `b"`, Finds: Marks{}},
		Query{Ask: `"a b end7"`, Finds: Marks{"text 7": "a b end7"}},
		Query{Ask: "a -end3 -end4 -b", Finds: Marks{}},
	)
	return g
}

// questions are long ones, to texts that answer a part.
func questions() Group {
	return Group{
		Kind: "long questions",
		Texts: []Text{
			{"three", "w7 was there, w77 and w250 too"},
			{"one", "nobody but w299"},
			{"none", "w300 and what comes after it"},
		},
		Queries: []Query{
			{Ask: numbered(300), How: Any, Finds: Marks{"three": "w7|w77|w250", "one": "w299"}, Order: []string{"three", "one"}},
			{Ask: numbered(300), Finds: Marks{}},
			{Ask: numbered(Words), How: Any, Finds: Marks{"three": "w7|w77|w250", "one": "w299", "none": "w300"}},
			{Ask: strings.Repeat("w7 ", 3_000), Finds: Marks{"three": "w7"}},
			{Ask: "w7 " + strings.Repeat("-zz ", 3_000), Finds: Marks{"three": "w7"}},
			{Ask: "w299 " + strings.ReplaceAll(numbered(200), "w", "-x"), Finds: Marks{"one": "w299"}},
		},
	}
}

// Refused are queries with too much in them: they are an error, and no text is found.
func Refused() map[string]string {
	return map[string]string{
		"a phrase of 257 words":     `"` + strings.Repeat("a ", PhraseWords+1) + `"`,
		"16 KB of b/":               strings.Repeat("b/", 8<<10),
		"1,025 different words":     numbered(Words + 1),
		"1,025 excluded, one asked": "a " + strings.ReplaceAll(numbered(Words), "w", "-w"),
	}
}
