package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A nightly job looks first at what it would do. One conversation is evidence and stays.
func ExampleRetention() {
	ctx := context.Background()
	now := time.Date(2026, time.March, 1, 3, 0, 0, 0, time.UTC)
	st, err := sqlite.OpenMemory(ctx, convostore.WithClock(func() time.Time { return now }))
	must(err)
	mine := st.ForUser(uuid.New())
	const day = 24 * time.Hour
	var cs []*conversation.Conversation
	for _, days := range []time.Duration{10, 40, 400, 500} {
		m := &message.Message{Role: message.RoleUser, Content: "hello", SentAt: now.Add(-days * day)}
		c := &conversation.Conversation{Messages: []*message.Message{m}}
		must(mine.Conversations().Create(ctx, c))
		cs = append(cs, c)
	}
	_, err = mine.Conversations().Hold(ctx, cs[3].ID)
	must(err)

	policy := store.RetentionPolicy{ArchiveAfter: 30 * day, DeleteAfter: 365 * day, PurgeAfter: 30 * day}
	dry := policy
	dry.DryRun = true
	would, err := st.AllUsers().Maintenance().Retain(ctx, dry)
	must(err)
	fmt.Println("would archive", would.Archived, "and delete", would.Deleted)

	for range 2 {
		did, err := st.AllUsers().Maintenance().Retain(ctx, policy)
		must(err)
		fmt.Println("archived", did.Archived, "deleted", did.Deleted, "purged rows", did.Purged.Total())
		now = now.Add(31 * day)
	}
	held, err := mine.Conversations().Get(ctx, cs[3].ID)
	must(err)
	fmt.Println("on hold:", held.Held(), held.Status)
	// Output:
	// would archive 1 and delete 1
	// archived 1 deleted 1 purged rows 0
	// archived 1 deleted 0 purged rows 2
	// on hold: true needs_reply
}

// After an erasure VacuumFull, in a maintenance window, leaves none of its bytes in the
// file; Vacuum is for in between.
func ExampleTableCare() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "convostore")
	must(err)
	defer func() { must(os.RemoveAll(dir)) }()
	st, err := sqlite.Open(ctx, filepath.Join(dir, "chat.db"), convostore.WithMigrate(migrate.Options{}))
	must(err)
	defer func() { must(st.Close()) }()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "my secret"}}}
	must(mine.Conversations().Create(ctx, c))
	_, err = mine.Conversations().Erase(ctx, c.ID)
	must(err)

	must(st.AllUsers().Maintenance().Vacuum(ctx))
	must(st.AllUsers().Maintenance().VacuumFull(ctx))
	fmt.Println(mine.Maintenance().Vacuum(ctx))
	// Output:
	// convostore: invalid scope: is of one user, and the tables are everybody's; call it with AllUsers
}
