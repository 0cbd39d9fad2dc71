package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Role says who speaks in a message, in the words of the chat APIs.
type Role string

// The roles. There is no other: Valid, the JSON decoder and the database refuse it. The
// empty role is one that is not set.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleSystem    Role = "system"
	RoleTool      Role = "tool"
)

// Roles returns every role, in the order of the constants.
func Roles() []Role { return []Role{RoleUser, RoleAssistant, RoleSystem, RoleTool} }

func (r Role) String() string { return string(r) }

// Valid tells whether r is one of the constants. The empty role is not.
func (r Role) Valid() bool {
	switch r {
	case RoleUser, RoleAssistant, RoleSystem, RoleTool:
		return true
	}
	return false
}

// Direction is the one that the role implies: inbound for the user, outbound for the
// assistant, none for system and tool.
func (r Role) Direction() Direction {
	switch r {
	case RoleUser:
		return DirectionInbound
	case RoleAssistant:
		return DirectionOutbound
	}
	return DirectionNone
}

// UnmarshalText refuses a role that is not Valid, but for the empty one, which is not set.
func (r *Role) UnmarshalText(text []byte) error {
	return enum.Unmarshal(r, text, Role.validate)
}

// Value implements driver.Valuer.
func (r Role) Value() (driver.Value, error) { return string(r), nil }

// Scan implements sql.Scanner.
func (r *Role) Scan(src any) error { return enum.Scan(r, src) }

func (r Role) validate() error {
	if !r.Valid() {
		return rule.Invalid("role", "is not user, assistant, system or tool")
	}
	return nil
}
