package scope

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
)

func idDest(id *uuid.UUID) []any { return []any{id} }

func ReadIDs(db query.Conn, q *query.Query) ([]uuid.UUID, error) {
	found, err := query.All(db, q, idDest)
	ids := make([]uuid.UUID, len(found))
	for i, id := range found {
		ids[i] = *id
	}
	return ids, err
}

// owned names a row of a table whose ids are each user's own.
type OwnedID struct{ ID, User uuid.UUID }
