package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
)

// ReplicaSet is the servers that copy the one that takes the writes. It is for backends;
// its methods are called by many goroutines at once.
type ReplicaSet interface {
	// Pick returns a replica that has all writes that were acknowledged before a time, nil
	// if none has. It does not wait.
	Pick(since time.Time) Replica
	// Replicas returns all of them, in the order in which they were configured.
	Replicas() []Replica
}

// Replica is one server of a ReplicaSet.
type Replica interface {
	// DB is the handle on its pool.
	DB() *gorm.DB
	// Alive ends when the replica is found not to answer.
	Alive() context.Context
	// Left is told why a read is run again on the primary: the error that it ended with, or
	// ErrNotFound.
	Left(err error)
	// State is what is known of it.
	State() ReplicaState
}

// ReplicaState is what the store knows of a replica.
type ReplicaState struct {
	// Address is its host and port.
	Address string `json:"address"`
	// InUse says that reads may go to it. If not, Reason says why.
	InUse  bool   `json:"in_use"`
	Reason string `json:"reason,omitempty"`
	// Behind is how many bytes of the log it had not replayed when it was asked last, 0 if
	// it did not answer.
	Behind int64 `json:"behind"`
	// Age is how old what it shows is at most, 0 while that is not known.
	Age time.Duration `json:"age"`
	// Reads counts the methods that were sent to it, Again those of them that went on to
	// the primary, because it failed or did not find a row.
	Reads int64 `json:"reads"`
	Again int64 `json:"again"`
}

// ReplicaRules say what the writes of a store mean to its replicas.
type ReplicaRules struct {
	// MaxLag is the age from which on a ReplicaSet picks no replica.
	MaxLag time.Duration
	// HostTransaction is how long a transaction of the host's goes on, at most, after the
	// last write of a store inside it.
	HostTransaction time.Duration
	// AllUsersSeeAll says that reads of AllUsers see the writes of all scopes.
	AllUsersSeeAll bool
}

// WithReplicaSet lets reads go to replicas, which the store neither starts nor closes. It
// is for backends; a host's option is WithReplicas in package store/postgres.
func WithReplicaSet(set ReplicaSet, rules ReplicaRules) Option {
	return func(c *Config) error {
		c.replicas, c.replicaRules = set, rules
		return nil
	}
}

// reading returns a session for queries: on a replica that has all that the scope and the
// client's session wrote, or else on the primary. Which it is, is decided here alone.
func (sc scope) reading(ctx context.Context) (conn, error) {
	db, err := sc.deciding(ctx)
	if err != nil || sc.replicas == nil || sc.inTx || onPrimary(ctx) {
		return db, err
	}
	r := sc.replicas.Pick(later(sc.written.since(sc.whose()), sessionOf(ctx).since()))
	if r == nil {
		return db, nil
	}
	on := session(ctx, newHandle(r.DB(), sc.log.ofReplica()))
	on.lease = &lease{replica: r, primary: db}
	return on, nil
}

// deciding returns a session for queries on which a write depends: never on a replica.
func (sc scope) deciding(ctx context.Context) (conn, error) {
	db := session(ctx, sc.reader)
	return db, sc.check(db)
}

// lease is a method's use of a replica.
type lease struct {
	replica Replica
	primary conn
	// left says that the method went on to the primary: to turn back would be a step back
	// in time.
	left atomic.Bool
}

// read is rows for what may be on a replica. begin forgets what was read before: a replica
// may break off between two rows.
func (q *query) read(db conn, begin func(), each func(*sql.Rows) error) error {
	return anew(db, func(db conn) error {
		begin()
		return q.rows(db, each)
	})
}

// anew runs a read and, where a replica did not answer it, runs it again from its
// beginning on the primary: read must forget what it got before. Every read that may be on
// a replica is run by it.
func anew(db conn, read func(db conn) error) error {
	l := db.lease
	if l == nil {
		return read(db)
	}
	if l.left.Load() {
		return read(l.primary)
	}
	alive := l.replica.Alive()
	bounded := db
	ctx, done := whileAlive(db.ctx, alive)
	bounded.ctx = ctx
	err := read(bounded)
	done()
	if !l.leaves(err, alive) {
		return err
	}
	return read(l.primary)
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
func (l *lease) leaves(err error, alive context.Context) bool { //nolint:revive // alive is the server's
	if err == nil || errors.Is(err, ErrConflict) || l.left.Load() || l.primary.ctx.Err() != nil {
		return false
	}
	if alive.Err() == nil {
		switch dialect.KindOf(err) {
		case dialect.Stopped, dialect.ReadOnly:
			return false
		}
	}
	l.left.Store(true)
	l.replica.Left(err)
	return true
}
