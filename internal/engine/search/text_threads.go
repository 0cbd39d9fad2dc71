package search

import (
	"bytes"
	"cmp"
	"database/sql"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// threadMatch is a conversation that was found.
type threadMatch struct {
	key    scope.OwnedID
	active time.Time
	score  float64
	// best is the id of its best message, nil if only the title matches.
	best     uuid.UUID
	messages int64
}

func (t *textSearch) threadPlace(m threadMatch) scope.Place {
	if t.ranks() {
		return scope.Place{Key: int64(math.Float64bits(m.score)), ID: m.key.ID, User: m.key.User}
	}
	return scope.Place{Key: scope.TimeKey(m.active), ID: m.key.ID, User: m.key.User}
}

func (t *textSearch) findThreads(after *scope.Place, limit int) ([]threadMatch, error) {
	if t.ranks() {
		return t.bestThreads(after, limit)
	}
	found, total, err := t.readThreads(t.matchingThreads(after, limit, sortLimit+1))
	switch {
	case err != nil || total <= sortLimit:
	case t.postgres() || t.substring():
		found, _, err = t.readThreads(t.walkedThreads(after, limit))
	default:
		found, err = t.stepThreads(after, limit)
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found, t.countMessages(found)
}

// titleWeight is what a match in the title counts, beside one in a message.
const titleWeight = 2

// bestThreads puts the ranked messages and titles together by conversation.
func (t *textSearch) bestThreads(after *scope.Place, limit int) ([]threadMatch, error) {
	byMessage, err := t.best(t.messages(), nil, store.MaxRanked)
	if err != nil {
		return nil, err
	}
	var byTitle []match
	if !ofMessages(t.o.Filter) {
		if byTitle, err = t.best(t.titles(), nil, store.MaxRanked); err != nil {
			return nil, err
		}
	}
	threads := map[scope.OwnedID]*threadMatch{}
	at := func(m match) *threadMatch {
		key := scope.OwnedID{ID: m.thread, User: m.key.User}
		if threads[key] == nil {
			threads[key] = &threadMatch{key: key}
		}
		return threads[key]
	}
	for _, m := range byMessage { // best first
		th := at(m)
		if th.messages++; th.messages == 1 {
			th.score, th.best = m.score, m.key.ID
		}
	}
	for _, m := range byTitle {
		th := at(m)
		th.score = max(th.score, titleWeight*m.score)
	}
	return topThreads(threads, after, limit), nil
}

// topThreads sorts by score and id, highest first, and cuts the page out.
func topThreads(threads map[scope.OwnedID]*threadMatch, after *scope.Place, limit int) []threadMatch {
	list := make([]threadMatch, 0, len(threads))
	var end threadMatch
	if after != nil {
		end = threadMatch{score: score(after), key: scope.OwnedID{ID: after.ID, User: after.User}}
	}
	for _, th := range threads {
		if after == nil || byScore(*th, end) > 0 {
			list = append(list, *th)
		}
	}
	slices.SortFunc(list, byScore)
	return list[:min(limit, len(list))]
}

// byScore is the order of ranked conversations.
func byScore(a, b threadMatch) int {
	return -cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.key.ID[:], b.key.ID[:]), bytes.Compare(a.key.User[:], b.key.User[:]))
}

// matchingThreads asks for the conversations of so many matches, and for how many matches
// there are.
func (t *textSearch) matchingThreads(after *scope.Place, limit, most int) *query.Query {
	m, c := t.messages(), t.titles()
	q := query.New("WITH hits AS MATERIALIZED (SELECT m.conversation_id AS id, m.user_id" + t.from(m, true) + " WHERE ")
	t.live(t.matches(q, m), m, after).Add(" LIMIT ?)", most)
	union, total := "SELECT id, user_id FROM hits", "(SELECT count(*) FROM hits)"
	if !ofMessages(t.o.Filter) {
		q.Add(", titles AS MATERIALIZED (SELECT c.id, c.user_id" + t.from(c, true) + " WHERE ")
		t.live(t.matches(q, c), c, after).Add(" LIMIT ?)", most)
		union, total = union+" UNION SELECT id, user_id FROM titles", total+" + (SELECT count(*) FROM titles)"
	}
	q.Add(" SELECT c.id, c.user_id, c.last_message_at, " + total + " FROM (SELECT DISTINCT id, user_id FROM (" + union + ") b) a" +
		t.join() + c.table + " c ON c.id = a.id AND c.user_id = a.user_id WHERE c.deleted_at IS NULL")
	return t.sc.Owned(q, "c.").Add(t.sc.OrderBy("c.last_message_at", "c.", " DESC")+" LIMIT ?", limit)
}

// walkedThreads asks for the same from the newest conversation on.
func (t *textSearch) walkedThreads(after *scope.Place, limit int) *query.Query {
	c := t.titles()
	q := query.New("SELECT c.id, c.user_id, c.last_message_at, 0" + t.from(c, false) + " WHERE (")
	if !ofMessages(t.o.Filter) {
		t.has(q, c).Add(" OR ")
	}
	t.hasMessage(q).Add(")")
	return t.live(q, c, after).Add(t.sc.OrderBy("c.last_message_at", "c.", " DESC")+" LIMIT ?", limit)
}

// hasMessage adds the condition that a message of conversation c matches. Of an EXISTS
// PostgreSQL would make a table of all messages that match.
func (t *textSearch) hasMessage(q *query.Query) *query.Query {
	m := t.messages()
	t.has(q.Add("(SELECT TRUE FROM "+m.table+" m WHERE "), m)
	q.Add(" AND m.conversation_id = c.id AND m.user_id = c.user_id AND m.deleted_at IS NULL")
	searchFilter(t.sc.Owned(q, "m."), t.o.Filter)
	return q.Add(" LIMIT 1)")
}

func (t *textSearch) readThreads(q *query.Query) (found []threadMatch, total int, err error) {
	err = q.Read(t.db, func() { found = nil }, func(rows *sql.Rows) error {
		var th threadMatch
		err := rows.Scan(&th.key.ID, &th.key.User, (*record.Instant)(&th.active), &total)
		found = append(found, th)
		return err
	})
	return found, total, err
}

// countMessages counts the matching messages of conversations and finds the newest.
func (t *textSearch) countMessages(found []threadMatch) error {
	x := t.messages()
	ids := make([]uuid.UUID, len(found))
	for i, th := range found {
		ids[i] = th.key.ID
	}
	t = t.in(ids)
	q := query.New("SELECT id, user_id, conversation_id, n FROM (SELECT m.id, m.user_id, m.conversation_id," +
		" count(*) OVER (PARTITION BY m.conversation_id, m.user_id) AS n," +
		" row_number() OVER (PARTITION BY m.conversation_id, m.user_id ORDER BY m.created_at DESC, m.id DESC) AS place" +
		t.from(x, true) + " WHERE ")
	t.live(t.matches(q, x), x, nil).Add(") ranked WHERE place = 1")
	return q.Read(t.db, func() {}, func(rows *sql.Rows) error {
		id, n, key := uuid.UUID{}, int64(0), scope.OwnedID{}
		err := rows.Scan(&id, &key.User, &key.ID, &n)
		for i := range found {
			if found[i].key == key {
				found[i].best, found[i].messages = id, n
			}
		}
		return err
	})
}
