package segment

import (
	"bytes"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/words"
)

// Plan is a query made ready for segments. It does not change: several goroutines may use it.
type Plan struct {
	fields []Field
	kind   Kind
	// atoms are the different words and beginnings of words.
	atoms []atom
	// units are the different terms of the query, first those that are wanted.
	units  []unit
	groups [][]int // of units; a document needs one of each group
	not    []int   // of units; a document has none
	ranges []Range // by atom, then field
}

type atom struct {
	text   string
	prefix bool
	// language is that of a stem, empty for a word.
	language string
	// places tells that a phrase has it.
	places bool
}

// unit is a term of the query, which is counted as a whole.
type unit struct {
	atom   int     // of a unit of one word
	stems  []int   // atoms of its stems, one for each language; a document has them if it has the word
	phrase *phrase // nil for one word
	// times is how often the query has it.
	times int
}

// NewPlan makes a query ready for some fields. Plans search either titles, with TitleField as the
// only field, or messages, with any of the other fields: with TitleField among others the plan
// searches titles alone. A field given twice counts once. A query without a wanted term matches
// nothing. How much a query may ask is checked before, by Query.Check.
//
// A word of which other forms are found too matches what has its stem in one of the languages. A
// document in one of them has it as often as the stem, or as often as the word itself if that is
// more, as it can be where a query and a text differ in their accents.
func NewPlan(q words.Query, fields []Field, languages ...*words.Language) *Plan {
	p := &Plan{kind: Message}
	if slices.Contains(fields, TitleField) {
		p.kind = Title
	}
	for _, f := range fields {
		if p.kind.has(f) {
			p.fields = append(p.fields, f)
		}
	}
	slices.Sort(p.fields)
	p.fields = slices.Compact(p.fields)
	c := compiler{plan: p, atoms: map[atom]int{}, units: map[string]int{}}
	c.query, c.languages = q, languages
	for _, g := range q.Groups {
		if units := c.compile(g); len(units) > 0 && !slices.ContainsFunc(p.groups, func(other []int) bool { return slices.Equal(other, units) }) {
			p.groups = append(p.groups, units)
		}
	}
	p.not = c.compile(q.Not)
	for _, a := range p.atoms {
		for _, f := range p.fields {
			p.ranges = append(p.ranges, newRange(a.term(f), a.prefix, a.places))
		}
	}
	return p
}

// term is what the index has of an atom in a field.
func (a atom) term(f Field) []byte {
	if a.language != "" {
		return appendStem(nil, f, a.language, a.text)
	}
	return append([]byte{byte(f)}, a.text...)
}

// compiler finds what several terms have in common.
type compiler struct {
	query     words.Query
	languages []*words.Language
	plan      *Plan
	atoms     map[atom]int
	units     map[string]int
}

// compile returns the numbers of the terms' units, each once.
func (c *compiler) compile(terms []words.Term) (units []int) {
	for _, t := range terms {
		if len(t.Words) == 0 {
			continue
		}
		if u := c.unit(t); !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	return units
}

func (c *compiler) unit(t words.Term) int {
	name := strings.Join(t.Words, "\x00")
	if t.Prefix {
		name += "\x00*"
	}
	if t.Word != "" {
		name += "\x00~" + t.Word
	}
	if n, ok := c.units[name]; ok {
		return n
	}
	atoms := make([]int, len(t.Words))
	for i, w := range t.Words {
		atoms[i] = c.atom(atom{text: w, prefix: t.Prefix && i == len(t.Words)-1}, len(t.Words) > 1)
	}
	u := unit{atom: atoms[0], times: c.query.Times(t)}
	if t.Word != "" {
		for _, l := range c.languages {
			u.stems = append(u.stems, c.atom(atom{text: l.StemOf(t.Word), language: l.Code}, false))
		}
	}
	if len(atoms) > 1 {
		u.phrase = newPhrase(atoms, t.Prefix)
	}
	n := len(c.plan.units)
	c.units[name] = n
	c.plan.units = append(c.plan.units, u)
	return n
}

func (c *compiler) atom(key atom, places bool) int {
	n, ok := c.atoms[key]
	if !ok {
		n = len(c.plan.atoms)
		c.atoms[key] = n
		c.plan.atoms = append(c.plan.atoms, key)
	}
	c.plan.atoms[n].places = c.plan.atoms[n].places || places
	return n
}

// Range is a part of the terms that a plan needs. The blocks to fetch of PartTerms are the one
// with the greatest key ≤ Low, if there is one, and those with keys above Low and below High; of
// PartPlaces, if Positions is set, those with keys from Low to below High (more do no harm).
type Range struct {
	Low, High []byte
	Positions bool
	// Stem says that the term is a stem. An Input without blocks for it is one whose segment has
	// no such stems.
	Stem bool

	term   []byte
	prefix bool
}

func newRange(term []byte, prefix, places bool) Range {
	r := Range{Low: term, Positions: places, Stem: isStem(string(term)), term: term, prefix: prefix}
	if prefix {
		r.High = successor(term)
	} else {
		r.High = append(slices.Clone(term), 1) // after the pieces of the term, before other terms
	}
	return r
}

// In narrows a range to the pieces that may have ordinals from From to before To. A range that
// reads all words with a beginning stays as it is. For PartPlaces too the block with the greatest
// key ≤ Low is then needed.
func (r Range) In(from, to uint32) Range {
	if r.prefix {
		return r
	}
	r.Low = ordinalKey(append(slices.Clone(r.term), 0), from)
	r.High = ordinalKey(append(slices.Clone(r.term), 0), to)
	return r
}

// Ranges returns what to fetch from each segment, one for each different word, or beginning of
// words, and field. The caller must not change it.
func (p *Plan) Ranges() []Range { return p.ranges }

// successor is the least key above all keys that begin with term.
func successor(term []byte) []byte {
	high := bytes.TrimRight(term, "\xff")
	high = slices.Clone(high)
	high[len(high)-1]++ // the field, the first byte, is below 0xff
	return high
}
