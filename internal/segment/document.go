package segment

import (
	"iter"

	"github.com/convostore/convostore/internal/words"
)

// Field is a part of a document that can be searched by itself.
type Field uint8

// The fields. A title has TitleField and nothing else, a message all the others.
const (
	Content     Field = 0
	TitleField  Field = 1
	Attachments Field = 2 // names of files
	ToolResults Field = 3
	Metadata    Field = 4 // values that are strings

	fieldCount = 5
	allFields  = 1<<fieldCount - 1
)

// ofStem is a bit of the first byte of a term that is a stem, with the field. The language and a
// colon, which no word has, follow. Words and stems are terms side by side: a word is found as it
// is without its stem, and a stem needs no places, since phrases have words.
const ofStem = 1 << 3

// appendStem appends a stem as a term.
func appendStem(to []byte, f Field, language, stem string) []byte {
	return append(append(append(append(to, byte(f)|ofStem), language...), ':'), stem...)
}

// isStem tells whether a term is a stem.
func isStem(term string) bool { return term != "" && term[0]&ofStem != 0 }

// gap lies between two values of one field, so that no phrase reaches from one into the other.
const gap = 100

// Text is one value of a field. A field may have several.
type Text struct {
	Field Field
	Value string
}

// Document is what the index has of a message, or of a conversation's title and subject. Texts of
// a field that documents of its kind do not have are left out.
type Document struct {
	Key   Key
	At    int64 // microseconds since 1970
	Texts []Text
	// Language is that of the texts, nil if nobody asks for it.
	Language *words.Language
}

// main is the field whose words are counted as the length of a document.
func (k Kind) main() Field {
	if k == Title {
		return TitleField
	}
	return Content
}

func (k Kind) has(f Field) bool { return f < fieldCount && (f == TitleField) == (k == Title) }

// word is a token with its place in a field.
type word struct {
	field Field
	text  string
	place uint32
	stem  string // empty if there is none, or nobody asked
}

// words returns the words of the texts, by field those that are wanted (a bit each). Places count
// from 0 in each field. Without stems the words have none.
func (d *Document) words(wanted uint8, stems *words.Stems) iter.Seq[word] {
	if !d.Language.HasStems() {
		stems = nil
	}
	return func(yield func(word) bool) {
		var next [fieldCount]uint32
		for _, t := range d.Texts {
			if !d.Key.Kind.has(t.Field) || wanted>>t.Field&1 == 0 {
				continue
			}
			start, end := next[t.Field], uint32(0)
			for token := range words.Tokens(t.Value) {
				place := start + uint32(token.Pos)
				w := word{field: t.Field, text: token.Term, place: place}
				if stems != nil {
					w.stem = stems.Of(d.Language, t.Value, token)
				}
				if !yield(w) {
					return
				}
				end = place + 1 + gap
			}
			next[t.Field] = max(start, end)
		}
	}
}
