// Package threads implements store.Conversations and store.Messages. It creates, reads,
// updates, deletes and erases conversations, and appends, imports, reads and edits their
// messages. Search, reports, retention and the jobs that compute embeddings are in packages
// of their own. Package suggestions appends through this one.
package threads

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/store"
)

type conversations struct {
	sc  scope.Scope
	hub *watch.Hub
}

// NewConversations returns the conversations of a scope. hub is that of the store.
func NewConversations(sc scope.Scope, hub *watch.Hub) store.Conversations {
	return conversations{sc: sc, hub: hub}
}

type messages struct {
	sc  scope.Scope
	sql *Statements
	hub *watch.Hub
}

// Messages are the parts of store.Messages that are implemented here.
type Messages interface {
	store.MessageReader
	store.MessageFinder
	store.MessageAppender
	store.MessageFiler
	store.MessageRefs
	store.MessageEditor
	store.MessageBrancher
	store.MessageVoter
	store.MessageWatcher
	store.MessageMover
	store.MessageWindower
}

// NewMessages returns the messages of a scope. Appends run the given statements, which all
// scopes of a store share, and so is hub.
func NewMessages(sc scope.Scope, sql *Statements, hub *watch.Hub) Messages {
	return messages{sc: sc, sql: sql, hub: hub}
}
