package suggestions

import (
	"context"
	"math"
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// perExpiry is how many suggestions expire in one statement.
const perExpiry = 500

func (s suggestions) Expire(ctx context.Context, o store.ExpireOptions) (expired int64, err error) {
	if o.CreatedBefore.IsZero() {
		return 0, rule.Invalid("created_before", "is not set")
	}
	if err := check.Time("created_before", o.CreatedBefore); err != nil {
		return 0, err
	}
	if o.Limit < 0 {
		return 0, rule.Invalid("limit", "is negative")
	}
	left := int64(math.MaxInt64)
	if o.Limit > 0 {
		left = int64(o.Limit)
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return 0, err
	}
	before := message.Instant(o.CreatedBefore)
	for left > 0 {
		most := min(left, perExpiry)
		n, err := s.expire(ctx, before, most)
		expired += n
		if err != nil || n < most {
			return expired, query.Wrap("expire suggestions", err)
		}
		left -= n
	}
	return expired, nil
}

// expire has some suggestions expire. What another transaction has locked it leaves out.
func (s suggestions) expire(ctx context.Context, before time.Time, most int64) (n int64, err error) {
	now, table := s.sc.Instant(), s.sc.Tables.Suggestions
	old := query.New("SELECT s.id, s.user_id FROM "+table+" s WHERE s.status = 'pending' AND s.deleted_at IS NULL AND s.created_at < ? AND s.updated_at < ?", before, before)
	s.sc.InLive(s.sc.Owned(old, "s."), "s.").Add(s.sc.SortByTime("created_at", "s.").OrderBy("")+" LIMIT ?", most).Add(s.sc.Dialect.SkipLocked("s"))
	// As a subquery of the UPDATE it could run more than once, and find others each time.
	q := query.New("WITH v AS ").Bracketed(old).Add(" UPDATE "+table+" AS t SET status = 'expired', reviewed_at = ?, updated_at = ? FROM v", now, now).
		Add(" WHERE t.id = v.id AND t.user_id = v.user_id AND t.status = 'pending'")
	err = s.sc.Single(ctx, func(on *scope.Store) (err error) {
		n, err = q.Exec(query.On(ctx, on.Writer))
		return err
	})
	if err != nil {
		return 0, err // the commit may have failed
	}
	return n, nil
}
