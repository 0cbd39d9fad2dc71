package maintenance

import (
	"github.com/convostore/convostore/internal/engine/query"
)

// removeLooseCodes removes the codes of vectors that are gone from the lists of trained models:
// they tell what a vector was like, so that none may stay behind. They are a part of the index
// and are not counted.
func (s maintenance) removeLooseCodes(db query.Conn) error {
	if !s.sc.Dialect.VectorLists() {
		return nil
	}
	q := query.New("DELETE FROM " + s.sc.Tables.Lists + " AS o WHERE NOT EXISTS (SELECT 1 FROM " + s.sc.Tables.Embeddings +
		" e WHERE e.row_id = o.row_id AND e.user_id = o.user_id)")
	_, err := s.sc.Owned(q, "o.").Exec(db)
	return err
}
