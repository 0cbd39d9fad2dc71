package search

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
)

// wordMessages returns the first messages after a place that have the words, at most limit.
func (t *textSearch) wordMessages(after *scope.Place, limit int) (page []match, err error) {
	err = t.onIndex(func(w *wordSearch) error {
		found, err := w.find(w.messageFields()...)
		if err != nil {
			return err
		}
		if w.byRank() {
			page, err = w.bestMessages(found, after, limit)
		} else {
			page, err = w.newestMessages(found, after, limit)
		}
		return err
	})
	return page, err
}

// bestMessages looks at the best matches first, until enough of them pass the filter.
func (w *wordSearch) bestMessages(found *textindex.Found, after *scope.Place, limit int) ([]match, error) {
	r := newRanking(found, 1, compareMatches, matchAt(after))
	page := make([]match, 0, limit)
	for n := limit; len(page) < limit; n = min(2*n, maxLookups) {
		candidates, err := r.next(n)
		if err != nil || len(candidates) == 0 {
			return page, err
		}
		live, err := w.live(candidates)
		if err != nil {
			return nil, err
		}
		page = append(page, live...)
	}
	return page[:limit], nil
}

// matchAt is the match at the end of a page by rank, whose row is a message; nil without a page.
func matchAt(after *scope.Place) *match {
	if after == nil {
		return nil
	}
	return &match{score: scoreOf(after), key: scope.OwnedID{ID: after.ID, User: after.User}}
}

// matchesOf reads the keys and times of matches.
func matchesOf(found *textindex.Found, matches []segment.Match, weight float64) ([]match, error) {
	infos, err := found.Infos(matches)
	if err != nil {
		return nil, err
	}
	all := make([]match, len(matches))
	for i, info := range infos {
		all[i] = match{key: keyOf(info), thread: info.Key.Thread, time: time.UnixMicro(info.At).UTC(), score: matches[i].Score * weight}
	}
	return all, nil
}

// live returns those of some matches whose messages the search may return, in their order.
func (w *wordSearch) live(candidates []match) ([]match, error) {
	x := w.messages()
	live := map[scope.OwnedID]bool{}
	for some := range slices.Chunk(candidates, maxLookups) {
		ids := make([]uuid.UUID, len(some))
		for i, m := range some {
			ids[i] = m.key.ID
		}
		in, arg := w.sc.Dialect.InUUIDs("m.id", ids)
		q := query.New("SELECT m.id, m.user_id"+w.fromRows(x)+" WHERE "+in, arg)
		found, err := query.All(w.db, w.eligible(q, x, nil), func(k *scope.OwnedID) []any { return []any{&k.ID, &k.User} })
		if err != nil {
			return nil, err
		}
		for _, key := range found {
			live[*key] = true
		}
	}
	return slices.DeleteFunc(candidates, func(m match) bool { return !live[m.key] }), nil
}

// maxLookups is how many rows are looked up with one statement.
const maxLookups = 4096

// newestMessages reads the segments from the one with the latest message on, until no other can
// have one that belongs on the page.
func (w *wordSearch) newestMessages(found *textindex.Found, after *scope.Place, limit int) ([]match, error) {
	sources := bySource(found)
	page, waiting := make([]match, 0, limit), []match{}
	for i, s := range sources {
		more, err := matchesOf(found, s.matches, 0)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, more...)
		slices.SortFunc(waiting, compareTimes)
		if after != nil {
			last := match{time: after.Time(), key: scope.OwnedID{ID: after.ID, User: after.User}}
			waiting = slices.DeleteFunc(waiting, func(m match) bool { return compareTimes(m, last) <= 0 })
		}
		until := int64(math.MinInt64)
		if i+1 < len(sources) {
			until = sources[i+1].until
		}
		ready := 0
		for ready < len(waiting) && waiting[ready].time.UnixMicro() > until {
			ready++
		}
		if page, err = w.fill(page, waiting[:ready], limit); err != nil || len(page) == limit {
			return page, err
		}
		waiting = waiting[ready:]
	}
	return page, nil
}

// fill adds to a page those of the candidates that the search may return, until it is full.
func (w *wordSearch) fill(page, candidates []match, limit int) ([]match, error) {
	for n := 2 * limit; len(candidates) > 0 && len(page) < limit; n *= 4 {
		some := candidates[:min(n, len(candidates))]
		candidates = candidates[len(some):]
		live, err := w.live(slices.Clone(some))
		if err != nil {
			return nil, err
		}
		page = append(page, live...)
	}
	return page[:min(limit, len(page))], nil
}

// compareTimes orders matches by time, id and user, latest first.
func compareTimes(a, b match) int {
	return -cmp.Or(a.time.Compare(b.time), bytes.Compare(a.key.ID[:], b.key.ID[:]), bytes.Compare(a.key.User[:], b.key.User[:]))
}

// sourceMatches are the matches of a source, none of them later than until.
type sourceMatches struct {
	until   int64
	matches []segment.Match
}

// bySource returns the sources with matches, the one with the latest document first.
func bySource(found *textindex.Found) (all []sourceMatches) {
	rest := found.Matches
	for len(rest) > 0 {
		n := 0
		for n < len(rest) && rest[n].Source == rest[0].Source {
			n++
		}
		until, known := found.Until(rest[0].Source)
		if !known {
			until = math.MaxInt64
		}
		all = append(all, sourceMatches{until, rest[:n]})
		rest = rest[n:]
	}
	slices.SortStableFunc(all, func(a, b sourceMatches) int { return cmp.Compare(b.until, a.until) })
	return all
}
