package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/transfer"
)

// A user brings the history of another product.
func ExampleImport() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()

	file := strings.NewReader(`[{"uuid": "c1", "name": "Porto", "created_at": "2026-03-01T10:00:00Z", "chat_messages": [
		{"uuid": "m1", "sender": "human", "text": "Where to eat?", "created_at": "2026-03-01T10:00:01Z"},
		{"uuid": "m2", "sender": "assistant", "text": "Try O Valentim.", "created_at": "2026-03-01T10:00:05Z"}]}]`)
	user := uuid.New()
	result, err := transfer.Import(ctx, st, user, file, transfer.ImportOptions{
		OnProblem: func(p transfer.Problem) error { fmt.Println("not stored:", p); return nil },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Conversations, "conversation,", result.Messages, "messages")

	page, err := st.ForUser(user).Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Items[0].Title)
	// Output:
	// 1 conversation, 2 messages
	// Porto
}

// A user takes everything along, in the format of the file that it came from or in the library's own.
func ExampleExport() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()

	result, err := transfer.Export(ctx, st, uuid.New(), transfer.JSONL, os.Stdout, transfer.ExportOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Conversations, "conversations")
	// Output: 0 conversations
}

// Everything moves from one database to another, which may be of the other kind. That nothing is
// lost is seen by exporting again.
func ExampleExportAll() {
	ctx := context.Background()
	from, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = from.Close() }()
	to, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = to.Close() }()

	c := &conversation.Conversation{UserID: uuid.New(), Title: "Porto"}
	if err := from.AllUsers().Conversations().Create(ctx, c); err != nil {
		panic(err)
	}
	if _, err := from.AllUsers().Conversations().AddLabels(ctx, c.ID, "ana", []string{"trips"}); err != nil {
		panic(err)
	}

	var file, again bytes.Buffer
	if _, err := transfer.ExportAll(ctx, from, &file, transfer.ExportOptions{}); err != nil {
		panic(err)
	}
	result, err := transfer.ImportAll(ctx, to, bytes.NewReader(file.Bytes()), transfer.ImportOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Conversations, "conversation,", result.Rows, "label")
	if _, err := transfer.ExportAll(ctx, to, &again, transfer.ExportOptions{}); err != nil {
		panic(err)
	}
	fmt.Println(bytes.Equal(file.Bytes(), again.Bytes()))
	// Output:
	// 1 conversation, 1 label
	// true
}
