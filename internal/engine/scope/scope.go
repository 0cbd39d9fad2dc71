// Package scope answers for every statement whose rows it is about, on which connection it
// runs, in which transaction, and on which schema. It also holds the few conditions, locks and
// pages that more than one room needs, and no method of a role.
package scope

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/rule"
)

// Scope is a store restricted to the rows of one user, or of all users.
type Scope struct {
	*Store
	// User owns the rows, unless All is set.
	User uuid.UUID
	All  bool
	// operator says that the scope of one user was derived from that of all users.
	operator bool
}

// check refuses a scope without a user, and a schema of another version. Every method calls it
// first.
func (sc Scope) check(db query.Conn) error {
	if !sc.All && sc.User == uuid.Nil {
		return rule.Invalid("user_id", "is the nil UUID")
	}
	return sc.CheckSchema(db)
}

// Writing returns a connection to the primary for statements that need no transaction.
func (sc Scope) Writing(ctx context.Context) (query.Conn, error) {
	db := query.On(ctx, sc.Writer)
	return db, sc.check(db)
}

// Owned restricts a query to the rows of the scope. alias is that of a table, with its dot.
// Every table of a query needs it, since a sharded server looks for the owner in each.
func (sc Scope) Owned(q *query.Query, alias string) *query.Query {
	if sc.All {
		return q
	}
	return q.Add(" AND "+alias+"user_id = ?", sc.User)
}

// Owner returns the owner of a row that the scope wants to change, so that every write names
// one user. It is the scope's user, or in a scope of all users the user who has a row with
// this id. It returns ErrNotFound if nobody has one, and query.ErrManyOwners if several do.
func (sc Scope) Owner(ctx context.Context, table string, id uuid.UUID) (uuid.UUID, error) {
	if !sc.All {
		return sc.User, nil
	}
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	return sc.OwnerIn(db, table, id)
}

// OwnerIn is Owner for a read, which asks on the connection where it reads.
func (sc Scope) OwnerIn(db query.Conn, table string, id uuid.UUID) (uuid.UUID, error) {
	if !sc.All {
		return sc.User, nil
	}
	found, err := query.One(db, query.New("SELECT user_id FROM "+table+" WHERE id = ? LIMIT 2", id), idDest)
	if err != nil {
		return uuid.Nil, err
	}
	return *found, nil
}

// As returns the scope of one user, on the same store.
func (sc Scope) As(user uuid.UUID) Scope {
	return Scope{Store: sc.Store, User: user, operator: sc.All || sc.operator}
}

// In returns the same scope inside a transaction.
func (sc Scope) In(tx *Store) Scope {
	sc.Store = tx
	return sc
}

// NewOwner returns the owner of a row to be created, whose model may name one. It returns
// ErrInvalid if the scope and the model name different users, or neither names one.
func (sc Scope) NewOwner(given uuid.UUID) (uuid.UUID, error) {
	switch {
	case sc.All && given == uuid.Nil:
		return uuid.Nil, rule.Invalid("user_id", "is the nil UUID; a scope of all users does not know whose the row is")
	case !sc.All && given != uuid.Nil && given != sc.User:
		return uuid.Nil, rule.Invalid("user_id", "is another user's than the scope's")
	case sc.All:
		return given, nil
	}
	return sc.User, nil
}

// GiveID sets *id to a new id if it is the nil UUID.
func (sc Scope) GiveID(id *uuid.UUID) error {
	if *id != uuid.Nil {
		return nil
	}
	made, err := sc.NewID()
	if err == nil && made == uuid.Nil {
		err = rule.Invalid("WithIDs", "made the nil UUID")
	}
	*id = made
	return err
}

// Whose returns the part of the scope that decides which writes its reads must see.
func (sc Scope) Whose() replica.Whose {
	return replica.Whose{User: sc.User, All: sc.All, Operator: sc.operator}
}
