package segment_test

import (
	"math"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// oracle says what a query must find in documents, by looking at each of them.
func oracle(q words.Query, fields []segment.Field, documents []segment.Document) map[segment.Key]float64 {
	fields = slices.Clone(fields)
	slices.Sort(fields)
	kind, main := segment.Message, segment.Content
	if slices.Contains(fields, segment.TitleField) {
		kind, main = segment.Title, segment.TitleField
	}
	o := bm25{fields: fields, main: main}
	for _, d := range documents {
		if d.Key.Kind == kind {
			o.documents = append(o.documents, d)
		}
	}
	found := map[segment.Key]float64{}
	for _, d := range o.documents {
		if o.matches(q, d) {
			found[d.Key] = o.score(q, d)
		}
	}
	return found
}

type bm25 struct {
	fields    []segment.Field
	main      segment.Field
	documents []segment.Document
}

func (o bm25) matches(q words.Query, d segment.Document) bool {
	has := func(t words.Term) bool {
		return slices.ContainsFunc(o.fields, func(f segment.Field) bool { return count(t, f, d) > 0 })
	}
	for _, g := range q.Groups {
		if !slices.ContainsFunc(g, has) {
			return false
		}
	}
	return len(q.Groups) > 0 && !slices.ContainsFunc(q.Not, has)
}

func (o bm25) score(q words.Query, d segment.Document) (score float64) {
	n, filled, total := 0, 0, 0
	for _, d := range o.documents {
		l := len(flat(o.main, d))
		total += l
		if l > 0 {
			filled++
		}
		if l > 0 || !slices.Equal(o.fields, []segment.Field{o.main}) {
			n++
		}
	}
	average := float64(total) / float64(max(1, filled))
	seen := map[string]bool{}
	for _, t := range q.Terms() {
		name := strings.Join(t.Words, " ")
		if t.Prefix {
			name += "*"
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		df := 0
		for _, d := range o.documents {
			if slices.ContainsFunc(o.fields, func(f segment.Field) bool { return count(t, f, d) > 0 }) {
				df++
			}
		}
		idf := float64(q.Times(t)) * math.Log(1+(float64(n)-float64(df)+0.5)/(float64(df)+0.5))
		for _, f := range o.fields {
			tf, norm := float64(count(t, f, d)), 1.2
			if f == o.main {
				norm = 1.2 * (0.25 + 0.75*float64(len(flat(o.main, d)))/average)
			}
			if tf > 0 {
				score += idf * (tf * 2.2 / (tf + norm))
			}
		}
	}
	return score
}

// values are the words of each value of a field.
func values(f segment.Field, d segment.Document) (all [][]string) {
	if (f == segment.TitleField) != (d.Key.Kind == segment.Title) {
		return nil
	}
	for _, t := range d.Texts {
		if t.Field != f {
			continue
		}
		var value []string
		for token := range words.Tokens(t.Value) {
			value = append(value, token.Term)
		}
		all = append(all, value)
	}
	return all
}

func flat(f segment.Field, d segment.Document) []string { return slices.Concat(values(f, d)...) }

// count is how often a value of the field has the term.
func count(t words.Term, f segment.Field, d segment.Document) (n int) {
	for _, value := range values(f, d) {
		for i := range value {
			if begins(value[i:], t) {
				n++
			}
		}
	}
	return n
}

func begins(value []string, t words.Term) bool {
	if len(value) < len(t.Words) {
		return false
	}
	for i, w := range t.Words {
		if value[i] != w && (!t.Prefix || i < len(t.Words)-1 || !strings.HasPrefix(value[i], w)) {
			return false
		}
	}
	return true
}
