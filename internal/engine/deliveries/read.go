package deliveries

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s deliveries) Get(ctx context.Context, id uuid.UUID) (*message.OutboxEntry, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	e, err := find(s.sc, db, id, true)
	return e, query.Wrap("get delivery", err)
}

func (s deliveries) List(ctx context.Context, f store.DeliveryFilter, p store.PageRequest) (page store.Page[*message.OutboxEntry], err error) {
	if err := s.checkFilter(&f); err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "deliveries", f, p)
	if err != nil {
		return page, err
	}
	q := s.sc.Owned(query.New("SELECT "+record.DeliveryColumns+" FROM "+s.sc.Tables.Deliveries+" d"+s.through(f)+" WHERE 1 = 1"), "d.")
	filter(q, f)
	s.sc.InLiveMessage(q, "d.")
	latest := s.sc.SortByArrival("created_at", "")
	if l.After != nil {
		latest.After(q, "<", l.After)
	}
	q.Add(latest.OrderBy(" DESC")+" LIMIT ?", l.Limit+1)
	page, err = scope.ReadPage(l, q, record.DeliveryDest, size, func(e *message.OutboxEntry) scope.Place {
		return scope.Place{Key: scope.TimeKey(e.CreatedAt), ID: e.ID, User: e.UserID}
	})
	return page, query.Wrap("list deliveries", err)
}

// through is how SQLite finds the entries of a message, or of a state of which there are few.
func (s deliveries) through(f store.DeliveryFilter) string {
	switch {
	case f.MessageID != uuid.Nil:
		return s.sc.Through("deliveries_message_idx")
	case f.State == store.DeliveryFailed && s.sc.All:
		return s.sc.Through("deliveries_all_failed_idx")
	case f.State == store.DeliveryFailed:
		return s.sc.Through("deliveries_failed_idx")
	case f.State == store.DeliveryOpen && s.sc.All:
		return s.sc.Through("deliveries_due_idx")
	case f.State == store.DeliveryOpen:
		return s.sc.Through("deliveries_open_idx")
	}
	return ""
}

func size(e *message.OutboxEntry) int { return len(e.LastError) + len(e.Channel) + len(e.ClaimedBy) }

func (s deliveries) checkFilter(f *store.DeliveryFilter) error {
	if err := s.sc.CleanFilter("channel", &f.Channel); err != nil {
		return err
	}
	if f.State != "" && !f.State.Valid() {
		return rule.Invalid("state", "is not open, done, failed, cancelled or empty")
	}
	if !f.DueBefore.IsZero() {
		if err := check.Time("due_before", f.DueBefore); err != nil {
			return err
		}
		f.DueBefore = message.Instant(f.DueBefore)
	}
	return check.Key("channel", f.Channel)
}

func filter(q *query.Query, f store.DeliveryFilter) {
	if f.MessageID != uuid.Nil {
		q.Add(" AND d.message_id = ?", f.MessageID)
	}
	if f.Channel != "" {
		q.Add(" AND d.channel = ?", f.Channel)
	}
	switch f.State {
	case store.DeliveryOpen:
		q.Add(" AND " + scope.OpenDelivery)
	case store.DeliveryDone:
		q.Add(" AND d.done_at IS NOT NULL")
	case store.DeliveryFailed:
		q.Add(" AND d.failed_at IS NOT NULL")
	case store.DeliveryCancelled:
		q.Add(" AND d.cancelled_at IS NOT NULL")
	}
	if !f.DueBefore.IsZero() {
		q.Add(" AND d.due_at < ?", f.DueBefore)
	}
}
