package search

import (
	"database/sql"
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
