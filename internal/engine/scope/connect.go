package scope

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/session"
)

// Reading returns a connection for queries: to a replica that has everything that the scope and
// the client's session wrote, or else to the primary. Only this method decides between them.
func (sc Scope) Reading(ctx context.Context) (query.Conn, error) {
	db, err := sc.ReadingPrimary(ctx)
	if err != nil || sc.Replicas == nil || sc.InTx || session.OnPrimary(ctx) {
		return db, err
	}
	r := sc.Replicas.Pick(session.Later(sc.written.Since(sc.Whose()), session.Of(ctx).Since()))
	if r == nil {
		return db, nil
	}
	on := query.On(ctx, query.NewHandle(r.DB(), sc.Dialect, sc.Log.OfReplica()))
	on.Lease = &query.Lease{Replica: r, Primary: db}
	return on, nil
}

// ReadingPrimary returns a connection to the primary, for queries on which a write depends.
func (sc Scope) ReadingPrimary(ctx context.Context) (query.Conn, error) {
	db := query.On(ctx, sc.Reader)
	return db, sc.check(db)
}
