package states

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// place is a checked store.StatePlace, whose owner is known.
type place struct {
	// sc is the scope of the user whose states they are, and of an app the caller's.
	sc scope.Scope
	store.StatePlace
}

// checkPlace cleans and checks a place. Its user is that of the scope, if the scope has one.
func checkPlace(sc scope.Scope, in store.StatePlace) (place, error) {
	p := place{sc, in}
	sc.Clean.Text(&p.App)
	if err := check.Key("app", p.App); err != nil {
		return p, err
	}
	switch p.Kind {
	case store.ConversationKind:
		if p.App != "" || p.UserID != uuid.Nil {
			return p, rule.Invalid("place", "of a conversation has an app or a user")
		}
		return p, nil
	case store.UserKind:
		if p.ConversationID != uuid.Nil {
			return p, rule.Invalid("place", "of a user has a conversation")
		}
		user, err := sc.NewOwner(p.UserID)
		p.UserID, p.sc = user, sc.As(user)
		return p, err
	case store.AppKind:
		if p.ConversationID != uuid.Nil || p.UserID != uuid.Nil {
			return p, rule.Invalid("place", "of an app has a conversation or a user")
		}
		return p, nil
	}
	return p, rule.Invalid("place", "is of an unknown kind")
}

// toRead finds the owner of a conversation on the connection of a read.
func (p place) toRead(db query.Conn) (place, error) {
	if p.Kind != store.ConversationKind {
		return p, nil
	}
	owner, err := p.sc.OwnerIn(db, p.sc.Tables.Conversations, p.ConversationID)
	p.sc = p.sc.As(owner)
	return p, err
}

// toWrite finds the owner of a conversation for a write.
func (p place) toWrite(ctx context.Context) (place, error) {
	if _, err := p.sc.Writing(ctx); err != nil || p.Kind != store.ConversationKind {
		return p, err
	}
	owner, err := p.sc.Owner(ctx, p.sc.Tables.Conversations, p.ConversationID)
	p.sc = p.sc.As(owner)
	return p, err
}

// is adds the condition that a row s belongs to the place.
func (p place) is(q *query.Query) *query.Query {
	switch p.Kind {
	case store.ConversationKind:
		return q.Add("s.conversation_id = ? AND s.user_id = ?", p.ConversationID, p.sc.User)
	case store.UserKind:
		return q.Add("s.user_id = ? AND s.app = ?", p.UserID, p.App)
	}
	return q.Add("s.app = ?", p.App)
}

// shape is what the tables of the kinds differ in.
type shape struct {
	// table has the rows. owner are the columns of the key before the key's own.
	table, owner string
	// types are the PostgreSQL types of owner.
	types []string
}

func shapeOf(t scope.Tables, kind store.StateKind) shape {
	switch kind {
	case store.ConversationKind:
		return shape{t.States, "conversation_id, user_id", []string{"uuid", "uuid"}}
	case store.UserKind:
		return shape{t.UserStates, "user_id, app", []string{"uuid", "text"}}
	}
	return shape{t.AppStates, "app", []string{"text"}}
}

// ownerArgs are the values of the place's owner columns.
func (p place) ownerArgs() []any {
	switch p.Kind {
	case store.ConversationKind:
		return []any{p.ConversationID, p.sc.User}
	case store.UserKind:
		return []any{p.UserID, p.App}
	}
	return []any{p.App}
}
