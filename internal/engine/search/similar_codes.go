package search

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/vector"
)

// rankCodes compares the codes of all vectors of the scope and the model.
func (n *nearest) rankCodes(ctx context.Context) (*embeddings.Ranked, error) {
	if embeddings.InMemory(n.sc) {
		return n.codes.Rank(ctx, n.codesAsked(), n.vector)
	}
	code := vector.Code(n.vector)
	r := embeddings.NewRanked(len(n.vector))
	q := query.New("SELECT row_id, "+embeddings.CodeColumn(len(n.vector))+" FROM "+n.sc.Tables.Embeddings+" WHERE model = ?", n.o.Model)
	var row int64
	var raw sql.RawBytes
	return r, n.sc.Owned(q, "").Rows(n.db, func(rows *sql.Rows) error {
		if err := rows.Scan(&row, &raw); err != nil {
			return err
		}
		if len(raw) != vector.CodeBytes(len(n.vector)) {
			return fmt.Errorf("the code of vector %d has %d bytes", row, len(raw))
		}
		r.Add(row, vector.HammingBytes(code, raw))
		return nil
	})
}

// codesAsked is the search as the copy of the codes needs it.
func (n *nearest) codesAsked() embeddings.CodesAsked {
	return embeddings.CodesAsked{Scope: n.sc, DB: n.db, Model: n.o.Model, Dimensions: len(n.vector)}
}
