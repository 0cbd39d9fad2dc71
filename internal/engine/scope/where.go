package scope

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/store"
)

// Deleted restricts a query to live or to deleted rows. alias is that of the table, with its dot.
func Deleted(q *query.Query, d store.Deleted, alias string) *query.Query {
	switch d {
	case store.ExcludeDeleted:
		q.Add(" AND " + alias + "deleted_at IS NULL")
	case store.OnlyDeleted:
		q.Add(" AND " + alias + "deleted_at IS NOT NULL")
	}
	return q
}

// StatusIs is the condition that the status is one of statuses, which must be valid. They are
// constants in the SQL and not arguments, since a planner uses a partial index only for a
// constant.
func StatusIs[S ~string](statuses []S) string {
	words := make([]string, len(statuses))
	for i, st := range statuses {
		words[i] = "'" + string(st) + "'"
	}
	if len(words) == 1 {
		return "status = " + words[0]
	}
	return "status IN (" + strings.Join(words, ", ") + ")"
}

// Between restricts a column to times from since until before, which is excluded. A zero time is
// no bound.
func Between(q *query.Query, column string, since, before time.Time) {
	if !since.IsZero() {
		q.Add(" AND "+column+" >= ?", since)
	}
	if !before.IsZero() {
		q.Add(" AND "+column+" < ?", before)
	}
}

// InLive restricts a query to rows whose conversation is live. Rows in a deleted conversation
// count as deleted. It is a scalar subquery and not EXISTS, which both databases may turn into
// a join: SQLite then reads all conversations into a filter first, and PostgreSQL all of the
// user's, since it plans for the average user and one may have 1,000 times as many.
func (sc Scope) InLive(q *query.Query, alias string) *query.Query {
	q.Add(" AND " + sc.Liveness("c.id = "+alias+"conversation_id AND c.user_id = "+alias+"user_id"))
	return sc.Owned(q, "c.").Add(")")
}

// Liveness begins a subquery that is true if the conversation c of a condition is live. The
// caller may add conditions and closes the parenthesis.
func (sc Scope) Liveness(condition string) string {
	return "(SELECT c.deleted_at IS NULL FROM " + sc.Tables.Conversations + " c WHERE " + condition
}

// InLiveMessage restricts a query to rows of live messages of live conversations. It is InLive for
// tables whose rows belong to a message.
func (sc Scope) InLiveMessage(q *query.Query, alias string) *query.Query {
	q.Add(" AND (SELECT m.deleted_at IS NULL AND " + sc.Liveness("c.id = m.conversation_id AND c.user_id = m.user_id"))
	sc.Owned(q, "c.").Add(") FROM " + sc.Tables.Messages + " m WHERE m.id = " + alias + "message_id AND m.user_id = " + alias + "user_id")
	return sc.Owned(q, "m.").Add(")")
}

// What holds for an entry d of the outbox: OpenDelivery, that it has not ended, in the words of the
// partial indexes, and DueDelivery, that a worker may take it now, which is given twice.
const (
	OpenDelivery = "done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL"
	DueDelivery  = "d.due_at <= ? AND (d.claimed_until IS NULL OR d.claimed_until <= ?)"
)

// NotHeld is the condition that a conversation is not on hold.
const NotHeld = "held_at IS NULL"

// Counts is message.Message.Counts of live messages as a condition.
func Counts(alias string) string { return latest.Counts(strings.TrimSuffix(alias, ".")) }
