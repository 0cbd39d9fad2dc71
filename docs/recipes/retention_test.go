package recipes

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

const day = 24 * time.Hour

// policy is what a nightly job carries out: archived after a quarter, deleted after a year, and
// gone for good a month later.
var policy = store.RetentionPolicy{ArchiveAfter: 90 * day, DeleteAfter: 365 * day, PurgeAfter: 30 * day}

// nightly carries the policy out for everybody, or says what it would do. After a kill or an error
// the next run goes on.
func nightly(ctx context.Context, st store.Store, dry bool) (store.RetentionResult, error) {
	p := policy
	p.DryRun = dry
	p.Progress = func(r store.RetentionResult) {
		slog.InfoContext(ctx, "retention", "archived", r.Archived, "deleted", r.Deleted)
	}
	return st.AllUsers().Maintenance().Retain(ctx, p)
}

// takeOut writes everything that there is of a user, for the right of access and to take along.
func takeOut(ctx context.Context, st store.Store, user uuid.UUID, out io.Writer) error {
	_, err := transfer.Export(ctx, st, user, transfer.JSONL, out, transfer.ExportOptions{})
	return err
}

// forget erases a user: rows, vectors and words of the index, holds or not.
func forget(ctx context.Context, st store.Store, user uuid.UUID) (store.Counts, error) {
	return st.ForUser(user).Maintenance().EraseUser(ctx)
}

// maintenanceWindow leaves no byte of what was erased in the tables. It locks them.
func maintenanceWindow(ctx context.Context, st store.Store) error {
	return st.AllUsers().Maintenance().VacuumFull(ctx)
}

func Example_retention() {
	ctx := context.Background()
	st, _ := memory(ctx)
	user := uuid.New()
	mine := st.ForUser(user)
	var old []*conversation.Conversation
	for _, age := range []time.Duration{1, 100, 400, 500} {
		m := &message.Message{Role: message.RoleUser, Content: "hello", SentAt: time.Now().Add(-age * day)}
		c := &conversation.Conversation{LeadID: "john", Messages: []*message.Message{m}}
		must(mine.Conversations().Create(ctx, c))
		old = append(old, c)
	}
	_, err := mine.Conversations().Hold(ctx, old[3].ID) // evidence
	must(err)

	would, err := nightly(ctx, st, true)
	must(err)
	did, err := nightly(ctx, st, false)
	must(err)
	fmt.Println("would archive", would.Archived, "and delete", would.Deleted, "- did:", did.Archived, did.Deleted)

	var file bytes.Buffer
	must(takeOut(ctx, st, user, &file))
	fmt.Println("lines to take along:", bytes.Count(file.Bytes(), []byte("\n")) > 0)
	gone, err := forget(ctx, st, user)
	must(err)
	must(maintenanceWindow(ctx, st))
	fmt.Println("erased", gone.Conversations, "conversations and", gone.Messages, "messages")
	// Output:
	// would archive 1 and delete 1 - did: 1 1
	// lines to take along: true
	// erased 4 conversations and 4 messages
}
