package search

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/store"
)

// sqliteText searches in FTS5 tables whose rowid is the row_id of the text's row.
type sqliteText struct{}

// from begins with the index of words. SQLite reads the tables of a CROSS JOIN from left to
// right; without statistics it would often begin at the wrong end.
func (sqliteText) from(x textTable) string {
	return x.index + " CROSS JOIN " + x.table + " " + x.alias + " ON " + x.alias + ".row_id = " + x.index + ".rowid"
}

func (i sqliteText) matches(t *textSearch, q *query.Query, x textTable) *query.Query {
	return q.Add(x.index+" MATCH ?", i.fts5(t))
}

// fts5 is the FTS5 expression for the words in all that the scope sees, or in some of its
// conversations. The ids of the user and of the conversation are words of the index.
func (sqliteText) fts5(t *textSearch) string {
	expression := t.query.FTS5("content")
	if !t.sc.All {
		expression = "scope : " + fts5ID("u", t.sc.User) + " AND " + expression
	}
	threads := t.only
	if id := t.options.Filter.ConversationID; id != uuid.Nil {
		threads = []uuid.UUID{id}
	}
	if len(threads) == 0 {
		return expression
	}
	ids := make([]string, len(threads))
	for i, id := range threads {
		ids[i] = fts5ID("c", id)
	}
	return "scope : (" + strings.Join(ids, " OR ") + ") AND " + expression
}

// fts5ID is the word of the index for an id: "u" for a user, "c" for a conversation.
func fts5ID(kind string, id uuid.UUID) string {
	return `"` + kind + strings.ReplaceAll(id.String(), "-", "") + `"`
}

// highestRanked takes the newest matches by rowid: the index of words has the order in which
// the rows were inserted.
func (sqliteText) highestRanked(t *textSearch, x textTable, after *scope.Place, limit int) ([]match, error) {
	page, _, err := t.readMatches(t.withHits(x, func(q *query.Query) {
		t.eligible(t.matches(q.Add(", 0.0 - bm25("+x.index+", 1.0, 0.0) AS score"+t.fromIndex(x)+" WHERE "), x), x, nil).
			Add(" ORDER BY "+x.index+".rowid DESC LIMIT ?", store.MaxRanked)
	}), "hits", after, limit)
	return page, err
}

func (i sqliteText) newestMessages(t *textSearch, after *scope.Place, limit int) ([]match, error) {
	page, total, err := t.sortMessages(after, limit)
	if err != nil || total <= sortLimit {
		return page, err
	}
	return i.walkRanges(t, after, limit)
}

// SQLite walks ranges of rows, where PostgreSQL walks the rows one by one: to ask SQLite's
// index of words about one row costs as much as to ask it about hundreds. Each range is
// longer than the one before.
const (
	firstRange  = 10 // times the limit
	rangeFactor = 4
	noLimit     = -1 // of a LIMIT
)

// rowRange is a range of the messages, newest first, that ends with the message at end. The
// row_ids of its rows are between low and high.
type rowRange struct {
	rows, low, high int64
	end             *scope.Place
}

// walkRanges looks for matches in one range of the messages after the other, from the newest
// on, until the page is full or no messages are left.
func (i sqliteText) walkRanges(t *textSearch, after *scope.Place, limit int) (page []match, err error) {
	x := t.messages()
	for size := int64(limit) * firstRange; ; size *= rangeFactor {
		r, err := i.readRange(t, after, size)
		if err != nil || r.rows == 0 {
			return page, err
		}
		more, _, err := t.readMatches(t.withHits(x, func(q *query.Query) {
			t.eligible(t.matches(q.Add(", 0.0 AS score"+t.fromIndex(x)+" WHERE "), x), x, nil).
				Add(" AND "+x.index+".rowid BETWEEN ? AND ?", r.low, r.high)
			t.comesAfter(t.newest(x).After(q, ">=", r.end), x, after)
		}), "hits", nil, limit-len(page))
		page = append(page, more...)
		if err != nil || len(page) == limit || r.rows < size {
			return page, err
		}
		after = r.end
	}
}

// readRange reads the bounds of the next size messages after a place. It reads an index
// alone.
func (sqliteText) readRange(t *textSearch, after *scope.Place, size int64) (r rowRange, err error) {
	q := query.New("WITH step AS MATERIALIZED (SELECT m.row_id, m.created_at, m.id, m.user_id FROM " + t.sc.Tables.Messages + " m WHERE 1 = 1")
	t.comesAfter(t.sc.Owned(q, "m."), t.messages(), after).Add(t.newest(t.messages()).OrderBy(" DESC")+" LIMIT ?)", size)
	q.Add(" SELECT n, low, high, created_at, id, user_id FROM (SELECT count(*) AS n, min(row_id) AS low, max(row_id) AS high FROM step) a," +
		" (SELECT created_at, id, user_id FROM step" + t.sc.SortByArrival("created_at", "").OrderBy("") + " LIMIT 1) b")
	var at record.Instant
	var key scope.OwnedID
	if _, err = q.Row(t.db, &r.rows, &r.low, &r.high, &at, &key.ID, &key.User); err != nil {
		return r, err
	}
	r.end = &scope.Place{Key: scope.TimeKey(time.Time(at)), ID: key.ID, User: key.User}
	return r, nil
}

// walkThreads looks in the latest conversations, which mostly have a common word, and only
// if they do not fill the page at all matches: to look up one conversation costs as much as
// to read a hundred matches.
func (i sqliteText) walkThreads(t *textSearch, after *scope.Place, limit int) ([]threadMatch, error) {
	latest, err := i.latestThreads(t, after, 2*limit)
	if err != nil || len(latest) == 0 {
		return nil, err
	}
	inLatest := t.inThreads(embeddings.IDsOf(latest))
	page, _, err := inLatest.readThreads(inLatest.matchingThreads(after, limit, noLimit))
	// Another user may have a conversation with the same id, anywhere in the order.
	page = slices.DeleteFunc(page, func(th threadMatch) bool { return !slices.Contains(latest, th.key) })
	if err != nil || len(page) == limit || len(latest) < 2*limit {
		return page, err
	}
	page, _, err = t.readThreads(t.matchingThreads(after, limit, noLimit))
	return page, err
}

// latestThreads returns the first n conversations after a place that pass the filter.
func (sqliteText) latestThreads(t *textSearch, after *scope.Place, n int) ([]scope.OwnedID, error) {
	c := t.conversations()
	q := t.eligible(query.New("SELECT c.id, c.user_id FROM "+c.table+" c"+t.throughActivity()+" WHERE 1 = 1"), c, after)
	q.Add(t.newest(c).OrderBy(" DESC")+" LIMIT ?", n)
	keys, err := query.All(t.db, q, func(key *scope.OwnedID) []any { return []any{&key.ID, &key.User} })
	return query.Values(keys), err
}

// matchedWords is nil: FTS5 finds words as they are, without grammar.
func (sqliteText) matchedWords(*textSearch, textTable, []uuid.UUID) (map[scope.OwnedID][]words.Term, error) {
	return nil, nil //nolint:nilnil // they are the words of the query
}
