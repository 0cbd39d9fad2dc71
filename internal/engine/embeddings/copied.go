package embeddings

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// GiveLists gives the vectors of a conversation their lists, after a statement that copied them
// there. It must run in the same transaction.
func GiveLists(sc scope.Scope, db query.Conn, conversationID uuid.UUID) error {
	if !sc.Dialect.VectorLists() {
		return nil
	}
	q := query.New("SELECT DISTINCT model FROM "+sc.Tables.Embeddings+" WHERE conversation_id = ? AND user_id = ?", conversationID, sc.User)
	models, err := query.All(db, q, func(model *string) []any { return []any{model} })
	if err != nil {
		return err
	}
	for _, model := range models {
		if err := giveLists(sc, db, *model); err != nil {
			return err
		}
	}
	return nil
}
