// Package threads keeps conversations and their messages: creating, appending, importing,
// reading, editing and filing.
package threads

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type conversations struct{ sc scope.Scope }

// NewConversations returns the conversations of a scope.
func NewConversations(sc scope.Scope) store.Conversations { return conversations{sc: sc} }

type messages struct {
	sc  scope.Scope
	sql *Statements
}

// NewMessages returns the messages of a scope, whose appends run the given statements.
func NewMessages(sc scope.Scope, sql *Statements) store.Messages { return messages{sc: sc, sql: sql} }
