package window

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/convostore/convostore/message"
)

// Counter counts the tokens of a text. One that is also a MessageCounter counts messages itself.
type Counter interface {
	Count(text string) int
}

// MessageCounter counts the tokens of a whole message, with all that a provider adds to it.
type MessageCounter interface {
	CountMessage(m *message.Message) int
}

// What a message, and a call or a result in it, count beside their texts: the tokens between
// messages and around their parts.
const (
	perMessage = 8
	perPart    = 12
)

// Bound is a Counter that needs no vocabulary. It counts at least as much as a tokenizer does:
// never less than OpenAI's o200k and cl100k on what was tried (prose in many scripts, code, JSON,
// base64, random letters, white space), two and a half times as much on English. A byte-level
// tokenizer never makes more tokens than there are bytes; Bound stays below that in words, whose
// letters are in every vocabulary by pairs, and on runs of white space.
type Bound struct{}

// Count implements Counter.
func (Bound) Count(text string) int {
	n := 0
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case isLetter(c) || c == ' ' && i+1 < len(text) && isLetter(text[i+1]):
			for end < len(text) && isLetter(text[end]) {
				end++
			}
			n += wordTokens(text[i:end])
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			for end < len(text) && text[end] == c {
				end++
			}
			n += 1 + (end-i)/4
		case c < utf8.RuneSelf:
			n++
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			end = i + size
			n += runeTokens(r, size)
		}
		i = end
	}
	return n
}

func isLetter(c byte) bool { return isUpper(c) || 'a' <= c && c <= 'z' }
func isUpper(c byte) bool  { return 'A' <= c && c <= 'Z' }

// maxWord is the length up to which lower-case letters are taken for a word. Longer ones may be
// random, with fewer pairs that are tokens.
const maxWord = 12

// wordTokens bounds the tokens of letters with perhaps a space before them: a token for two
// letters of a word, more where letters are random or change their case within.
func wordTokens(word string) int {
	letters := strings.TrimPrefix(word, " ")
	for i := 1; i < len(letters); i++ {
		if isUpper(letters[i]) {
			return (3*len(word) + 3) / 4
		}
	}
	if len(letters) > maxWord {
		return (2*len(word) + 2) / 3
	}
	return (len(word) + 1) / 2
}

// runeTokens bounds a character beyond ASCII: as many as it has bytes, but for the small letters
// of the basic Cyrillic alphabet, each of which is a token by itself.
func runeTokens(r rune, size int) int {
	if 'а' <= r && r <= 'я' {
		return 1
	}
	return size
}

// counter counts messages for a budget.
type counter struct {
	tokens Counter
	media  int
}

func newCounter(b Budget) counter {
	c := counter{tokens: b.Counter, media: b.MediaTokens}
	if c.tokens == nil {
		c.tokens = Bound{}
	}
	return c
}

// cost is what an entry counts.
type cost struct{ tokens, bytes, messages int }

func (a cost) plus(b cost) cost {
	return cost{a.tokens + b.tokens, a.bytes + b.bytes, a.messages + b.messages}
}

func (a cost) within(b Budget) bool {
	return (b.Tokens == 0 || a.tokens <= b.Tokens) && (b.Bytes == 0 || a.bytes <= b.Bytes) && (b.Messages == 0 || a.messages <= b.Messages)
}

// of counts a message. A provider gets its payload, or in another format its text and documents:
// what counts is the larger of the two.
func (c counter) of(m *message.Message, parts int) cost {
	whole := cost{messages: 1, bytes: max(len(m.Payload), len(m.Content)+len(m.ToolCalls)+len(m.ToolResults))}
	if mc, ok := c.tokens.(MessageCounter); ok {
		whole.tokens = mc.CountMessage(m)
		return whole
	}
	texts := c.tokens.Count(m.Content) + c.tokens.Count(string(m.ToolCalls)) + c.tokens.Count(string(m.ToolResults))
	if len(m.Payload) > 0 {
		texts = max(texts, c.payload(m.Payload))
	}
	whole.tokens = perMessage + parts*perPart + texts
	return whole
}

func (c counter) text(text string) cost {
	return cost{tokens: perMessage + c.tokens.Count(text), bytes: len(text), messages: 1}
}

// payload counts a document. Long strings of base64 in it are images and files.
func (c counter) payload(doc []byte) int {
	if c.media == 0 || len(doc) < minMedia {
		return c.tokens.Count(string(doc))
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	n, from := 0, int64(0)
	for {
		t, err := d.Token()
		if err != nil {
			return n + c.tokens.Count(string(doc[from:]))
		}
		if s, ok := t.(string); ok && isMedia(s) {
			n += c.media + c.tokens.Count(string(doc[from:d.InputOffset()-int64(len(s))]))
			from = d.InputOffset()
		}
	}
}

// minMedia is the length from which on a string may be an image or a file.
const minMedia = 1024

// isMedia reports whether a string is base64, perhaps in a data URL.
func isMedia(s string) bool {
	if len(s) < minMedia {
		return false
	}
	if strings.HasPrefix(s, "data:") {
		if _, data, ok := strings.Cut(s, ","); ok {
			s = data
		}
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c), '0' <= c && c <= '9', c == '+', c == '/', c == '-', c == '_', c == '=':
		default:
			return false
		}
	}
	return true
}
