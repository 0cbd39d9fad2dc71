package conversation_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
)

func ExampleConversation_AddMessage() {
	c := &conversation.Conversation{Subject: "Website improvements"}
	for _, m := range []*message.Message{
		{Direction: message.DirectionOutbound, Content: "Hi John, I noticed your website…"},
		{Direction: message.DirectionInbound, Content: "Can you show me examples?"},
	} {
		if err := c.AddMessage(m); err != nil {
			fmt.Println(err)
		}
		fmt.Println(m.Seq, m.Role, c.Status)
	}
	c.Archive()
	fmt.Println(c.Status)
	// Output:
	// 1 assistant waiting
	// 2 user needs_reply
	// archived
}

// Scopes are for a host's own queries. The store is not needed for them.
func Example_scopes() {
	db, err := gorm.Open(sqlite.New(sqlite.Config{DriverName: "sqlite", DSN: "file:/scopes?vfs=memdb&_time_format=sqlite"}), &gorm.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := migrate.Up(context.Background(), db, migrate.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	userID := uuid.New()
	c := &conversation.Conversation{UserID: userID, Subject: "Website improvements"}
	_ = c.AddMessage(&message.Message{Direction: message.DirectionOutbound, Content: "Hi John"})
	_ = c.AddMessage(&message.Message{Direction: message.DirectionInbound, Content: "Hello!"})
	if err := db.Create(c).Error; err != nil {
		fmt.Println(err)
		return
	}

	var queue []conversation.Conversation
	err = db.Scopes(conversation.OwnedBy(userID), conversation.NeedsReply, conversation.NewestActivity).
		Preload("Messages", message.Oldest, message.Inbound).
		Find(&queue).Error
	fmt.Println(err, len(queue), queue[0].Subject)
	for _, m := range queue[0].Messages {
		fmt.Println(m.Seq, m.Content)
	}
	// Output:
	// <nil> 1 Website improvements
	// 2 Hello!
}

// An e-mail whose sender's clock is wrong does not head the queue for ever.
func ExampleActivity() {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	fmt.Println(conversation.Activity(now.Add(-time.Hour), now).Format(time.TimeOnly))
	fmt.Println(conversation.Activity(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), now).Format(time.TimeOnly))
	// Output:
	// 11:00:00
	// 12:00:00
}
