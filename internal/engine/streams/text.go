package streams

import (
	"unicode/utf8"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
)

// text is what was taken of a message's text. Behind the first whole bytes it may have the
// beginning of a character, at most three bytes.
type text struct {
	bytes []byte
	whole int
}

// add adds a chunk. What is not text is refused: nothing of the chunk is taken, and the beginning
// of a character, which the chunk did not complete, is dropped. Of a chunk that has more than
// room bytes, with what was there, the characters that fit are taken, and fits is false.
func (t *text) add(chunk string, o clean.Options, room int) (fits bool, err error) {
	chunk = string(t.bytes[t.whole:]) + chunk
	n := completeEnd(chunk)
	head, rest := chunk[:n], chunk[n:]
	o.Text(&head)
	if err := check.Text("content", head); err != nil {
		t.bytes = t.bytes[:t.whole]
		return true, err
	}
	if fits = t.whole+len(head)+len(rest) <= room; !fits {
		head, rest = head[:runeEnd(head, max(0, room-t.whole))], ""
	}
	t.bytes = append(t.bytes[:t.whole], head...)
	t.whole = len(t.bytes)
	t.bytes = append(t.bytes, rest...)
	return fits, nil
}

// close replaces the beginning of a character, which nothing completes any more.
func (t *text) close() {
	if len(t.bytes) > t.whole {
		t.bytes = append(t.bytes[:t.whole], string(utf8.RuneError)...)
		t.whole = len(t.bytes)
	}
}

// completeEnd returns where the last character of s begins if it is not complete, else len(s).
func completeEnd(s string) int {
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if utf8.FullRuneInString(s[i:]) {
				return len(s)
			}
			return i
		}
	}
	return len(s)
}

// runeEnd returns the end of the characters of s that fit into n bytes.
func runeEnd(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// validText is a text without what the databases do not keep.
func validText(s string) string {
	clean.All.Text(&s)
	return s
}
