package search

import (
	"bytes"
	"cmp"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// threadMatch is a conversation that matches by its messages or its title.
type threadMatch struct {
	key    scope.OwnedID
	active time.Time
	score  float64
	// bestMessage is the id of its best message, nil if only the title matches.
	bestMessage uuid.UUID
	// messages counts its messages that match.
	messages int64
}

// threadPlace is the place of a conversation in the order of the search.
func (t *textSearch) threadPlace(m threadMatch) scope.Place {
	if t.byRank() {
		return scope.Place{Key: scoreKey(m.score), ID: m.key.ID, User: m.key.User}
	}
	return scope.Place{Key: scope.TimeKey(m.active), ID: m.key.ID, User: m.key.User}
}

// findThreads returns the first conversations after a place, at most limit.
func (t *textSearch) findThreads(after *scope.Place, limit int) ([]threadMatch, error) {
	switch {
	case t.bySubstring():
		return t.partThreads(after, limit)
	case t.byRank():
		return t.highestRankedThreads(after, limit)
	}
	page, total, err := t.readThreads(t.matchingThreads(after, limit, sortLimit+1))
	if err == nil && total > sortLimit {
		page, err = t.index.walkThreads(t, after, limit)
	}
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return page, t.countMessages(page)
}

// titleWeight is the weight of a match in the title; a match in a message has 1.
const titleWeight = 2

// highestRankedThreads groups the ranked messages and titles by conversation. The score of a
// conversation is that of its best message or its title, whichever is higher.
func (t *textSearch) highestRankedThreads(after *scope.Place, limit int) ([]threadMatch, error) {
	byMessage, err := t.index.highestRanked(t, t.messages(), nil, store.MaxRanked)
	if err != nil {
		return nil, err
	}
	var byTitle []match
	if !filtersMessages(t.options.Filter) {
		if byTitle, err = t.index.highestRanked(t, t.conversations(), nil, store.MaxRanked); err != nil {
			return nil, err
		}
	}
	threads := map[scope.OwnedID]*threadMatch{}
	threadOf := func(m match) *threadMatch {
		key := scope.OwnedID{ID: m.thread, User: m.key.User}
		if threads[key] == nil {
			threads[key] = &threadMatch{key: key}
		}
		return threads[key]
	}
	for _, m := range byMessage { // highest score first
		th := threadOf(m)
		if th.messages++; th.messages == 1 {
			th.score, th.bestMessage = m.score, m.key.ID
		}
	}
	for _, m := range byTitle {
		th := threadOf(m)
		th.score = max(th.score, titleWeight*m.score)
	}
	return pageByScore(threads, after, limit), nil
}

// pageByScore returns the first conversations after a place in the order of scores, at most
// limit.
func pageByScore(threads map[scope.OwnedID]*threadMatch, after *scope.Place, limit int) []threadMatch {
	page := make([]threadMatch, 0, len(threads))
	var last threadMatch // of the page before
	if after != nil {
		last = threadMatch{score: scoreOf(after), key: scope.OwnedID{ID: after.ID, User: after.User}}
	}
	for _, th := range threads {
		if after == nil || compareScores(*th, last) > 0 {
			page = append(page, *th)
		}
	}
	slices.SortFunc(page, compareScores)
	return page[:min(limit, len(page))]
}

// compareScores orders conversations by score, id and user, highest first.
func compareScores(a, b threadMatch) int {
	return -cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.key.ID[:], b.key.ID[:]), bytes.Compare(a.key.User[:], b.key.User[:]))
}

