package scope

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
)

// Lock reads conversations of the scope's user and keeps them from all other writers
// until the transaction ends; in the order of their ids, so that two locks of many
// cannot wait for each other. A write is the only lock that SQLite has.
func (sc Scope) Lock(columns string, which *query.Query) *query.Query {
	return sc.LockRows(columns, query.New("user_id = ? AND ", sc.User).Append(which))
}

// LockRows is lock for a condition that names the user.
func (sc Scope) LockRows(columns string, which *query.Query) *query.Query {
	if forUpdate := sc.Dialect.ForUpdate(); forUpdate != "" {
		return query.New("SELECT " + columns + " FROM " + sc.Tables.Conversations + " WHERE ").Append(which).Add(" ORDER BY id" + forUpdate)
	}
	return query.New("UPDATE " + sc.Tables.Conversations + " SET last_seq = last_seq WHERE ").Append(which).Add(" RETURNING " + columns)
}

// Among is the condition that a column of the user's rows is one of ids.
func (sc Scope) Among(column string, ids []uuid.UUID) *query.Query {
	in, arg := sc.Dialect.InUUIDs(column, ids)
	return query.New(in+" AND "+sc.Dialect.Unindexed("user_id")+" = ?", arg, sc.User)
}
