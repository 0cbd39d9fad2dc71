package search

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// textTable is a table with text to search: messages m or conversations c.
type textTable struct {
	alias, table string
	// columns hold the text.
	columns []string
	// timeColumn is the time of a row, and threadColumn the conversation's id.
	timeColumn, threadColumn string
}

func (t *textSearch) messages() textTable {
	return textTable{"m", t.sc.Tables.Messages, []string{"m.content"}, "m.created_at", "m.conversation_id"}
}

func (t *textSearch) conversations() textTable {
	return textTable{"c", t.sc.Tables.Conversations, []string{"c.title", "c.subject"}, "c.last_message_at", "c.id"}
}

// joinsConversations tells whether messages are joined with their conversations. A plan can
// then begin with the few conversations that a selective filter leaves.
func (t *textSearch) joinsConversations() bool { return isSelective(t.options.Filter) }

// fromRows is the FROM clause for the conditions of eligible.
func (t *textSearch) fromRows(x textTable) string {
	tables := x.table + " " + x.alias
	if x.alias == "m" && t.joinsConversations() {
		tables += " JOIN " + t.sc.Tables.Conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id"
	}
	return " FROM " + tables
}

// eligible adds the conditions of a row that the search may return: it belongs to the
// scope, is not deleted, passes the filter, and its conversation comes after a place, if
// there is one.
//
// A subquery, which no planner turns into a join, looks up the conversations of most
// messages one by one. PostgreSQL plans for any word and takes each for rare, and a join
// planned for a few rows compares each of many rows with each.
func (t *textSearch) eligible(q *query.Query, x textTable, after *scope.Place) *query.Query {
	if x.alias == "m" {
		t.sc.Owned(q.Add(" AND m.deleted_at IS NULL AND m.state <> 'streaming'"), "m.")
	}
	if len(t.only) > 0 {
		in, arg := t.sc.Dialect.InUUIDs(x.threadColumn, t.only)
		q.Add(" AND "+in, arg)
	}
	if x.alias == "c" || t.joinsConversations() {
		return t.passesFilter(t.sc.Owned(q, "c.").Add(" AND "), x, after)
	}
	// The subquery selects the conditions instead of having them in its WHERE clause. There,
	// they would make the planner choose a partial index that has all of the user's
	// conversations before the id.
	t.passesFilter(q.Add(" AND (SELECT "), x, after).Add(" FROM " + t.sc.Tables.Conversations +
		" c WHERE c.id = m.conversation_id AND c.user_id = m.user_id")
	return t.sc.Owned(q, "c.").Add(")")
}

// passesFilter adds the conditions that conversation c is not deleted, comes after a place,
// and passes the filter, together with its message if x is the messages.
func (t *textSearch) passesFilter(q *query.Query, x textTable, after *scope.Place) *query.Query {
	t.comesAfter(q.Add("c.deleted_at IS NULL"), t.conversations(), after)
	if x.alias == "m" {
		addFilter(t.sc, q, t.options.Filter)
		return q
	}
	if id := t.options.Filter.ConversationID; id != uuid.Nil {
		q.Add(" AND c.id = ?", id)
	}
	addConversationFilter(t.sc, q, t.options.Filter)
	return q
}

// newest is the order of x with the newest first, if it descends.
func (t *textSearch) newest(x textTable) scope.Sort {
	if x.alias == "c" {
		return t.sc.SortByActivity("c.")
	}
	return t.sc.SortByArrival(x.timeColumn, x.alias+".")
}

// comesAfter adds the condition that a row of x, newest first, comes after a place. It adds
// nothing if after is nil.
func (t *textSearch) comesAfter(q *query.Query, x textTable, after *scope.Place) *query.Query {
	if after == nil {
		return q
	}
	return t.newest(x).After(q, "<", after)
}
