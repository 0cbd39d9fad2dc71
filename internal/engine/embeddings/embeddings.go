// Package embeddings keeps the vectors of messages, one for each message and model, and runs
// the job that makes the missing ones. It also has the codes by which SQLite finds the
// nearest vectors; comparing the vectors is up to package search.
package embeddings

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type embeddings struct{ sc scope.Scope }

// New returns the embeddings of a scope.
func New(sc scope.Scope) store.Embeddings { return embeddings{sc: sc} }
