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

// claimSlack is how much longer than a call of the embedder a claim lasts: the time to read
// the texts and to write the vectors.
const claimSlack = 5 * time.Second

// missingWalk is the state of a walk over the missing messages.
type missingWalk struct {
	after *scope.Place
	ended bool
	// ready are the messages that were read and not yet claimed.
	ready []scope.OwnedID
	// othersClaim says that the walk met claims of other calls. firstExpiry is when the first of
	// them expires, or zero if the walk did not read it.
	othersClaim bool
	firstExpiry time.Time
}

// candidate is a missing message. claimed is until when another call has claimed it, or nil.
type candidate struct {
	scope.OwnedID
	created time.Time
	claimed *time.Time
}

// nextBatch claims the next messages of the walk that no other call has claimed. It returns none
// at the end of the walk and after an error of any worker.
func (j *embedJob) nextBatch(ctx context.Context) ([]scope.OwnedID, error) {
	j.claiming.Lock()
	defer j.claiming.Unlock()
	for j.err == nil {
		for len(j.walk.ready) < j.options.BatchSize && !j.walk.ended {
			if err := j.readPage(ctx); err != nil {
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
			j.walk.othersClaim = true
		}
		if len(claimed) > 0 {
			return claimed, nil
		}
	}
	return nil, nil
}

// readPage reads a page of the walk. It reads claimed messages together with the others, in one
// snapshot, so that no message that another call has claimed is overlooked.
func (j *embedJob) readPage(ctx context.Context) error {
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
		if !j.walk.othersClaim || c.claimed.Before(j.walk.firstExpiry) {
			j.walk.firstExpiry = *c.claimed
		}
		j.walk.othersClaim = true
	}
	if j.walk.ended = len(page) < store.MaxLimit; !j.walk.ended {
		last := page[len(page)-1]
		j.walk.after = &scope.Place{Key: scope.TimeKey(last.created), ID: last.ID, User: last.User}
	}
	return nil
}

// take claims messages and returns those that it got: a message that is no longer missing or
// that another call has claimed is not among them. On PostgreSQL it locks the messages, so
// that none is erased before the claim's foreign key is checked.
func (j *embedJob) take(ctx context.Context, wanted []scope.OwnedID) (claimed []scope.OwnedID, err error) {
	lock := j.sc.Dialect.LockKeyShare("m")
	for user, theirs := range byOwner(wanted, key) {
		sc, now := j.sc.As(user), j.sc.Instant()
		q := query.New("INSERT INTO "+j.sc.Tables.Claims+" AS k (message_id, user_id, model, claimed_by, claimed_at, claimed_until)"+
			" SELECT m.id, m.user_id, ?, ?, ?, ? FROM "+j.sc.Tables.Messages+" m", j.model, j.token, now, j.claimEnd(now, 0))
		query.In(whereMissing(sc, q, j.model, j.options.Filter), " AND m.id", IDsOf(theirs)).Add(" ORDER BY m.id"+lock+
			" ON CONFLICT (message_id, user_id, model) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at,"+
			" claimed_until = excluded.claimed_until"+
			" WHERE k.claimed_until < ? RETURNING message_id", now)
		got, err := claimIDs(ctx, sc, q)
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, got...)
	}
	return claimed, nil
}

// claimEnd is when a claim expires that is made now, for a call of the embedder after a wait.
func (j *embedJob) claimEnd(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait + j.options.Timeout + claimSlack)
}

// renew extends the claims for one more call after a wait, and returns those that no other call
// has taken over.
func (j *embedJob) renew(ctx context.Context, claimed []scope.OwnedID, wait time.Duration) (kept []scope.OwnedID, err error) {
	for user, batch := range byOwner(claimed, key) {
		sc, now := j.sc.As(user), j.sc.Instant()
		q := query.New("UPDATE "+j.sc.Tables.Claims+" SET claimed_at = ?, claimed_until = ? WHERE ", now, j.claimEnd(now, wait))
		got, err := claimIDs(ctx, sc, j.claimsOf(q, user, batch).Add(" RETURNING message_id"))
		if err != nil {
			return nil, err
		}
		kept = append(kept, got...)
	}
	return kept, nil
}

// claimsOf adds the condition on the claims that this call has on messages of a user.
func (j *embedJob) claimsOf(q *query.Query, user uuid.UUID, claimed []scope.OwnedID) *query.Query {
	return query.In(q.Add("user_id = ? AND model = ? AND claimed_by = ?", user, j.model, j.token), " AND message_id", IDsOf(claimed))
}

// release deletes claims, also when ctx has ended. If that fails, the claims expire.
func (j *embedJob) release(ctx context.Context, claimed []scope.OwnedID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimSlack)
	defer cancel()
	for user, batch := range byOwner(claimed, key) {
		err := j.sc.As(user).Retry(ctx, func() error {
			_, err := j.claimsOf(query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE "), user, batch).Exec(query.On(ctx, j.sc.Writer))
			return err
		})
		if err != nil {
			return
		}
	}
}

// claimIDs runs a statement on claims, with retries, and returns the messages of the scope's
// user whose ids it returns.
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

// key is the key function of byOwner for rows that are keys.
func key(o scope.OwnedID) scope.OwnedID { return o }

// IDsOf returns the ids of keys, in their order.
func IDsOf(rows []scope.OwnedID) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}
