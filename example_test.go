package convostore_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// must keeps the examples short; a service returns the error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// dsn names a database in memory that exists as long as a connection to it. The settings
// are those that New asks of a host on SQLite.
func dsn(name string) string {
	return "file:/" + name + "?vfs=memdb&_foreign_keys=on&_busy_timeout=5000&_txlock=immediate&_time_format=sqlite"
}

// A service that has a *gorm.DB already puts the store on it.
func ExampleNew() {
	ctx := context.Background()
	hostDB, err := gorm.Open(sqlite.Dialector(dsn("example_new")))
	must(err)
	st, err := convostore.New(ctx, hostDB, convostore.WithMigrate(migrate.Options{}))
	must(err)

	c := &conversation.Conversation{Title: "Holiday plans", Messages: []*message.Message{
		{Role: message.RoleUser, Content: "Where is it warm in March?"},
	}}
	mine := st.ForUser(uuid.New())
	must(mine.Conversations().Create(ctx, c))

	queue, err := mine.Conversations().NeedsReply(ctx, store.PageRequest{})
	must(err)
	for _, c := range queue.Items {
		fmt.Println(c.Title, "needs a reply")
	}
	// Output:
	// Holiday plans needs a reply
}

// Plain GORM finds the tables through the naming strategy, and so does New: the prefix is
// said once.
func ExampleNewNaming() {
	ctx := context.Background()
	hostDB, err := gorm.Open(sqlite.Dialector(dsn("example_naming")), &gorm.Config{
		NamingStrategy: convostore.NewNaming("chat_", "", nil),
	})
	must(err)
	st, err := convostore.New(ctx, hostDB, convostore.WithMigrate(migrate.Options{}))
	must(err)
	user := uuid.New()
	must(st.ForUser(user).Conversations().Create(ctx, &conversation.Conversation{Title: "Holiday plans"}))

	var found []conversation.Conversation
	must(hostDB.Scopes(conversation.OwnedBy(user)).Find(&found).Error)
	var rows int64
	must(hostDB.Table("chat_conversations").Count(&rows).Error)
	fmt.Printf("%s, 1 of %d in chat_conversations\n", found[0].Title, rows)
	// Output:
	// Holiday plans, 1 of 1 in chat_conversations
}

// The log has the statements and no value that is stored.
func ExampleWithLogger() {
	ctx := context.Background()
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "duration":
				return slog.Attr{} // they differ from run to run
			case "sql":
				verb, _, _ := strings.Cut(a.Value.String(), " ")
				a.Value = slog.StringValue(verb + " …")
			}
			return a
		},
	})
	st, err := sqlite.OpenMemory(ctx, convostore.WithLogger(slog.New(handler), 0))
	must(err)
	defer st.Close() //nolint:errcheck // nothing is written after the last statement

	mine := st.ForUser(uuid.New())
	for range 2 {
		err := mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: "ticket-7", Title: "What nobody else may read"})
		fmt.Println(err)
	}
	// Output:
	// level=DEBUG msg=query sql="SELECT …" rows=1
	// level=DEBUG msg=query sql="SELECT …" rows=1
	// level=DEBUG msg=query sql="INSERT …" rows=1
	// level=DEBUG msg=query sql="SELECT …" rows=1
	// level=DEBUG msg=query sql="SELECT …" rows=1
	// <nil>
	// level=WARN msg="query failed" sql="INSERT …" rows=0 code=2067
	// convostore: conflict: the id or the external key of the conversation is taken
}
