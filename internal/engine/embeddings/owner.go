package embeddings

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
)

// byOwner yields each user with the user's rows. The order is always that of users and ids, so
// that two transactions that lock the same rows cannot deadlock.
func byOwner[T any](rows []T, key func(T) scope.OwnedID) iter.Seq2[uuid.UUID, []T] {
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b T) int {
		x, y := key(a), key(b)
		return cmp.Or(bytes.Compare(x.User[:], y.User[:]), bytes.Compare(x.ID[:], y.ID[:]))
	})
	return func(yield func(uuid.UUID, []T) bool) {
		for len(sorted) > 0 {
			user, n := key(sorted[0]).User, 1
			for n < len(sorted) && key(sorted[n]).User == user {
				n++
			}
			if !yield(user, sorted[:n]) {
				return
			}
			sorted = sorted[n:]
		}
	}
}
