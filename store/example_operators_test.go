package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Of two operators who take a conversation one gets it. Snoozed, it is out of the queue until its time,
// or until the lead writes again.
func ExampleConversationOperator() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")
	inbox, nobody := mine.Conversations(), ""
	for _, operator := range []string{"ann", "bob"} {
		_, err := inbox.Assign(ctx, c.ID, operator, store.AssignOptions{From: &nobody})
		var taken *store.AssignedError
		fmt.Println(operator, "has it:", err == nil, errors.As(err, &taken) && taken.Assignee == "ann")
	}
	waiting := func(what string) {
		counts, err := inbox.Counts(ctx, "ann")
		must(err)
		fmt.Printf("%s: Ann has %d to answer, %d snoozed\n", what, counts.Mine, counts.Snoozed)
	}
	waiting("first")
	_, err := inbox.Snooze(ctx, c.ID, time.Now().Add(24*time.Hour))
	must(err)
	waiting("snoozed")
	say(ctx, mine, c, message.RoleUser, "And where is it cheap?")
	waiting("they wrote again")

	page, err := inbox.Overview(ctx, store.ConversationFilter{
		Statuses: []conversation.Status{conversation.StatusNeedsReply}, Assignee: "ann", PinnedFirst: true, Order: store.OldestActivity,
	}, store.OverviewOptions{LastMessage: true, Reader: "ann", Draft: true}, store.PageRequest{})
	must(err)
	for _, o := range page.Items {
		fmt.Printf("%s: %q, %d unread, a draft: %t\n", o.Title, o.LastMessage.Content, o.Unread, o.Draft != nil)
	}
	// Output:
	// ann has it: true false
	// bob has it: false true
	// first: Ann has 1 to answer, 0 snoozed
	// snoozed: Ann has 0 to answer, 1 snoozed
	// they wrote again: Ann has 1 to answer, 0 snoozed
	// Holiday plans: "And where is it cheap?", 2 unread, a draft: false
}
