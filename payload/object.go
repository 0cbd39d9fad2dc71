package payload

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose values are decoded when they are asked for. A value of another
// type than the one that is asked for counts as absent: whatever an SDK adds is no error.
// Keys are told apart by case, and the last of two equal ones counts.
type object map[string]json.RawMessage

func decodeObject(raw json.RawMessage) (object, bool) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	var o object
	err := json.Unmarshal(raw, &o)
	return o, err == nil
}

// has reports whether there is a value other than null.
func (o object) has(key string) bool {
	raw, ok := o[key]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// text returns a string, "" if there is none.
func (o object) text(key string) string {
	s, _ := decodeText(o[key])
	return s
}

// first returns the first string of these that is not empty.
func (o object) first(keys ...string) string {
	for _, key := range keys {
		if s := o.text(key); s != "" {
			return s
		}
	}
	return ""
}

// flag returns whether the value is true.
func (o object) flag(key string) bool { return string(o[key]) == "true" }

// object returns an object, nil if there is none.
func (o object) object(key string) object {
	inner, _ := decodeObject(o[key])
	return inner
}

// objects returns the objects of a list; what else is in it is skipped.
func (o object) objects(key string) []object { return decodeObjects(o[key]) }

func decodeObjects(raw json.RawMessage) []object {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	var found []object
	for _, one := range all {
		if o, ok := decodeObject(one); ok {
			found = append(found, o)
		}
	}
	return found
}

func decodeText(raw json.RawMessage) (string, bool) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// encode is json.Marshal without the escapes of HTML.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // what this package encodes consists of strings and of documents that parsed
	}
	return bytes.TrimSpace(b.Bytes())
}
