package clean_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

var both = clean.Options{NUL: true, Invalid: true}

func TestText(t *testing.T) {
	t.Parallel()
	for o, want := range map[clean.Options]string{
		{}:              "a\x00b\xff\xfec\xed\xa0\x80",
		{NUL: true}:     "ab\xff\xfec\xed\xa0\x80",
		{Invalid: true}: "a\x00b\uFFFDc\uFFFD",
		both:            "ab\uFFFDc\uFFFD",
	} {
		s := "a\x00b\xff\xfec\xed\xa0\x80"
		o.Text(&s)
		assert.Equal(t, want, s, "%+v", o)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		``:                           ``,
		`{"a\u0000":"\u0000b"}`:      `{"a":"b"}`,
		`"\\u0000\\\u0000"`:          `"\\u0000\\"`,
		`"\ud83d\ude42"`:             `"\ud83d\ude42"`,
		`"\ud83d\u0000\ude42"`:       `"\ud83d\ude42"`,
		`{"\ud83d":"\ude42\ud83dx"}`: `{"\ufffd":"\ufffd\ufffdx"}`,
		`"\ud83d\u0041\\ud83d"`:      `"\ufffd\u0041\\ud83d"`,
		"\"\xff\"":                   "\"\uFFFD\"",
		`"\`:                         `"\`,
		`"\u12`:                      `"\u12`,
		`"\uzzzz"`:                   `"\uzzzz"`,
	} {
		got := message.JSON(doc)
		both.Document(&got)
		assert.Equal(t, want, string(got), doc)
	}
}

// TestHeaders: no value is lost, and the real name's come first.
func TestHeaders(t *testing.T) {
	t.Parallel()
	given := message.Headers{"Sub\x00ject": {"odd"}, "Subject": {"real\x00", "second"}, "Subject\x00": {"late"}, "X": nil}
	m := message.Message{Headers: given, Attachments: message.Attachments{{Filename: "a\x00"}}}
	attachments := m.Attachments
	both.Model(&m)
	assert.Equal(t, message.Headers{"Subject": {"real", "second", "odd", "late"}, "X": nil}, normal(m.Headers))
	assert.Equal(t, "a", m.Attachments[0].Filename)
	assert.Len(t, given, 4, "the caller's map is unchanged")
	assert.Equal(t, "a\x00", attachments[0].Filename, "and so is the list")
}

func normal(h message.Headers) message.Headers {
	for name, values := range h {
		if len(values) == 0 {
			h[name] = nil
		}
	}
	return h
}

// TestModelCleansEveryText fills every text of the models, also of columns that come later.
func TestModelCleansEveryText(t *testing.T) {
	t.Parallel()
	for _, model := range []any{&conversation.Conversation{}, &message.Message{}, &suggestion.Suggestion{}, &suggestion.Review{}} {
		v := reflect.ValueOf(model).Elem()
		for i := range v.NumField() {
			switch p := v.Field(i).Addr().Interface().(type) {
			case *string:
				*p = "a\x00\xff"
			case *message.JSON:
				*p = message.JSON(`["a\u0000\ud800"]`)
			}
		}
		both.Model(model)
		for i := range v.NumField() {
			switch p := v.Field(i).Addr().Interface().(type) {
			case *string:
				assert.Equal(t, "a\uFFFD", *p, "%T.%s", model, v.Type().Field(i).Name)
			case *message.JSON:
				assert.Equal(t, `["a\ufffd"]`, string(*p), "%T.%s", model, v.Type().Field(i).Name)
			}
		}
	}
}

// FuzzDocument: what is cleaned is a document if it was one but for what is cleaned, passes the
// check, and is clean.
func FuzzDocument(f *testing.F) {
	for _, doc := range []string{`{"a":"\u0000"}`, `"\ud83d"`, `"\\ud83d"`, "\"\xff\"", `"\u`, `["\ude00\ud83d"]`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := message.JSON(bytes.Clone(doc))
		both.Document(&got)
		if !utf8.Valid(got) {
			t.Fatal("not UTF-8")
		}
		if len(doc) == 0 || !json.Valid(doc) {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q became %q", doc, got)
		}
		if err := check.JSON("doc", got); err != nil && (strings.Contains(err.Error(), "U+0000") || strings.Contains(err.Error(), "pair") || strings.Contains(err.Error(), "UTF-8")) {
			t.Fatalf("%q: %v", got, err)
		}
		again := message.JSON(bytes.Clone(got))
		both.Document(&again)
		require.Equal(t, string(got), string(again))
	})
}
