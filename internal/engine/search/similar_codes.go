package search

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/vector"
)

// rankCodes compares the codes of all vectors of the scope and the model with that of the
// search, in memory if the store keeps a copy there.
func (v sqliteVectors) rankCodes(ctx context.Context, s *similarSearch) (*embeddings.Ranked, error) {
	if embeddings.InMemory(s.sc) {
		return v.codes.Rank(ctx, codeQuery(s), s.vector)
	}
	code := vector.Code(s.vector)
	ranked := embeddings.NewRanked(len(s.vector))
	q := query.New("SELECT row_id, "+embeddings.CodeColumn(len(s.vector))+" FROM "+s.sc.Tables.Embeddings+" WHERE model = ?", s.options.Model)
	var row int64
	var raw sql.RawBytes
	return ranked, s.sc.Owned(q, "").Rows(s.db, func(rows *sql.Rows) error {
		if err := rows.Scan(&row, &raw); err != nil {
			return err
		}
		if len(raw) != vector.CodeBytes(len(s.vector)) {
			return fmt.Errorf("the code of vector %d has %d bytes", row, len(raw))
		}
		ranked.Add(row, vector.HammingBytes(code, raw))
		return nil
	})
}

// codeQuery selects the codes of the search from the copy in memory.
func codeQuery(s *similarSearch) embeddings.CodeQuery {
	return embeddings.CodeQuery{Scope: s.sc, DB: s.db, Model: s.options.Model, Dimensions: len(s.vector)}
}
