package store

import (
	"context"

	"github.com/convostore/convostore/internal/session"
)

// WithSession returns a context for one client, such as a request or a login. A read with
// this context, or with one derived from it, sees every write that was made with it before,
// whatever the scopes of the two. ForUser always sees the earlier writes of its user; a
// session is for AllUsers and for a client that acts for several users.
//
// A session is known to this process alone. A context that has a session is returned as it
// is. Without replicas a session changes nothing.
func WithSession(ctx context.Context) context.Context {
	if session.Of(ctx) != nil {
		return ctx
	}
	return session.With(ctx)
}

// WithPrimary returns a context whose reads go to the primary, the server that takes the
// writes. It is for reads that must see what another process has written. Without replicas
// it changes nothing.
func WithPrimary(ctx context.Context) context.Context {
	return session.WithPrimary(ctx)
}
