package store

import (
	"context"

	"github.com/convostore/convostore/internal/session"
)

// WithSession returns a context for one client, say one request or one login: a read with
// it, or with a context made of it, sees every write that was made with it before, in
// whatever scope either was. Reads of ForUser see the writes of their user without it; it
// is for AllUsers, and for one client who acts for several users.
//
// A session is known to this process alone. A context that has one keeps it. Without
// replicas it changes nothing.
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
