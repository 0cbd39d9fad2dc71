package store_test

import (
	"context"
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A client shows a thread, follows it, and comes back later with the last position that it has.
func ExampleMessageWatcher_Tail() {
	ctx := context.Background()
	mine, c := open(ctx)
	question := say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")

	lastEventID := ""
	for change, err := range mine.Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}) {
		must(err)
		fmt.Println(change.Position, change.Kind, change.Message.Content)
		if lastEventID = change.Position.String(); change.Message.Role == message.RoleAssistant {
			break
		}
		say(ctx, mine, c, message.RoleAssistant, "In Seville, mostly.") // as another process would
	}

	text := "Where is it warm in April?"
	_, err := mine.Messages().Update(ctx, question.ID, store.MessageUpdate{Content: &text})
	must(err)
	from, err := store.ParsePosition(lastEventID)
	must(err)
	for change, err := range mine.Messages().Tail(ctx, c.ID, from, store.TailOptions{Once: true}) {
		must(err)
		fmt.Println(change.Position, change.Kind, change.Message.Content)
	}
	// Output:
	// 1.0 appended Where is it warm in March?
	// 2.0 appended In Seville, mostly.
	// 2.1 updated Where is it warm in April?
}

// A list of conversations stays up to date.
func ExampleConversationWatcher_Watch() {
	ctx := context.Background()
	mine, c := open(ctx)
	for change, err := range mine.Conversations().Watch(ctx, store.WatchOptions{Since: c.CreatedAt}) {
		must(err)
		fmt.Println(change.Conversation.Title, change.Conversation.LastSeq)
		if change.Conversation.LastSeq > 0 {
			break
		}
		say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")
	}
	// Output:
	// Holiday plans 0
	// Holiday plans 1
}
