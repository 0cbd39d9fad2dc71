package check

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// ID refuses the nil UUID.
func ID(field string, id uuid.UUID) error {
	if id == uuid.Nil {
		return rule.Invalid(field, "is the nil UUID")
	}
	return nil
}

// Name checks a text that tells rows apart: Key, and not empty.
func Name(field, s string) error {
	if s == "" {
		return rule.Invalid(field, "is empty")
	}
	return Key(field, s)
}