// matchingThreads selects the latest conversations among at most maxMatches matching
// messages and as many matching titles, and the number of these matches.
func (t *textSearch) matchingThreads(after *scope.Place, limit, maxMatches int) *query.Query {
	m, c := t.messages(), t.conversations()
	q := query.New("WITH hits AS MATERIALIZED (SELECT m.conversation_id AS id, m.user_id" + t.fromIndex(m) + " WHERE ")
	t.eligible(t.matches(q, m), m, after).Add(" LIMIT ?)", maxMatches)
	union, total := "SELECT id, user_id FROM hits", "(SELECT count(*) FROM hits)"
	if !filtersMessages(t.options.Filter) {
		q.Add(", titles AS MATERIALIZED (SELECT c.id, c.user_id" + t.fromIndex(c) + " WHERE ")
		t.eligible(t.matches(q, c), c, after).Add(" LIMIT ?)", maxMatches)
		union, total = union+" UNION SELECT id, user_id FROM titles", total+" + (SELECT count(*) FROM titles)"
	}
	q.Add(" SELECT c.id, c.user_id, c.last_message_at, " + total + " FROM (SELECT DISTINCT id, user_id FROM (" + union + ") b) a" +
		t.sc.Dialect.OrderedJoin() + c.table + " c ON c.id = a.id AND c.user_id = a.user_id WHERE c.deleted_at IS NULL")
	return t.sc.Owned(q, "c.").Add(t.newest(c).OrderBy(" DESC")+" LIMIT ?", limit)
}

// walkedThreads selects the same conversations by trying one after the other, from the
// latest on. It does not count the matches.
func (t *textSearch) walkedThreads(has rowCondition, after *scope.Place, limit int) *query.Query {
	c := t.conversations()
	q := query.New("SELECT c.id, c.user_id, c.last_message_at, 0" + t.fromRows(c) + t.throughActivity() + " WHERE (")
	if !filtersMessages(t.options.Filter) {
		has(q, c).Add(" OR ")
	}
	t.hasMessage(q, has).Add(")")
	return t.eligible(q, c, after).Add(t.newest(c).OrderBy(" DESC")+" LIMIT ?", limit)
}

// throughActivity names the index for a walk through all users' conversations, unless the
// filter leaves few of them.
func (t *textSearch) throughActivity() string {
	if isSelective(t.options.Filter) {
		return ""
	}
	return t.sc.ThroughActivity()
}

// hasMessage adds the condition that a message of conversation c matches. It is not an
// EXISTS: PostgreSQL would hash all matching messages for that.
func (t *textSearch) hasMessage(q *query.Query, has rowCondition) *query.Query {
	m := t.messages()
	has(q.Add("(SELECT TRUE FROM "+m.table+" m WHERE "), m)
	q.Add(" AND m.conversation_id = c.id AND m.user_id = c.user_id AND m.deleted_at IS NULL")
	addFilter(t.sc.Owned(q, "m."), t.options.Filter)
	return q.Add(" LIMIT 1)")
}

// readThreads reads conversations; total is the number of matches, 0 where the query does
// not count them.
func (t *textSearch) readThreads(q *query.Query) (page []threadMatch, total int, err error) {
	err = q.Read(t.db, func() { page = nil }, func(rows *sql.Rows) error {
		var th threadMatch
		err := rows.Scan(&th.key.ID, &th.key.User, (*record.Instant)(&th.active), &total)
		page = append(page, th)
		return err
	})
	return page, total, err
}

// countMessages counts the matching messages of each conversation of a page, and fills in
// the newest of them as the best.
func (t *textSearch) countMessages(page []threadMatch) error {
	x := t.messages()
	ids := make([]uuid.UUID, len(page))
	for i, th := range page {
		ids[i] = th.key.ID
	}
	t = t.inThreads(ids)
	q := query.New("SELECT id, user_id, conversation_id, n FROM (SELECT m.id, m.user_id, m.conversation_id," +
		" count(*) OVER (PARTITION BY m.conversation_id, m.user_id) AS n," +
		" row_number() OVER (PARTITION BY m.conversation_id, m.user_id ORDER BY m.created_at DESC, m.id DESC) AS place" +
		t.fromIndex(x) + " WHERE ")
	t.eligible(t.matches(q, x), x, nil).Add(") ranked WHERE place = 1")
	return q.Read(t.db, func() {}, func(rows *sql.Rows) error {
		id, n, key := uuid.UUID{}, int64(0), scope.OwnedID{}
		err := rows.Scan(&id, &key.User, &key.ID, &n)
		for i := range page {
			if page[i].key == key {
				page[i].bestMessage, page[i].messages = id, n
			}
		}
		return err
	})
}
