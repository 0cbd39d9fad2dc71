package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// everybody is the name of all users.
const everybody = "all"

const userHelp = `the user: a UUID, or any other name or number, of which store.TenantID makes one`

// userID reads the name of a user.
func userID(name string) uuid.UUID {
	if id, err := uuid.Parse(name); err == nil {
		return id
	}
	return store.TenantID(name)
}

// scopeOf is that of a user, and of everybody without a name.
func scopeOf(st store.Store, user string) store.Scope {
	if user == "" || user == everybody {
		return st.AllUsers()
	}
	return st.ForUser(userID(user))
}

// onlyUser returns the user of --user, and without one the only user that the database has. A database
// without users has the fallback, or if that is empty needs a --user.
func onlyUser(ctx context.Context, st store.Store, name, fallback string) (uuid.UUID, error) {
	if name != "" {
		return userID(name), nil
	}
	first, last, err := usersOf(ctx, st)
	switch {
	case err != nil:
		return uuid.Nil, err
	case first != last:
		return uuid.Nil, usagef("--user is missing: the database has more than one user")
	case first != uuid.Nil:
		return first, nil
	case fallback == "":
		return uuid.Nil, usagef("--user is missing: the database has no user yet")
	}
	return userID(fallback), nil
}

// usersOf returns the lowest and the highest user, both uuid.Nil if there is none. It reads the two ends
// of an index.
func usersOf(ctx context.Context, st store.Store) (first, last uuid.UUID, err error) {
	for way, to := range map[string]*uuid.UUID{"user_id": &first, "user_id DESC": &last} {
		var ids []uuid.UUID
		err = st.DB(ctx).Unscoped().Model(&conversation.Conversation{}).Order(way).Limit(1).Pluck("user_id", &ids).Error
		if err != nil || len(ids) == 0 {
			return uuid.Nil, uuid.Nil, err
		}
		*to = ids[0]
	}
	return first, last, nil
}
