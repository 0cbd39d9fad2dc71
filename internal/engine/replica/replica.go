package replica

import (
	"time"

	"github.com/convostore/convostore/internal/engine/query"
)

// Set is the servers that copy the one that takes the writes. It is for backends;
// its methods are called by many goroutines at once.
type Set interface {
	// Pick returns a replica that has all writes that were acknowledged before a time, nil
	// if none has. It does not wait.
	Pick(since time.Time) query.Replica
	// Replicas returns all of them, in the order in which they were configured.
	Replicas() []query.Replica
}

// Rules say what the writes of a store mean to its replicas.
type Rules struct {
	// MaxLag is the age from which on a ReplicaSet picks no replica.
	MaxLag time.Duration
	// HostTransaction is how long a transaction of the host's goes on, at most, after the
	// last write of a store inside it.
	HostTransaction time.Duration
	// AllUsersSeeAll says that reads of AllUsers see the writes of all scopes.
	AllUsersSeeAll bool
}
