package message

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// JSON is an opaque document: tool calls, metadata, a sentiment analysis. It is kept as
// text and never decoded on the way, so every digit of a number and every key survive.
// PostgreSQL keeps it as jsonb, which sorts keys and drops white space and repeated
// keys; SQLite keeps it to the letter.
//
// The zero value is NULL, and so is the document null.
type JSON []byte

// gormJSON is the name that GORM's data types go by. The migrations, not GORM, say what
// the columns are.
const gormJSON = "json"

// GormDataType tells GORM that the bytes are a document.
func (JSON) GormDataType() string { return gormJSON }

// ToJSON encodes v, as json.Marshal does.
func ToJSON(v any) (JSON, error) {
	return json.Marshal(v)
}

// MustJSON is ToJSON for values that are known to encode; it panics on others.
func MustJSON(v any) JSON {
	doc, err := ToJSON(v)
	if err != nil {
		panic(err)
	}
	return doc
}

// IsNull tells whether the column is NULL.
func (j JSON) IsNull() bool {
	trimmed := bytes.TrimSpace(j)
	return len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null"))
}

// Decode decodes the document into v. NULL leaves v as it is. To keep long numbers,
// decode into json.Number or json.RawMessage fields.
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
		return nil, nil //nolint:nilnil // a nil driver.Value is how NULL is said
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
