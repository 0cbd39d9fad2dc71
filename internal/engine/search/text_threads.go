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
	if t.bySubstring() {
		return t.partThreads(after, limit)
	}
	return t.wordThreads(after, limit)
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

// throughActivity names the index for a walk through all users' conversations, unless the
// filter leaves few of them.
func (t *textSearch) throughActivity() string {
	if isSelective(t.options.Filter) {
		return ""
	}
	return t.sc.ThroughActivity()
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
