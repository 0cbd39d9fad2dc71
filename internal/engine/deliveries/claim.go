package deliveries

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s deliveries) Claim(ctx context.Context, o store.ClaimOptions) ([]*store.Claimed, error) {
	o, err := checkClaim(s.sc, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	claimed, err := s.claim(ctx, o)
	if err != nil {
		return nil, query.Wrap("claim deliveries", err)
	}
	return claimed, nil
}

// checkClaim fills in the defaults.
func checkClaim(sc scope.Scope, o store.ClaimOptions) (store.ClaimOptions, error) {
	sc.Clean.Text(&o.Worker)
	if err := check.Name("worker", o.Worker); err != nil {
		return o, err
	}
	channels, err := checkChannels(sc, o.Channels)
	if err != nil {
		return o, err
	}
	o.Channels = channels
	if o.Limit == 0 {
		o.Limit = store.DefaultClaim
	}
	if o.Limit, err = scope.Limit("limit", o.Limit); err != nil {
		return o, err
	}
	o.Lease, err = checkLease(sc, o.Lease)
	return o, err
}

func checkChannels(sc scope.Scope, channels []string) ([]string, error) {
	if len(channels) > store.MaxLimit {
		return nil, rule.Invalid("channels", "has %d channels, the most is %d", len(channels), store.MaxLimit)
	}
	cleaned := make([]string, len(channels))
	for i, c := range channels {
		sc.Clean.Text(&c)
		if err := check.Name("channels", c); err != nil {
			return nil, err
		}
		cleaned[i] = c
	}
	return scope.Distinct(cleaned), nil
}

func checkLease(sc scope.Scope, lease time.Duration) (time.Duration, error) {
	if lease == 0 {
		lease = store.DefaultLease
	}
	if lease < 0 {
		return lease, rule.Invalid("lease", "is negative")
	}
	return lease, check.Time("lease", sc.Instant().Add(lease))
}

// spare is how many more entries than wanted a claim looks at: others claim at the same time.
const spare = 32

// claim claims until it has what was wanted, or nothing more is due.
func (s deliveries) claim(ctx context.Context, o store.ClaimOptions) ([]*store.Claimed, error) {
	claimed := []*store.Claimed{}
	for range scope.MaxTries {
		before := len(claimed)
		due, err := s.due(ctx, o, o.Limit-len(claimed)+spare)
		if err != nil || len(due) == 0 {
			return s.orNone(ctx, o.Worker, claimed, err)
		}
		for _, of := range byUser(due) {
			got, err := s.take(ctx, s.sc.As(of.user), of.ids, o, o.Limit-len(claimed))
			if claimed = append(claimed, got...); err != nil || len(claimed) == o.Limit {
				return s.orNone(ctx, o.Worker, claimed, err)
			}
		}
		if len(claimed)-before == len(due) {
			break // it was less than wanted, so that it was all
		}
	}
	return claimed, nil
}

// orNone returns what was claimed, or an error of a later part after giving it back.
func (s deliveries) orNone(ctx context.Context, worker string, claimed []*store.Claimed, err error) ([]*store.Claimed, error) {
	if err == nil {
		return claimed, nil
	}
	for _, c := range claimed {
		sc := s.sc.As(c.Entry.UserID)
		_ = sc.Single(ctx, func(on *scope.Store) error { // if it fails, the lease ends
			_, err := query.New("UPDATE "+sc.Tables.Deliveries+" SET claimed_by = NULL, claimed_until = NULL, attempts = attempts - 1"+
				" WHERE id = ? AND user_id = ? AND claimed_by = ? AND attempts > 0", c.Entry.ID, sc.User, worker).Exec(query.On(ctx, on.Writer))
			return err
		})
	}
	return nil, err
}

// free adds the conditions of what may be claimed now.
func free(q *query.Query, now time.Time) *query.Query {
	return q.Add(" AND "+scope.OpenDelivery+" AND "+scope.DueDelivery, now, now)
}

// due reads what may be claimed, without a lock.
func (s deliveries) due(ctx context.Context, o store.ClaimOptions, n int) ([]*scope.OwnedID, error) {
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT d.id, d.user_id FROM " + s.sc.Tables.Deliveries + " d WHERE 1 = 1")
	if !s.sc.All {
		// What is due is few, and the index of the user has everything that was ever sent.
		q.Add(" AND "+s.sc.Dialect.Unindexed("d.user_id")+" = ?", s.sc.User)
	}
	if len(o.Channels) > 0 {
		in, arg := s.sc.Dialect.InTexts("d.channel", o.Channels)
		q.Add(" AND "+in, arg)
	}
	s.sc.InLiveMessage(free(q, s.sc.Instant()), "d.").Add(" ORDER BY d.due_at, d.id LIMIT ?", n)
	return query.All(db, q, func(o *scope.OwnedID) []any { return []any{&o.ID, &o.User} })
}

// owned are entries of one user.
type owned struct {
	user uuid.UUID
	ids  []uuid.UUID
}

// byUser divides entries by their users, in the order of the first of each.
func byUser(due []*scope.OwnedID) (users []owned) {
	at := map[uuid.UUID]int{}
	for _, d := range due {
		i, ok := at[d.User]
		if !ok {
			i, users = len(users), append(users, owned{user: d.User})
			at[d.User] = i
		}
		users[i].ids = append(users[i].ids, d.ID)
	}
	return users
}

// take claims at most n of the entries of a user, those that are still free, and reads their
// messages. Rows that another claim has locked are passed over: it will have them.
func (s deliveries) take(ctx context.Context, sc scope.Scope, ids []uuid.UUID, o store.ClaimOptions, n int) ([]*store.Claimed, error) {
	var entries []*message.OutboxEntry
	err := sc.Single(ctx, func(on *scope.Store) (err error) {
		now := sc.Instant()
		in, arg := sc.Dialect.InUUIDs("d.id", ids)
		one := selected(sc, "d.id AS taken", in, arg)
		free(one, now).Add(" ORDER BY d.due_at, d.id LIMIT ?"+sc.Dialect.SkipLocked("d"), n)
		q := query.New("WITH due AS ").Bracketed(one).
			Add(" UPDATE "+sc.Tables.Deliveries+" AS t SET claimed_by = ?, claimed_until = ?, attempts = t.attempts + 1, updated_at = ?"+
				" FROM due WHERE t.id = due.taken AND t.user_id = ? RETURNING "+record.DeliveryColumns, o.Worker, now.Add(o.Lease), now, sc.User)
		entries, err = query.All(query.On(ctx, on.Writer), q, record.DeliveryDest)
		return err
	})
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return withMessages(ctx, sc, entries)
}

// withMessages reads the messages of claimed entries, the one that is due longest first. An entry whose message was purged
// meanwhile is gone too.
func withMessages(ctx context.Context, sc scope.Scope, entries []*message.OutboxEntry) ([]*store.Claimed, error) {
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		ids[i] = e.MessageID
	}
	rows, err := query.All(db, query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE ").Append(sc.Among("id", ids)), record.MessageDest)
	if err != nil {
		return nil, err
	}
	messages := make(map[uuid.UUID]*message.Message, len(rows))
	for _, m := range rows {
		messages[m.ID] = m
	}
	sortByDue(entries)
	claimed := make([]*store.Claimed, 0, len(entries))
	for _, e := range entries {
		if m := messages[e.MessageID]; m != nil {
			claimed = append(claimed, &store.Claimed{Entry: e, Message: m, Key: m.ID.String()})
		}
	}
	return claimed, nil
}

func (s deliveries) Renew(ctx context.Context, id uuid.UUID, worker string, lease time.Duration) (*message.OutboxEntry, error) {
	s.sc.Clean.Text(&worker)
	if err := check.Name("worker", worker); err != nil {
		return nil, err
	}
	lease, err := checkLease(s.sc, lease)
	if err != nil {
		return nil, err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Deliveries, id)
	if err != nil {
		return nil, query.Wrap("renew", err)
	}
	var e *message.OutboxEntry
	sc := s.sc.As(owner)
	err = scope.Settle(func() (bool, error) {
		found, err := renew(ctx, sc, id, worker, lease)
		if len(found) > 0 {
			e = found[0]
		}
		if err != nil || len(found) > 0 {
			return true, err
		}
		now, err := find(sc, query.On(ctx, sc.Writer), id, false)
		switch {
		case err != nil:
			return false, err
		case now.Open() && now.ClaimedBy == worker:
			return false, nil
		}
		return false, leaseError(now)
	})
	if err != nil {
		return nil, query.Wrap("renew", err)
	}
	return e, nil
}

func renew(ctx context.Context, sc scope.Scope, id uuid.UUID, worker string, lease time.Duration) (found []*message.OutboxEntry, err error) {
	now := sc.Instant()
	q := query.New("UPDATE "+sc.Tables.Deliveries+" SET claimed_until = ?, updated_at = ? WHERE id = ? AND user_id = ? AND claimed_by = ? AND "+scope.OpenDelivery+
		" RETURNING "+record.DeliveryColumns, now.Add(lease), now, id, sc.User, worker)
	err = sc.Single(ctx, func(on *scope.Store) (err error) {
		found, err = query.All(query.On(ctx, on.Writer), q, record.DeliveryDest)
		return err
	})
	return found, err
}
