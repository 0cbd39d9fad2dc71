package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Role says who speaks in a message, in the terms of chat APIs.
type Role string

// The roles. Valid, the JSON decoder and the database refuse any other. The empty role is
// unset.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleSystem    Role = "system"
	// RoleDeveloper is what newer APIs have in the place of system.
	RoleDeveloper Role = "developer"
	RoleTool      Role = "tool"
)

// Roles returns every role, in the order of the constants.
func Roles() []Role {
	return []Role{RoleUser, RoleAssistant, RoleSystem, RoleDeveloper, RoleTool}
}

func (r Role) String() string { return string(r) }

// Valid reports whether r is one of the constants. The empty role is not.
func (r Role) Valid() bool {
	switch r {
	case RoleUser, RoleAssistant, RoleSystem, RoleDeveloper, RoleTool:
		return true
	}
	return false
}

// Direction returns the direction that the role implies: inbound for user, outbound for
// assistant, DirectionNone for the others.
func (r Role) Direction() Direction {
	switch r {
	case RoleUser:
		return DirectionInbound
	case RoleAssistant:
		return DirectionOutbound
	}
	return DirectionNone
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown role. The empty text is an unset role and no error, and function, the old name of
// tool, is tool.
func (r *Role) UnmarshalText(text []byte) error {
	if string(text) == "function" {
		*r = RoleTool
		return nil
	}
	return enum.Unmarshal(r, text, Role.validate)
}

// Value implements driver.Valuer.
func (r Role) Value() (driver.Value, error) { return string(r), nil }

// Scan implements sql.Scanner.
func (r *Role) Scan(src any) error { return enum.Scan(r, src) }

func (r Role) validate() error {
	switch {
	case r == "":
		return rule.Invalid("role", "is empty: set it to user, assistant, system, developer or tool, or set Direction")
	case !r.Valid():
		return rule.Invalid("role", "is not user, assistant, system, developer or tool")
	}
	return nil
}
