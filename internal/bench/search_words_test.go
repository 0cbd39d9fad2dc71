package bench

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// vocabulary is how many words there are; of a hundred words of a text a handful are the
// most common one, as in any language (Zipf).
const vocabulary = 60_000

var syllables = strings.Fields("ba be bi bo bu da de di do du fa fe fi fo fu ga ge gi go gu ka ke ki ko ku la le li lo lu " +
	"ma me mi mo mu na ne ni no nu pa pe pi po pu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo vu za ze zi zo zu")

// wordOf is the word of a rank; common words are the shorter ones.
func wordOf(rank int) string {
	var w strings.Builder
	for rank += len(syllables); rank > 0; rank /= len(syllables) {
		w.WriteString(syllables[rank%len(syllables)])
	}
	return w.String()
}

// writeTexts makes n texts of about forty words, and counts in how many each word is.
func writeTexts(n int) (texts []string, inTexts map[string]int) {
	rng := rand.New(rand.NewPCG(40, 60_000))
	zipf := rand.NewZipf(rng, 1.1, 2.7, vocabulary-1)
	inTexts = make(map[string]int, vocabulary)
	last := make(map[string]int, vocabulary)
	texts = make([]string, n)
	for i := range texts {
		var text strings.Builder
		for k := range 25 + rng.IntN(31) {
			word := wordOf(int(zipf.Uint64()))
			if last[word] != i+1 {
				last[word] = i + 1
				inTexts[word]++
			}
			text.WriteString(sentence(word, k))
		}
		texts[i] = text.String() + "."
	}
	return texts, inTexts
}

// sentence writes a word as the k-th of a text: every tenth begins a sentence.
func sentence(word string, k int) string {
	switch {
	case k%10 > 0:
		return " " + word
	case k > 0:
		return ". " + capital(word)
	}
	return capital(word)
}

func capital(word string) string {
	return string(unicode.ToUpper(rune(word[0]))) + word[1:]
}

// wordIn returns a word that is in about so many texts.
func wordIn(inTexts map[string]int, want int) string {
	words := make([]string, 0, len(inTexts))
	for w := range inTexts {
		words = append(words, w)
	}
	off := func(w string) int { return max(inTexts[w]-want, want-inTexts[w]) }
	return slices.MinFunc(words, func(a, b string) int { return cmp.Or(off(a)-off(b), strings.Compare(a, b)) })
}
