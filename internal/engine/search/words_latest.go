package search

import (
	"cmp"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
)

// maxSortedThreads is how many conversations that match are sorted by their last message. If
// there are more, the latest conversations are tried one after the other: most of them match.
const maxSortedThreads = 20_000

// latest returns the conversations with the latest last message.
func (s threadSearch) latest(after *scope.Place, limit int) ([]threadMatch, error) {
	next, err := s.byActivity(after)
	if err != nil {
		return nil, err
	}
	var page []threadMatch
	for n := 2 * limit; len(page) < limit; n = min(2*n, maxFewThreads*10) {
		candidates, err := next(n)
		if err != nil || len(candidates) == 0 {
			return page, err
		}
		matching, err := s.matching(candidates)
		if err != nil {
			return nil, err
		}
		page = append(page, matching...)
	}
	return page[:limit], nil
}

// byActivity returns a function that gives the next n conversations that may match, the latest
// first, and none at the end.
func (s threadSearch) byActivity(after *scope.Place) (func(n int) ([]threadMatch, error), error) {
	var one []segment.Match // of each conversation
	for _, found := range []*textindex.Found{s.messages, s.titles} {
		one = append(one, onePerThread(found.Matches)...)
	}
	if len(one) > maxSortedThreads {
		return s.walk(after), nil
	}
	sorted, err := s.sorted(after)
	return func(n int) ([]threadMatch, error) {
		some := sorted[:min(n, len(sorted))]
		sorted = sorted[len(some):]
		return some, nil
	}, err
}

// onePerThread returns the first match of each conversation in each source.
func onePerThread(matches []segment.Match) (one []segment.Match) {
	type thread struct {
		source int
		number uint32
	}
	seen := map[thread]bool{}
	for _, m := range matches {
		if key := (thread{m.Source, m.Thread}); !seen[key] {
			seen[key] = true
			one = append(one, m)
		}
	}
	return one
}

// sorted reads the conversations of all matches and sorts them.
func (s threadSearch) sorted(after *scope.Place) ([]threadMatch, error) {
	var keys []scope.OwnedID
	for _, found := range []*textindex.Found{s.messages, s.titles} {
		matches, err := matchesOf(found, onePerThread(found.Matches), 1)
		if err != nil {
			return nil, err
		}
		for _, m := range matches {
			keys = append(keys, scope.OwnedID{ID: m.thread, User: m.key.User})
		}
	}
	slices.SortFunc(keys, scope.OwnedID.Compare)
	threads, err := s.eligibleThreads(slices.Compact(keys), after)
	slices.SortFunc(threads, func(a, b threadMatch) int {
		return -cmp.Or(a.active.Compare(b.active), a.key.Compare(b.key))
	})
	return threads, err
}

// walk reads the conversations that the filter leaves, whether they match or not.
func (s threadSearch) walk(after *scope.Place) func(n int) ([]threadMatch, error) {
	c := s.conversations()
	return func(n int) ([]threadMatch, error) {
		q := query.New("SELECT c.id, c.user_id, c.last_message_at FROM " + c.table + " c" + s.throughActivity() + " WHERE 1 = 1 AND 1 = 1")
		q = s.eligible(q, c, after).Add(s.newest(c).OrderBy(" DESC")+" LIMIT ?", n)
		found, err := query.All(s.db, q, threadDest)
		if len(found) > 0 {
			place := s.threadPlace(*found[len(found)-1])
			after = &place
		}
		return query.Values(found), err
	}
}
