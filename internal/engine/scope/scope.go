package scope

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/rule"
)

// Scope is a store with the answer to "whose rows?".
type Scope struct {
	*Store
	User uuid.UUID
	All  bool
	// operator says that the scope of one user was made of that of all.
	operator bool
}

// check is the first thing that every method does.
func (sc Scope) check(db query.Conn) error {
	if !sc.All && sc.User == uuid.Nil {
		return rule.Invalid("user_id", "is the nil UUID")
	}
	return sc.CheckSchema(db)
}

// Writing returns a session for statements that stand alone.
func (sc Scope) Writing(ctx context.Context) (query.Conn, error) {
	db := query.On(ctx, sc.Writer)
	return db, sc.check(db)
}

// Owned narrows a query to the rows of the scope; alias is that of the table, with its
// dot. Every table of a query needs it: a sharded server looks for the owner in each.
func (sc Scope) Owned(q *query.Query, alias string) *query.Query {
	if sc.All {
		return q
	}
	return q.Add(" AND "+alias+"user_id = ?", sc.User)
}

// Owner returns whose row it is that the scope wants to change: the scope's user, or in
// a scope of all users whoever has a row with this id. Writes then always name one user.
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

// OwnerIn is owner for a read, which asks where it reads. Ids and keys are a user's own, so
// that two users may have the same; picking one of them would be a guess.
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

// As narrows the scope to one user.
func (sc Scope) As(user uuid.UUID) Scope {
	return Scope{Store: sc.Store, User: user, operator: sc.All || sc.operator}
}

// In moves the scope into a transaction.
func (sc Scope) In(tx *Store) Scope {
	sc.Store = tx
	return sc
}

// NewOwner returns the owner of a row to be created.
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

// GiveID makes an id where there is none.
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

func (sc Scope) Whose() replica.Whose {
	return replica.Whose{User: sc.User, All: sc.All, Operator: sc.operator}
}
