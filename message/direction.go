package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Direction says whether a message came in or went out, in the words of e-mail.
type Direction string

// The directions. DirectionNone is NULL in the database.
const (
	DirectionNone     Direction = ""
	DirectionInbound  Direction = "inbound"
	DirectionOutbound Direction = "outbound"
)

// Directions returns every direction but DirectionNone.
func Directions() []Direction { return []Direction{DirectionInbound, DirectionOutbound} }

func (d Direction) String() string { return string(d) }

// Valid tells whether d is one of the constants, DirectionNone among them.
func (d Direction) Valid() bool {
	switch d {
	case DirectionNone, DirectionInbound, DirectionOutbound:
		return true
	}
	return false
}

// Role is the one that the direction implies: the user for inbound, the assistant for
// outbound, none for DirectionNone.
func (d Direction) Role() Role {
	switch d {
	case DirectionInbound:
		return RoleUser
	case DirectionOutbound:
		return RoleAssistant
	}
	return ""
}

// UnmarshalText refuses a direction that is not Valid.
func (d *Direction) UnmarshalText(text []byte) error {
	return enum.Unmarshal(d, text, Direction.validate)
}

// Value implements driver.Valuer.
func (d Direction) Value() (driver.Value, error) {
	if d == DirectionNone {
		return nil, nil //nolint:nilnil // a nil driver.Value is how NULL is said
	}
	return string(d), nil
}

// Scan implements sql.Scanner.
func (d *Direction) Scan(src any) error {
	if src == nil {
		*d = DirectionNone
		return nil
	}
	return enum.Scan(d, src)
}

func (d Direction) validate() error {
	if !d.Valid() {
		return rule.Invalid("direction", "is not inbound, outbound or empty")
	}
	return nil
}
