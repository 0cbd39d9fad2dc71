package trpc

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// reader reads the events of a conversation.
type reader struct {
	sc store.Scope
	id uuid.UUID
}

// read is an event with its place.
type read struct {
	seq   int64
	event event.Event
}

// events reads the events that the options ask for into a handle, of the newest limit ones, or of
// all if the limit is below 0.
func (r reader) events(ctx context.Context, sess *session.Session, o *session.Options, limit int) error {
	if o.EventPage != nil {
		return r.page(ctx, sess, *o.EventPage)
	}
	if !o.EventTime.IsZero() {
		return r.since(ctx, sess, o, limit)
	}
	n := limit
	if o.EventNum > 0 && (n < 0 || o.EventNum < n) {
		n = o.EventNum
	}
	got, err := r.newest(ctx, n)
	if err == nil {
		got, err = r.fromUser(ctx, got, n)
	}
	keep(sess, got)
	return err
}

// since reads the events from the first one at or after a time on, whatever comes behind it, as the
// framework does. It looks for that one before it looks for the user's, unless the session has more
// events than the limit.
func (r reader) since(ctx context.Context, sess *session.Session, o *session.Options, limit int) error {
	n := limit
	if n > 0 {
		n++
	}
	got, err := r.newest(ctx, n)
	if err == nil && n > 0 && len(got) == n {
		got, err = r.fromUser(ctx, got[1:], limit)
	}
	keep(sess, got)
	sess.ApplyEventFiltering(session.WithEventNum(o.EventNum), session.WithEventTime(o.EventTime))
	return err
}

func keep(sess *session.Session, got []read) {
	for _, e := range got {
		sess.Events = append(sess.Events, e.event)
	}
}

// fromUser returns of the newest n events those from the first one of the user's on. If the user has
// none among them, the last one before them comes first.
func (r reader) fromUser(ctx context.Context, got []read, n int) ([]read, error) {
	if i := slices.IndexFunc(got, func(e read) bool { return e.event.IsUserMessage() }); i >= 0 {
		return got[i:], nil
	}
	if n < 0 || len(got) < n {
		return nil, nil
	}
	f := store.MessageFilter{Roles: []message.Role{message.RoleUser}, BeforeSeq: got[0].seq, Order: store.ReverseThreadOrder}
	for f.BeforeSeq > 1 {
		page, err := r.sc.Messages().List(ctx, r.id, f, store.PageRequest{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			break
		}
		m := page.Items[0]
		f.BeforeSeq = m.Seq
		if !shown(m) {
			continue
		}
		e, err := fromMessage(m)
		if err != nil {
			return nil, err
		}
		if e.IsUserMessage() {
			return append([]read{{m.Seq, e}}, got...), nil
		}
	}
	return nil, nil
}

// newest returns the newest n events, or all if n is below 0, in their order.
func (r reader) newest(ctx context.Context, n int) ([]read, error) {
	var got []read // newest first
	f := store.MessageFilter{Order: store.ReverseThreadOrder}
	take := func(m *message.Message) error {
		if !shown(m) {
			return nil
		}
		e, err := fromMessage(m)
		got = append(got, read{m.Seq, e})
		return err
	}
	more := true
	if n > 0 && n <= store.MaxLimit {
		last, err := r.sc.Messages().Last(ctx, r.id, n)
		if err != nil {
			return nil, err
		}
		for _, m := range slices.Backward(last) {
			if err := take(m); err != nil {
				return nil, err
			}
		}
		if more = len(last) > 0 && last[0].Seq > 1; more {
			f.BeforeSeq = last[0].Seq
		}
	}
	// More than a page, or a page that is short: its rows were large, or not for the agent.
	if more && len(got) != n {
		for m, err := range r.sc.Messages().All(ctx, r.id, f) {
			if err != nil {
				return nil, err
			}
			if err := take(m); err != nil {
				return nil, err
			}
			if len(got) == n {
				break
			}
		}
	}
	slices.Reverse(got)
	return got, nil
}

// page reads a strict page of events, counted from the newest one.
func (r reader) page(ctx context.Context, sess *session.Session, p session.EventPage) error {
	var got []event.Event // newest first
	skip := p.Offset
	for m, err := range r.sc.Messages().All(ctx, r.id, store.MessageFilter{Order: store.ReverseThreadOrder}) {
		if err != nil {
			return err
		}
		if !shown(m) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		e, err := fromMessage(m)
		if err != nil {
			return err
		}
		if got = append(got, e); len(got) == p.Limit {
			break
		}
	}
	slices.Reverse(got)
	sess.Events = append(sess.Events, got...)
	return nil
}
