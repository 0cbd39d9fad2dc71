package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A worker hands messages to a provider, which takes one and refuses another.
func ExampleDeliveries() {
	ctx := context.Background()
	mine, c := open(ctx)
	for _, text := range []string{"Seville.", "To nobody."} {
		m := &message.Message{Direction: message.DirectionOutbound, Content: text}
		_, err := mine.Messages().Append(ctx, c.ID, m)
		must(err)
		must(mine.Deliveries().Enqueue(ctx, &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}))
	}

	must(mine.Deliveries().Run(ctx, store.RunOptions{Once: true}, func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
		if c.Message.Content == "To nobody." {
			return store.DeliveryResult{}, &store.PermanentError{Err: errors.New("550 no such user")}
		}
		return store.DeliveryResult{EmailMessageID: "<1@provider.example>"}, nil
	}))

	sent, err := mine.Messages().Last(ctx, c.ID, 2)
	must(err)
	for _, m := range sent {
		fmt.Println(m.Content, m.Delivery, m.EmailMessageID+m.DeliveryError)
	}
	c, err = mine.Conversations().Get(ctx, c.ID)
	must(err)
	fmt.Println(c.Status)
	// Output:
	// Seville. sent <1@provider.example>
	// To nobody. failed 550 no such user
	// needs_reply
}

// A message that is not sent yet can be taken back.
func ExampleDeliveryQueue() {
	ctx := context.Background()
	mine, c := open(ctx)
	m := &message.Message{Direction: message.DirectionOutbound, Content: "Sevilel."}
	_, err := mine.Messages().Append(ctx, c.ID, m)
	must(err)
	e := &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}
	must(mine.Deliveries().Enqueue(ctx, e))

	_, err = mine.Deliveries().Cancel(ctx, e.ID)
	must(err)
	claimed, err := mine.Deliveries().Claim(ctx, store.ClaimOptions{Worker: "worker 1"})
	must(err)
	_, err = mine.Deliveries().Cancel(ctx, e.ID)
	fmt.Println(len(claimed), "claimed;", err)
	// Output: 0 claimed; convostore: a delivery that is cancelled cannot become cancelled
}
