package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
)

// maxSortedThreads is how many conversations that match are sorted by their last message. If
// there are more, the latest conversations are tried one after the other: most of them match.
const maxSortedThreads = 20_000

// triedShare is which part of as many conversations as match are tried before these are sorted.
// Where the matches are spread over all times, the page is full by then.
const triedShare = 8

// latest returns the conversations with the latest last message.
func (s threadSearch) latest(after *scope.Place, limit int) ([]threadMatch, error) {
	matches := len(onePerThread(s.messages.Matches)) + len(onePerThread(s.titles.Matches))
	most := matches / triedShare
	if matches > maxSortedThreads {
		most = math.MaxInt
	}
	page, after, ended, err := s.tried(after, limit, most)
	if err != nil || ended || len(page) == limit {
		return page, err
	}
	sorted, err := s.sorted(after)
	if err != nil {
		return nil, err
	}
	for n := 2 * limit; len(page) < limit && len(sorted) > 0; n = min(2*n, maxTried) {
		some := sorted[:min(n, len(sorted))]
		sorted = sorted[len(some):]
		matching, err := s.matching(some)
		if err != nil {
			return nil, err
		}
		page = append(page, matching...)
	}
	return page[:min(limit, len(page))], nil
}

// maxTried is how many conversations are looked up in the index at once.
const maxTried = 10 * maxFewThreads

// tried tries the latest conversations that the filter leaves, about most of them if the page is
// not full before. It returns the place of the last one that it tried, and whether that is the end.
func (s threadSearch) tried(after *scope.Place, limit, most int) (page []threadMatch, last *scope.Place, ended bool, err error) {
	for n := 2 * limit; most >= n && len(page) < limit; n = min(2*n, maxTried) {
		candidates, err := s.walk(after, n)
		if err != nil {
			return nil, nil, false, err
		}
		if len(candidates) > 0 {
			place := s.threadPlace(candidates[len(candidates)-1])
			after = &place
		}
		ended = len(candidates) < n
		matching, err := s.matching(candidates)
		if err != nil {
			return nil, nil, false, err
		}
		if page = append(page, matching...); ended {
			break
		}
		most -= n
	}
	return page[:min(limit, len(page))], after, ended, nil
}

// onePerThread returns the first match of each conversation in each source. In a segment they are
// side by side, among noted texts a conversation may have several.
func onePerThread(matches []segment.Match) (one []segment.Match) {
	for i, m := range matches {
		if i == 0 || m.Thread != matches[i-1].Thread || m.Source != matches[i-1].Source {
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

// walk reads the next n conversations that the filter leaves, whether they match or not.
func (s threadSearch) walk(after *scope.Place, n int) ([]threadMatch, error) {
	c := s.conversations()
	q := query.New("SELECT c.id, c.user_id, c.last_message_at FROM " + c.table + " c" + s.throughActivity() + " WHERE 1 = 1 AND 1 = 1")
	q = s.eligible(q, c, after).Add(s.newest(c).OrderBy(" DESC")+" LIMIT ?", n)
	found, err := query.All(s.db, q, threadDest)
	return query.Values(found), err
}
