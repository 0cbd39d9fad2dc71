package search

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
)

// ranking gives the matches of a search, those with the highest score first. It reads the keys of
// as many as it is asked for, and of all that tie with the last of them: their ids decide.
type ranking struct {
	found  *textindex.Found
	weight float64
	// compare orders matches by score and then by the ids that break ties, highest first.
	compare func(a, b match) int
	after   *match
	matches []segment.Match
	// asked is how many of the matches were asked for, and read of how many the keys were read,
	// which are more if there were ties.
	asked, read int
	// ready are those of the matches read that were not given yet, in order.
	ready []match
}

// newRanking begins after a match, or with the best if that is nil. All scores count weight times.
func newRanking(found *textindex.Found, weight float64, compare func(a, b match) int, after *match) *ranking {
	r := &ranking{found: found, weight: weight, compare: compare, after: after, matches: found.Matches}
	if after != nil {
		r.matches = slices.DeleteFunc(slices.Clone(r.matches), func(m segment.Match) bool { return m.Score*weight > after.score })
	}
	return r
}

// next returns the next n matches, fewer only at the end.
func (r *ranking) next(n int) ([]match, error) {
	return nextOf(n, r)
}

// fill makes some matches ready, at least n if there are as many, unless some are.
func (r *ranking) fill(n int) error {
	for len(r.ready) == 0 && r.read < len(r.matches) {
		r.asked = max(r.read+n, 4*r.asked)
		top := segment.Top(r.matches, r.asked)
		fresh := top[r.read:]
		r.read = len(top)
		found, err := matchesOf(r.found, fresh, r.weight)
		if err != nil {
			return err
		}
		slices.SortFunc(found, r.compare)
		if r.after != nil {
			found = slices.DeleteFunc(found, func(m match) bool { return r.compare(m, *r.after) <= 0 })
		}
		r.ready = found
	}
	return nil
}

// nextOf returns the next n matches of several rankings with one order, fewer only at the end.
func nextOf(n int, of ...*ranking) (next []match, err error) {
	for len(next) < n {
		var first *ranking
		for _, r := range of {
			if err := r.fill(n); err != nil {
				return nil, err
			}
			if len(r.ready) > 0 && (first == nil || r.compare(r.ready[0], first.ready[0]) < 0) {
				first = r
			}
		}
		if first == nil {
			break
		}
		next, first.ready = append(next, first.ready[0]), first.ready[1:]
	}
	return next, nil
}

// compareMatches orders matches by score, id and user, highest first.
func compareMatches(a, b match) int {
	return -cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.key.ID[:], b.key.ID[:]), bytes.Compare(a.key.User[:], b.key.User[:]))
}

// compareThreads orders matches by score, and then by the id and the user of the conversation,
// highest first.
func compareThreads(a, b match) int {
	return -cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.thread[:], b.thread[:]), bytes.Compare(a.key.User[:], b.key.User[:]))
}
