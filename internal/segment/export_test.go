package segment

// Tiny makes a builder cut blocks and pieces after a few bytes, so that small texts have many.
func (b *Builder) Tiny() {
	b.limits = limits{block: 40, postings: 4, places: 6, piecePostings: 3, piecePlaces: 5}
}
