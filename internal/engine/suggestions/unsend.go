package suggestions

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// readSent reads the message that a suggestion was sent as, live or deleted, and tells whether it
// has left or is to.
func readSent(ctx context.Context, sc scope.Scope, id uuid.UUID) (m *message.Message, goes bool, err error) {
	q := query.New("SELECT "+record.MessageColumns+", "+underway+" FROM "+sc.Tables.Messages+" m WHERE id = ? AND user_id = ?", id, sc.User)
	m, err = query.One(query.On(ctx, sc.Writer), q, func(m *message.Message) []any { return append(record.MessageDest(m), &goes) })
	return m, goes, err
}

// withdraw makes room for another message in the place of one that has not arrived: nothing of it
// is sent any more, also if it is restored, and its key is free. What failed or bounced
// remains to be seen; what was never said does not.
func withdraw(ctx context.Context, sc scope.Scope, former *message.Message) error {
	if _, err := threads.CancelEntries(ctx, sc, former.ID); err != nil {
		return err
	}
	var changes []string
	var args []any
	if former.IdempotencyKey != "" {
		changes = append(changes, "idempotency_key = NULL")
	}
	if former.Delivery == message.DeliveryQueued {
		changes = append(changes, "delivery = 'cancelled'")
	}
	if former.Delivery == message.DeliveryCancelled && !former.Deleted() {
		changes, args = append(changes, "deleted_at = ?"), append(args, sc.Instant())
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := threads.ChangeLocked(ctx, sc, former, query.New(strings.Join(changes, ", "), args...))
	return err
}

func (s suggestions) Unsend(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	sc, conversationID, err := s.conversationOf(ctx, id)
	if err != nil {
		return nil, query.Wrap("unsend", err)
	}
	s.sc = sc
	var sg *suggestion.Suggestion
	err = s.where(ctx, id, conversationID, func(tx scope.Scope, conversationID uuid.UUID) (err error) {
		sg, err = s.unsend(ctx, tx, conversationID, id)
		return err
	})
	if err != nil {
		return nil, query.Wrap("unsend", err)
	}
	return sg, nil
}

func (s suggestions) unsend(ctx context.Context, sc scope.Scope, conversationID, id uuid.UUID) (*suggestion.Suggestion, error) {
	sg, err := lockForSend(ctx, sc, conversationID, id)
	if err != nil {
		return nil, err
	}
	if !sg.Sent() {
		return nil, &store.TransitionError{Of: "suggestion", From: sg.Status.String(), To: "unsent"}
	}
	m, _, err := readSent(ctx, sc, *sg.SentMessageID)
	if err != nil {
		return nil, err
	}
	entries, err := threads.CancelEntries(ctx, sc, m.ID)
	if err != nil {
		return nil, err
	}
	if err := checkUnsent(entries); err != nil {
		return nil, err
	}
	if err := s.hide(ctx, sc, m); err != nil {
		return nil, err
	}
	q := query.New("UPDATE "+sc.Tables.Suggestions+" SET sent_message_id = NULL, updated_at = ? WHERE id = ? AND user_id = ? RETURNING "+record.SuggestionColumns,
		sc.Instant(), id, sc.User)
	return query.One(query.On(ctx, sc.Writer), q, record.SuggestionDest)
}

// checkUnsent refuses to take back a message of which something was sent, or nothing was to be sent
// any more. Its entries are those of CancelEntries.
func checkUnsent(entries []*message.OutboxEntry) error {
	open := false
	for _, e := range entries {
		if e.DoneAt != nil {
			return &store.TransitionError{Of: "delivery", From: "done", To: "unsent"}
		}
		open = open || e.Open()
	}
	switch {
	case open:
		return nil
	case len(entries) == 0:
		return &store.TransitionError{Of: "message", From: "in no outbox", To: "unsent"}
	}
	return &store.TransitionError{Of: "delivery", From: threads.EntryState(entries[0], entries[0].CreatedAt), To: "unsent"}
}

// hide cancels and deletes a message that was taken out of the outbox.
func (s suggestions) hide(ctx context.Context, sc scope.Scope, was *message.Message) error {
	m, err := threads.ChangeLocked(ctx, sc, was, query.New("delivery = 'cancelled', delivery_error = NULL, idempotency_key = NULL"))
	if err != nil || m.Deleted() {
		return err
	}
	if err := threads.Changed(ctx, sc, was, m); err != nil {
		return err
	}
	_, err = threads.NewMessages(sc, s.appends, nil).Delete(ctx, m.ID)
	return err
}
