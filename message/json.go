package message

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// JSON is an opaque document, for example tool calls or metadata. It is text that the
// library never decodes, so that no digit and no key is lost. PostgreSQL stores it as
// jsonb, which sorts keys and drops white space and repeated keys. SQLite stores the text
// unchanged.
//
// The zero value is NULL, and so is the document null.
type JSON []byte

// gormJSON is GORM's data type of the JSON columns. It does not define the columns: the
// migrations do.
const gormJSON = "json"

// GormDataType tells GORM that the bytes are a JSON document.
func (JSON) GormDataType() string { return gormJSON }

// ToJSON encodes v with json.Marshal.
func ToJSON(v any) (JSON, error) {
	return json.Marshal(v)
}

// MustJSON is ToJSON for values that always encode. It panics if v does not.
func MustJSON(v any) JSON {
	doc, err := ToJSON(v)
	if err != nil {
		panic(err)
	}
	return doc
}

// IsNull reports whether j is stored as NULL: if it is empty, white space or null.
func (j JSON) IsNull() bool {
	trimmed := bytes.TrimSpace(j)
	return len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null"))
}

// IsEmpty reports whether there is nothing in j: if it is NULL, an empty array, an empty object
// or an empty string.
func (j JSON) IsEmpty() bool {
	if j.IsNull() {
		return true
	}
	trimmed := bytes.TrimSpace(j)
	inner := bytes.TrimSpace(trimmed[1 : max(len(trimmed), 2)-1])
	switch trimmed[0] {
	case '[', '{':
		return len(inner) == 0
	case '"':
		return len(trimmed) == 2
	}
	return false
}

// Decode decodes the document into v with json.Unmarshal. NULL leaves v unchanged. To keep
// all digits of long numbers, decode into fields of type json.Number or json.RawMessage.
func (j JSON) Decode(v any) error {
	if j.IsNull() {
		return nil
	}
	return json.Unmarshal(j, v)
}

// String returns the document, "null" for NULL.
func (j JSON) String() string {
	if j.IsNull() {
		return "null"
	}
	return string(j)
}

// MarshalJSON implements json.Marshaler.
func (j JSON) MarshalJSON() ([]byte, error) { return []byte(j.String()), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (j *JSON) UnmarshalJSON(doc []byte) error {
	*j = bytes.Clone(doc)
	if j.IsNull() {
		*j = nil
	}
	return nil
}

// Value implements driver.Valuer.
func (j JSON) Value() (driver.Value, error) {
	if j.IsNull() {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
	}
	return string(j), nil
}

// Scan implements sql.Scanner.
func (j *JSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = nil
	case string:
		*j = JSON(v)
	case []byte:
		*j = bytes.Clone(v)
	default:
		return fmt.Errorf("convostore: cannot read a JSON column from %T", src)
	}
	return nil
}
