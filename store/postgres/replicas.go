package postgres

import (
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/rule"
)

// WithReplicas lets reads go to streaming replicas (hot standbys), each with a pool of its
// own. Writes, transactions, and whatever a write looks up first go to the primary, the
// server of Open's DSN. Several calls add up; without a DSN there are no replicas. A DSN
// that cannot be read is an error of Open, a server that does not answer is not: it is
// taken in when it does.
//
// A read of ForUser sees all that was written for this user before, through this store,
// whatever the scope. A read of AllUsers sees all that was written through AllUsers. More
// is had from store.WithSession and store.WithPrimary. A write that has not arrived at any
// replica sends the reads that must see it to the primary, and costs no statement more.
//
// What other processes write, and hosts with SQL of their own, a read may miss for as long
// as a replica lags, ReplicaPolicy.MaxLag at most. What a replica does not find by its id
// or key is looked for on the primary before it is ErrNotFound.
//
// A replica that does not answer, lags, was promoted, or belongs to another cluster is
// left out until it is well again. A read that fails on one is run again on the primary,
// except one that ran into a statement_timeout.
//
// Each DSN is of one server; one that names several is ErrInvalid. Of a balancer before
// several nobody can say how far they are.
//
// A goroutine, which Close ends, asks the primary and each replica for their place in the
// log, on a connection of its own to each. The functions it calls, pg_control_system among
// them, are open to every role unless they were revoked.
func WithReplicas(dsns ...string) convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.Replicas = append(c.Postgres.Replicas, dsns...)
		return nil
	}
}

// ReplicaPolicy says how replicas are watched. The zero value is the default.
type ReplicaPolicy struct {
	// Every is how often the servers are asked, 100 ms if 0. A user's reads are back on a
	// replica one or two of it after a write.
	Every time.Duration
	// MaxLag is how old at most what a replica shows may be, 5 s if 0. It is more than
	// Every, or ErrInvalid. A server that takes longer to answer counts as gone.
	MaxLag time.Duration
	// HostTransaction is for Store.WithTx, 5 s if 0: a host's commit is not seen, and so a
	// user's reads stay on the primary for this long after the last write inside. If the
	// host takes longer to commit, reads may miss the writes for as long as replicas lag.
	HostTransaction time.Duration
	// AllUsersSeeAll makes reads of AllUsers see the writes of every user through this
	// store. Where somebody always writes, they then always go to the primary.
	AllUsersSeeAll bool
}

// WithReplicaPolicy sets how the replicas of WithReplicas are watched. A negative time is
// ErrInvalid.
func WithReplicaPolicy(p ReplicaPolicy) convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.ReplicaEvery, c.Postgres.ReplicaRules = p.Every, p.rules()
		return p.filled().check()
	}
}

// policyOf is what WithReplicaPolicy set.
func policyOf(c *config.Config) ReplicaPolicy {
	r := c.Postgres.ReplicaRules
	return ReplicaPolicy{
		Every: c.Postgres.ReplicaEvery, MaxLag: r.MaxLag, HostTransaction: r.HostTransaction, AllUsersSeeAll: r.AllUsersSeeAll,
	}
}

func (p ReplicaPolicy) filled() ReplicaPolicy {
	for _, d := range []struct {
		value *time.Duration
		unset time.Duration
	}{{&p.Every, 100 * time.Millisecond}, {&p.MaxLag, 5 * time.Second}, {&p.HostTransaction, 5 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	return p
}

func (p ReplicaPolicy) check() error {
	switch {
	case p.Every < 0:
		return rule.Invalid("every", "is negative")
	case p.MaxLag <= p.Every:
		return rule.Invalid("max_lag", "is not more than every, which is %s", p.Every)
	case p.HostTransaction < 0:
		return rule.Invalid("host_transaction", "is negative")
	}
	return nil
}

func (p ReplicaPolicy) rules() replica.Rules {
	return replica.Rules{MaxLag: p.MaxLag, HostTransaction: p.HostTransaction, AllUsersSeeAll: p.AllUsersSeeAll}
}
