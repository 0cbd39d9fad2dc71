// Package snippet cuts out of a text the part that shows its matches best.
package snippet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/convostore/convostore/internal/words"
)

// size is the maximum number of characters of a snippet without the marks of where it was cut.
// core is how many of them the matches may take, to leave room for the text around them.
const (
	size = 160
	core = 130
)

// cut marks where the text goes on.
const cut = "…"

// Cut returns a part of text on one line, and the spans of the matches in that part, sorted and
// without overlaps. matches are those of the whole text, sorted by their start. Without matches
// the part is the beginning of the text.
func Cut(text string, matches []words.Match) (string, []words.Span) {
	from, to := window(text, matches)
	from, to = widen(text, from, to)
	return write(text, from, to, matches)
}

// window returns the part of at most core characters with the most different terms in it.
func window(text string, matches []words.Match) (from, to int) {
	most := 0
	for i, m := range matches {
		if i > 0 && m.Start == matches[i-1].Start {
			continue // the part from here has been looked at, with more of its matches
		}
		seen := map[int]bool{}
		end := m.Start
		limit := m.Start + prefix(text[m.Start:], core)
		for _, n := range matches[i:] {
			if n.End > limit {
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
		// Even the first match is too long.
		from, to = matches[0].Start, matches[0].Start+prefix(text[matches[0].Start:], core)
	}
	return from, to
}

// prefix returns how many bytes the first n characters take.
func prefix(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// widen adds the text around a part: up to half of the room before it, and the rest after it.
func widen(text string, from, to int) (start, end int) {
	room := size - runes(text[from:to])
	start, used := backward(text, from, room/2)
	end, rest := forward(text, to, room-used)
	if rest > 0 {
		// The text ends here. The remaining room goes to the front.
		start, _ = backward(text, from, used+rest)
	}
	return atWord(text, start, from, end, to)
}

// runes counts the characters that write will write: a run of spaces counts as one.
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

// atWord moves an end that is inside a word to the next space, if there is one before the
// matches. Without a space, as in some scripts or a long word, it cuts inside the word.
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

// write returns the part with each run of spaces as one, and the spans of the matches in it.
func write(text string, from, to int, matches []words.Match) (string, []words.Span) {
	var w line
	if strings.TrimSpace(text[:from]) != "" {
		w.WriteString(cut)
	}
	at, found := from, []words.Span{}
	for _, s := range merge(matches, from, to) {
		w.copy(text[at:s.Start])
		w.flushSpace()
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

// merge returns the parts of matches between from and to, sorted and without overlaps.
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

// line builds a text in which each run of spaces becomes one space, without spaces at its ends.
type line struct {
	strings.Builder
	// begun says that something was written, and space that a space is pending.
	begun, space bool
}

func (w *line) copy(text string) {
	for _, r := range text {
		if unicode.IsSpace(r) {
			w.space = w.begun
			continue
		}
		w.flushSpace()
		w.WriteRune(r)
		w.begun = true
	}
}

// flushSpace writes the pending space, if there is one.
func (w *line) flushSpace() {
	if w.space {
		w.WriteByte(' ')
	}
	w.space = false
}
