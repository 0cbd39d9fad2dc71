package embeddings

import (
	"strconv"
)

// Ranked holds the row_ids of vectors, to be taken in the order of their codes' Hamming
// distance to that of a search: the number of sign bits that differ.
type Ranked struct {
	rows      []int64
	distances []uint16
	// counts is the number of rows at each distance.
	counts []int
	// next is the first distance that Next has not taken, and taken counts the rows before it.
	next, taken int
}

// NewRanked returns an empty Ranked for vectors of this many dimensions.
func NewRanked(dimensions int) *Ranked { return &Ranked{counts: make([]int, dimensions+1)} }

// Add adds a row with the distance of its code, at most the number of dimensions.
func (r *Ranked) Add(row int64, distance int) {
	r.rows = append(r.rows, row)
	r.distances = append(r.distances, uint16(distance))
	r.counts[distance]++
}

// Len is the number of all rows.
func (r *Ranked) Len() int { return len(r.rows) }

// Left is the number of rows that Next has not taken.
func (r *Ranked) Left() int { return len(r.rows) - r.taken }

// Next takes the nearest n of the rows that are left, and all others at the distance of the
// last of them. Their order is that in which they were added. It returns fewer than n if no
// more are left.
func (r *Ranked) Next(n int) []int64 {
	from, count := r.next, 0
	for ; r.next < len(r.counts) && count < n; r.next++ {
		count += r.counts[r.next]
	}
	rows := make([]int64, 0, count)
	for i, d := range r.distances {
		if int(d) >= from && int(d) < r.next {
			rows = append(rows, r.rows[i])
		}
	}
	r.taken += count
	return rows
}

// CodeColumn is the SQL expression for the code of a vector. SQLite reads the code from the
// index alone, without the vector, only if the expression is the same as in the index.
func CodeColumn(dimensions int) string {
	return "substr(embedding, " + strconv.Itoa(4*dimensions) + " + 1)"
}
