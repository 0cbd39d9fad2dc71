// Package snippet cuts from a text the part that shows best what was found in it.
package snippet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/convostore/convostore/internal/words"
)

// size is the most characters of a snippet, beside the marks of where it was cut, and
// core the most that the matches take of it: some room is for what is around them.
const (
	size = 160
	core = 130
)

const cut = "…"

// Cut returns a part of text, on one line, and where in it the matches are, in order and
// apart from one another. Matches are those of the text, by their start. Without any it
// is the beginning.
func Cut(text string, matches []words.Match) (string, []words.Span) {
	from, to := window(text, matches)
	from, to = widen(text, from, to)
	return write(text, from, to, matches)
}

// window returns the part of a few words with the most different terms in it.
func window(text string, matches []words.Match) (from, to int) {
	most := 0
	for i, m := range matches {
		seen := map[int]bool{}
		end := m.Start
		for _, n := range matches[i:] {
			if n.Start-m.Start > core*utf8.UTFMax || utf8.RuneCountInString(text[m.Start:n.End]) > core {
				break
			}
			seen[n.Term] = true
			end = max(end, n.End)
			if len(seen) > most {
				most, from, to = len(seen), m.Start, end
			}
		}
	}
	if most == 0 && len(matches) > 0 {
		// The first one alone is too long.
		from, to = matches[0].Start, matches[0].Start+prefix(text[matches[0].Start:], core)
	}
	return from, to
}

// prefix returns the bytes of the first n characters.
func prefix(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// widen takes in what stands around, half of the room before and what is left behind.
func widen(text string, from, to int) (start, end int) {
	room := size - runes(text[from:to])
	start, used := backward(text, from, room/2)
	end, rest := forward(text, to, room-used)
	if rest > 0 {
		// The text ends: the room that is left goes to the front.
		start, _ = backward(text, from, used+rest)
	}
	return atWord(text, start, from, end, to)
}

// runes counts characters as they are written: a run of spaces is one.
func runes(text string) (n int) {
	space := false
	for _, r := range text {
		is := unicode.IsSpace(r)
		if !is || !space {
			n++
		}
		space = is
	}
	return n
}

func backward(text string, from, room int) (start, used int) {
	space := false
	for start = from; start > 0; {
		r, n := utf8.DecodeLastRuneInString(text[:start])
		if is := unicode.IsSpace(r); !is || !space {
			if used == room {
				break
			}
			used++
			space = is
		}
		start -= n
	}
	return start, used
}

func forward(text string, to, room int) (end, rest int) {
	space := false
	for end = to; end < len(text); {
		r, n := utf8.DecodeRuneInString(text[end:])
		if is := unicode.IsSpace(r); !is || !space {
			if room == 0 {
				break
			}
			room--
			space = is
		}
		end += n
	}
	return end, room
}

// atWord moves ends that are inside of a word to the next space, if there is one before
// the matches: a script without spaces, or a long word, is cut where it is.
func atWord(text string, start, from, end, to int) (s, e int) {
	if start > 0 && start < from && !spaceBefore(text, start) {
		if i := strings.IndexFunc(text[start:from], unicode.IsSpace); i >= 0 {
			start += i
		}
	}
	if end < len(text) && end > to {
		if r, _ := utf8.DecodeRuneInString(text[end:]); !unicode.IsSpace(r) {
			if i := strings.LastIndexFunc(text[to:end], unicode.IsSpace); i >= 0 {
				end = to + i
			}
		}
	}
	return start, end
}

func spaceBefore(text string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return unicode.IsSpace(r)
}

// write copies the part with its spaces made one, and moves the matches along.
func write(text string, from, to int, matches []words.Match) (string, []words.Span) {
	var w line
	if strings.TrimSpace(text[:from]) != "" {
		w.WriteString(cut)
	}
	at, found := from, []words.Span{}
	for _, s := range merge(matches, from, to) {
		w.copy(text[at:s.Start])
		w.end()
		start := w.Len()
		w.copy(text[s.Start:s.End])
		found = append(found, words.Span{Start: start, End: w.Len()})
		at = s.End
	}
	w.copy(text[at:to])
	if strings.TrimSpace(text[to:]) != "" {
		w.WriteString(cut)
	}
	return w.String(), found
}

// merge returns the parts of matches that are within from and to, in order and apart.
func merge(matches []words.Match, from, to int) (spans []words.Span) {
	for _, m := range matches {
		s := words.Span{Start: max(m.Start, from), End: min(m.End, to)}
		switch last := len(spans) - 1; {
		case s.Start >= s.End:
		case last >= 0 && s.Start <= spans[last].End:
			spans[last].End = max(spans[last].End, s.End)
		default:
			spans = append(spans, s)
		}
	}
	return spans
}

// line is a text whose runs of spaces become one each, and none at its ends.
type line struct {
	strings.Builder
	begun, space bool
}

func (w *line) copy(text string) {
	for _, r := range text {
		if unicode.IsSpace(r) {
			w.space = w.begun
			continue
		}
		w.end()
		w.WriteRune(r)
		w.begun = true
	}
}

// end writes the space that came last.
func (w *line) end() {
	if w.space {
		w.WriteByte(' ')
	}
	w.space = false
}
