package search

import (
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

// best returns the conversations with the best matches. The score of a conversation is that of its
// best message or its title, whichever is higher. It goes through the matches from the best on
// until the page is full: a conversation comes with the match that has its score.
func (s threadSearch) best(after *scope.Place, limit int) ([]threadMatch, error) {
	var last *match
	if after != nil {
		last = &match{score: scoreOf(after), thread: after.ID, key: scope.OwnedID{User: after.User}}
	}
	messages := newRanking(s.messages, 1, compareThreads, last)
	titles := newRanking(s.titles, titleWeight, compareThreads, last)
	known := knownThreads{}
	page := make([]threadMatch, 0, limit)
	for n := limit; ; n = min(2*n, maxLookups) {
		matches, err := nextOf(n, messages, titles)
		if err != nil || len(matches) == 0 {
			return page, err
		}
		if err := known.add(s, matches); err != nil {
			return nil, err
		}
		for _, m := range matches {
			if th := known.take(m); th != nil {
				page = append(page, *th)
			}
			if len(page) == limit {
				return page, nil
			}
		}
	}
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

// matching returns those of some conversations that match by a message that the filter leaves, or
// by their title. It counts the messages of each that match, and fills in the best of them: by rank
// that with the highest score, otherwise the newest. By rank each gets its score.
func (s threadSearch) matching(threads []threadMatch) ([]threadMatch, error) {
	keys := make([]scope.OwnedID, len(threads))
	byKey := make(map[scope.OwnedID]*threadMatch, len(threads))
	for i := range threads {
		keys[i], byKey[threads[i].key] = threads[i].key, &threads[i]
	}
	messages, err := s.liveMessagesOf(keys)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		th := byKey[m.conversation()]
		if th == nil {
			continue
		}
		if th.messages++; th.messages == 1 {
			th.bestMessage, th.score = m.key.ID, m.score
		}
	}
	titles, err := s.matchesIn(s.titles, keys, titleWeight)
	if err != nil {
		return nil, err
	}
	titled := make(map[scope.OwnedID]bool, len(titles))
	for _, m := range titles {
		titled[m.key] = true
		if th := byKey[m.key]; th != nil {
			th.score = max(th.score, m.score)
		}
	}
	return slices.DeleteFunc(threads, func(th threadMatch) bool { return th.messages == 0 && !titled[th.key] }), nil
}

// liveMessagesOf returns the messages of some conversations that match and that the search may
// return, in its order.
func (s threadSearch) liveMessagesOf(threads []scope.OwnedID) ([]match, error) {
	found, err := s.matchesIn(s.messages, threads, 1)
	if err != nil {
		return nil, err
	}
	compare := compareTimes
	if s.byRank() {
		compare = compareMatches
	}
	slices.SortFunc(found, compare)
	return s.live(found)
}

// matchesIn returns what matches in some conversations, with scores by rank alone.
func (s threadSearch) matchesIn(found *textindex.Found, threads []scope.OwnedID, weight float64) ([]match, error) {
	matches, err := found.Of(threads)
	if err != nil {
		return nil, err
	}
	if !s.byRank() {
		weight = 0
	}
	return matchesOf(found, matches, weight)
}
