package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":               "",
		"plain":          "",
		"žluťoučký 🙂 \t": "",
		"\uFFFD":         "", // a replacement character that somebody wrote is a letter
		"ab\x00c":        "has U+0000 at byte 2; PostgreSQL cannot keep it",
		"é\xffx":         "is not UTF-8 at byte 2",
		"\uFFFD\xc3":     "is not UTF-8 at byte 3",
		"\xed\xa0\x80":   "is not UTF-8 at byte 0", // half a surrogate pair
	} {
		assertRule(t, check.Text("content", text), "content", want)
	}
}

func TestKeyAndLength(t *testing.T) {
	assertRule(t, check.Key("k", strings.Repeat("a", check.MaxKey)), "k", "")
	assertRule(t, check.Key("k", strings.Repeat("é", check.MaxKey/2+1)), "k", "has 1026 bytes, the most is 1024")
	assertRule(t, check.Key("k", "a\x00"), "k", "has U+0000 at byte 1; PostgreSQL cannot keep it")
	assertRule(t, check.Length("title", strings.Repeat("é", 255), 255), "title", "")
	assertRule(t, check.Length("title", strings.Repeat("é", 256), 255), "title", "has 256 characters, the most is 255")
	assertRule(t, check.Length("title", "\xff", 255), "title", "is not UTF-8 at byte 0")
}

func TestTime(t *testing.T) {
	assertRule(t, check.Time("at", time.Time{}), "at", "")
	assertRule(t, check.Time("at", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)), "at", "")
	const rule = "is not in the years 1 to 9999"
	assertRule(t, check.Time("at", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "at", rule)
	assertRule(t, check.Time("at", time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)), "at", rule)
	west := time.FixedZone("", -5*3600)
	assertRule(t, check.Time("at", time.Date(9999, 12, 31, 23, 0, 0, 0, west)), "at", rule)
}

func TestFirst(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	require.NoError(t, check.First())
	require.NoError(t, check.First(nil, nil))
	require.ErrorIs(t, check.First(nil, one, two), one)
}

func TestJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for doc, want := range map[string]string{
		"":                                   "",
		"null":                               "",
		` {"a": [1, -2.5e10, true, "x"]} `:   "",
		`12345678901234567890.1234567890`:    "",
		`"\u00e9 \ud83d\ude42 \\u0000 \"\n"`: "",
		`["]", "[", "\\", {"}": "1e9999"}]`:  "",
		`{"a":1,"a":2}`:                      "",
		`1e1000`:                             "",
		`-1E-1000`:                           "",
		deep(500):                            "",
		deep(501):                            "has more than 500 levels",
		`{"a":`:                              "is not a JSON document",
		`{} {}`:                              "is not a JSON document",
		` `:                                  "is not a JSON document",
		`NaN`:                                "is not a JSON document",
		"\"\xff\"":                           "is not UTF-8 at byte 1",
		"\"\x00\"":                           "is not a JSON document",
		`{"\u0000":1}`:                       "has U+0000 at byte 2; PostgreSQL cannot keep it",
		`"\\\u0000"`:                         "has U+0000 at byte 3; PostgreSQL cannot keep it",
		`"\ud83d"`:                           "has half a surrogate pair at byte 1",
		`"\ud83dx\ude42"`:                    "has half a surrogate pair at byte 1",
		`"\ud83d\u0041"`:                     "has half a surrogate pair at byte 1",
		`"a\ude42\ud83d"`:                    "has half a surrogate pair at byte 2",
		`[1e1001]`:                           "has a number with an exponent beyond ±1000 at byte 1",
		`[0, 1E-1001]`:                       "has a number with an exponent beyond ±1000 at byte 4",
		`1e99999999999999999999`:             "has a number with an exponent beyond ±1000 at byte 0",
		strings.Repeat("9", 10_000):          "",
		strings.Repeat("9", 10_001):          "has a number of more than 10000 bytes at byte 0",
		"[" + strings.Repeat("0,", 999_998) + "0]":       "",
		"[" + strings.Repeat("0,", 1_000_000) + "0]":     "has more than 1000000 values and keys",
		"{" + strings.Repeat(`"":0,`, 500_000) + `"":0}`: "has more than 1000000 values and keys",
	} {
		assertRule(t, check.JSON("metadata", []byte(doc)), "metadata", want)
	}
}

func TestWritten(t *testing.T) {
	for doc, want := range map[string]int{
		"":                         0,
		`{"a":1}`:                  7,
		`1e1000`:                   1006,
		`[1e3, 1E-3, -1.5e+2]`:     20 + 3 + 3 + 2,
		`["1e1000", "\"1e9", 1e1]`: 24 + 1,
		`"1e9`:                     4,
		`1e99999999999999999999`:   22,
		`-`:                        1,
		`"\`:                       2,
	} {
		assert.Equal(t, want, check.Written([]byte(doc)), doc)
	}
}

func assertRule(t *testing.T, err error, field, want string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	var invalid *rule.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, field, invalid.Field)
	assert.Equal(t, want, invalid.Rule)
}

// FuzzJSON asks that what passes is a document that any parser takes, that has no U+0000
// and that loses nothing to replacement characters, which is what becomes of half a
// surrogate pair.
func FuzzJSON(f *testing.F) {
	for _, doc := range []string{
		`null`, `{"a":[1,-2.5e10,"x"]}`, `"\u0000"`, `"\\u0000"`, `"\ud83d\ude42"`, `"\ud83d"`, `"\udc00\ud800"`,
		`1e1001`, `"\`, `"\u12`, "\xff", `{"\u0000":0}`, `[[[[`, `-`, `"\ud83d\u"`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := bytes.Clone(doc)
		err := check.JSON("doc", doc)
		if !bytes.Equal(before, doc) {
			t.Fatal("the document was changed")
		}
		if err != nil || len(doc) == 0 {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(doc))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("passed, and does not parse: %v", err)
		}
		eachString(v, func(s string) {
			if strings.ContainsRune(s, 0) {
				t.Fatal("passed with U+0000")
			}
			if strings.ContainsRune(s, utf8.RuneError) && !writesReplacement(doc) {
				t.Fatal("passed with half a surrogate pair")
			}
		})
	})
}

func writesReplacement(doc []byte) bool {
	return bytes.ContainsRune(doc, utf8.RuneError) || bytes.Contains(bytes.ToLower(doc), []byte(`\ufffd`))
}

func eachString(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, one := range v {
			eachString(one, visit)
		}
	case map[string]any:
		for key, one := range v {
			visit(key)
			eachString(one, visit)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x00", "\xff", "é", "\uFFFD\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		good := utf8.ValidString(s) && !strings.Contains(s, "\x00")
		if err := check.Text("text", s); (err == nil) != good {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
