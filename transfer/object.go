package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object with its members in the order of the file.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

var errNoObject = errors.New("is not a JSON object")

// parseObject takes an object apart. Of a key that comes twice, both members are kept.
func parseObject(doc []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	var o object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
		o = append(o, m)
	}
	_, err := d.Token()
	return o, err
}

// get returns the last value of a key, nil if there is none or if it is null.
func (o object) get(key string) json.RawMessage {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].key == key {
			if string(o[i].value) == "null" {
				return nil
			}
			return o[i].value
		}
	}
	return nil
}

// has reports whether there is a key, even with null.
func (o object) has(key string) bool {
	for _, m := range o {
		if m.key == key {
			return true
		}
	}
	return false
}

// text returns the value of a key that is a text, "" for anything else.
func (o object) text(key string) (s string) {
	_ = json.Unmarshal(o.get(key), &s)
	return s
}

// object returns the value of a key that is an object, nil for anything else.
func (o object) object(key string) object {
	inner, err := parseObject(o.get(key))
	if err != nil {
		return nil
	}
	return inner
}

// list returns the elements of the value of a key, nil if it is no array.
func (o object) list(key string) (l []json.RawMessage) {
	if json.Unmarshal(o.get(key), &l) != nil {
		return nil
	}
	return l
}

// yes reports whether the value of a key is true.
func (o object) yes(key string) bool { return string(o.get(key)) == "true" }

// time returns the value of a key as a time: seconds or milliseconds since 1970, or a text of
// RFC 3339. The zero time is one that is absent or cannot be read.
func (o object) time(key string) time.Time {
	v := o.get(key)
	if s := o.text(key); s != "" {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return time.Time{}
		}
		return inRange(t)
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	if n >= 1e11 { // in the year 5138 as seconds: these are milliseconds
		n /= 1000
	}
	if n >= 1e11 {
		return time.Time{}
	}
	return inRange(exact(string(v), n))
}

// exact returns seconds as a time, with the microseconds that the digits say and not those of the
// nearest float.
func exact(digits string, n float64) time.Time {
	whole, fraction, plain := strings.Cut(digits, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if plain && err == nil && sec < 1e11 && strings.Trim(fraction, "0123456789") == "" {
		micro, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
		return time.Unix(sec, micro*int64(time.Microsecond)).UTC()
	}
	return time.UnixMicro(int64(n * 1e6)).UTC()
}

func inRange(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// with returns a copy with another value of a key, which is added at the end if it is new.
func (o object) with(key string, value any) (object, error) {
	doc, err := encode(value)
	if err != nil {
		return nil, err
	}
	return o.withRaw(key, doc), nil
}

func (o object) withRaw(key string, doc json.RawMessage) object {
	out := make(object, 0, len(o)+1)
	set := false
	for _, m := range o {
		if m.key == key {
			if set {
				continue
			}
			m.value, set = doc, true
		}
		out = append(out, m)
	}
	if !set {
		out = append(out, member{key, doc})
	}
	return out
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := encode(m.key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode is json.Marshal that leaves <, > and & as they are.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
