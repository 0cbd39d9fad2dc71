package convostore_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

// What is too large is refused by name, and nothing is written. A number in a document counts by
// its digits.
func ExampleWithMaxMessageBytes() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx, convostore.WithMigrate(migrate.Options{}), convostore.WithMaxMessageBytes(2000))
	must(err)
	defer func() { must(st.Close()) }()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	must(mine.Conversations().Create(ctx, c))
	for _, m := range []*message.Message{
		{Role: message.RoleUser, Content: strings.Repeat("a", 2001)},
		{Role: message.RoleTool, ToolResults: message.JSON(`[1e1000, 1e1000]`)},
	} {
		_, err := mine.Messages().Append(ctx, c.ID, m)
		fmt.Println(err)
	}
	// Output:
	// convostore: invalid message: has 2001 bytes of text and documents, the most is 2000; see convostore.WithMaxMessageBytes
	// convostore: invalid message: has 2016 bytes of text and documents, the most is 2000; see convostore.WithMaxMessageBytes
}

// Mail and models send bytes that are no text. They are replaced where they are stored and where
// they are looked up.
func ExampleWithInvalidTextReplaced() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx, convostore.WithMigrate(migrate.Options{}),
		convostore.WithInvalidTextReplaced(), convostore.WithNULStripped())
	must(err)
	defer func() { must(st.Close()) }()
	mine := st.ForUser(uuid.New())
	must(mine.Conversations().Create(ctx, &conversation.Conversation{
		ExternalKey: "ticket-\xff7\x00", Subject: "caf\xe9", Metadata: message.JSON(`{"cut":"\ud83d"}`),
	}))
	c, err := mine.Conversations().GetByExternalKey(ctx, "ticket-\xff7\x00")
	must(err)
	fmt.Printf("%+q %+q %s\n", c.ExternalKey, c.Subject, c.Metadata)
	// Output:
	// "ticket-\ufffd7" "caf\ufffd" {"cut":"\ufffd"}
}
