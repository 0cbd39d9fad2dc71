package message_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func TestAttachments(t *testing.T) {
	for _, empty := range []message.Attachments{nil, {}} {
		value, err := empty.Value()
		require.NoError(t, err)
		assert.Nil(t, value)
	}
	list := message.Attachments{
		{Filename: "b.pdf", ContentType: "application/pdf", Size: math.MaxInt64, Checksum: "sha256:00"},
		{Filename: "a.png", ContentID: "logo@example.com", Inline: true, URL: "https://example.com/a.png", Key: "k"},
	}
	value, err := list.Value()
	require.NoError(t, err)
	got := message.Attachments{{Filename: "old"}}
	require.NoError(t, got.Scan(value))
	assert.Equal(t, list, got, "the order and every field")
	require.NoError(t, got.Scan(nil))
	assert.Nil(t, got)
	require.Error(t, got.Scan(`[{"filename":`))
	require.Error(t, got.Scan(1.5))
}

// TestDocumentsOfAnotherForm: a host's own SQL can write any document, and a list with one such
// row must still be readable.
func TestDocumentsOfAnotherForm(t *testing.T) {
	for doc, want := range map[string]message.Attachments{
		`{"filename":"not a list"}`: nil, `1`: nil, `"x"`: nil, `[]`: {},
		`[1,{"filename":"a"}]`:                          {{}, {Filename: "a"}},
		`[{"filename":1,"size":"x","url":"u"},[],null]`: {{URL: "u"}, {}, {}},
	} {
		var got message.Attachments
		require.NoError(t, got.Scan(doc), doc)
		assert.Equal(t, want, got, doc)
	}
	for doc, want := range map[string]message.Headers{
		`[]`: nil, `1`: nil, `"x"`: nil,
		`{"a":1,"b":"c"}`:              {"a": {"1"}, "b": {"c"}},
		`{"a":[1,"b",{}],"c":{"d":0}}`: {"a": {"1", "b", "{}"}, "c": {`{"d":0}`}},
	} {
		var got message.Headers
		require.NoError(t, got.Scan(doc), doc)
		assert.Equal(t, want, got, doc)
	}
	var h message.Headers
	require.Error(t, h.Scan(`{"a":`))
}

func TestJSON(t *testing.T) {
	for doc, null := range map[string]bool{"": true, "null": true, "\tnull\n": true, `"null"`: false, "{}": false, "0": false} {
		assert.Equal(t, null, message.JSON(doc).IsNull(), "%q", doc)
		value, err := message.JSON(doc).Value()
		require.NoError(t, err)
		assert.Equal(t, null, value == nil, "%q", doc)
	}
	for doc, empty := range map[string]bool{
		"": true, " null": true, "[]": true, "[ \n]": true, "{\t} ": true, ` ""`: true,
		`[""]`: false, `{"a":null}`: false, `" "`: false, "0": false, "-1": false, "false": false, "[[]]": false,
	} {
		assert.Equal(t, empty, message.JSON(doc).IsEmpty(), "%q", doc)
	}
	assert.Equal(t, "null", message.JSON(nil).String())

	type row struct {
		Doc   message.JSON `json:"doc"`
		Maybe message.JSON `json:"maybe,omitempty"`
	}
	const text = `{"doc":{"n":12345678901234567890.10,"a":1}}`
	var r row
	require.NoError(t, json.Unmarshal([]byte(text), &r))
	written, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Equal(t, r.Doc.String(), strings.TrimSuffix(strings.TrimPrefix(string(written), `{"doc":`), "}"),
		"digits, zeros and the order of keys survive")
	assert.Contains(t, text, r.Doc.String())
	require.NoError(t, json.Unmarshal([]byte(`{"doc":null}`), &r))
	assert.True(t, r.Doc.IsNull())
	_, err = json.Marshal(row{Doc: message.JSON(`{"bad"`)})
	require.Error(t, err)
}

func TestJSONScan(t *testing.T) {
	buffer := []byte(`{"a":1}`)
	var j message.JSON
	require.NoError(t, j.Scan(buffer))
	buffer[2] = 'b' // a driver may reuse its buffer
	assert.JSONEq(t, `{"a":1}`, j.String())
	require.NoError(t, j.Scan(`[2]`))
	var list []int
	require.NoError(t, j.Decode(&list))
	assert.Equal(t, []int{2}, list)
	require.NoError(t, j.Scan(nil))
	require.NoError(t, j.Decode(&list))
	assert.Equal(t, []int{2}, list, "NULL leaves what is there")
	require.Error(t, j.Scan(2.5))
}

