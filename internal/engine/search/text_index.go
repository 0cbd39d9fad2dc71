package search

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/words"
)

// textIndex is the part of a text search that PostgreSQL and SQLite do differently: each
// has its own kind of index of words, and its own way to find the newest of many matches.
type textIndex interface {
	// from names the tables of x so that matches can use the index of words.
	from(x textTable) string
	// matches adds the condition that a row of x has the words, in the form that the index
	// of words answers.
	matches(t *textSearch, q *query.Query, x textTable) *query.Query
	// highestRanked returns a page of the rows that rank highest among the newest
	// store.MaxRanked matches.
	highestRanked(t *textSearch, x textTable, after *scope.Place, limit int) ([]match, error)
	// newestMessages returns a page of the newest messages that match.
	newestMessages(t *textSearch, after *scope.Place, limit int) ([]match, error)
	// walkThreads returns a page of the latest conversations that match. It is for more than
	// sortLimit matches, too many to read and sort.
	walkThreads(t *textSearch, after *scope.Place, limit int) ([]threadMatch, error)
	// matchedWords returns the words of each row that the search found there. It is nil where
	// they are the words of the query.
	matchedWords(t *textSearch, x textTable, ids []uuid.UUID) (map[scope.OwnedID][]words.Term, error)
}

// textIndexOf returns how a database looks for words.
func textIndexOf(d dialect.Dialect) (textIndex, error) {
	return dialect.Pick[textIndex](d, postgresText{}, sqliteText{})
}
