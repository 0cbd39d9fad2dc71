package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/convostore/convostore/internal/vector"
)

// ranked are the rows of vectors by the distance of their codes: of sign bits that differ.
type ranked struct {
	rows      []int64
	distances []uint16
	// counts is how many rows there are of each distance.
	counts []int
	// at is the first distance that was not taken, and taken counts the rows before it.
	at, taken int
}

func newRanked(dimensions int) *ranked { return &ranked{counts: make([]int, dimensions+1)} }

func (r *ranked) add(row int64, distance int) {
	r.rows = append(r.rows, row)
	r.distances = append(r.distances, uint16(distance))
	r.counts[distance]++
}

func (r *ranked) len() int { return len(r.rows) }

func (r *ranked) left() int { return len(r.rows) - r.taken }

// next takes the nearest of what is left: n rows, and those as near as the last of them.
func (r *ranked) next(n int) []int64 {
	from, count := r.at, 0
	for ; r.at < len(r.counts) && count < n; r.at++ {
		count += r.counts[r.at]
	}
	rows := make([]int64, 0, count)
	for i, d := range r.distances {
		if int(d) >= from && int(d) < r.at {
			rows = append(rows, r.rows[i])
		}
	}
	r.taken += count
	return rows
}

// rankCodes compares the codes of all vectors of the scope and the model.
func (n *nearest) rankCodes(ctx context.Context) (*ranked, error) {
	if n.inMemory() {
		return n.codes.rank(ctx, n.codesAsked(), n.vector)
	}
	code := vector.Code(n.vector)
	r := newRanked(len(n.vector))
	q := newQuery("SELECT row_id, "+codeColumn(len(n.vector))+" FROM "+n.tables.embeddings+" WHERE model = ?", n.o.Model)
	var row int64
	var raw sql.RawBytes
	return r, n.owned(q, "").rows(n.db, func(rows *sql.Rows) error {
		if err := rows.Scan(&row, &raw); err != nil {
			return err
		}
		if len(raw) != vector.CodeBytes(len(n.vector)) {
			return fmt.Errorf("the code of vector %d has %d bytes", row, len(raw))
		}
		r.add(row, vector.HammingBytes(code, raw))
		return nil
	})
}

// codesAsked is the search as the copy of the codes needs it.
func (n *nearest) codesAsked() codesAsked {
	return codesAsked{scope: n.scope, db: n.db, model: n.o.Model, dimensions: len(n.vector)}
}

// codeColumn is the code of a vector, written as in its index: only so does SQLite read
// it from there, without the vectors.
func codeColumn(dimensions int) string {
	return "substr(embedding, " + strconv.Itoa(4*dimensions) + " + 1)"
}
