package message

import (
	"bytes"
	"database/sql/driver"
	"fmt"
)

// Payload is a message as an SDK gave it, kept to the byte. JSON columns do not do that:
// PostgreSQL's jsonb sorts keys and changes numbers. The empty payload is NULL.
type Payload []byte

// Value implements driver.Valuer.
func (p Payload) Value() (driver.Value, error) {
	if len(p) == 0 {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
	}
	return []byte(p), nil
}

// Scan implements sql.Scanner. It copies the bytes, which belong to the driver.
func (p *Payload) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*p = nil
	case []byte:
		*p = bytes.Clone(v)
	case string:
		*p = Payload(v)
	default:
		return fmt.Errorf("convostore: cannot read a payload from %T", src)
	}
	return nil
}
