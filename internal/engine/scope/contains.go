package scope

import (
	"strings"
	"unicode/utf8"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/substring"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// compared is how many characters of a part a database compares at each place of a text. More
// leave out hardly another text, and take time with a text that repeats itself.
const compared = 32

// CheckContains checks a text that Contains looks for. SQLite takes expressions of at most a
// thousand levels, of which each character that is replaced is one.
func CheckContains(field, text string) error {
	if err := CheckPart(field, text); err != nil {
		return err
	}
	if utf8.RuneCountInString(text) <= compared {
		return nil
	}
	if from, _ := substring.New(text).Pairs(); len(from) > store.MaxFolded {
		return rule.Invalid(field, "has letters with %d others in another case, the most is %d", len(from), store.MaxFolded)
	}
	return nil
}

// Contains adds the condition that one of some columns has a part, ignoring the case of all
// letters. It needs none of the texts, but its time is the product of the lengths of a text and
// of a part where both repeat themselves.
func (s *Store) Contains(q *query.Query, part string, columns ...string) *query.Query {
	f := substring.New(part)
	from, to := f.Pairs()
	return s.anyForm(q, f, columns, func(column, form string) {
		replaced, args := s.Dialect.Replaced(column, from, to)
		q.Add(" AND "+s.Dialect.Position()+"("+replaced+", ?) > 0", append(args, form)...)
	})
}

// MayContain adds the condition that one of some columns has the beginning of a part. If sure is
// true that is the whole part; else the texts that it finds have to be looked at.
func (s *Store) MayContain(q *query.Query, f *substring.Finder, columns ...string) (sure bool) {
	sure = true
	s.anyForm(q, f, columns, func(string, string) { sure = false })
	return sure
}

// anyForm adds the condition that one of the columns has one of the forms as far as the
// database compares them. Where that does not tell, unsure may add more.
func (s *Store) anyForm(q *query.Query, f *substring.Finder, columns []string, unsure func(column, form string)) *query.Query {
	open := "("
	for _, column := range columns {
		for _, form := range f.Forms() {
			letters, all := substring.Letters(form, compared)
			sql, args := s.Dialect.HasLetters(column, letters)
			q.Add(open+"("+sql, args...)
			if !all || hasSpecials(form) {
				unsure(column, form)
			}
			q.Add(")")
			open = " OR "
		}
	}
	return q.Add(")")
}

// hasSpecials tells whether a text has characters that HasLetters takes for others: SQLite reads
// U+FFFE and U+FFFF as U+FFFD, and an index of PostgreSQL may have İ as two characters.
func hasSpecials(text string) bool { return strings.ContainsAny(text, "\ufffd\ufffe\uffffİ") }
