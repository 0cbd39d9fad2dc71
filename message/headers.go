package message

import (
	"database/sql/driver"
	"encoding/json"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/check"
)

// Headers are the headers of an e-mail by name. net/mail.Header and
// net/textproto.MIMEHeader convert to it. Names keep their case, but lookups ignore it. An
// empty map is NULL in the database.
//
// In JSON a header with one value is a string and one with several is a list, as in
// {"subject": "Re: …"} and {"received": ["…", "…"]}. Both forms can be read and written.
type Headers map[string][]string

// Get returns the first value of a header, "" if the header is absent.
func (h Headers) Get(name string) string {
	if values := h.Values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns all values of a header, nil if the header is absent. If several names
// differ only in case, their values follow one another, sorted by name.
func (h Headers) Values(name string) []string {
	var names []string
	for n := range h {
		if strings.EqualFold(n, name) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var values []string
	for _, n := range names {
		values = append(values, h[n]...)
	}
	return values
}

// Set replaces all values of a header. It removes names that differ only in case.
func (h Headers) Set(name, value string) {
	for n := range h {
		if strings.EqualFold(n, name) {
			delete(h, n)
		}
	}
	h[name] = []string{value}
}

// MarshalJSON implements json.Marshaler.
func (h Headers) MarshalJSON() ([]byte, error) {
	doc := make(map[string]any, len(h))
	for name, values := range h {
		if len(values) == 1 {
			doc[name] = values[0]
		} else {
			doc[name] = values
		}
	}
	return json.Marshal(doc)
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Headers) UnmarshalJSON(text []byte) error {
	var doc map[string]headerValues
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	*h = nil
	for name, values := range doc {
		if *h == nil {
			*h = make(Headers, len(doc))
		}
		(*h)[name] = values
	}
	return nil
}

// headerValues decodes a JSON string or a list of strings.
type headerValues []string

func (v *headerValues) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*v = nil
		return nil
	}
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*v = headerValues{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(v))
}

// GormDataType tells GORM that the map is a column.
func (Headers) GormDataType() string { return gormJSON }

// Value implements driver.Valuer.
func (h Headers) Value() (driver.Value, error) {
	if len(h) == 0 {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
	}
	doc, err := json.Marshal(h)
	return string(doc), err
}

// Scan implements sql.Scanner. A document of another form, which a host's own SQL wrote, is read
// as far as it goes: a value that is no text as its JSON, and no headers from what is no object.
// An error would end every list that the row is in.
func (h *Headers) Scan(src any) error {
	*h = nil
	err := scanJSON(src, h)
	var doc map[string]json.RawMessage
	if err == nil || scanJSON(src, &doc) != nil {
		return onlyTypeErrors(err)
	}
	*h = make(Headers, len(doc))
	for name, value := range doc {
		(*h)[name] = looseValues(value)
	}
	return nil
}

// looseValues returns the elements of a list, or else the one value.
func looseValues(doc json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(doc, &list) != nil {
		list = []json.RawMessage{doc}
	}
	values := make([]string, len(list))
	for i, value := range list {
		if json.Unmarshal(value, &values[i]) != nil {
			values[i] = string(value)
		}
	}
	return values
}

// size returns the bytes of all names and values, with the quotes and separators around them.
func (h Headers) size() (n int) {
	const around = 4
	for name, values := range h {
		n += len(name) + around
		for _, v := range values {
			n += len(v) + around
		}
	}
	return n
}

func (h Headers) validate() error {
	for name, values := range h {
		if err := check.Line("headers", name); err != nil {
			return err
		}
		for _, v := range values {
			if err := check.Line("headers", v); err != nil {
				return err
			}
		}
	}
	return nil
}

// ParseIDs returns the message ids in a header value such as that of References, in their
// order and with their angle brackets. It skips text outside of brackets, and the empty id
// <>, which would connect unrelated e-mails. A value without brackets, as some programs write it,
// is a list of ids if nothing else is in it: 1@x is <1@x>.
func ParseIDs(value string) []string {
	if !strings.ContainsAny(value, "<>") {
		return bareIDs(value)
	}
	var ids []string
	for {
		before, after, found := strings.Cut(value, ">")
		if !found {
			return ids
		}
		// The last bracket, for values such as <<a@b>> and "x < y" <a@b>.
		if start := strings.LastIndexByte(before, '<'); start >= 0 {
			if id := before[start+1:]; id != "" && !strings.ContainsAny(id, " \t\r\n") {
				ids = append(ids, "<"+id+">")
			}
		}
		value = after
	}
}

// bareIDs returns the words of a value as ids, none if one of them cannot be an id.
func bareIDs(value string) (ids []string) {
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) }) {
		left, right, _ := strings.Cut(word, "@")
		if left == "" || right == "" || strings.ContainsAny(word, "\"'()") {
			return nil
		}
		ids = append(ids, "<"+word+">")
	}
	return ids
}
