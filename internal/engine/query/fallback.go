package query

import (
	"context"
	"errors"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// Replica is one server of a replica.Set.
type Replica interface {
	// DB is the handle of its pool.
	DB() *gorm.DB
	// Alive returns a context that ends when the replica no longer answers.
	Alive() context.Context
	// FellBack is called when a read is run again on the primary, with the error that the read
	// got on the replica. It may be ErrNotFound.
	FellBack(err error)
	// State returns what is known about the replica.
	State() store.ReplicaState
}

// Lease is one call's use of a replica.
type Lease struct {
	Replica Replica
	Primary Conn
	// fellBack says that the call has gone on to the primary. It stays there: the replica may
	// be behind what the call has read since.
	fellBack atomic.Bool
}

// WithFallback runs read on the replica of db, or on the primary if db has no replica. If the
// replica fails, it runs read again on the primary: read must discard what it read before.
// Every read that may use a replica must go through it.
func WithFallback(db Conn, read func(db Conn) error) error {
	l := db.Lease
	if l == nil {
		return read(db)
	}
	if l.fellBack.Load() {
		return read(l.Primary)
	}
	alive := l.Replica.Alive()
	bounded := db
	ctx, done := whileAlive(db.Ctx, alive)
	bounded.Ctx = ctx
	err := read(bounded)
	done()
	if !l.fallsBack(err, alive) {
		return err
	}
	return read(l.Primary)
}

// whileAlive returns a context that also ends when the replica no longer answers. Without it, a
// read on a server that is cut off would wait as long as the network does.
func whileAlive(ctx, alive context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(alive, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// fallsBack tells whether to run a read again on the primary, and notes it. It does so after
// every error, ErrNotFound included, since a row may not have arrived at the replica yet. The
// exceptions are errors that the primary would return as well or that must not be hidden: the
// caller's context has ended, the statement ran into a timeout of the host, or it writes.
func (l *Lease) fallsBack(err error, alive context.Context) bool { //nolint:revive // alive is a context of the server
	if err == nil || errors.Is(err, store.ErrConflict) || l.fellBack.Load() || l.Primary.Ctx.Err() != nil {
		return false
	}
	if alive.Err() == nil {
		switch dialect.KindOf(err) {
		case dialect.Stopped, dialect.ReadOnly:
			return false
		}
	}
	l.fellBack.Store(true)
	l.Replica.FellBack(err)
	return true
}
