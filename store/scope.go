package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// scope is a store with the answer to "whose rows?".
type scope struct {
	*store
	user uuid.UUID
	all  bool
	// operator says that the scope of one user was made of that of all.
	operator bool
}

type (
	conversations struct{ scope }
	messages      struct {
		scope
		sql *appendStatements
	}
	suggestions struct {
		scope
		appends *appendStatements
	}
	search struct {
		scope
		codes *codes
	}
	embeddings struct{ scope }
	reports    struct {
		scope
		types *leadTypes
	}
	maintenance struct{ scope }
)

var (
	_ Conversations = conversations{}
	_ Messages      = messages{}
	_ Suggestions   = suggestions{}
	_ Search        = search{}
	_ Embeddings    = embeddings{}
	_ Reports       = reports{}
	_ Maintenance   = maintenance{}
)

func (sc scope) Conversations() Conversations { return conversations{sc} }
func (sc scope) Messages() Messages           { return messages{sc, sc.appends} }
func (sc scope) Suggestions() Suggestions     { return suggestions{sc, sc.appends} }
func (sc scope) Search() Search               { return search{sc, sc.shared.codes} }
func (sc scope) Embeddings() Embeddings       { return embeddings{sc} }
func (sc scope) Reports() Reports             { return reports{sc, sc.leadTypes} }
func (sc scope) Maintenance() Maintenance     { return maintenance{sc} }

// check is the first thing that every method does.
func (sc scope) check(db conn) error {
	if !sc.all && sc.user == uuid.Nil {
		return rule.Invalid("user_id", "is the nil UUID")
	}
	return sc.checkSchema(db)
}

// writing returns a session for statements that stand alone.
func (sc scope) writing(ctx context.Context) (conn, error) {
	db := session(ctx, sc.writer)
	return db, sc.check(db)
}

// owned narrows a query to the rows of the scope; alias is that of the table, with its
// dot. Every table of a query needs it: a sharded server looks for the owner in each.
func (sc scope) owned(q *query, alias string) *query {
	if sc.all {
		return q
	}
	return q.add(" AND "+alias+"user_id = ?", sc.user)
}

// owner returns whose row it is that the scope wants to change: the scope's user, or in
// a scope of all users whoever has a row with this id. Writes then always name one user.
func (sc scope) owner(ctx context.Context, table string, id uuid.UUID) (uuid.UUID, error) {
	if !sc.all {
		return sc.user, nil
	}
	db, err := sc.deciding(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	return sc.ownerIn(db, table, id)
}

// ownerIn is owner for a read, which asks where it reads. Ids and keys are a user's own, so
// that two users may have the same; picking one of them would be a guess.
func (sc scope) ownerIn(db conn, table string, id uuid.UUID) (uuid.UUID, error) {
	if !sc.all {
		return sc.user, nil
	}
	found, err := one(db, newQuery("SELECT user_id FROM "+table+" WHERE id = ? LIMIT 2", id), idDest)
	if err != nil {
		return uuid.Nil, err
	}
	return *found, nil
}

func idDest(id *uuid.UUID) []any { return []any{id} }

func readIDs(db conn, q *query) ([]uuid.UUID, error) {
	found, err := collect(db, q, idDest)
	ids := make([]uuid.UUID, len(found))
	for i, id := range found {
		ids[i] = *id
	}
	return ids, err
}

// lock reads conversations of the scope's user and keeps them from all other writers
// until the transaction ends; in the order of their ids, so that two locks of many
// cannot wait for each other. A write is the only lock that SQLite has.
func (sc scope) lock(columns string, which *query) *query {
	return sc.lockRows(columns, newQuery("user_id = ? AND ", sc.user).addQuery(which))
}

// lockRows is lock for a condition that names the user.
func (sc scope) lockRows(columns string, which *query) *query {
	if forUpdate := sc.dialect.ForUpdate(); forUpdate != "" {
		return newQuery("SELECT " + columns + " FROM " + sc.tables.conversations + " WHERE ").addQuery(which).add(" ORDER BY id" + forUpdate)
	}
	return newQuery("UPDATE " + sc.tables.conversations + " SET last_seq = last_seq WHERE ").addQuery(which).add(" RETURNING " + columns)
}

// among is the condition that a column of the user's rows is one of ids.
func (sc scope) among(column string, ids []uuid.UUID) *query {
	in, arg := sc.dialect.InUUIDs(column, ids)
	return newQuery(in+" AND "+sc.dialect.Unindexed("user_id")+" = ?", arg, sc.user)
}

// as narrows the scope to one user.
func (sc scope) as(user uuid.UUID) scope {
	return scope{store: sc.store, user: user, operator: sc.all || sc.operator}
}

// in moves the scope into a transaction.
func (sc scope) in(tx *store) scope {
	sc.store = tx
	return sc
}

// newOwner returns the owner of a row to be created.
func (sc scope) newOwner(given uuid.UUID) (uuid.UUID, error) {
	switch {
	case sc.all && given == uuid.Nil:
		return uuid.Nil, rule.Invalid("user_id", "is the nil UUID; a scope of all users does not know whose the row is")
	case !sc.all && given != uuid.Nil && given != sc.user:
		return uuid.Nil, rule.Invalid("user_id", "is another user's than the scope's")
	case sc.all:
		return given, nil
	}
	return sc.user, nil
}

// giveID makes an id where there is none.
func (sc scope) giveID(id *uuid.UUID) error {
	if *id != uuid.Nil {
		return nil
	}
	made, err := sc.newID()
	if err == nil && made == uuid.Nil {
		err = rule.Invalid("WithIDs", "made the nil UUID")
	}
	*id = made
	return err
}
