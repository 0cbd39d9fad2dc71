package embeddings

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
)

// minPoll and maxPoll bound the wait between two looks at the claims of other calls.
const minPoll, maxPoll = 10 * time.Millisecond, time.Second

// claimWatch has when this call first saw each claim of others, by this process's monotonic
// clock. A claim that nobody extends for as long as it was made for is dead, whatever the clocks
// say that claims are compared by: after one of them was put back by an hour, the claims of a
// process that died expire an hour late.
type claimWatch map[otherClaim]time.Time

// otherClaim is what the claims of one batch have in common.
type otherClaim struct {
	user, by uuid.UUID
	// at and until are in microseconds, because two equal times need not be the same value.
	at, until int64
}

func (c otherClaim) lease() time.Duration { return time.Duration(c.until-c.at) * time.Microsecond }

// dead notes the claims that are there and returns those that have been there for too long.
func (w claimWatch) dead(claims []otherClaim, now time.Time) (dead []otherClaim) {
	there := make(map[otherClaim]bool, len(claims))
	for _, c := range claims {
		there[c] = true
		if first, ok := w[c]; !ok {
			w[c] = now
		} else if now.Sub(first) > c.lease() {
			dead = append(dead, c)
		}
	}
	for c := range w {
		if !there[c] {
			delete(w, c)
		}
	}
	return dead
}

// waitForOthers waits until no other call has claims on missing messages, or until the first of
// those that the walk met should have expired. It removes claims that are dead.
func (j *embedJob) waitForOthers(ctx context.Context) error {
	for poll := minPoll; ; poll = min(2*poll, maxPoll) {
		left := maxPoll
		if !j.walk.firstExpiry.IsZero() {
			left = j.walk.firstExpiry.Sub(j.sc.Instant())
		}
		if err := query.Sleep(ctx, max(minPoll, min(poll, left))); err != nil || left < 0 {
			return err
		}
		claims, err := j.othersClaims(ctx)
		if err != nil || len(claims) == 0 {
			return err
		}
		dead := j.watch.dead(claims, time.Now())
		for _, c := range dead {
			if err := j.removeClaim(ctx, c); err != nil {
				return err
			}
		}
		if len(dead) > 0 {
			return nil
		}
	}
}

// maxWatched is the most claims of batches that are looked at. The others are when these are
// gone.
const maxWatched = 10000

// othersClaims returns the claims on missing messages that have not expired by the store's clock.
func (j *embedJob) othersClaims(ctx context.Context) ([]otherClaim, error) {
	const columns = "k.user_id, k.claimed_by, k.claimed_at, k.claimed_until"
	q := query.New("SELECT "+columns+" FROM "+j.sc.Tables.Claims+" k JOIN "+j.sc.Tables.Messages+" m ON m.id = k.message_id AND m.user_id = k.user_id"+
		" AND k.model = ? AND k.claimed_until >= ?", j.model, j.sc.Instant())
	whereMissing(j.sc, j.sc.Owned(q, "k."), j.model, j.options.Filter).Add(" GROUP BY "+columns+" ORDER BY "+columns+" LIMIT ?", maxWatched)
	type row struct {
		otherClaim
		at, until time.Time
	}
	rows, err := query.All(query.On(ctx, j.sc.Writer), q, func(r *row) []any {
		return []any{&r.user, &r.by, (*record.Instant)(&r.at), (*record.Instant)(&r.until)}
	})
	claims := make([]otherClaim, len(rows))
	for i, r := range rows {
		claims[i] = otherClaim{r.user, r.by, r.at.UnixMicro(), r.until.UnixMicro()}
	}
	return claims, err
}

// removeClaim deletes the claims of a batch, unless they were extended meanwhile.
func (j *embedJob) removeClaim(ctx context.Context, c otherClaim) error {
	sc := j.sc.As(c.user)
	return sc.Retry(ctx, func() error {
		_, err := query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE user_id = ? AND model = ? AND claimed_by = ? AND claimed_until = ?",
			c.user, j.model, c.by, time.UnixMicro(c.until).UTC()).Exec(query.On(ctx, sc.Writer))
		return err
	})
}
