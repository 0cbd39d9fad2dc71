package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// readReport reads a mail that came back and notes what it says of the message that it is about: a
// failure makes that bounced, and its conversation needs a reply. The report itself is kept in the
// conversation, as a bounce or an automatic reply, which is no answer of anybody. A mail that reports
// nothing, or nothing of a message that is here, is only named.
func readReport(ctx context.Context, st store.Store, in io.Reader, out io.Writer) error {
	m, err := mailbox.Read(in, mailbox.Options{})
	if err != nil {
		return err
	}
	if m.Report == nil {
		_, err := fmt.Fprintln(out, "no report:", m.Subject)
		return err
	}
	about, err := reported(ctx, st, m.Report)
	if errors.Is(err, store.ErrNotFound) {
		_, err := fmt.Fprintln(out, "about no message here:", m.Report.OriginalID)
		return err
	}
	if err != nil {
		return err
	}
	if err := note(ctx, st, about, m); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s %s\n", about.ID, m.Message.Kind, m.Report.Reason())
	return err
}

// reported finds the message that a report is about.
func reported(ctx context.Context, st store.Store, r *mailbox.Report) (*message.Message, error) {
	for _, name := range []string{r.EnvelopeID, r.OriginalID} {
		id, ok := idOf(name)
		if !ok {
			continue
		}
		// Whoever got the mail knows its id. What was never sent cannot have come back.
		m, err := st.AllUsers().Messages().Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (m.Direction != message.DirectionOutbound || m.Delivery == message.DeliveryNone) {
			continue
		}
		return m, err
	}
	return nil, store.ErrNotFound
}

func note(ctx context.Context, st store.Store, about *message.Message, m *mailbox.Mail) error {
	return st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(about.UserID)
		if _, err := mine.Messages().Append(ctx, about.ConversationID, m.Message); err != nil {
			return err
		}
		if m.Report.Failed() {
			_, err := mine.Deliveries().Bounce(ctx, about.ID, m.Report.Reason())
			return err
		}
		if m.Report.Kind == mailbox.ReportDisposition || delivered(m.Report) {
			return arrived(ctx, mine, about.ID)
		}
		return nil // it is on its way still
	})
}

// arrived notes that a mail has arrived, unless a bounce came first.
func arrived(ctx context.Context, mine store.Scope, id uuid.UUID) error {
	_, err := mine.Deliveries().Delivered(ctx, id)
	if _, bounced := errors.AsType[*store.TransitionError](err); bounced {
		return nil
	}
	return err
}

func delivered(r *mailbox.Report) bool {
	for _, one := range r.Recipients {
		if one.Action != mailbox.ActionDelivered {
			return false
		}
	}
	return len(r.Recipients) > 0
}
