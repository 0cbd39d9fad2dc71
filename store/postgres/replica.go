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

// Reasons for which a replica is left out.
var (
	errNotAsked  = errors.New("was not asked yet")
	errPromoted  = errors.New("is not a standby")
	errStranger  = errors.New("belongs to another cluster")
	errTimeline  = errors.New("has not reached the timeline of the primary")
	errPaused    = errors.New("has its replay paused, and lags")
	errLags      = errors.New("lags")
	errWentBack  = errors.New("has not yet replayed again what it had before it was restarted")
	errNoPrimary = errors.New("cannot be compared: the primary does not answer")
)

// standby is a replica with its pool.
type standby struct {
	address string
	pool    *sql.DB
	watch   *sql.DB
	db      *gorm.DB
	maxLag  time.Duration
	asking  atomic.Bool
	reads   atomic.Int64
	again   atomic.Int64

	mu sync.Mutex
	// fresh is the time up to which the replica has every write, zero while it is left
	// out, and why says for what reason.
	fresh  time.Time
	why    error
	behind int64
	// paused is whether its replay was paused when it was last asked.
	paused bool
	// reached is the furthest place that it was ever seen at.
	reached place
	// alive ends when the server does not answer, and with it the reads on it.
	alive context.Context
	end   context.CancelFunc
}

var _ query.Replica = (*standby)(nil)

func openReplica(c *config.Config, dsn string, maxLag time.Duration) (*standby, error) {
	config, err := parse(c, dsn)
	if err != nil {
		return nil, err
	}
	for _, f := range config.Fallbacks { // the same host without TLS is one as well
		if f.Host != config.Host || f.Port != config.Port {
			return nil, rule.Invalid("WithReplicas", "has a DSN of several servers")
		}
	}
	r := &standby{
		address: address(config), watch: watcher(config), maxLag: maxLag, why: errNotAsked,
	}
	r.pool = openPool(c, config, stdlib.OptionAfterConnect(r.greet))
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

// DB implements query.Replica.
func (r *standby) DB() *gorm.DB { return r.db }

// Alive implements query.Replica.
func (r *standby) Alive() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alive
}

// FellBack implements query.Replica: a server that cannot be reached is left out until it was
// asked again. An error without a code is the network's.
func (r *standby) FellBack(err error) {
	r.again.Add(1)
	unreachable := dialect.CodeOf(err) == "" || dialect.KindOf(err) == dialect.Unavailable
	if unreachable && !errors.Is(err, store.ErrNotFound) {
		r.leaveOut(err)
	}
}

// State implements query.Replica.
func (r *standby) State() store.ReplicaState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := store.ReplicaState{Address: r.address, Behind: r.behind, Reads: r.reads.Load(), Fallbacks: r.again.Load()}
	if !r.fresh.IsZero() {
		s.Age = time.Since(r.fresh)
	}
	why := r.why
	if s.InUse = r.usable(time.Now()); !s.InUse && why == nil {
		why = lagReason(r.paused) // it grew too old since it was asked
	}
	if why != nil {
		s.Reason = why.Error()
	}
	return s
}

// has tells whether the replica is in use and has all writes before a time.
func (r *standby) has(since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.usable(time.Now()) && r.fresh.After(since)
}

// usable is false also while nobody could tell how far the replica is.
func (r *standby) usable(now time.Time) bool { return !r.fresh.IsZero() && now.Sub(r.fresh) < r.maxLag }

func (r *standby) leaveOut(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh, r.why = time.Time{}, why
}

// lost leaves out a server that does not answer, and ends the reads on it.
func (r *standby) lost(why error) {
	r.leaveOut(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = 0
	if dialect.CodeOf(why) == "" {
		r.end() // or else it answers, if only to refuse
	}
}

// ask finds out how far the replica is.
func (r *standby) ask(ctx context.Context, log *primaryLog) {
	ctx, cancel := context.WithTimeout(ctx, r.maxLag)
	defer cancel()
	p, err := placeOfStandby(ctx, r.watch)
	if err != nil {
		r.lost(err)
		return
	}
	r.found(p, log)
}

// found takes in where the replica said that it is.
func (r *standby) found(p place, log *primaryLog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alive.Err() != nil {
		r.alive, r.end = context.WithCancel(context.Background())
	}
	r.paused = p.paused
	r.fresh, r.behind, r.why = log.judge(p)
	switch {
	case r.why != nil:
		r.fresh = time.Time{}
	case r.reached.sameLog(p) && p.lsn < r.reached.lsn:
		r.fresh, r.why = time.Time{}, errWentBack
	default:
		r.reached = p
	}
}

// greet refuses a new connection to a server that went back: after a crash a standby shows
// what it had at its last restart point, until it has replayed the rest again. It may be up
// again before anybody saw that it was gone.
func (r *standby) greet(ctx context.Context, conn *pgx.Conn) error {
	var lsn int64
	if err := conn.QueryRow(ctx, standbyLSN).Scan(&lsn); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if lsn < r.reached.lsn {
		r.fresh, r.why = time.Time{}, errWentBack
		return errWentBack
	}
	return nil
}
