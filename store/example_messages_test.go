package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// must keeps the examples short; a service returns the error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// open gives each example a database in memory and a conversation in it.
func open(ctx context.Context) (store.Scope, *conversation.Conversation) {
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Title: "Holiday plans"}
	must(mine.Conversations().Create(ctx, c))
	return mine, c
}

func say(ctx context.Context, mine store.Scope, c *conversation.Conversation, role message.Role, text string) *message.Message {
	m := &message.Message{Role: role, Content: text}
	_, err := mine.Messages().Append(ctx, c.ID, m)
	must(err)
	return m
}

func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	defer func() { must(st.Close()) }()
	mine := st.ForUser(uuid.New())

	c := &conversation.Conversation{Title: "Holiday plans"}
	must(mine.Conversations().Create(ctx, c))
	say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")
	say(ctx, mine, c, message.RoleAssistant, "In Seville, mostly.")

	thread, err := mine.Conversations().Thread(ctx, c.ID)
	must(err)
	for _, m := range thread.Messages {
		fmt.Printf("%d %s: %s\n", m.Seq, m.Role, m.Content)
	}
	fmt.Println("status:", thread.Status)
	// Output:
	// 1 user: Where is it warm in March?
	// 2 assistant: In Seville, mostly.
	// status: waiting
}

// A webhook that is delivered twice is stored once.
func ExampleMessageAppender_Append_redelivery() {
	ctx := context.Background()
	mine, c := open(ctx)
	for range 2 {
		in := &message.Message{
			Direction:      message.DirectionInbound,
			Content:        "Can you show me examples?",
			GmailMessageID: "1234567890abcdef",
		}
		created, err := mine.Messages().Append(ctx, c.ID, in)
		must(err)
		fmt.Println("created:", created, "seq:", in.Seq)
	}
	// Output:
	// created: true seq: 1
	// created: false seq: 1
}

// A client that must not answer what it has not seen says how far it has read.
func ExampleMessageAppender_AppendMany_expectedSeq() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "one")
	say(ctx, mine, c, message.RoleUser, "two")

	reply := []*message.Message{{Role: message.RoleAssistant, Content: "an answer to one"}}
	_, err := mine.Messages().AppendMany(ctx, c.ID, reply, store.AppendOptions{ExpectedSeq: new(int64(1))})
	var late *store.SeqConflictError
	if errors.As(err, &late) {
		fmt.Println("read up to", late.Expected, "but there are", late.Actual)
	}
	// Output:
	// read up to 1 but there are 2
}

func ExampleMessageAppender_Import() {
	ctx := context.Background()
	mine, c := open(ctx)
	rows := func(yield func(*message.Message, error) bool) {
		for i := range 2500 {
			m := &message.Message{
				ConversationID: c.ID, Role: message.RoleUser,
				Content: fmt.Sprint("message ", i), IdempotencyKey: fmt.Sprint("old system ", i),
			}
			if !yield(m, nil) {
				return
			}
		}
	}
	for range 2 {
		result, err := mine.Messages().Import(ctx, rows, store.ImportOptions{})
		must(err)
		fmt.Printf("%+v\n", result)
	}
	// Output:
	// {Imported:2500 Duplicates:0}
	// {Imported:0 Duplicates:2500}
}

// What came after seq 1?
func ExampleMessageReader_List() {
	ctx := context.Background()
	mine, c := open(ctx)
	for _, text := range []string{"one", "two", "three", "four"} {
		say(ctx, mine, c, message.RoleUser, text)
	}
	p := store.PageRequest{Limit: 2}
	for {
		page, err := mine.Messages().List(ctx, c.ID, store.MessageFilter{AfterSeq: 1}, p)
		must(err)
		for _, m := range page.Items {
			fmt.Print(m.Content, " ")
		}
		fmt.Println("| more:", page.Next != "")
		if page.Next == "" {
			break
		}
		p.After = page.Next
	}
	// Output:
	// two three | more: true
	// four | more: false
}

// An incoming mail finds its conversation by what it answers.
func ExampleMessageFinder_FindThread() {
	ctx := context.Background()
	mine, c := open(ctx)
	out := &message.Message{
		Direction: message.DirectionOutbound, Content: "Shall we talk?",
		Headers: message.Headers{"Message-ID": {"<offer-1@example.com>"}},
	}
	_, err := mine.Messages().Append(ctx, c.ID, out)
	must(err)

	in := &message.Message{
		Direction: message.DirectionInbound, Content: "Yes.",
		Headers: message.Headers{"In-Reply-To": {"<offer-1@example.com>"}},
	}
	found, err := mine.Messages().FindThread(ctx, in)
	must(err)
	fmt.Println(found.Title)
	// Output:
	// Holiday plans
}

// A reader jumps to the second page and sees how many there are.
func ExampleMessageReader_ListNumbered() {
	ctx := context.Background()
	mine, c := open(ctx)
	for i := range 5 {
		say(ctx, mine, c, message.RoleUser, fmt.Sprint("message ", i))
	}
	page, err := mine.Messages().ListNumbered(ctx, c.ID, store.MessageFilter{}, store.NumberRequest{Number: 2, Size: 2})
	must(err)
	for _, m := range page.Items {
		fmt.Println(m.Content)
	}
	fmt.Println("page", page.Number, "of", page.Pages, "with", page.Total, "messages in all")
	// Output:
	// message 2
	// message 3
	// page 2 of 3 with 5 messages in all
}

// Several services keep what they know of a message under keys of their own.
func ExampleMessageEditor_MergeMetadata() {
	ctx := context.Background()
	mine, c := open(ctx)
	m := &message.Message{Role: message.RoleUser, Content: "Hello", Metadata: message.JSON(`{"language":"en","draft":true}`)}
	_, err := mine.Messages().Append(ctx, c.ID, m)
	must(err)
	m, err = mine.Messages().MergeMetadata(ctx, m.ID, message.JSON(`{"draft":null,"spam":{"score":0.01}}`))
	must(err)
	fmt.Println(m.Metadata)
	// Output:
	// {"language":"en","spam":{"score":0.01}}
}

func ExampleMessageReader_All() {
	ctx := context.Background()
	mine, c := open(ctx)
	for i := range 3 {
		say(ctx, mine, c, message.RoleUser, fmt.Sprint("message ", i))
	}
	for m, err := range mine.Messages().All(ctx, c.ID, store.MessageFilter{Order: store.ReverseThreadOrder}) {
		must(err)
		fmt.Println(m.Content)
	}
	// Output:
	// message 2
	// message 1
	// message 0
}

func ExampleMessageReader_Last() {
	ctx := context.Background()
	mine, c := open(ctx)
	for i := range 5 {
		say(ctx, mine, c, message.RoleUser, fmt.Sprint("message ", i))
	}
	last, err := mine.Messages().Last(ctx, c.ID, 2)
	must(err)
	for m := range slices.Values(last) {
		fmt.Println(m.Seq, m.Content)
	}
	// Output:
	// 4 message 3
	// 5 message 4
}
