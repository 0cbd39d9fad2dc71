package search

import (
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
)

// threadSearch is a search by words for conversations: by their messages and by their titles.
type threadSearch struct {
	*wordSearch
	messages, titles *textindex.Found
}

// wordThreads returns the first conversations after a place that have the words, at most limit.
func (t *textSearch) wordThreads(after *scope.Place, limit int) (page []threadMatch, err error) {
	err = t.onIndex(func(w *wordSearch) error {
		s := threadSearch{wordSearch: w, titles: &textindex.Found{}}
		var err error
		if s.messages, err = w.find(w.messageFields()...); err != nil {
			return err
		}
		if !filtersMessages(w.options.Filter) {
			if s.titles, err = w.find(segment.TitleField); err != nil {
				return err
			}
		}
		if w.byRank() {
			page, err = s.best(after, limit)
		} else {
			page, err = s.latest(after, limit)
		}
		return err
	})
	return page, err
}

// titleWeight is the weight of a match in the title; a match in a message has 1.
const titleWeight = 2

// best groups the best messages and titles by conversation. The score of a conversation is that
// of its best message or its title, whichever is higher. It looks at more of them until the
// page is full with conversations of which nothing better can come.
func (s threadSearch) best(after *scope.Place, limit int) ([]threadMatch, error) {
	for n := 4 * limit; ; n *= 4 {
		threads, unseen, err := s.bestOf(n)
		if err != nil {
			return nil, err
		}
		page := pageByScore(threads, after, limit)
		if len(page) == limit && page[limit-1].score > unseen || math.IsInf(unseen, -1) {
			return page, s.complete(page)
		}
	}
}

// bestOf returns the conversations of the n best messages and of the n best titles. unseen is
// the highest score that another match may have.
func (s threadSearch) bestOf(n int) (threads map[scope.OwnedID]*threadMatch, unseen float64, err error) {
	threads, unseen = map[scope.OwnedID]*threadMatch{}, math.Inf(-1)
	for _, part := range []struct {
		found  *textindex.Found
		weight float64
		live   func([]match) ([]match, error)
	}{{s.messages, 1, s.live}, {s.titles, titleWeight, s.liveTitles}} {
		top := segment.Top(part.found.Matches, n)
		if len(top) < len(part.found.Matches) {
			unseen = max(unseen, top[len(top)-1].Score*part.weight)
		}
		candidates, err := matchesOf(part.found, top, part.weight)
		if err != nil {
			return nil, 0, err
		}
		live, err := part.live(candidates)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range live {
			key := scope.OwnedID{ID: m.thread, User: m.key.User}
			if threads[key] == nil {
				threads[key] = &threadMatch{key: key, score: m.score}
			}
			threads[key].score = max(threads[key].score, m.score)
		}
	}
	return threads, unseen, nil
}

// liveTitles returns those of some matches whose conversations the search may return.
func (s threadSearch) liveTitles(candidates []match) ([]match, error) {
	keys := make([]scope.OwnedID, len(candidates))
	for i, m := range candidates {
		keys[i] = m.key
	}
	found, err := s.eligibleThreads(keys, nil)
	if err != nil {
		return nil, err
	}
	live := map[scope.OwnedID]bool{}
	for _, th := range found {
		live[th.key] = true
	}
	return slices.DeleteFunc(candidates, func(m match) bool { return !live[m.key] }), nil
}

// eligibleThreads reads those of some conversations that come after a place, if there is one,
// and that the search may return.
func (s threadSearch) eligibleThreads(keys []scope.OwnedID, after *scope.Place) (threads []threadMatch, err error) {
	c := s.conversations()
	wanted := map[scope.OwnedID]bool{}
	for some := range slices.Chunk(keys, maxLookups) {
		ids := make([]uuid.UUID, len(some))
		for i, key := range some {
			ids[i], wanted[key] = key.ID, true
		}
		in, arg := s.sc.Dialect.InUUIDs("c.id", ids)
		q := query.New("SELECT c.id, c.user_id, c.last_message_at"+s.fromRows(c)+" WHERE "+in+" AND 1 = 1", arg)
		found, err := query.All(s.db, s.eligible(q, c, after), threadDest)
		if err != nil {
			return nil, err
		}
		threads = append(threads, query.Values(found)...)
	}
	return slices.DeleteFunc(threads, func(th threadMatch) bool { return !wanted[th.key] }), nil
}

func threadDest(th *threadMatch) []any {
	return []any{&th.key.ID, &th.key.User, (*record.Instant)(&th.active)}
}

// complete counts the messages of each conversation that match, and fills in the best of them:
// by rank that with the highest score, otherwise the newest.
func (s threadSearch) complete(page []threadMatch) error {
	threads := make([]scope.OwnedID, len(page))
	place := map[scope.OwnedID]int{}
	for i, th := range page {
		threads[i], place[th.key] = th.key, i
	}
	of, err := s.messages.Of(threads)
	if err != nil {
		return err
	}
	candidates, err := matchesOf(s.messages, of, 1)
	if err != nil {
		return err
	}
	live, err := s.live(candidates)
	if err != nil {
		return err
	}
	before := compareTimes
	if s.byRank() {
		before = compareMatches
	}
	slices.SortFunc(live, before)
	for _, m := range live {
		i, ok := place[scope.OwnedID{ID: m.thread, User: m.key.User}]
		if !ok {
			continue
		}
		if page[i].messages++; page[i].messages == 1 {
			page[i].bestMessage = m.key.ID
		}
	}
	return nil
}
