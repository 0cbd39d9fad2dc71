package search

import (
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
)

// sortLimit is how many matches a search reads and sorts. If there are more, it finds a page
// of the newest sooner by walking the rows from the newest on.
const sortLimit = 2000

// match is a row that matches: a message, or a conversation by its title.
type match struct {
	key    scope.OwnedID
	thread uuid.UUID
	time   time.Time
	score  float64
}

// conversation is the key of the match's conversation.
func (m match) conversation() scope.OwnedID { return scope.OwnedID{ID: m.thread, User: m.key.User} }

// place is the place of a match in the order of the search.
func (t *textSearch) place(m match) scope.Place {
	if t.byRank() {
		return scope.Place{Key: scoreKey(m.score), ID: m.key.ID, User: m.key.User}
	}
	return scope.Place{Key: scope.TimeKey(m.time), ID: m.key.ID, User: m.key.User}
}

// scoreKey is the key of a score in a scope.Place, and scoreOf reads it.
func scoreKey(score float64) int64 { return int64(math.Float64bits(score)) }

func scoreOf(p *scope.Place) float64 { return math.Float64frombits(uint64(p.Key)) }

// findMessages returns the first messages after a place, at most limit.
func (t *textSearch) findMessages(after *scope.Place, limit int) ([]match, error) {
	if t.bySubstring() {
		return t.partMessages(after, limit)
	}
	return t.wordMessages(after, limit)
}
