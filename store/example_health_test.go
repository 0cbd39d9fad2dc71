package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store/sqlite"
)

// What a service's readiness probe and its operator ask.
func ExampleHealth() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	defer st.Close() //nolint:errcheck // nothing is written behind the last statement
	h := st.Health()

	r, err := h.Ready(ctx)
	must(err)
	name, _, _ := strings.Cut(r.Database, " ")
	fmt.Println(name, "has the schema:", r.Schema == r.Wanted, "words:", r.FullText, "vectors:", r.Vectors)

	for _, p := range h.PoolStats() {
		fmt.Printf("%s: %d of %d connections in use\n", p.Name, p.InUse, p.MaxOpenConnections)
	}
	sizes, err := h.TableSizes(ctx)
	must(err)
	for _, s := range sizes {
		if s.Table == "conversations" {
			fmt.Printf("%s: %d rows, indexes: %t\n", s.Table, s.Rows, s.Indexes > 0)
		}
	}
	findings, err := h.Check(ctx)
	must(err)
	fmt.Println("damage:", len(findings))
	_, err = h.IndexUsage(ctx)
	fmt.Println(err)
	// Output:
	// SQLite has the schema: true words: true vectors: true
	// writer: 0 of 1 connections in use
	// conversations: 0 rows, indexes: true
	// damage: 0
	// convostore: unsupported: SQLite does not count how often an index is used; PostgreSQL does
}

// The log has the statements and nothing of what is stored.
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
	defer st.Close() //nolint:errcheck // nothing is written behind the last statement

	mine := st.ForUser(uuid.New())
	for range 2 {
		err := mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: "ticket-7", Title: "What nobody else may read"})
		fmt.Println(err)
	}
	// Output:
	// level=DEBUG msg=query sql="INSERT …" rows=1
	// <nil>
	// level=WARN msg="query failed" sql="INSERT …" rows=0 code=2067
	// convostore: conflict: the id or the external key of the conversation is taken
}
