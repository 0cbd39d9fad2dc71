// Package words parses a full-text query, translates it for the databases, and finds its terms
// in a text.
package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query matches texts that have at least one term of every group, and none of Not.
type Query struct {
	Groups [][]Term
	Not    []Term
}

// Term is a word or a phrase, which is several words side by side.
type Term struct {
	// Text is the term as the user wrote it, without the quotes, - and * of the syntax.
	Text string
	// Words are its runs of letters and digits, at least one.
	Words []string
	// Prefix says that the last word is only the beginning of a word.
	Prefix bool
}

// Parse parses a query. No text is an error: parts without a meaning are left out.
//
//	a b      both          a OR b   either; binds tighter than the space
//	"a b"    a phrase      a*       words that begin with a
//	-a       texts without a
func Parse(text string) Query {
	p := parser{rest: text}
	for p.next() {
		p.add()
	}
	return p.query.compact()
}

// Any returns a query that needs one of the groups instead of all.
func (q Query) Any() Query {
	if len(q.Groups) == 0 {
		return q
	}
	return Query{Groups: [][]Term{q.Terms()}, Not: q.Not}.compact()
}

// Empty tells whether the query has no term to find. A query of excluded terms alone is empty.
func (q Query) Empty() bool { return len(q.Groups) == 0 }

// Terms returns the terms of all groups.
func (q Query) Terms() []Term { return slices.Concat(q.Groups...) }

type parser struct {
	rest  string
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
		return Words(p.text)
	}
	text := strings.TrimRight(p.text, "*")
	last, _ := utf8.DecodeLastRuneInString(text)
	t, ok := Words(text)
	t.Prefix = len(text) < len(p.text) && (isWord(last) || unicode.IsMark(last))
	return t, ok
}

// Words returns a term of the whole text, and false if there is no word in it.
func Words(text string) (Term, bool) {
	t := Term{Text: text}
	for s := range Split(text) {
		t.Words = append(t.Words, text[s.Start:s.End])
	}
	return t, len(t.Words) > 0
}

// compact removes repeated groups and terms.
func (q Query) compact() Query {
	seen := map[string]bool{}
	q.Groups = slices.DeleteFunc(q.Groups, func(g []Term) bool {
		written := join(g, " OR ", Term.fts5)
		defer func() { seen[written] = true }()
		return seen[written]
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
		written := t.fts5()
		defer func() { seen[written] = true }()
		return seen[written]
	})
}
