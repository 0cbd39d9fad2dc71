// Package clean takes out of texts and documents what PostgreSQL cannot keep, where a store was
// opened with an option that asks for it. It does so before values are checked and before they
// are looked up, so that a key is found by the text that it was stored with.
package clean

import (
	"reflect"
	"strings"

	"github.com/convostore/convostore/message"
)

// Options say what to take out. The zero value leaves everything as it is.
type Options struct {
	// NUL removes U+0000.
	NUL bool
	// Invalid replaces each run of bytes that are not UTF-8, and in documents each half of a
	// surrogate pair, with U+FFFD.
	Invalid bool
}

// All takes out everything that a database does not keep, for texts that are stored whatever the
// host asked for.
var All = Options{NUL: true, Invalid: true}

// String returns a text without anything that a database does not keep. It is for a text that is
// made of what is kept to the byte elsewhere, such as the Content beside a Payload.
func String(s string) string { return All.text(s) }

const replacement = "\uFFFD"

// Text cleans texts in place.
func (o Options) Text(texts ...*string) {
	for _, s := range texts {
		*s = o.text(*s)
	}
}

func (o Options) text(s string) string {
	if o.NUL && strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if o.Invalid {
		s = strings.ToValidUTF8(s, replacement)
	}
	return s
}

// Model cleans every text and document of a struct that v points to: strings, documents,
// headers and attachments. It goes by the types of the fields, so
// that a new column is cleaned as well. What fields point to, other models and words of an enum
// are left alone. Lists are copied before they change: they may be the caller's.
func (o Options) Model(v any) {
	if o == (Options{}) {
		return
	}
	fields := reflect.ValueOf(v).Elem()
	for i := range fields.NumField() {
		f := fields.Field(i)
		if !f.CanAddr() || !f.Addr().CanInterface() {
			continue
		}
		switch p := f.Addr().Interface().(type) {
		case *string:
			o.Text(p)
		case *message.JSON:
			o.Document(p)
		case *message.Headers:
			*p = o.headers(*p)
		case *message.Attachments:
			*p = o.attachments(*p)
		}
	}
}

// attachments cleans every text of each attachment.
func (o Options) attachments(list message.Attachments) message.Attachments {
	if len(list) == 0 {
		return list
	}
	cleaned := make(message.Attachments, len(list))
	for i, a := range list {
		o.Model(&a)
		cleaned[i] = a
	}
	return cleaned
}
