package scope

import (
	"bytes"
	"cmp"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
)

func idDest(id *uuid.UUID) []any { return []any{id} }

// ReadIDs runs a query of one column of UUIDs and returns them in its order.
func ReadIDs(db query.Conn, q *query.Query) ([]uuid.UUID, error) {
	found, err := query.All(db, q, idDest)
	ids := make([]uuid.UUID, len(found))
	for i, id := range found {
		ids[i] = *id
	}
	return ids, err
}

// CompareIDs orders ids, as locks are taken.
func CompareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// OwnedID identifies a row by its id and its owner, since two users may have the same id.
type OwnedID struct{ ID, User uuid.UUID }

// Compare orders ids and, of one id, the users.
func (o OwnedID) Compare(other OwnedID) int {
	return cmp.Or(CompareIDs(o.ID, other.ID), CompareIDs(o.User, other.User))
}
