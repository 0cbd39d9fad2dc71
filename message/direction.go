package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Direction says whether a message came in or went out, in the terms of e-mail.
type Direction string

// The directions. DirectionNone is NULL in the database.
const (
	DirectionNone     Direction = ""
	DirectionInbound  Direction = "inbound"
	DirectionOutbound Direction = "outbound"
)

// Directions returns every direction except DirectionNone.
func Directions() []Direction { return []Direction{DirectionInbound, DirectionOutbound} }

func (d Direction) String() string { return string(d) }

// Valid reports whether d is one of the constants, including DirectionNone.
func (d Direction) Valid() bool {
	switch d {
	case DirectionNone, DirectionInbound, DirectionOutbound:
		return true
	}
	return false
}

// Role returns the role that the direction implies: user for inbound, assistant for
// outbound, the empty role for DirectionNone.
func (d Direction) Role() Role {
	switch d {
	case DirectionInbound:
		return RoleUser
	case DirectionOutbound:
		return RoleAssistant
	}
	return ""
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown direction.
func (d *Direction) UnmarshalText(text []byte) error {
	return enum.Unmarshal(d, text, Direction.validate)
}

// Value implements driver.Valuer.
func (d Direction) Value() (driver.Value, error) {
	if d == DirectionNone {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
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
