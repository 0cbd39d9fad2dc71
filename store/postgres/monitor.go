package postgres

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
)

// monitor asks the servers how far they are.
type monitor struct {
	policy   ReplicaPolicy
	primary  *sql.DB
	replicas []*standby
	log      primaryLog
	turn     atomic.Uint64
	stop     context.CancelFunc
	running  sync.WaitGroup
}

var _ replica.Set = (*monitor)(nil)

// newMonitor connects to nothing and starts nothing yet.
func newMonitor(c *config.Config, primary *pgx.ConnConfig) (*monitor, error) {
	m := &monitor{policy: policyOf(c).filled(), primary: watcher(primary), stop: func() {}}
	m.log.keep = m.policy.MaxLag
	for _, dsn := range c.Postgres.Replicas {
		r, err := openReplica(c, dsn, m.policy.MaxLag)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.replicas = append(m.replicas, r)
	}
	return m, nil
}

// start asks until close.
func (m *monitor) start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	m.running.Go(func() {
		tick := time.NewTicker(m.policy.Every)
		defer tick.Stop()
		for ctx.Err() == nil {
			m.round(ctx)
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
}

func (m *monitor) close() error {
	m.stop()
	m.running.Wait()
	errs := []error{m.primary.Close()}
	for _, r := range m.replicas {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// round asks the primary and then each replica, without waiting for one that has not
// answered the round before.
func (m *monitor) round(ctx context.Context) {
	m.sample(ctx)
	for _, r := range m.replicas {
		if r.asking.Swap(true) {
			continue
		}
		m.running.Go(func() {
			defer r.asking.Store(false)
			r.ask(ctx, &m.log)
		})
	}
}

// sample takes the time before it asks for the place: what was acknowledged by then is
// before that place.
func (m *monitor) sample(ctx context.Context) {
	at := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.policy.MaxLag)
	defer cancel()
	if p, err := placeOfPrimary(ctx, m.primary); err == nil {
		m.log.add(at, p)
	}
}

// Pick implements replica.Set: the one with the fewest connections in use, of several
// such one after the other.
func (m *monitor) Pick(since time.Time) query.Replica {
	var best *standby
	least, first := 0, m.turn.Add(1)
	for i := range m.replicas {
		r := m.replicas[(first+uint64(i))%uint64(len(m.replicas))]
		if !r.has(since) {
			continue
		}
		if busy := r.pool.Stats().InUse; best == nil || busy < least {
			best, least = r, busy
		}
	}
	if best == nil {
		return nil
	}
	best.reads.Add(1)
	return best
}

// Replicas implements replica.Set.
func (m *monitor) Replicas() []query.Replica {
	all := make([]query.Replica, len(m.replicas))
	for i, r := range m.replicas {
		all[i] = r
	}
	return all
}

// primaryLog is where the primary was lately, the oldest first.
type primaryLog struct {
	keep    time.Duration
	mu      sync.Mutex
	samples []sample
}

type sample struct {
	at time.Time
	place
}

// add starts over where the primary is another one than before.
func (l *primaryLog) add(at time.Time, p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.samples); n > 0 && !l.samples[n-1].sameLog(p) {
		l.samples = nil
	}
	old := 0
	for old < len(l.samples) && at.Sub(l.samples[old].at) > l.keep {
		old++
	}
	l.samples = append(l.samples[old:], sample{at, p})
}

func (p place) sameLog(o place) bool { return p.system == o.system && p.timeline == o.timeline }

// judge tells since when a standby has everything, how many bytes it is behind, or why it
// is of no use.
func (l *primaryLog) judge(p place) (fresh time.Time, behind int64, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.samples)
	if n == 0 || time.Since(l.samples[n-1].at) > l.keep {
		return fresh, 0, errNoPrimary
	}
	last := l.samples[n-1]
	behind = max(0, last.lsn-p.lsn)
	for _, s := range l.samples {
		if s.lsn <= p.lsn {
			fresh = s.at
		}
	}
	return fresh, behind, fault(last.place, p, fresh.IsZero())
}

// fault names one reason for which a standby is of no use, nil if it is of use. Of several it
// is the one that lasts longest without help: a server that belongs elsewhere, one that is no
// standby, one on an old timeline, a paused replay, and last a lag, which ends by itself.
func fault(primary, p place, lags bool) error {
	switch {
	case p.system != primary.system:
		return errStranger
	case !p.standby:
		return errPromoted
	case p.timeline != primary.timeline:
		return errTimeline
	case lags:
		return lagReason(p.paused)
	}
	return nil
}

// lagReason is why a standby lags: what holds it up, where that is known.
func lagReason(paused bool) error {
	if paused {
		return errPaused
	}
	return errLags
}
