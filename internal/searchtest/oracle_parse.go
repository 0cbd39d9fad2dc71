package searchtest

import (
	"slices"
	"strings"
	"unicode"

	"github.com/convostore/convostore/internal/words"
)

// piece is a part of a query: what stands in quotes, or what stands between spaces and quotes.
type piece struct {
	text          string
	minus, quoted bool
}

const quotes = "\"“”„‟«»"

// pieces takes a query apart, letter by letter.
func pieces(ask string) []piece {
	var all []piece
	var now piece
	begun := false // within a piece, also one of no letter yet
	end := func() {
		if begun {
			all = append(all, now)
		}
		now, begun = piece{}, false
	}
	for _, r := range ask {
		quote := strings.ContainsRune(quotes, r)
		switch {
		case now.quoted && quote:
			end()
		case now.quoted:
			now.text += string(r)
		case quote && begun && now.text == "" && now.minus:
			now.quoted = true // -"a b"
		case quote:
			end()
			now.quoted, begun = true, true
		case unicode.IsSpace(r):
			end()
		case r == '-' && !begun:
			now.minus, begun = true, true
		default:
			now.text, begun = now.text+string(r), true
		}
	}
	end()
	return all
}

func parse(ask string, how How, forms Forms) question {
	var q question
	or := false      // an OR stands before this piece
	hasLeft := false // and something to find stands before the OR
	for _, p := range pieces(ask) {
		if p.text == "OR" && !p.quoted && !p.minus {
			or = hasLeft
			continue
		}
		t := termOf(p)
		if len(forms.Stemmers) == 0 {
			t.word = ""
		}
		if len(t.words) == 0 {
			continue
		}
		switch last := len(q.groups) - 1; {
		case p.minus:
			q.not = append(q.not, t)
		case or:
			q.groups[last] = append(q.groups[last], t)
		default:
			q.groups = append(q.groups, []term{t})
		}
		or, hasLeft = false, !p.minus
	}
	if how == Any && len(q.groups) > 0 {
		q.groups = [][]term{slices.Concat(q.groups...)}
	}
	return q.once()
}

// termOf reads a piece. Of a script without spaces the index has each character with the next
// one, and the last of a run alone. So two characters are one word, and one is the beginning of
// a word, if nothing follows.
func termOf(p piece) term {
	text, star := p.text, false
	if !p.quoted {
		text = strings.TrimRight(p.text, "*")
		star = text != p.text
	}
	tokens := slices.Collect(words.Tokens(text))
	var t term
	for _, token := range tokens {
		t.words = append(t.words, token.Term)
	}
	if len(tokens) == 0 {
		return t
	}
	last := tokens[len(tokens)-1]
	if len(tokens) == 1 && !p.quoted && (!star || last.End < len(text)) {
		t.word = last.Word(text)
	}
	t.prefix = star && last.End == len(text)
	if !last.Single {
		return t
	}
	if len(tokens) > 1 && tokens[len(tokens)-2].End > last.Start {
		t.words = t.words[:len(t.words)-1] // the pair before has it already
	} else {
		t.prefix = true
	}
	return t
}

// once leaves out what says the same as something before it.
func (q question) once() question {
	var groups [][]term
	q.said = slices.Concat(q.groups...)
	for _, group := range q.groups {
		group = distinct(group, term.equal)
		groups = append(groups, group)
	}
	q.groups = distinct(groups, func(x, y []term) bool { return slices.EqualFunc(x, y, term.equal) })
	return q
}

func (t term) equal(other term) bool {
	return t.prefix == other.prefix && t.word == other.word && slices.Equal(t.words, other.words)
}

func distinct[T any](all []T, equal func(x, y T) bool) []T {
	var kept []T
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k T) bool { return equal(k, one) }) {
			kept = append(kept, one)
		}
	}
	return kept
}
