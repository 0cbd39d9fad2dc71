// Package replica decides from the age of acknowledged writes which replicas may serve a read.
// The servers themselves, and how far they have caught up, are known to a backend's Set.
package replica

import (
	"time"

	"github.com/convostore/convostore/internal/engine/query"
)

// Set is the replicas of one primary. Backends implement it. Its methods are called by many
// goroutines at once.
type Set interface {
	// Pick returns a replica that has all writes that were acknowledged before since, nil if
	// none has. It does not wait.
	Pick(since time.Time) query.Replica
	// Replicas returns all replicas in the order in which they were configured.
	Replicas() []query.Replica
}

// Rules say how the writes of a store restrict the use of its replicas.
type Rules struct {
	// MaxLag is how far a replica may be behind the primary at most. The Set picks none that is
	// further behind.
	MaxLag time.Duration
	// HostTransaction is how long a transaction of the host may last, at most, after the last
	// write of a store inside it.
	HostTransaction time.Duration
	// AllUsersSeeAll says that reads in the scope of all users must see the writes of every
	// scope, and not only its own.
	AllUsersSeeAll bool
}
