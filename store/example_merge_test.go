package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A reply came without a reference to what it answers, and began a thread of its own.
func ExampleConversationMerger() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "When can you deliver?")
	stray := &conversation.Conversation{Subject: "Re: delivery"}
	must(mine.Conversations().Create(ctx, stray))
	say(ctx, mine, stray, message.RoleUser, "By Monday, please.")

	heir, err := mine.Conversations().Merge(ctx, stray.ID, c.ID, store.MoveOptions{})
	must(err)
	fmt.Println(heir.LastSeq, "messages")

	// Who still has the old id is told the new one.
	m := &message.Message{Role: message.RoleUser, Content: "Or on Tuesday."}
	_, err = mine.Messages().Append(ctx, stray.ID, m)
	var merged *store.MergedError
	if errors.As(err, &merged) {
		_, err = mine.Messages().Append(ctx, merged.Into, m)
	}
	must(err)
	for m, err := range mine.Messages().All(ctx, c.ID, store.MessageFilter{}) {
		must(err)
		fmt.Println(m.Seq, m.Content)
	}
	// Output:
	// 2 messages
	// 1 When can you deliver?
	// 2 By Monday, please.
	// 3 Or on Tuesday.
}

// A mail was filed in the wrong conversation.
func ExampleMessageMover() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "When can you deliver?")
	wrong := say(ctx, mine, c, message.RoleUser, "About my invoice …")
	right := &conversation.Conversation{Subject: "Invoice"}
	must(mine.Conversations().Create(ctx, right))

	moved, err := mine.Messages().Move(ctx, []uuid.UUID{wrong.ID}, right.ID, store.MoveOptions{})
	must(err)
	m, err := mine.Messages().Get(ctx, wrong.ID)
	must(err)
	fmt.Println(moved, m.ConversationID == right.ID, m.Seq)
	// Output: 1 true 1
}
