package scope

import (
	"github.com/convostore/convostore/rule"
)

// ErrNil returns ErrInvalid for a nil pointer or function.
func ErrNil(what string) error { return rule.Invalid(what, "is nil") }
