// Package search finds messages and conversations: by words, by a part of a word, by the
// similarity of vectors, or by words and vectors together. It only reads: package embeddings
// writes the vectors, and the database itself keeps the indexes of words up to date.
package search

import (
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type search struct {
	sc    scope.Scope
	codes *embeddings.Codes
}

// New returns the search of a scope. codes is the copy of the vectors' codes in memory,
// which all scopes of a store share.
func New(sc scope.Scope, codes *embeddings.Codes) store.Search { return search{sc: sc, codes: codes} }
