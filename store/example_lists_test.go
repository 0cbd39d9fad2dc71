package store_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// One query shows a list: what was said last, what is new to the reader, and the labels.
func ExampleConversationOverviewer() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")
	_, err := mine.Conversations().MarkRead(ctx, c.ID, "ann", 1)
	must(err)
	say(ctx, mine, c, message.RoleAssistant, "In Seville, mostly.")
	_, err = mine.Conversations().AddLabels(ctx, c.ID, "ann", []string{"travel", "spring"})
	must(err)

	page, err := mine.Conversations().Overview(ctx, store.ConversationFilter{Labels: []string{"travel"}},
		store.OverviewOptions{LastMessage: true, Reader: "ann", Labels: true}, store.PageRequest{})
	must(err)
	for _, o := range page.Items {
		fmt.Printf("%s: %q, %d unread, %v\n", o.Title, o.LastMessage.Content, o.Unread, o.Labels)
	}
	// Output: Holiday plans: "In Seville, mostly.", 1 unread, [spring travel]
}

func ExampleMessageVoter() {
	ctx := context.Background()
	mine, c := open(ctx)
	m := say(ctx, mine, c, message.RoleAssistant, "In Seville, mostly.")
	for _, v := range []message.Vote{
		{Voter: "ann", Value: message.VoteDown}, {Voter: "bob", Value: message.VoteUp}, {Voter: "ann", Value: message.VoteUp},
	} {
		_, err := mine.Messages().Vote(ctx, m.ID, v)
		must(err)
	}
	counts, err := mine.Messages().CountVotes(ctx, []uuid.UUID{m.ID})
	must(err)
	fmt.Println(counts[m.ID])
	// Output: {2 0}
}
