package search

import (
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/store"
)

// postgresText searches in the column search of each table, a tsvector with a GIN index.
type postgresText struct{}

func (postgresText) from(x textTable) string { return x.table + " " + x.alias }

func (i postgresText) matches(t *textSearch, q *query.Query, x textTable) *query.Query {
	q.Add(x.alias + ".search @@ ")
	return i.hasWords(t, i.tsQuery(t, q))
}

// rowMatches returns the condition for a query that walks the rows in another order than
// that of the index of words. The coalesce keeps that index away, and makes PostgreSQL
// expect that half of the rows match, so that it walks an index for the order and does not
// sort.
func (i postgresText) rowMatches(t *textSearch) rowCondition {
	return func(q *query.Query, x textTable) *query.Query {
		q.Add("coalesce(" + x.alias + ".search @@ ")
		return i.hasWords(t, i.tsQuery(t, q).Add(", false)"))
	}
}

const toTSQuery = "to_tsquery(CAST(CAST(? AS text) AS regconfig), ?)"

// tsQuery adds the tsquery of the search.
func (postgresText) tsQuery(t *textSearch, q *query.Query) *query.Query {
	all, _ := t.query.TSQuery()
	return q.Add(toTSQuery, t.features.TextConfig, all)
}

// hasWords adds the condition that the configuration keeps at least one of the words that
// must be there. If it drops all of them as stop words, only the excluded words remain, and
// they would match every text that lacks them.
func (postgresText) hasWords(t *textSearch, q *query.Query) *query.Query {
	if len(t.query.Not) == 0 {
		return q
	}
	_, positive := t.query.TSQuery()
	return q.Add(" AND numnode("+toTSQuery+") > 0", t.features.TextConfig, positive)
}

// highestRanked first reads rankLimit matches by the index of words. If there are more, it
// walks the rows from the newest on instead.
func (i postgresText) highestRanked(t *textSearch, x textTable, after *scope.Place, limit int) ([]match, error) {
	q := t.withHits(x, func(q *query.Query) {
		t.eligible(t.matches(q.Add(t.fromIndex(x)+" WHERE "), x), x, nil).Add(" LIMIT ?", rankLimit+1)
	})
	page, total, err := t.readMatches(i.withRanks(t, q, x), "ranked", after, limit)
	if err != nil || total <= rankLimit {
		return page, err
	}
	has := i.rowMatches(t)
	q = t.withHits(x, func(q *query.Query) {
		t.eligible(has(q.Add(t.fromRows(x)+" WHERE "), x), x, nil).Add(t.newest(x).OrderBy(" DESC")+" LIMIT ?", store.MaxRanked)
	})
	page, _, err = t.readMatches(i.withRanks(t, q, x), "ranked", after, limit)
	return page, err
}

// withRanks adds the list "ranked" to a query of hits: the newest hits and their ranks. The
// list is empty if there are more than rankLimit hits, which are then not the newest.
func (i postgresText) withRanks(t *textSearch, q *query.Query, x textTable) *query.Query {
	q.Add(", ranked AS MATERIALIZED (SELECT h.id, h.user_id, h.thread, h.newest, CAST(ts_rank_cd(" + x.alias + ".search, ")
	i.tsQuery(t, q).Add(") AS double precision) AS score FROM (SELECT * FROM hits WHERE (SELECT count(*) FROM hits) <= ?"+
		t.newestHits(x).OrderBy(" DESC")+" LIMIT ?) h JOIN "+x.table+" "+x.alias+
		" ON "+x.alias+".id = h.id AND "+x.alias+".user_id = h.user_id WHERE 1 = 1", rankLimit, store.MaxRanked)
	return t.sc.Owned(q, x.alias+".").Add(")")
}

func (i postgresText) newestMessages(t *textSearch, after *scope.Place, limit int) ([]match, error) {
	page, total, err := t.sortMessages(after, limit)
	if err != nil || total <= sortLimit {
		return page, err
	}
	return t.walkMessages(i.rowMatches(t), after, limit)
}

func (i postgresText) walkThreads(t *textSearch, after *scope.Place, limit int) ([]threadMatch, error) {
	page, _, err := t.readThreads(t.walkedThreads(i.rowMatches(t), after, limit))
	return page, err
}

// Marks around a word in a headline. Unicode defines them as noncharacters, so that no text
// has them.
const openMark, closeMark = "\ufdd0", "\ufdd1"

// matchedWords asks PostgreSQL for the words that it found, because a configuration with
// grammar finds "paying" for "pay". The configuration simple has no grammar.
func (i postgresText) matchedWords(t *textSearch, x textTable, ids []uuid.UUID) (map[scope.OwnedID][]words.Term, error) {
	if strings.TrimPrefix(t.features.TextConfig, "pg_catalog.") == "simple" {
		return nil, nil //nolint:nilnil // they are the words of the query
	}
	text := "coalesce(" + strings.Join(x.columns, ", '') || ' ' || coalesce(") + ", '')"
	q := query.New("SELECT "+x.alias+".id, "+x.alias+".user_id, ts_headline(CAST(CAST(? AS text) AS regconfig), left("+text+", 125000), ",
		t.features.TextConfig)
	in, arg := t.sc.Dialect.InUUIDs(x.alias+".id", ids)
	i.tsQuery(t, q).Add(", ?) FROM "+x.table+" "+x.alias+" WHERE "+in, "HighlightAll=true, StartSel="+openMark+", StopSel="+closeMark, arg)
	t.sc.Owned(q, x.alias+".")
	byKey := map[scope.OwnedID][]words.Term{}
	err := q.Read(t.db, func() { clear(byKey) }, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var headline string
		err := rows.Scan(&key.ID, &key.User, &headline)
		byKey[key] = markedWords(headline)
		return err
	})
	return byKey, err
}

// markedWords returns the words between marks, each once, in the order of the headline.
func markedWords(headline string) (terms []words.Term) {
	seen := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(headline, openMark)
		if !ok {
			return terms
		}
		var word string
		word, headline, _ = strings.Cut(rest, closeMark)
		if t, ok := words.Words(word); ok && !seen[word] {
			terms = append(terms, t)
		}
		seen[word] = true
	}
}
