package embeddings

import (
	"strconv"
)

// Ranked are the rows of vectors by the distance of their codes: of sign bits that differ.
type Ranked struct {
	rows      []int64
	distances []uint16
	// counts is how many rows there are of each distance.
	counts []int
	// at is the first distance that was not taken, and taken counts the rows before it.
	at, taken int
}

func NewRanked(dimensions int) *Ranked { return &Ranked{counts: make([]int, dimensions+1)} }

func (r *Ranked) Add(row int64, distance int) {
	r.rows = append(r.rows, row)
	r.distances = append(r.distances, uint16(distance))
	r.counts[distance]++
}

func (r *Ranked) Len() int { return len(r.rows) }

func (r *Ranked) Left() int { return len(r.rows) - r.taken }

// Next takes the nearest of what is left: n rows, and those as near as the last of them.
func (r *Ranked) Next(n int) []int64 {
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

// CodeColumn is the code of a vector, written as in its index: only so does SQLite read
// it from there, without the vectors.
func CodeColumn(dimensions int) string {
	return "substr(embedding, " + strconv.Itoa(4*dimensions) + " + 1)"
}
