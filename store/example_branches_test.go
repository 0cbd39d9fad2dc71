package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A reply is generated again beside the first one, and the reader goes back to that.
func ExampleMessageBrancher() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "A name for a cat?")
	first := say(ctx, mine, c, message.RoleAssistant, "Tom")

	again := &message.Message{Role: message.RoleAssistant, Content: "Minerva", ParentSeq: new(first.Parent())}
	_, err := mine.Messages().Append(ctx, c.ID, again)
	must(err)
	say(ctx, mine, c, message.RoleUser, "I like that one.")

	branches, err := mine.Messages().Branches(ctx, c.ID, again.Seq)
	must(err)
	for i, b := range branches {
		fmt.Printf("%d / %d: seq %d, shown %v, up to seq %d\n", i+1, len(branches), b.Seq, b.OnPath, b.TipSeq)
	}
	_, err = mine.Messages().SetHead(ctx, c.ID, branches[0].TipSeq)
	must(err)
	for m, err := range mine.Messages().All(ctx, c.ID, store.MessageFilter{}) {
		must(err)
		fmt.Println(m.Content)
	}
	// Output:
	// 1 / 2: seq 2, shown false, up to seq 2
	// 2 / 2: seq 3, shown true, up to seq 4
	// A name for a cat?
	// Tom
}

func ExampleMessageBrancher_TruncateAfter() {
	ctx := context.Background()
	mine, c := open(ctx)
	question := say(ctx, mine, c, message.RoleUser, "A name for a cat?")
	answer := func() error {
		m := &message.Message{Role: message.RoleAssistant, Content: "Tom", IdempotencyKey: "answer to 1"}
		_, err := mine.Messages().Append(ctx, c.ID, m)
		return err
	}
	must(answer())
	_, err := mine.Messages().TruncateAfter(ctx, c.ID, question.Seq, store.TruncateOptions{})
	must(err)

	var taken *store.TakenError
	if errors.As(answer(), &taken) {
		fmt.Println(taken.Field, "of the deleted", taken.Message.Content)
	}
	_, err = mine.Messages().SetHead(ctx, c.ID, taken.Message.Seq)
	must(err)
	hidden, err := mine.Messages().TruncateAfter(ctx, c.ID, question.Seq, store.TruncateOptions{FreeKeys: true})
	must(err)
	fmt.Println(hidden, "more hidden, and the key is free:", answer())
	// Output:
	// idempotency_key of the deleted Tom
	// 0 more hidden, and the key is free: <nil>
}

func ExampleMessageBrancher_Replace() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "A name for a cat?")
	say(ctx, mine, c, message.RoleAssistant, "Tom")
	hidden, err := mine.Messages().Replace(ctx, c.ID, []*message.Message{
		{Role: message.RoleSystem, Content: "The user looked for a name."},
	}, store.ReplaceOptions{})
	must(err)
	last, err := mine.Messages().Last(ctx, c.ID, 10)
	must(err)
	fmt.Println(hidden, "hidden, now:", last[0].Content)
	// Output: 2 hidden, now: The user looked for a name.
}

func ExampleConversationForker() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "A name for a cat?")
	say(ctx, mine, c, message.RoleAssistant, "Tom")
	fork, err := mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{AtSeq: 1, Title: "Names for dogs"})
	must(err)
	say(ctx, mine, fork, message.RoleUser, "And for a dog?")
	thread, err := mine.Conversations().Thread(ctx, fork.ID)
	must(err)
	for _, m := range thread.Messages {
		fmt.Println(m.Seq, m.Content)
	}
	fmt.Println("forked from seq", *thread.ForkedFromSeq)
	// Output:
	// 1 A name for a cat?
	// 2 And for a dog?
	// forked from seq 1
}

func ExampleMessageReader_GetByKey() {
	ctx := context.Background()
	mine, c := open(ctx)
	_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "Hello", IdempotencyKey: "event 7"})
	must(err)
	m, err := mine.Messages().GetByKey(ctx, c.ID, "event 7")
	must(err)
	fmt.Println(m.Seq, m.Content)
	// Output: 1 Hello
}