func TestToJSON(t *testing.T) {
	assert.JSONEq(t, `{"a":1}`, message.MustJSON(map[string]int{"a": 1}).String())
	_, err := message.ToJSON(make(chan int))
	require.Error(t, err)
	assert.Panics(t, func() { message.MustJSON(math.NaN()) })
}

func TestVectorValidate(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, c := range map[string]struct {
		v    message.Vector
		rule string
	}{
		"one dimension":  {message.Vector{1}, ""},
		"small":          {message.Vector{2e-19, 0}, ""},
		"too small":      {message.Vector{1e-19, 0}, "has a length whose square is not within single precision"},
		"denormal":       {message.Vector{math.SmallestNonzeroFloat32}, "has a length whose square is not within single precision"},
		"great":          {message.Vector{1.8e19}, ""},
		"too great":      {message.Vector{1.8e19, 1.8e19}, "has a length whose square is not within single precision"},
		"the most":       {make1(message.MaxDimensions), ""},
		"nil":            {nil, "has 0 dimensions, not 1 to 4000"},
		"too many":       {make1(message.MaxDimensions + 1), "has 4001 dimensions, not 1 to 4000"},
		"NaN":            {message.Vector{1, nan}, "is not a finite number at dimension 1"},
		"infinite":       {message.Vector{inf}, "is not a finite number at dimension 0"},
		"zero":           {message.Vector{0, 0}, "is the zero vector, which has no direction"},
		"negative zeros": {message.Vector{float32(math.Copysign(0, -1))}, "is the zero vector, which has no direction"},
	} {
		err := c.v.Validate()
		if c.rule == "" {
			require.NoError(t, err, name)
			continue
		}
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		assert.Equal(t, c.rule, invalid.Rule, name)
	}
}

func make1(n int) message.Vector {
	v := make(message.Vector, n)
	v[0] = 1
	return v
}

// TestVectorKeepsItsBits writes and reads a vector in the format of each database.
func TestVectorKeepsItsBits(t *testing.T) {
	v := message.Vector{0.1, -2.5, math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-20, 0, 16777217}
	blob, err := v.Value()
	require.NoError(t, err)
	assert.Len(t, blob, 4*len(v)+1, "and one bit for each dimension")
	for _, dialector := range []gorm.Dialector{postgres.Dialector{}, sqlite.Dialector{}} {
		db := &gorm.DB{Config: &gorm.Config{Dialector: dialector}}
		stored := v.GormValue(t.Context(), db).Vars[0]
		var got message.Vector
		require.NoError(t, got.Scan(stored), dialector.Name())
		assert.Equal(t, v, got, dialector.Name())
	}
}

func TestVectorScan(t *testing.T) {
	v := message.Vector{1}
	require.NoError(t, v.Scan(nil))
	assert.Nil(t, v)
	for _, bad := range []any{"", "[", "]", "1,2", "[1,x]", "[]", []byte{}, make([]byte, 4), make([]byte, 8), 1.5} {
		require.Error(t, v.Scan(bad), "%v", bad)
	}
	require.NoError(t, v.Scan("[1,-2e-3]"))
	assert.Equal(t, message.Vector{1, -0.002}, v)
}

func FuzzVectorScan(f *testing.F) {
	for _, s := range []string{"", "[", "[]", "[1]", "[1,2.5]", "[NaN]", "1", "[1,]", "12345"} {
		f.Add(s, []byte(s))
	}
	f.Fuzz(func(t *testing.T, text string, blob []byte) {
		var v message.Vector
		if err := v.Scan(text); err == nil && !strings.HasPrefix(text, "[") {
			t.Fatalf("%q is no vector", text)
		}
		if err := v.Scan(blob); err != nil {
			return
		}
		again, err := v.Value()
		if err != nil || len(again.([]byte)) != len(blob) || !bytes.Equal(again.([]byte)[:4*len(v)], blob[:4*len(v)]) {
			t.Fatalf("%x became %x, %v", blob, again, err)
		}
	})
}
