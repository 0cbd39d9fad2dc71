package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// A reply is approved, taken back, overtaken by another question, and sent all the same; the
// provider refuses it, and it is sent anew.
func ExampleSuggestionSender() {
	ctx := context.Background()
	mine, c := open(ctx)
	question := say(ctx, mine, c, message.RoleUser, "How much is it?")
	s := &suggestion.Suggestion{
		ConversationID: c.ID, InReplyToMessageID: &question.ID, AnswersSeq: question.Seq, SuggestedContent: "40 euros.",
	}
	must(mine.Suggestions().Create(ctx, s))
	_, err := mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{By: "ann"})
	must(err)

	send := func(o store.SendOptions) error {
		m := &message.Message{RecipientEmail: "john@example.com"}
		o.Deliver = &message.OutboxEntry{Channel: "mail"}
		created, err := mine.Suggestions().Send(ctx, s.ID, m, o)
		if err == nil {
			fmt.Println("sent:", created, "as message", m.Seq, m.Delivery)
		}
		return err
	}
	must(send(store.SendOptions{}))
	must(send(store.SendOptions{}))
	s, err = mine.Suggestions().Unsend(ctx, s.ID)
	must(err)
	fmt.Println("taken back:", s.Status)

	say(ctx, mine, c, message.RoleUser, "With shipping?")
	if stale, ok := errors.AsType[*store.StaleDraftError](send(store.SendOptions{})); ok {
		fmt.Println("stale:", stale.Newer.Content)
	}
	must(send(store.SendOptions{AllowStale: true}))

	refuse := func(context.Context, *store.Claimed) (store.DeliveryResult, error) {
		return store.DeliveryResult{}, &store.PermanentError{Err: errors.New("550 no such user")}
	}
	must(mine.Deliveries().Run(ctx, store.RunOptions{Once: true}, refuse))
	must(send(store.SendOptions{AllowStale: true}))
	// Output:
	// sent: true as message 2 queued
	// sent: false as message 2 queued
	// taken back: approved
	// stale: With shipping?
	// sent: true as message 4 queued
	// sent: true as message 5 queued
}
