package states

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s states) OfConversation(ctx context.Context, id uuid.UUID) (all store.ConversationStates, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return all, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, id)
	if err != nil {
		return all, query.Wrap("read states", err)
	}
	c := scope.OwnedID{ID: id, User: owner}
	found, err := ofConversations(s.sc.As(owner), db, []scope.OwnedID{c})
	if err == nil && found[c] == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return all, query.Wrap("read states", err)
	}
	return *found[c], nil
}

func (s states) OfConversations(ctx context.Context, cs []*conversation.Conversation) ([]store.ConversationStates, error) {
	if len(cs) > store.MaxLimit {
		return nil, rule.Invalid("conversations", "are more than %d", store.MaxLimit)
	}
	wanted := make([]scope.OwnedID, len(cs))
	for i, c := range cs {
		if c == nil {
			return nil, rule.Invalid("conversations", "has a nil at index %d", i)
		}
		wanted[i] = scope.OwnedID{ID: c.ID, User: c.UserID}
	}
	db, err := s.sc.Reading(ctx)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	found, err := ofConversations(s.sc, db, slices.DeleteFunc(slices.Clone(wanted), func(w scope.OwnedID) bool { return !s.sc.All && w.User != s.sc.User }))
	if err != nil {
		return nil, query.Wrap("read states", err)
	}
	all := make([]store.ConversationStates, len(cs))
	for i, w := range wanted {
		if of := found[w]; of != nil {
			all[i] = *of
		}
	}
	return all, nil
}

// found is a state of a live conversation, of a user or of an app. A conversation without states has
// a row without a key and a version.
type found struct {
	kind     store.StateKind
	id, user *uuid.UUID
	app      record.Text
	store.State
}

// ofConversations reads the states that concern some conversations in one statement. What is not
// there, or is deleted, is not in the result. Conversations of the same user and app share a list.
func ofConversations(sc scope.Scope, db query.Conn, wanted []scope.OwnedID) (map[scope.OwnedID]*store.ConversationStates, error) {
	rows, err := query.All(db, selectOf(sc, wanted), func(f *found) []any {
		return append([]any{&f.kind, record.NullID{Dest: &f.id}, record.NullID{Dest: &f.user}, &f.app}, dest(&f.State)...)
	})
	if err != nil {
		return nil, err
	}
	type owner struct {
		user uuid.UUID // the zero one of an app
		app  record.Text
	}
	all, shared := map[scope.OwnedID]*store.ConversationStates{}, map[owner][]*store.State{}
	apps := map[scope.OwnedID]record.Text{}
	for _, f := range rows {
		switch f.kind {
		case store.ConversationKind:
			of := scope.OwnedID{ID: *f.id, User: *f.user}
			if all[of] == nil {
				all[of], apps[of] = &store.ConversationStates{Conversation: []*store.State{}}, f.app
			}
			if f.Version > 0 {
				all[of].Conversation = append(all[of].Conversation, &f.State)
			}
		case store.UserKind:
			shared[owner{*f.user, f.app}] = append(shared[owner{*f.user, f.app}], &f.State)
		case store.AppKind:
			shared[owner{app: f.app}] = append(shared[owner{app: f.app}], &f.State)
		}
	}
	for of, states := range all {
		states.User = append([]*store.State{}, shared[owner{of.User, apps[of]}]...)
		states.App = append([]*store.State{}, shared[owner{app: apps[of]}]...)
	}
	return all, nil
}

// selectOf selects the states of the live conversations, then those of users and apps, by key.
func selectOf(sc scope.Scope, wanted []scope.OwnedID) *query.Query {
	ids, users := make([]uuid.UUID, len(wanted)), make([]uuid.UUID, len(wanted))
	for i, w := range wanted {
		ids[i], users[i] = w.ID, w.User
	}
	t, q := sc.Tables, query.New("WITH c AS (SELECT id, user_id, coalesce(app, '') AS app FROM "+sc.Tables.Conversations+" WHERE deleted_at IS NULL AND ")
	if sc.All {
		pairs, args := sc.Dialect.Pairs(ids, users)
		q.Add("(id, user_id) IN "+pairs, args...)
	} else {
		in, arg := sc.Dialect.InUUIDs("id", ids)
		q.Add("user_id = ? AND "+in, sc.User, arg)
	}
	return q.Add(") SELECT * FROM (" +
		"SELECT 1 AS kind, c.id, c.user_id, c.app, coalesce(s.key, '') AS key, s.value, coalesce(s.version, 0) AS version, s.updated_at FROM c LEFT JOIN " +
		t.States + " s ON s.conversation_id = c.id AND s.user_id = c.user_id" +
		" UNION ALL SELECT 2, NULL, c.user_id, c.app, " + columns + " FROM (SELECT DISTINCT user_id, app FROM c) c JOIN " + t.UserStates + " s ON s.user_id = c.user_id AND s.app = c.app" +
		" UNION ALL SELECT 3, NULL, NULL, c.app, " + columns + " FROM (SELECT DISTINCT app FROM c) c JOIN " + t.AppStates + " s ON s.app = c.app" +
		") s ORDER BY kind, " + sc.Dialect.ByBytes("key"))
}
