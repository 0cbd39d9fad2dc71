// Package states implements store.States: the keys and values of conversations, users and apps.
// Package threads writes them together with messages through this one.
package states

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type states struct{ sc scope.Scope }

// New returns the states of a scope.
func New(sc scope.Scope) store.States { return states{sc: sc} }
