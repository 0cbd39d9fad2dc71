package scope

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

// Deleted narrows a query by the mark of the soft delete.
func Deleted(q *query.Query, d store.Deleted, alias string) *query.Query {
	switch d {
	case store.ExcludeDeleted:
		q.Add(" AND " + alias + "deleted_at IS NULL")
	case store.OnlyDeleted:
		q.Add(" AND " + alias + "deleted_at IS NOT NULL")
	}
	return q
}

// StatusIs writes the statuses out, since a planner takes a partial index only for a
// constant. They are validated.
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

func Between(q *query.Query, column string, since, before time.Time) {
	if !since.IsZero() {
		q.Add(" AND "+column+" >= ?", since)
	}
	if !before.IsZero() {
		q.Add(" AND "+column+" < ?", before)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// LikePattern matches s anywhere, its % and _ as letters.
func LikePattern(s string) string { return "%" + likeEscaper.Replace(s) + "%" }

// After narrows a query to what follows a place in a list by a column, whose value there
// is key, and the id. Beyond is "<" in a falling order and ">" in a rising one.
func (sc Scope) After(q *query.Query, column, alias, beyond string, key any, p *Place) *query.Query {
	if sc.All {
		return q.Add(" AND ("+column+", "+alias+"id, "+alias+"user_id) "+beyond+" (?, ?, ?)", key, p.ID, p.User)
	}
	return q.Add(" AND ("+column+", "+alias+"id) "+beyond+" (?, ?)", key, p.ID)
}

// OrderBy is the order of a list by a column and the whole key; direction is "" or
// " DESC". In a list of one user the id is the whole key. In that of all users an index
// by column and id still gives the order, since only rows with the same id are left to be
// sorted by their users.
func (sc Scope) OrderBy(column, alias, direction string) string {
	order := " ORDER BY " + column + direction + ", " + alias + "id" + direction
	if sc.All {
		order += ", " + alias + "user_id" + direction
	}
	return order
}

// InLive narrows a query to rows whose conversation is live: what is in a deleted one is
// not there. The subquery has a value and is no EXISTS, which both databases may turn into
// a join: SQLite with all conversations read into a filter first, PostgreSQL with all of the
// user's, since its plan is for the average user and one may have 1,000 times as many.
func (sc Scope) InLive(q *query.Query, alias string) *query.Query {
	q.Add(" AND " + sc.Liveness("c.id = "+alias+"conversation_id AND c.user_id = "+alias+"user_id"))
	return sc.Owned(q, "c.").Add(")")
}

// Liveness begins a subquery that is true for a live conversation.
func (sc Scope) Liveness(which string) string {
	return "(SELECT c.deleted_at IS NULL FROM " + sc.Tables.Conversations + " c WHERE " + which
}

const NotHeld = "held_at IS NULL"
