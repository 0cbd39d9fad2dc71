package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Language is how the texts of some conversations are read: by whose rules their words have stems.
type Language struct {
	// Code names the stemmer's language, "" if there is none for the texts: their words have no
	// stems then.
	Code string

	stem func(word string) string
	made string
}

// Made says which conversations' texts have which stems, as one word: it is a part of what an
// index was made by. A nil Language is that of a store without stemmers, which asks no text for
// its language.
func (l *Language) Made() string {
	if l == nil {
		return unasked
	}
	return l.made
}

const unasked = "?"

// Unasked tells whether a text of Made has a nil Language.
func Unasked(made string) bool { return strings.Contains(made, unasked) }

// HasStems tells whether words of the language have stems.
func (l *Language) HasStems() bool { return l != nil && l.stem != nil }

// StemOf returns the folded stem of a word as Token.Word has it. It has letters and digits only,
// whatever the stemmer makes, and is the folded word itself if the stemmer leaves nothing.
func (l *Language) StemOf(word string) string {
	if stem := foldWord(l.stem(word)); stem != "" {
		return stem
	}
	return foldWord(word)
}

// foldWord folds a text as one word, without what is no letter or digit. It is empty if nothing
// is left, or more than a term may have.
func foldWord(text string) string {
	plain := len(text) <= maxLetters
	for i := 0; plain && i < len(text); i++ {
		plain = text[i] < utf8.RuneSelf && isASCII[text[i]] && (text[i] < 'A' || text[i] > 'Z')
	}
	if plain {
		return text
	}
	var folded strings.Builder
	for t := range Tokens(text) {
		if t.isWord() {
			folded.WriteString(t.Term)
		}
	}
	if folded.Len() > maxTerm {
		return ""
	}
	return folded.String()
}

// isWord tells whether the token is a word that may have other forms: letters of a script with
// spaces.
func (t Token) isWord() bool {
	if t.dense {
		return false
	}
	for _, r := range t.Term {
		if r < utf8.RuneSelf {
			if r < 'a' || r > 'z' {
				return false
			}
		} else if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return false
		}
	}
	return true
}

// Word returns the word of a text that the token is, for a stemmer: in lower case and composed
// (NFKC), with its accents, without what is not seen. It is empty for what has no other forms:
// numbers, signs, scripts without spaces.
func (t Token) Word(text string) string {
	if !t.isWord() {
		return ""
	}
	raw := text[t.Start:t.End]
	if len(raw) == len(t.Term) && (raw == t.Term || isLowered(raw, t.Term)) {
		return t.Term
	}
	raw = norm.NFKC.String(strings.ToLower(strings.Map(seen, raw)))
	if foldWord(raw) != t.Term {
		return t.Term // a part of what one character stands for
	}
	return raw
}

// isLowered tells whether lower is raw in lower case, both in ASCII.
func isLowered(raw, lower string) bool {
	for i := range len(raw) {
		if raw[i] >= utf8.RuneSelf || raw[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// seen leaves out characters that only say how others are written.
func seen(r rune) rune {
	if k := kindOf(r); r >= utf8.RuneSelf && (k.is(joiner) || k&noise != 0) {
		return -1
	}
	return r
}

// Languages are the languages whose stems a store knows. Nil is none.
type Languages struct {
	standard string
	stems    map[string]Stemmer
}

// Stemmer finds the stems of one language. Version changes whenever its stems do.
type Stemmer struct {
	Version string
	Stem    func(word string) string
}

// NewLanguages returns languages by their codes. Texts that name no language are in the standard
// one, which may be empty. No code and no version has a space, = or /.
func NewLanguages(standard string, stems map[string]Stemmer) *Languages {
	return &Languages{standard: standard, stems: stems}
}

// Has tells whether there are stems of a language.
func (l *Languages) Has(code string) bool {
	if l == nil {
		return false
	}
	_, ok := l.stems[code]
	return ok
}

// Of returns the language of texts that are said to be in one, or in none ("").
func (l *Languages) Of(said string) *Language {
	if l == nil {
		return nil
	}
	code := said
	if code == "" {
		code = l.standard
	}
	s, ok := l.stems[code]
	if !ok {
		return &Language{made: said + "="}
	}
	return &Language{Code: code, stem: s.Stem, made: said + "=" + code + "/" + s.Version}
}

// Made are several Language.Made in one text, sorted, each once.
func Made(parts []string) string {
	parts = slices.Clone(parts)
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), " ")
}

// Agree tells whether a text of Made is what these languages would make. Without stemmers
// everything is: what they would not ask for is not in their way.
func (l *Languages) Agree(made string) bool {
	if l == nil {
		return true
	}
	for _, part := range strings.Fields(made) {
		said, _, _ := strings.Cut(part, "=")
		if part == unasked || l.Of(said).made != part {
			return false
		}
	}
	return true
}

// Stemmed returns the languages whose stems are in what a text of Made describes.
func (l *Languages) Stemmed(made string) (all []*Language) {
	if l == nil {
		return nil
	}
	for _, part := range strings.Fields(made) {
		said, _, _ := strings.Cut(part, "=")
		if of := l.Of(said); of.HasStems() {
			all = append(all, of)
		}
	}
	return all
}

// Stems remembers the stems of the last texts. The zero value is empty and ready. It is for one
// goroutine.
type Stems struct{ known map[stemKey]string }

// stemKey has the term as well, since one character may stand for several words.
type stemKey struct{ code, raw, term string }

// maxStems is how many stems are remembered.
const maxStems = 8192

// Of returns the stem of a token of a text, "" if it has none.
func (s *Stems) Of(l *Language, text string, t Token) string {
	key := stemKey{l.Code, text[t.Start:t.End], t.Term}
	if stem, ok := s.known[key]; ok {
		return stem
	}
	word := t.Word(text)
	if word == "" {
		return ""
	}
	stem := strings.Clone(l.StemOf(word))
	if s.known == nil || len(s.known) >= maxStems {
		s.known = map[stemKey]string{}
	}
	// A part of the text would keep the text in memory.
	s.known[stemKey{l.Code, strings.Clone(key.raw), strings.Clone(key.term)}] = stem
	return stem
}
