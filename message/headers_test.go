package message_test

import (
	"encoding/json"
	"maps"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
)

func TestHeadersIgnoreTheCaseOfNames(t *testing.T) {
	h := message.Headers{"received": {"c"}, "Received": {"a", "b"}, "Subject": {"Hello"}, "X-Empty": {}}
	assert.Equal(t, "Hello", h.Get("SUBJECT"))
	assert.Equal(t, []string{"a", "b", "c"}, h.Values("RECEIVED"))
	assert.Equal(t, "a", h.Get("received"))
	assert.Empty(t, h.Get("X-Empty"))
	assert.Nil(t, h.Values("Missing"))
	assert.Empty(t, message.Headers(nil).Get("Subject"))

	h.Set("RECEIVED", "d")
	assert.Equal(t, []string{"d"}, h.Values("received"))
	assert.Len(t, h, 3)
}

func TestHeadersConvertFromTheStandardLibrary(t *testing.T) {
	m, err := mail.ReadMessage(strings.NewReader("Subject: Hello\r\nReceived: a\r\nReceived: b\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, message.Headers(m.Header).Values("received"))
	assert.Equal(t, "Hello", message.Headers(textproto.MIMEHeader{"Subject": {"Hello"}}).Get("subject"))
}

func TestHeadersJSON(t *testing.T) {
	for doc, want := range map[string]message.Headers{
		`null`:                              nil,
		`{}`:                                nil,
		`{"Subject":"Re: Hi"}`:              {"Subject": {"Re: Hi"}},
		`{"Received":["a","b"]}`:            {"Received": {"a", "b"}},
		`{"A":[],"B":"","C":null,"D":[""]}`: {"A": {}, "B": {""}, "C": nil, "D": {""}},
	} {
		var got message.Headers
		require.NoError(t, json.Unmarshal([]byte(doc), &got), doc)
		assert.Equal(t, want, got, doc)
		written, err := json.Marshal(got)
		require.NoError(t, err)
		var again message.Headers
		require.NoError(t, json.Unmarshal(written, &again))
		assert.Equal(t, got, again, "round trip of %s", doc)
	}
	for _, bad := range []string{`[]`, `"a"`, `{"A":1}`, `{"A":{"b":"c"}}`, `{"A":["b",1]}`} {
		got := message.Headers{"Kept": {"yes"}}
		require.Error(t, json.Unmarshal([]byte(bad), &got), bad)
		assert.Equal(t, message.Headers{"Kept": {"yes"}}, got)
	}
}

func TestHeadersSQL(t *testing.T) {
	for _, empty := range []message.Headers{nil, {}} {
		value, err := empty.Value()
		require.NoError(t, err)
		assert.Nil(t, value)
	}
	h := message.Headers{"Subject": {"Hi"}, "Received": {"a", "b"}}
	value, err := h.Value()
	require.NoError(t, err)
	got := message.Headers{"Old": {"value"}}
	require.NoError(t, got.Scan(value))
	assert.Equal(t, h, got)
	require.NoError(t, got.Scan(nil))
	assert.Nil(t, got)
	require.Error(t, got.Scan("{"))
	require.Error(t, got.Scan(1))
}

func TestParseIDs(t *testing.T) {
	for value, want := range map[string][]string{
		"":                                   nil,
		"<a@b>":                              {"<a@b>"},
		"<a@b> <c@d>\r\n\t<e@f>":             {"<a@b>", "<c@d>", "<e@f>"},
		"<a@b><c@d>":                         {"<a@b>", "<c@d>"},
		"a@b":                                {"<a@b>"},
		" 1@x\r\n\t2@x, 3@x":                 {"<1@x>", "<2@x>", "<3@x>"},
		"a@b of Monday":                      nil,
		"@b":                                 nil,
		"a@":                                 nil,
		"a":                                  nil,
		`"Ann" a@b`:                          nil,
		"<>":                                 nil,
		"<> <a@b>":                           {"<a@b>"},
		"<<a@b>>":                            {"<a@b>"},
		"<a@b":                               nil,
		"a@b> <c@d>":                         {"<c@d>"},
		`Your message of "1 < 2" <a@b>`:      {"<a@b>"},
		"<a b@c> <d@e>":                      {"<d@e>"},
		"<a@b> (John's mail of <yesterday>)": {"<a@b>", "<yesterday>"},
	} {
		assert.Equal(t, want, message.ParseIDs(value), value)
	}
}

func FuzzParseIDs(f *testing.F) {
	for _, s := range []string{"", "<a@b> <c@d>", "<<a>>", "<>", "><", "<a b>", "<a\x00>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		ids := message.ParseIDs(value)
		for _, id := range ids {
			inner := strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
			if len(id) != len(inner)+2 || inner == "" || strings.ContainsAny(inner, "<> \t\r\n") {
				t.Fatalf("%q is no id", id)
			}
			if !strings.Contains(value, inner) {
				t.Fatalf("%q is not in the value", id)
			}
		}
		if again := message.ParseIDs(strings.Join(ids, " ")); !slices.Equal(ids, again) {
			t.Fatalf("%q became %q", ids, again)
		}
	})
}

// FuzzHeaders asserts that everything that decodes can be encoded and decodes to the same
// headers again.
func FuzzHeaders(f *testing.F) {
	for _, doc := range []string{
		`null`, `{}`, `{"a":"b"}`, `{"a":["b","c"]}`, `{"a":null,"A":[]}`, `{"a":[null]}`, `{"a":"\ud800"}`, `{"a":1}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var h message.Headers
		if json.Unmarshal(doc, &h) != nil {
			return
		}
		written, err := json.Marshal(h)
		if err != nil {
			t.Fatalf("does not encode: %v", err)
		}
		if !utf8.Valid(written) {
			t.Fatal("is not UTF-8")
		}
		var again message.Headers
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("does not decode again: %v", err)
		}
		if !maps.EqualFunc(h, again, slices.Equal) {
			t.Fatalf("%v became %v", h, again)
		}
		value, err := h.Value()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Scan(value); err != nil || !maps.EqualFunc(h, again, slices.Equal) {
			t.Fatalf("%v came back from SQL as %v, %v", h, again, err)
		}
	})
}
