// Package words reads a query of words, writes it for the databases, and finds in a text
// what it asks for.
package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query asks for texts that have a term of every group and none of Not.
type Query struct {
	Groups [][]Term
	Not    []Term
}

// Term is a word, or several that stand side by side.
type Term struct {
	// Text is the term as it was written, without the signs of the syntax.
	Text string
	// Words are its runs of letters and digits, at least one.
	Words []string
	// Prefix says that the last word may go on.
	Prefix bool
}

// Parse reads a query. There is no wrong one: what has no meaning is left out.
//
//	a b      both          a OR b   either; binds closer than the space
//	"a b"    side by side  a*       words that begin so
//	-a       not this
func Parse(text string) Query {
	p := parser{rest: text}
	for p.next() {
		p.take()
	}
	return p.query.compact()
}

// Any returns a query for any of the groups instead of all.
func (q Query) Any() Query {
	if len(q.Groups) == 0 {
		return q
	}
	return Query{Groups: [][]Term{q.Terms()}, Not: q.Not}.compact()
}

// Empty tells whether the query asks for nothing: what it is not to have is no question.
func (q Query) Empty() bool { return len(q.Groups) == 0 }

// Terms are those that a text may have.
func (q Query) Terms() []Term { return slices.Concat(q.Groups...) }

type parser struct {
	rest  string
	query Query
	// minus, quoted and text are of the token read last.
	minus, quoted bool
	text          string
	// or says that OR stood before, and open that it has a term to its left.
	or, open bool
}

// quotes are " and its typographic kin, which phones write. Any of them ends a phrase.
const quotes = "\"“”„‟«»"

func isQuote(r rune) bool { return strings.ContainsRune(quotes, r) }

// next reads a token: a phrase, or letters up to a space or a quote.
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

// take puts the token into the query.
func (p *parser) take() {
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
		return Words(p.text)
	}
	text := strings.TrimRight(p.text, "*")
	last, _ := utf8.DecodeLastRuneInString(text)
	t, ok := Words(text)
	t.Prefix = len(text) < len(p.text) && (isWord(last) || unicode.IsMark(last))
	return t, ok
}

// Words returns the term of a text as it stands, if there is a word in it.
func Words(text string) (Term, bool) {
	t := Term{Text: text}
	for s := range Split(text) {
		t.Words = append(t.Words, text[s.Start:s.End])
	}
	return t, len(t.Words) > 0
}

// compact leaves out what was said before.
func (q Query) compact() Query {
	seen := map[string]bool{}
	q.Groups = slices.DeleteFunc(q.Groups, func(g []Term) bool {
		said := join(g, " OR ", Term.fts5)
		defer func() { seen[said] = true }()
		return seen[said]
	})
	for i, g := range q.Groups {
		q.Groups[i] = distinct(g)
	}
	q.Not = distinct(q.Not)
	return q
}

func distinct(terms []Term) []Term {
	seen := map[string]bool{}
	return slices.DeleteFunc(terms, func(t Term) bool {
		said := t.fts5()
		defer func() { seen[said] = true }()
		return seen[said]
	})
}
