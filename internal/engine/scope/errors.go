package scope

import (
	"github.com/convostore/convostore/rule"
)

// ErrNil refuses a pointer to nothing.
func ErrNil(what string) error { return rule.Invalid(what, "is nil") }
