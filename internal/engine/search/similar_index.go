package search

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/scope"
)

// vectorIndex is the part of a similarity search that PostgreSQL and SQLite do differently:
// PostgreSQL compares vectors itself and has an index for them, while SQLite stores them for
// this package to compare.
type vectorIndex interface {
	// find returns the nearest messages, at most limit, which may be above store.MaxLimit.
	find(ctx context.Context, s *similarSearch, limit int) (vectorHits, error)
	// countSimilar counts the messages of conversations that are within MinSimilarity, and
	// adds the counts to counts.
	countSimilar(s *similarSearch, conversations []uuid.UUID, counts map[scope.OwnedID]int64) error
}

// vectorIndexOf returns how a database looks for vectors. codes is the copy in memory that
// SQLite may use.
func vectorIndexOf(d dialect.Dialect, codes *embeddings.Codes) (vectorIndex, error) {
	return dialect.Pick[vectorIndex](d, postgresVectors{}, sqliteVectors{codes})
}
