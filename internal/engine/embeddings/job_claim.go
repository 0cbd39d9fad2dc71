package embeddings

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
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
	after *scope.Place
	ended bool
	// ready are those read and not yet claimed.
	ready []scope.OwnedID
	// others says that somebody else had claims, and until when the first of them lasts.
	others bool
	until  time.Time
}

// candidate is a missing message, and until when somebody else has it.
type candidate struct {
	scope.OwnedID
	created time.Time
	claimed *time.Time
}

// claim takes the next messages of the walk that nobody else has. It returns none at the
// end of the walk and after an error of any worker.
func (j *embedJob) claim(ctx context.Context) ([]scope.OwnedID, error) {
	j.claiming.Lock()
	defer j.claiming.Unlock()
	for j.err == nil {
		for len(j.walk.ready) < j.options.BatchSize && !j.walk.ended {
			if err := j.readOn(ctx); err != nil {
				return nil, err
			}
		}
		n := min(j.options.BatchSize, len(j.walk.ready))
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
	q := query.New("SELECT m.id, m.user_id, m.created_at, k.claimed_until FROM "+j.sc.Tables.Messages+" m LEFT JOIN "+j.sc.Tables.Claims+
		" k ON k.message_id = m.id AND k.user_id = m.user_id AND k.model = ? AND k.claimed_until >= ?", j.model, j.sc.Instant())
	oldestFirst(j.sc, whereMissing(j.sc, j.sc.Owned(q, "k."), j.model, j.options.Filter), j.walk.after, store.MaxLimit)
	page, err := query.All(query.On(ctx, j.sc.Reader), q, func(c *candidate) []any {
		return []any{&c.ID, &c.User, (*record.Instant)(&c.created), record.NullInstant{Dest: &c.claimed}}
	})
	if err != nil {
		return err
	}
	for _, c := range page {
		if c.claimed == nil {
			j.walk.ready = append(j.walk.ready, c.OwnedID)
			continue
		}
		if !j.walk.others || c.claimed.Before(j.walk.until) {
			j.walk.until = *c.claimed
		}
		j.walk.others = true
	}
	if j.walk.ended = len(page) < store.MaxLimit; !j.walk.ended {
		last := page[len(page)-1]
		j.walk.after = &scope.Place{Key: scope.TimeKey(last.created), ID: last.ID, User: last.User}
	}
	return nil
}

// take claims messages and returns those that it got. On PostgreSQL it locks them, lest
// one be erased before the claim's foreign key is checked.
func (j *embedJob) take(ctx context.Context, wanted []scope.OwnedID) (claimed []scope.OwnedID, err error) {
	lock := j.sc.Dialect.LockKeyShare("m")
	for user, theirs := range byOwner(wanted, key) {
		sc, now := j.sc.As(user), j.sc.Instant()
		q := query.New("INSERT INTO "+j.sc.Tables.Claims+" AS k (message_id, user_id, model, claimed_by, claimed_until)"+
			" SELECT m.id, m.user_id, ?, ?, ? FROM "+j.sc.Tables.Messages+" m", j.model, j.token, j.until(now, 0))
		query.In(whereMissing(sc, q, j.model, j.options.Filter), " AND m.id", IDsOf(theirs)).Add(" ORDER BY m.id"+lock+
			" ON CONFLICT (message_id, user_id, model) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until"+
			" WHERE k.claimed_until < ? RETURNING message_id", now)
		got, err := claimIDs(ctx, sc, q)
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, got...)
	}
	return claimed, nil
}

// until is the end of a claim that is made now for a call after a wait.
func (j *embedJob) until(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait + j.options.Timeout + claimSlack)
}

// renew makes the claims last for one more call after a wait, and returns those that
// nobody took over.
func (j *embedJob) renew(ctx context.Context, claimed []scope.OwnedID, wait time.Duration) (kept []scope.OwnedID, err error) {
	for user, theirs := range byOwner(claimed, key) {
		sc := j.sc.As(user)
		q := query.New("UPDATE "+j.sc.Tables.Claims+" SET claimed_until = ? WHERE ", j.until(j.sc.Instant(), wait))
		got, err := claimIDs(ctx, sc, j.mine(q, user, theirs).Add(" RETURNING message_id"))
		if err != nil {
			return nil, err
		}
		kept = append(kept, got...)
	}
	return kept, nil
}

// mine ends a statement on the claims of this call on some messages of a user.
func (j *embedJob) mine(q *query.Query, user uuid.UUID, claimed []scope.OwnedID) *query.Query {
	return query.In(q.Add("user_id = ? AND model = ? AND claimed_by = ?", user, j.model, j.token), " AND message_id", IDsOf(claimed))
}

// release gives claims back, also when ctx has ended. If that fails they run out.
func (j *embedJob) release(ctx context.Context, claimed []scope.OwnedID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimSlack)
	defer cancel()
	for user, theirs := range byOwner(claimed, key) {
		err := j.sc.As(user).Retry(ctx, func() error {
			_, err := j.mine(query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE "), user, theirs).Exec(query.On(ctx, j.sc.Writer))
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
			left = j.walk.until.Sub(j.sc.Instant())
		}
		if err := query.Sleep(ctx, max(minPoll, min(poll, left))); err != nil || left < 0 {
			return err
		}
		now := j.sc.Instant()
		q := query.New("SELECT m.id FROM "+j.sc.Tables.Claims+" k JOIN "+j.sc.Tables.Messages+" m ON m.id = k.message_id AND m.user_id = k.user_id"+
			" AND k.model = ? AND k.claimed_until >= ?", j.model, now)
		whereMissing(j.sc, j.sc.Owned(q, "k."), j.model, j.options.Filter).Add(" LIMIT 1")
		claimed, err := scope.ReadIDs(query.On(ctx, j.sc.Writer), q)
		if err != nil || len(claimed) == 0 {
			return err
		}
	}
}

// claimIDs runs a statement on claims that returns ids of messages of the scope's user.
func claimIDs(ctx context.Context, sc scope.Scope, q *query.Query) (claimed []scope.OwnedID, err error) {
	err = sc.Retry(ctx, func() error {
		ids, err := scope.ReadIDs(query.On(ctx, sc.Writer), q)
		claimed = make([]scope.OwnedID, len(ids))
		for i, id := range ids {
			claimed[i] = scope.OwnedID{ID: id, User: sc.User}
		}
		return err
	})
	return claimed, err
}

func key(o scope.OwnedID) scope.OwnedID { return o }

func IDsOf(rows []scope.OwnedID) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}
