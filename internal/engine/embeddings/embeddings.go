// Package embeddings keeps the vectors of messages and fills in those that are missing.
package embeddings

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type embeddings struct{ sc scope.Scope }

// New returns the embeddings of a scope.
func New(sc scope.Scope) store.Embeddings { return embeddings{sc: sc} }
