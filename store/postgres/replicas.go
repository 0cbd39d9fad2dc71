package postgres

import (
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/rule"
)

// WithReplicas sends reads to streaming replicas (hot standbys), each with its own connection
// pool. Writes, transactions, and the look-ups before a write go to the primary, the server of
// Open's DSN. Several calls add up; without a DSN there are no replicas. A DSN that cannot be
// parsed is an error of Open. A server that does not answer is not: the store uses it as soon
// as it answers.
//
// A read of ForUser sees every earlier write for this user through this store, whichever scope
// made it. A read of AllUsers sees every earlier write made through AllUsers.
// store.WithSession and store.WithPrimary guarantee more. While no replica has a write, the
// reads that must see it go to the primary; this costs no extra statement.
//
// A read may miss writes of other processes, and those of the host's own SQL, for as long as a
// replica lags, at most ReplicaPolicy.MaxLag. A look-up by id or key that finds nothing on a
// replica is repeated on the primary before it returns ErrNotFound.
//
// The store leaves out a replica that does not answer, lags, was promoted or belongs to another
// cluster, until it can be used again. A read that fails on a replica is repeated on the
// primary, unless it ran into a statement_timeout.
//
// Each DSN names one server; one that names several is ErrInvalid. Do not name a load balancer:
// nobody can tell how far the servers behind it are.
//
// A goroutine, which Close ends, asks the primary and each replica for their position in the
// write-ahead log, on a separate connection to each. The functions that it calls, such as
// pg_control_system, are open to every role unless they were revoked.
func WithReplicas(dsns ...string) convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.Replicas = append(c.Postgres.Replicas, dsns...)
		return nil
	}
}

// ReplicaPolicy says how the store watches replicas, and which reads they may serve. The zero
// value is the default.
type ReplicaPolicy struct {
	// Every is the interval at which the servers are asked, 100 ms if 0. A user's reads return
	// to a replica one or two intervals after a write.
	Every time.Duration
	// MaxLag is the highest age of the data that a replica may serve, 5 s if 0. It must be more
	// than Every, or it is ErrInvalid. A server that takes longer to answer counts as gone.
	MaxLag time.Duration
	// HostTransaction is for Store.WithTx, 5 s if 0. The store does not see the host's commit.
	// A user's reads therefore stay on the primary for this long after the last write inside
	// the transaction. If the host takes longer to commit, reads may miss the writes for as
	// long as replicas lag.
	HostTransaction time.Duration
	// AllUsersSeeAll makes reads of AllUsers see the writes of every user through this store.
	// If there is always somebody who writes, these reads always go to the primary.
	AllUsersSeeAll bool
}

// WithReplicaPolicy sets the policy for the replicas of WithReplicas. A negative time is
// ErrInvalid.
func WithReplicaPolicy(p ReplicaPolicy) convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.ReplicaEvery, c.Postgres.ReplicaRules = p.Every, p.rules()
		return p.withDefaults().check()
	}
}

// policyOf returns the policy that WithReplicaPolicy set, without the defaults.
func policyOf(c *config.Config) ReplicaPolicy {
	r := c.Postgres.ReplicaRules
	return ReplicaPolicy{
		Every: c.Postgres.ReplicaEvery, MaxLag: r.MaxLag, HostTransaction: r.HostTransaction, AllUsersSeeAll: r.AllUsersSeeAll,
	}
}

// withDefaults returns the policy with the default in place of each zero time.
func (p ReplicaPolicy) withDefaults() ReplicaPolicy {
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
