// Package suggestions implements store.Suggestions: it creates and lists suggested replies,
// records the decisions on them, and sends them. Sending appends a message through package
// threads. Reports about suggestions are in package reports.
package suggestions

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/store"
)

type suggestions struct {
	sc      scope.Scope
	appends *threads.Statements
}

// New returns the suggestions of a scope. Send appends with the given statements.
func New(sc scope.Scope, appends *threads.Statements) store.Suggestions {
	return suggestions{sc: sc, appends: appends}
}
