package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// approve is what the server of an inbox calls for its button: the decision, the message and its
// place in the outbox are one transaction. Until undo has passed, Cancel takes it back.
func approve(ctx context.Context, st store.Store, user, id uuid.UUID, by string, undo time.Duration) (*message.OutboxEntry, error) {
	entry := &message.OutboxEntry{Channel: channel, DueAt: time.Now().Add(undo)}
	err := st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(user).Suggestions()
		if _, err := mine.Approve(ctx, id, suggestion.Review{By: by}); err != nil {
			return err
		}
		_, err := mine.Send(ctx, id, &message.Message{}, store.SendOptions{Deliver: entry})
		return err
	})
	return entry, err
}
