// Package search finds messages and conversations: by words, by a part of a word, by the
// similarity of vectors, or by words and vectors together. It only reads: package embeddings
// writes the vectors, and the database itself keeps the indexes of words up to date.
package search

import (
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
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

// indexes returns how the scope's database looks for words and for vectors.
func (s search) indexes() (textIndex, vectorIndex, error) {
	switch name := s.sc.Dialect.Name(); name {
	case dialect.Postgres:
		return postgresText{}, postgresVectors{}, nil
	case dialect.SQLite:
		return sqliteText{}, sqliteVectors{s.codes}, nil
	default:
		return nil, nil, fmt.Errorf("%w: search on %s", store.ErrUnsupported, name)
	}
}
