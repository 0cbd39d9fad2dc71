package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
)

const (
	// claimSlack is how much longer than a call of the embedder a claim lasts: time to
	// read the texts and to write the vectors.
	claimSlack = 5 * time.Second
	// Others' claims are looked at again after a wait between these.
	minPoll, maxPoll = 10 * time.Millisecond, time.Second
)

// missingWalk is how far a walk over the missing messages is.
type missingWalk struct {
	after *place
	ended bool
	// ready are those read and not yet claimed.
	ready []ownedID
	// others says that somebody else had claims, and until when the first of them lasts.
	others bool
	until  time.Time
}

// candidate is a missing message, and until when somebody else has it.
type candidate struct {
	ownedID
	created time.Time
	claimed *time.Time
}

// claim takes the next messages of the walk that nobody else has. It returns none at the
// end of the walk and after an error of any worker.
func (j *embedJob) claim(ctx context.Context) ([]ownedID, error) {
	j.claiming.Lock()
	defer j.claiming.Unlock()
	for j.err == nil {
		for len(j.walk.ready) < j.BatchSize && !j.walk.ended {
			if err := j.readOn(ctx); err != nil {
				return nil, err
			}
		}
		n := min(j.BatchSize, len(j.walk.ready))
		wanted := j.walk.ready[:n]
		if j.walk.ready = j.walk.ready[n:]; n == 0 {
			return nil, nil
		}
		claimed, err := j.take(ctx, wanted)
		if err != nil {
			j.release(ctx, wanted)
			return nil, err
		}
		if len(claimed) < n {
			j.walk.others = true
		}
		if len(claimed) > 0 {
			return claimed, nil
		}
	}
	return nil, nil
}

// readOn reads a page of the walk. Claimed messages are read with the others, in one
// snapshot: what somebody else has is seen to be missing, and not overlooked.
func (j *embedJob) readOn(ctx context.Context) error {
	q := newQuery("SELECT m.id, m.user_id, m.created_at, k.claimed_until FROM "+j.tables.messages+" m LEFT JOIN "+j.tables.claims+
		" k ON k.message_id = m.id AND k.user_id = m.user_id AND k.model = ? AND k.claimed_until >= ?", j.model, j.instant())
	j.oldestFirst(j.whereMissing(j.owned(q, "k."), j.model, j.Filter), j.walk.after, MaxLimit)
	page, err := collect(session(ctx, j.reader), q, func(c *candidate) []any {
		return []any{&c.id, &c.user, (*instant)(&c.created), nullInstant{&c.claimed}}
	})
	if err != nil {
		return err
	}
	for _, c := range page {
		if c.claimed == nil {
			j.walk.ready = append(j.walk.ready, c.ownedID)
			continue
		}
		if !j.walk.others || c.claimed.Before(j.walk.until) {
			j.walk.until = *c.claimed
		}
		j.walk.others = true
	}
	if j.walk.ended = len(page) < MaxLimit; !j.walk.ended {
		last := page[len(page)-1]
		j.walk.after = &place{key: timeKey(last.created), id: last.id, user: last.user}
	}
	return nil
}

// take claims messages and returns those that it got. On PostgreSQL it locks them, lest
// one be erased before the claim's foreign key is checked.
func (j *embedJob) take(ctx context.Context, wanted []ownedID) (claimed []ownedID, err error) {
	lock := ""
	if j.dialect.Name() == dialect.Postgres {
		lock = " FOR KEY SHARE OF m"
	}
	for user, theirs := range byOwner(wanted, ownedID.key) {
		sc, now := j.as(user), j.instant()
		q := newQuery("INSERT INTO "+j.tables.claims+" AS k (message_id, user_id, model, claimed_by, claimed_until)"+
			" SELECT m.id, m.user_id, ?, ?, ? FROM "+j.tables.messages+" m", j.model, j.token, j.until(now, 0))
		anyOf(sc.whereMissing(q, j.model, j.Filter), " AND m.id", idsOf(theirs)).add(" ORDER BY m.id"+lock+
			" ON CONFLICT (message_id, user_id, model) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until"+
			" WHERE k.claimed_until < ? RETURNING message_id", now)
		got, err := sc.claimIDs(ctx, q)
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, got...)
	}
	return claimed, nil
}

// until is the end of a claim that is made now for a call after a wait.
func (j *embedJob) until(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait + j.Timeout + claimSlack)
}

// renew makes the claims last for one more call after a wait, and returns those that
// nobody took over.
func (j *embedJob) renew(ctx context.Context, claimed []ownedID, wait time.Duration) (kept []ownedID, err error) {
	for user, theirs := range byOwner(claimed, ownedID.key) {
		sc := j.as(user)
		q := newQuery("UPDATE "+j.tables.claims+" SET claimed_until = ? WHERE ", j.until(j.instant(), wait))
		got, err := sc.claimIDs(ctx, j.mine(q, user, theirs).add(" RETURNING message_id"))
		if err != nil {
			return nil, err
		}
		kept = append(kept, got...)
	}
	return kept, nil
}

// mine ends a statement on the claims of this call on some messages of a user.
func (j *embedJob) mine(q *query, user uuid.UUID, claimed []ownedID) *query {
	return anyOf(q.add("user_id = ? AND model = ? AND claimed_by = ?", user, j.model, j.token), " AND message_id", idsOf(claimed))
}

// release gives claims back, also when ctx has ended. If that fails they run out.
func (j *embedJob) release(ctx context.Context, claimed []ownedID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimSlack)
	defer cancel()
	for user, theirs := range byOwner(claimed, ownedID.key) {
		err := j.as(user).retry(ctx, func() error {
			_, err := j.mine(newQuery("DELETE FROM "+j.tables.claims+" WHERE "), user, theirs).exec(session(ctx, j.writer))
			return err
		})
		if err != nil {
			return
		}
	}
}

// waitForOthers waits until others have no claims left on what is missing, or one of
// those that the walk met should have run out.
func (j *embedJob) waitForOthers(ctx context.Context) error {
	for poll := minPoll; ; poll = min(2*poll, maxPoll) {
		left := maxPoll
		if !j.walk.until.IsZero() {
			left = j.walk.until.Sub(j.instant())
		}
		if err := sleep(ctx, max(minPoll, min(poll, left))); err != nil || left < 0 {
			return err
		}
		now := j.instant()
		q := newQuery("SELECT m.id FROM "+j.tables.claims+" k JOIN "+j.tables.messages+" m ON m.id = k.message_id AND m.user_id = k.user_id"+
			" AND k.model = ? AND k.claimed_until >= ?", j.model, now)
		j.whereMissing(j.owned(q, "k."), j.model, j.Filter).add(" LIMIT 1")
		claimed, err := readIDs(session(ctx, j.writer), q)
		if err != nil || len(claimed) == 0 {
			return err
		}
	}
}

// claimIDs runs a statement on claims that returns ids of messages of the scope's user.
func (sc scope) claimIDs(ctx context.Context, q *query) (claimed []ownedID, err error) {
	err = sc.retry(ctx, func() error {
		ids, err := readIDs(session(ctx, sc.writer), q)
		claimed = make([]ownedID, len(ids))
		for i, id := range ids {
			claimed[i] = ownedID{id, sc.user}
		}
		return err
	})
	return claimed, err
}

func (o ownedID) key() ownedID { return o }

func idsOf(rows []ownedID) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	return ids
}
