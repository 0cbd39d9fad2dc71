package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/convostore/convostore/rule"
)

// Query matches texts that have at least one term of every group, and none of Not.
type Query struct {
	Groups [][]Term
	Not    []Term
	// times says how often the text has a term that counts more than once, by its key.
	times map[string]int
}

// Times returns how often the text that was parsed has a term of Groups: 1 for most.
func (q Query) Times(t Term) int { return max(1, q.times[t.key()]) }

// Term is a word or a phrase, which is several words side by side.
type Term struct {
	// Text is the term as the user wrote it, without the quotes, - and * of the syntax.
	Text string
	// Words are its folded words, as Tokens has them, at least one.
	Words []string
	// Prefix says that the last word is only the beginning of a word.
	Prefix bool
	// Word is the word as Token.Word has it, if other forms of it are found as well: those with
	// its stem. It is empty for a term that is found as it is.
	Word string
}

// Parse parses a query. No text is an error: parts without a meaning are left out.
//
//	a b      both          a OR b   either; binds tighter than the space
//	"a b"    a phrase      a*       words that begin with a
//	-a       texts without a
func Parse(text string) Query { return parse(parser{rest: text}) }

// ParseForms parses a query that finds other forms of its words too: of those that stand by
// themselves, without quotes and *.
func ParseForms(text string) Query { return parse(parser{rest: text, forms: true}) }

func parse(p parser) Query {
	for p.next() {
		p.add()
	}
	return p.query.count().compact()
}

// count counts the terms before compact leaves out those that come again.
func (q Query) count() Query {
	seen := map[string]int{}
	for _, t := range q.Terms() {
		key := t.key()
		if seen[key]++; seen[key] > 1 {
			if q.times == nil {
				q.times = map[string]int{}
			}
			q.times[key] = seen[key]
		}
	}
	return q
}

// Any returns a query that needs one of the groups instead of all.
func (q Query) Any() Query {
	if len(q.Groups) == 0 {
		return q
	}
	return Query{Groups: [][]Term{q.Terms()}, Not: q.Not, times: q.times}.compact()
}

// Empty tells whether the query has no term to find. A query of excluded terms alone is empty.
func (q Query) Empty() bool { return len(q.Groups) == 0 }

// Terms returns the terms of all groups.
func (q Query) Terms() []Term { return slices.Concat(q.Groups...) }

type parser struct {
	rest string
	// forms says that other forms of words are found too.
	forms bool
	query Query
	// minus, quoted and text describe the token that next read.
	minus, quoted bool
	text          string
	// or says that OR stands before the token, and open that an OR would have a term to its left.
	or, open bool
}

// quotes are " and the typographic quotes, which phones write. Any of them ends a phrase.
const quotes = "\"“”„‟«»"

func isQuote(r rune) bool { return strings.ContainsRune(quotes, r) }

// next reads the next token: a phrase, or the text up to a space or a quote. It returns false at
// the end.
func (p *parser) next() bool {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	if p.rest == "" {
		return false
	}
	p.minus = p.rest[0] == '-'
	if p.minus {
		p.rest = p.rest[1:]
	}
	first, size := utf8.DecodeRuneInString(p.rest)
	p.quoted = isQuote(first)
	ends := isQuote
	if p.quoted {
		p.rest = p.rest[size:]
	} else {
		ends = func(r rune) bool { return isQuote(r) || unicode.IsSpace(r) }
	}
	end := strings.IndexFunc(p.rest, ends)
	if end < 0 {
		end = len(p.rest)
	}
	p.text, p.rest = p.rest[:end], p.rest[end:]
	if p.quoted && p.rest != "" {
		_, size := utf8.DecodeRuneInString(p.rest)
		p.rest = p.rest[size:]
	}
	return true
}

// add adds the token to the query.
func (p *parser) add() {
	if p.text == "OR" && !p.quoted && !p.minus {
		p.or = p.open
		return
	}
	t, ok := p.term()
	if !ok {
		return
	}
	switch q := &p.query; {
	case p.minus:
		q.Not = append(q.Not, t)
	case p.or:
		last := &q.Groups[len(q.Groups)-1]
		*last = append(*last, t)
	default:
		q.Groups = append(q.Groups, []Term{t})
	}
	p.or, p.open = false, !p.minus
}

func (p *parser) term() (Term, bool) {
	if p.quoted {
		t, ok := termOf(p.text)
		t.Word = ""
		return t, ok
	}
	text := strings.TrimRight(p.text, "*")
	t, ok := termOf(text)
	if len(text) < len(p.text) {
		for k := range Tokens(text) {
			t.Prefix = t.Prefix || k.End == len(text)
		}
	}
	if t.Prefix || !p.forms {
		t.Word = ""
	}
	return t, ok
}

// termOf returns a term of the whole text, and false if there is no word in it. Characters of a
// script without spaces are pairs in the index, so n of them are a phrase of n-1 pairs, and a
// last one alone is the beginning of a word.
func termOf(text string) (Term, bool) {
	t := Term{Text: text}
	var before Token
	single, pairs := false, false
	for k := range Tokens(text) {
		t.Words = append(t.Words, k.Term)
		t.Word = k.Word(text)
		single, pairs = k.Single, before.dense && !before.Single
		before = k
	}
	if len(t.Words) != 1 {
		t.Word = ""
	}
	switch {
	case single && pairs:
		t.Words = t.Words[:len(t.Words)-1]
	case single:
		t.Prefix = true
	}
	return t, len(t.Words) > 0
}

// The bounds of a query.
const (
	// MaxTerms is how many different words a query has at most.
	MaxTerms = 1024
	// MaxPhrase is how many words a phrase has at most.
	MaxPhrase = 256
)

// Check returns a *rule.InvalidError for the field "text" if the query is out of bounds.
func (q Query) Check() error {
	different := map[string]bool{}
	for _, t := range slices.Concat(q.Terms(), q.Not) {
		if len(t.Words) > MaxPhrase {
			return rule.Invalid("text", "has a phrase of more than %d words", MaxPhrase)
		}
		for _, w := range t.Words {
			different[w] = true
		}
	}
	if len(different) > MaxTerms {
		return rule.Invalid("text", "has more than %d different words", MaxTerms)
	}
	return nil
}

// compact removes repeated groups and terms.
func (q Query) compact() Query {
	for i, g := range q.Groups {
		q.Groups[i] = distinct(g, Term.key)
	}
	q.Groups = distinct(q.Groups, func(g []Term) string {
		var all strings.Builder
		for _, t := range g {
			all.WriteString(t.key() + "|")
		}
		return all.String()
	})
	q.Not = distinct(q.Not, Term.key)
	return q
}

// key is the same for terms that find the same. No word has a space, *, | or ~.
func (t Term) key() string {
	k := strings.Join(t.Words, " ")
	if t.Prefix {
		k += "*"
	}
	if t.Word != "" {
		k += "~" + t.Word
	}
	return k
}

// distinct keeps the first of those with the same key.
func distinct[T any](all []T, key func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(one T) bool {
		k := key(one)
		was := seen[k]
		seen[k] = true
		return was
	})
}
