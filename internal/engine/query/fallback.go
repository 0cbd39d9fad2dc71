package query

import (
	"context"
	"errors"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// Replica is one server of a ReplicaSet.
type Replica interface {
	// DB is the handle on its pool.
	DB() *gorm.DB
	// Alive ends when the replica is found not to answer.
	Alive() context.Context
	// FellBack is told why a read is run again on the primary: the error that it ended with, or
	// ErrNotFound.
	FellBack(err error)
	// State is what is known of it.
	State() store.ReplicaState
}

// Lease is a method's use of a replica.
type Lease struct {
	Replica Replica
	Primary Conn
	// left says that the method went on to the primary: to turn back would be a step back
	// in time.
	left atomic.Bool
}

// WithFallback runs a read and, where a replica did not answer it, runs it again from its
// beginning on the primary: read must forget what it got before. Every read that may be on
// a replica is run by it.
func WithFallback(db Conn, read func(db Conn) error) error {
	l := db.Lease
	if l == nil {
		return read(db)
	}
	if l.left.Load() {
		return read(l.Primary)
	}
	alive := l.Replica.Alive()
	bounded := db
	ctx, done := whileAlive(db.Ctx, alive)
	bounded.Ctx = ctx
	err := read(bounded)
	done()
	if !l.leaves(err, alive) {
		return err
	}
	return read(l.Primary)
}

// whileAlive bounds a read: a server that is cut off would keep it for as long as the
// network does.
func whileAlive(ctx, alive context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(alive, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// leaves tells whether to go on to the primary, whatever the error, but for those that the
// primary would give as well or that must be seen: the caller's context has ended, the
// statement ran into a timeout of the host's, or it writes. What is not found may not have
// arrived yet.
func (l *Lease) leaves(err error, alive context.Context) bool { //nolint:revive // alive is the server's
	if err == nil || errors.Is(err, store.ErrConflict) || l.left.Load() || l.Primary.Ctx.Err() != nil {
		return false
	}
	if alive.Err() == nil {
		switch dialect.KindOf(err) {
		case dialect.Stopped, dialect.ReadOnly:
			return false
		}
	}
	l.left.Store(true)
	l.Replica.FellBack(err)
	return true
}
