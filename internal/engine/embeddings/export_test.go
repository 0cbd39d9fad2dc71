package embeddings

import (
	"time"

	"github.com/google/uuid"
)

// OtherClaim is what the claims of one batch have in common.
type OtherClaim = otherClaim

// Claim returns what such claims have in common.
func Claim(user, by uuid.UUID, at, until time.Time) OtherClaim {
	return otherClaim{user, by, at.UnixMicro(), until.UnixMicro()}
}

// Watch returns a function that tells, at a time, which of the claims that are there are dead.
func Watch() func(now time.Time, claims ...OtherClaim) []OtherClaim {
	w := claimWatch{}
	return func(now time.Time, claims ...OtherClaim) []OtherClaim { return w.dead(claims, now) }
}
