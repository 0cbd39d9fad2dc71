package search

import (
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// texts is a table whose rows have words: messages m or conversations c.
type texts struct {
	alias, table string
	// index is SQLite's table of the words.
	index string
	// columns have the text itself.
	columns []string
	// newest is the column by which rows are new, and thread the conversation's id.
	newest, thread string
}

func (t *textSearch) messages() texts {
	return texts{"m", t.sc.Tables.Messages, t.sc.Tables.MessagesText, []string{"m.content"}, "m.created_at", "m.conversation_id"}
}

func (t *textSearch) titles() texts {
	return texts{"c", t.sc.Tables.Conversations, t.sc.Tables.ConversationsText, []string{"c.title", "c.subject"}, "c.last_message_at", "c.id"}
}

func (t *textSearch) postgres() bool { return t.sc.Dialect.Name() == dialect.Postgres }

func (t *textSearch) substring() bool { return t.o.Match == store.MatchSubstring }

// join is the word between two tables. SQLite takes those of a CROSS JOIN from left to
// right, and without statistics would often begin at the wrong end.
func (t *textSearch) join() string {
	if t.postgres() {
		return " JOIN "
	}
	return " CROSS JOIN "
}

// joined tells whether messages are joined with their conversations, so that a plan can
// begin with the few that the filter leaves.
func (t *textSearch) joined() bool { return isSelective(t.o.Filter) }

// from names the tables that matches and live look at. With byIndex SQLite begins with
// its index of words.
func (t *textSearch) from(x texts, byIndex bool) string {
	from := x.table + " " + x.alias
	if byIndex && !t.postgres() && !t.substring() {
		from = x.index + t.join() + from + " ON " + x.alias + ".row_id = " + x.index + ".rowid"
	}
	if x.alias == "m" && t.joined() {
		from += " JOIN " + t.sc.Tables.Conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id"
	}
	return " FROM " + from
}

// matches adds the condition that a row has what is looked for, in the form that an index
// of words answers.
func (t *textSearch) matches(q *query.Query, x texts) *query.Query {
	switch {
	case t.substring():
		return t.hasPart(q, x)
	case t.postgres():
		q.Add(x.alias + ".search @@ ")
		return t.asks(t.tsQuery(q))
	}
	return q.Add(x.index+" MATCH ?", t.fts5())
}

// has is matches for a query that walks the rows in another order: PostgreSQL's index of
// words cannot answer it, and PostgreSQL takes half of the rows to match, so that it does
// not sort what it can walk. SQLite has no such form, since its index is a table.
func (t *textSearch) has(q *query.Query, x texts) *query.Query {
	if t.substring() {
		return t.hasPart(q, x)
	}
	q.Add("coalesce(" + x.alias + ".search @@ ")
	return t.asks(t.tsQuery(q).Add(", false)"))
}

func (t *textSearch) hasPart(q *query.Query, x texts) *query.Query {
	pattern := scope.LikePattern(t.part)
	for i, column := range x.columns {
		q.Add([]string{"(", " OR "}[min(i, 1)]+column+" "+t.sc.Dialect.Like()+` ? ESCAPE '\'`, pattern)
	}
	return q.Add(")")
}

// rank is how well a row matches: higher is better.
func (t *textSearch) rank(q *query.Query, x texts) *query.Query {
	if !t.postgres() {
		return q.Add("0.0 - bm25(" + x.index + ", 1.0, 0.0)")
	}
	q.Add("CAST(ts_rank_cd(" + x.alias + ".search, ")
	return t.tsQuery(q).Add(") AS double precision)")
}

const toTSQuery = "to_tsquery(CAST(CAST(? AS text) AS regconfig), ?)"

func (t *textSearch) tsQuery(q *query.Query) *query.Query {
	all, _ := t.query.TSQuery()
	return q.Add(toTSQuery, t.features.TextConfig, all)
}

// asks finds nothing if the configuration leaves out all words that are to be there:
// what remains would ask for all texts that lack something.
func (t *textSearch) asks(q *query.Query) *query.Query {
	if len(t.query.Not) == 0 {
		return q
	}
	_, positive := t.query.TSQuery()
	return q.Add(" AND numnode("+toTSQuery+") > 0", t.features.TextConfig, positive)
}

// fts5 asks for the words in what the scope sees, or in some of its conversations: the
// ids are words of the index.
func (t *textSearch) fts5() string {
	ask := t.query.FTS5("content")
	if !t.sc.All {
		ask = "scope : " + fts5ID("u", t.sc.User) + " AND " + ask
	}
	threads := t.only
	if id := t.o.Filter.ConversationID; id != uuid.Nil {
		threads = []uuid.UUID{id}
	}
	if len(threads) == 0 {
		return ask
	}
	ids := make([]string, len(threads))
	for i, id := range threads {
		ids[i] = fts5ID("c", id)
	}
	return "scope : (" + strings.Join(ids, " OR ") + ") AND " + ask
}

func fts5ID(kind string, id uuid.UUID) string {
	return `"` + kind + strings.ReplaceAll(id.String(), "-", "") + `"`
}

// live adds the conditions of rows that may be found: of conversations after a place, if
// there is one.
//
// Most messages are looked up in their conversations one by one, by a subquery that no
// planner makes a join of. PostgreSQL, planning for any word, takes each for rare, and a
// join made for a few rows compares each of many with each.
func (t *textSearch) live(q *query.Query, x texts, after *scope.Place) *query.Query {
	if x.alias == "m" {
		t.sc.Owned(q.Add(" AND m.deleted_at IS NULL"), "m.")
	}
	if len(t.only) > 0 {
		in, arg := t.sc.Dialect.InUUIDs(x.thread, t.only)
		q.Add(" AND "+in, arg)
	}
	if x.alias == "c" || t.joined() {
		return t.passes(t.sc.Owned(q, "c.").Add(" AND "), x, after)
	}
	// Asked for and not a condition: a partial index would offer itself, in which all of
	// the user's conversations come before the id.
	t.passes(q.Add(" AND (SELECT "), x, after).Add(" FROM " + t.sc.Tables.Conversations +
		" c WHERE c.id = m.conversation_id AND c.user_id = m.user_id")
	return t.sc.Owned(q, "c.").Add(")")
}

// passes says that conversation c is live, and passes the filter with its message.
func (t *textSearch) passes(q *query.Query, x texts, after *scope.Place) *query.Query {
	t.beyond(q.Add("c.deleted_at IS NULL"), t.titles(), after)
	if x.alias == "m" {
		searchFilter(q, t.o.Filter)
		return q
	}
	if id := t.o.Filter.ConversationID; id != uuid.Nil {
		q.Add(" AND c.id = ?", id)
	}
	conversationFilter(q, t.o.Filter)
	return q
}

// beyond leaves out what stood on the pages before.
func (t *textSearch) beyond(q *query.Query, x texts, after *scope.Place) *query.Query {
	if after == nil {
		return q
	}
	return t.sc.After(q, x.newest, x.alias+".", "<", after.Time(), after)
}
