package scope

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
)

// Lock is a query that reads conversations of the scope's user and locks them against other
// writers until the transaction ends. It locks them in the order of their ids, so that two
// transactions that lock many cannot deadlock. On SQLite it is an UPDATE that changes nothing,
// since only a write takes a lock there.
func (sc Scope) Lock(columns string, condition *query.Query) *query.Query {
	return sc.LockRows(columns, query.New("user_id = ? AND ", sc.User).Append(condition))
}

// LockRows is Lock for a condition that restricts the user by itself.
func (sc Scope) LockRows(columns string, condition *query.Query) *query.Query {
	if forUpdate := sc.Dialect.ForUpdate(); forUpdate != "" {
		return query.New("SELECT " + columns + " FROM " + sc.Tables.Conversations + " WHERE ").Append(condition).Add(" ORDER BY id" + forUpdate)
	}
	return query.New("UPDATE " + sc.Tables.Conversations + " SET last_seq = last_seq WHERE ").Append(condition).Add(" RETURNING " + columns)
}

// Among is the condition that a row belongs to the scope's user and its column is one of ids.
func (sc Scope) Among(column string, ids []uuid.UUID) *query.Query {
	in, arg := sc.Dialect.InUUIDs(column, ids)
	return query.New(in+" AND "+sc.Dialect.Unindexed("user_id")+" = ?", arg, sc.User)
}

// LockEach locks the rows of conversations, live or deleted, in the order in which their ids are given.
func (sc Scope) LockEach(columns string, ids []uuid.UUID) *query.Query {
	if sc.Dialect.ForUpdate() == "" {
		return sc.LockRows(columns, sc.Among("id", ids))
	}
	return sc.each(columns, sc.Tables.Conversations, ids, sc.Dialect.ForUpdate())
}

// ReadEach selects the rows of a table with some ids, without an order.
func (sc Scope) ReadEach(columns, table string, ids []uuid.UUID) *query.Query {
	if sc.Dialect.ForUpdate() == "" {
		return query.New("SELECT " + columns + " FROM " + table + " WHERE ").Append(sc.Among("id", ids))
	}
	return sc.each(columns, table, ids, "")
}

// each looks up one id after the other on PostgreSQL: without statistics it would read all rows of the
// user for a list of them.
func (sc Scope) each(columns, table string, ids []uuid.UUID, lock string) *query.Query {
	_, list := sc.Dialect.InUUIDs("id", ids)
	return query.New("SELECT t.* FROM unnest(CAST(? AS uuid[])) AS v (wanted) CROSS JOIN LATERAL (SELECT "+columns+" FROM "+table+
		" WHERE id = v.wanted AND user_id = ? OFFSET 0"+lock+") t", list, sc.User)
}
