package convostore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// The README shows the middle of it.
func Example() {
	ctx, userID := context.Background(), uuid.New()
	dir, err := os.MkdirTemp("", "convostore")
	must(err)
	defer func() { must(os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "chat.db")

	st, err := sqlite.Open(ctx, file, convostore.WithMigrate(migrate.Options{})) // or postgres.Open, or convostore.New(ctx, yourGormDB)
	must(err)
	defer func() { must(st.Close()) }()
	mine := st.ForUser(userID) // every statement carries the id

	c := &conversation.Conversation{Subject: "An offer", LeadID: "123"}
	must(mine.Conversations().Create(ctx, c))
	in := &message.Message{Direction: message.DirectionInbound, Content: "How much is it?", IdempotencyKey: "delivery 1"}
	created, err := mine.Messages().Append(ctx, c.ID, in) // false if it comes again: in is then the row that was there
	must(err)

	draft := &suggestion.Suggestion{ConversationID: c.ID, InReplyToMessageID: &in.ID, SuggestedContent: "40 euros."}
	must(mine.Suggestions().Create(ctx, draft))
	_, err = mine.Suggestions().Approve(ctx, draft.ID, suggestion.Review{By: "ann"}) // of several people one wins
	must(err)
	out := &message.Message{RecipientEmail: "john@example.com"}
	sent, err := mine.Suggestions().Send(ctx, draft.ID, out, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}})
	must(err) // in the outbox now, for a worker of yours: mine.Deliveries().Run

	fmt.Println(created, sent, out.Seq, out.Content, out.Delivery)
	// Output: true true 2 40 euros. queued
}
