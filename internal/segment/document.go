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
}

// Size is the number of bytes of the texts.
func (d *Document) Size() (bytes int) {
	for _, t := range d.Texts {
		bytes += len(t.Value)
	}
	return bytes
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
}

// words returns the words of the texts, by field those that are wanted (a bit each). Places count
// from 0 in each field.
func (d *Document) words(wanted uint8) iter.Seq[word] {
	return func(yield func(word) bool) {
		var next [fieldCount]uint32
		for _, t := range d.Texts {
			if !d.Key.Kind.has(t.Field) || wanted>>t.Field&1 == 0 {
				continue
			}
			start, end := next[t.Field], uint32(0)
			for token := range words.Tokens(t.Value) {
				place := start + uint32(token.Pos)
				if !yield(word{t.Field, token.Term, place}) {
					return
				}
				end = place + 1 + gap
			}
			next[t.Field] = max(start, end)
		}
	}
}
