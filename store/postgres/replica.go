package postgres

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// The reasons to leave a replica out, as they read in store.ReplicaState.
var (
	errNotAsked     = errors.New("was not asked yet")
	errPromoted     = errors.New("is not a standby")
	errOtherCluster = errors.New("belongs to another cluster")
	errTimeline     = errors.New("has not reached the timeline of the primary")
	errPaused       = errors.New("has its replay paused, and lags")
	errLags         = errors.New("lags")
	errWentBack     = errors.New("has not yet replayed again what it had before it was restarted")
	errNoPrimary    = errors.New("cannot be compared: the primary does not answer")
)

// standby is a replica, its pool, and what the monitor knows of it.
type standby struct {
	address string
	pool    *sql.DB
	// watch is the connection of the monitor.
	watch  *sql.DB
	db     *gorm.DB
	maxLag time.Duration
	// asking is true while a question is without an answer.
	asking    atomic.Bool
	reads     atomic.Int64
	fallbacks atomic.Int64

	mu sync.Mutex
	// fresh is the time up to which the replica has every write. It is zero while the replica
	// is left out, for reason.
	fresh  time.Time
	reason error
	behind int64
	// paused tells whether the replay was paused when the replica last answered.
	paused bool
	// furthest is the furthest position at which the replica was ever seen.
	furthest position
	// alive ends, and with it every read on the replica, when the server does not answer.
	alive context.Context
	end   context.CancelFunc
}

var _ query.Replica = (*standby)(nil)

// openReplica returns a replica, left out until it is asked, without connecting. The caller
// closes it. A DSN that names several servers is ErrInvalid.
func openReplica(c *config.Config, dsn string, maxLag time.Duration) (*standby, error) {
	config, err := parse(c, dsn)
	if err != nil {
		return nil, err
	}
	for _, f := range config.Fallbacks { // pgx also lists the same host without TLS
		if f.Host != config.Host || f.Port != config.Port {
			return nil, rule.Invalid("WithReplicas", "has a DSN of several servers")
		}
	}
	r := &standby{
		address: address(config), watch: openWatch(config), maxLag: maxLag, reason: errNotAsked,
	}
	r.pool = openPool(c, config, stdlib.OptionAfterConnect(r.checkConnection))
	r.alive, r.end = context.WithCancel(context.Background())
	if r.db, err = openGORM(c, r.pool); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *standby) close() error {
	r.end()
	return closeAll(r.watch, r.pool)
}

// DB implements query.Replica with the handle on the replica's pool.
func (r *standby) DB() *gorm.DB { return r.db }

// Alive implements query.Replica with a context that ends when the server does not answer.
func (r *standby) Alive() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alive
}

// FellBack implements query.Replica. It counts the fallback, and leaves an unreachable server
// out until that server answers the monitor again. An error without a code comes from the
// network.
func (r *standby) FellBack(err error) {
	r.fallbacks.Add(1)
	unreachable := dialect.CodeOf(err) == "" || dialect.KindOf(err) == dialect.Unavailable
	if unreachable && !errors.Is(err, store.ErrNotFound) {
		r.leaveOut(err)
	}
}

// State implements query.Replica. It asks the server nothing.
func (r *standby) State() store.ReplicaState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := store.ReplicaState{Address: r.address, Behind: r.behind, Reads: r.reads.Load(), Fallbacks: r.fallbacks.Load()}
	if !r.fresh.IsZero() {
		s.Age = time.Since(r.fresh)
	}
	reason := r.reason
	if s.InUse = r.usable(time.Now()); !s.InUse && reason == nil {
		reason = lagReason(r.paused) // it has become too old since its last answer
	}
	if reason != nil {
		s.Reason = reason.Error()
	}
	return s
}

// hasWritesUntil tells whether the replica can be used and has every write up to since.
func (r *standby) hasWritesUntil(since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.usable(time.Now()) && r.fresh.After(since)
}

// usable is also false after the monitor has had no answer for maxLag. The caller holds mu.
func (r *standby) usable(now time.Time) bool { return !r.fresh.IsZero() && now.Sub(r.fresh) < r.maxLag }

func (r *standby) leaveOut(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh, r.reason = time.Time{}, reason
}

// noteFailure leaves the replica out after a question that failed with err. If the server gave
// no answer at all, it also ends the reads on the replica.
func (r *standby) noteFailure(err error) {
	r.leaveOut(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = 0
	if dialect.CodeOf(err) == "" { // a code comes from a server that answers
		r.end()
	}
}

// ask reads the replica's position, and takes it into use or leaves it out.
func (r *standby) ask(ctx context.Context, primary *primaryHistory) {
	ctx, cancel := context.WithTimeout(ctx, r.maxLag)
	defer cancel()
	p, err := readStandby(ctx, r.watch)
	if err != nil {
		r.noteFailure(err)
		return
	}
	r.noteAnswer(p, primary)
}

func (r *standby) noteAnswer(p position, primary *primaryHistory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alive.Err() != nil {
		r.alive, r.end = context.WithCancel(context.Background())
	}
	r.paused = p.paused
	r.fresh, r.behind, r.reason = primary.compare(p)
	switch {
	case r.reason != nil:
		r.fresh = time.Time{}
	case r.furthest.sameLog(p) && p.lsn < r.furthest.lsn:
		r.fresh, r.reason = time.Time{}, errWentBack
	default:
		r.furthest = p
	}
}

// checkConnection refuses a new connection to a standby that went back. After a crash a standby
// shows the state of its last restart point until it has replayed the rest again, and it may be
// up again before the monitor has seen it down.
func (r *standby) checkConnection(ctx context.Context, conn *pgx.Conn) error {
	var lsn int64
	if err := conn.QueryRow(ctx, standbyLSN).Scan(&lsn); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if lsn < r.furthest.lsn {
		r.fresh, r.reason = time.Time{}, errWentBack
		return errWentBack
	}
	return nil
}
