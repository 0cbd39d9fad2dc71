// Package maintenance archives, deletes and erases by age, by lead and by user, and looks
// after the tables.
package maintenance

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type maintenance struct{ sc scope.Scope }

// New returns the maintenance of a scope.
func New(sc scope.Scope) store.Maintenance { return maintenance{sc: sc} }
