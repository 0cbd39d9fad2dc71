package health

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

func (h health) Deliveries(ctx context.Context) (found store.DeliveryHealth, err error) {
	sc := h.st.AllUsers()
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return found, err
	}
	now := sc.Instant()
	const due = scope.DueDelivery
	q := query.New("SELECT count(*), count(CASE WHEN "+due+" THEN 1 END), min(CASE WHEN "+due+" THEN d.due_at END),"+
		" count(CASE WHEN d.claimed_until > ? THEN 1 END), count(CASE WHEN d.last_error IS NOT NULL THEN 1 END)"+
		" FROM "+sc.Tables.Deliveries+" d"+sc.Through("deliveries_due_idx")+" WHERE "+scope.OpenDelivery, now, now, now, now, now)
	var oldest *time.Time
	_, err = sc.InLiveMessage(q, "d.").Row(db, &found.Open, &found.Overdue, record.NullInstant{Dest: &oldest}, &found.Claimed, &found.Retrying)
	if err != nil {
		return store.DeliveryHealth{}, query.Wrap("count deliveries", err)
	}
	found.OldestDue = oldest
	q = query.New("SELECT count(DISTINCT d.message_id) FROM " + sc.Tables.Deliveries + " d" + sc.Through("deliveries_all_failed_idx") + " WHERE d.failed_at IS NOT NULL" +
		" AND (SELECT f.delivery FROM " + sc.Tables.Messages + " f WHERE f.id = d.message_id AND f.user_id = d.user_id) = 'failed'")
	if _, err := sc.InLiveMessage(q, "d.").Row(db, &found.Failed); err != nil {
		return store.DeliveryHealth{}, query.Wrap("count deliveries", err)
	}
	return found, nil
}
