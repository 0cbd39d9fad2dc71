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

// monitor asks the primary and the replicas for their positions, and picks a replica for each
// read.
type monitor struct {
	policy   ReplicaPolicy
	primary  *sql.DB
	replicas []*standby
	history  primaryHistory
	// picks counts the calls of Pick, for the round robin.
	picks   atomic.Uint64
	stop    context.CancelFunc
	running sync.WaitGroup
}

var _ replica.Set = (*monitor)(nil)

// newMonitor returns a monitor that has neither connected nor started. The caller closes it.
func newMonitor(c *config.Config, primary *pgx.ConnConfig) (*monitor, error) {
	m := &monitor{policy: policyOf(c).withDefaults(), primary: openWatch(primary), stop: func() {}}
	m.history.maxAge = m.policy.MaxLag
	for _, dsn := range c.Postgres.Replicas {
		r, err := openReplica(c, dsn, m.policy.MaxLag)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.replicas = append(m.replicas, r)
	}
	return m, nil
}

// start asks every ReplicaPolicy.Every, in a goroutine that close ends.
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

// round asks the primary, and then starts to ask each replica. It skips a replica that has not
// answered the last round.
func (m *monitor) round(ctx context.Context) {
	m.sample(ctx)
	for _, r := range m.replicas {
		if r.asking.Swap(true) {
			continue
		}
		m.running.Go(func() {
			defer r.asking.Store(false)
			r.ask(ctx, &m.history)
		})
	}
}

// sample records the position of the primary. It reads the clock before it asks, so that every
// commit acknowledged by that time lies before the position.
func (m *monitor) sample(ctx context.Context) {
	at := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.policy.MaxLag)
	defer cancel()
	if p, err := readPrimary(ctx, m.primary); err == nil {
		m.history.add(at, p)
	}
}

// Pick implements replica.Set. It returns the replica with the fewest connections in use among
// those that have every write before since, with ties broken round robin, or nil if there is
// none.
func (m *monitor) Pick(since time.Time) query.Replica {
	var best *standby
	least, first := 0, m.picks.Add(1)
	for i := range m.replicas {
		r := m.replicas[(first+uint64(i))%uint64(len(m.replicas))]
		if !r.hasWritesUntil(since) {
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

// Replicas implements replica.Set, in the order of the configuration.
func (m *monitor) Replicas() []query.Replica {
	all := make([]query.Replica, len(m.replicas))
	for i, r := range m.replicas {
		all[i] = r
	}
	return all
}

// primaryHistory is the recent positions of the primary, oldest first.
type primaryHistory struct {
	maxAge  time.Duration
	mu      sync.Mutex
	samples []sample
}

type sample struct {
	at time.Time
	position
}

// add appends a sample and drops those older than maxAge. It drops all of them if the system or
// the timeline has changed, as after a failover.
func (h *primaryHistory) add(at time.Time, p position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.samples); n > 0 && !h.samples[n-1].sameLog(p) {
		h.samples = nil
	}
	expired := 0
	for expired < len(h.samples) && at.Sub(h.samples[expired].at) > h.maxAge {
		expired++
	}
	h.samples = append(h.samples[expired:], sample{at, p})
}

func (p position) sameLog(o position) bool { return p.system == o.system && p.timeline == o.timeline }

// compare returns the time up to which a standby at p has every write, the bytes that it is
// behind, and the reason to leave it out, nil if it can be used.
func (h *primaryHistory) compare(p position) (fresh time.Time, behind int64, reason error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.samples)
	if n == 0 || time.Since(h.samples[n-1].at) > h.maxAge {
		return fresh, 0, errNoPrimary
	}
	last := h.samples[n-1]
	behind = max(0, last.lsn-p.lsn)
	for _, s := range h.samples {
		if s.lsn <= p.lsn {
			fresh = s.at
		}
	}
	return fresh, behind, exclusionReason(last.position, p, fresh.IsZero())
}

// exclusionReason returns the reason to leave a standby out, nil if it can be used. Of several
// reasons it returns the one that lasts longest without help: another cluster, a server that is
// no standby, an old timeline, a paused replay, and last a lag, which ends by itself.
func exclusionReason(primary, p position, lags bool) error {
	switch {
	case p.system != primary.system:
		return errOtherCluster
	case !p.standby:
		return errPromoted
	case p.timeline != primary.timeline:
		return errTimeline
	case lags:
		return lagReason(p.paused)
	}
	return nil
}

// lagReason returns why a standby lags: its paused replay, if that is known, or else the lag.
func lagReason(paused bool) error {
	if paused {
		return errPaused
	}
	return errLags
}
