package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// A person edits what the model drafted, and the answer goes out once.
func ExampleSuggestions() {
	ctx := context.Background()
	mine, c := open(ctx)
	in := say(ctx, mine, c, message.RoleUser, "How much is it?")

	s := &suggestion.Suggestion{
		ConversationID: c.ID, InReplyToMessageID: &in.ID,
		SuggestedContent: "It is cheap.", ConfidenceScore: new(0.92), ModelUsed: "small-1",
	}
	must(mine.Suggestions().Create(ctx, s))

	queue, err := mine.Suggestions().Pending(ctx, store.PageRequest{})
	must(err)
	for _, p := range queue.Items {
		fmt.Printf("%s: %q → %q\n", p.Conversation.Title, p.InReplyTo.Content, p.SuggestedContent)
	}

	_, err = mine.Suggestions().Edit(ctx, s.ID, "It is 40 euros.", suggestion.Review{By: "ann"})
	must(err)
	_, err = mine.Suggestions().Reject(ctx, s.ID, suggestion.Review{By: "bob"})
	fmt.Println(err)

	for range 2 {
		out := &message.Message{RecipientEmail: "john@example.com"}
		created, err := mine.Suggestions().Send(ctx, s.ID, out, store.SendOptions{})
		must(err)
		fmt.Println(created, out.Seq, out.Content)
	}
	// Output:
	// Holiday plans: "How much is it?" → "It is cheap."
	// convostore: a suggestion that is edited cannot become rejected
	// true 2 It is 40 euros.
	// false 2 It is 40 euros.
}

// The host's rows and the library's are written together or not at all.
func ExampleStore_WithTx() {
	ctx := context.Background()
	hostDB, err := gorm.Open(sqlite.Dialector("file:/host?vfs=memdb&_foreign_keys=on&_txlock=immediate&_time_format=sqlite"))
	must(err)
	must(hostDB.Exec("CREATE TABLE orders (id integer PRIMARY KEY, item text)").Error)
	st, err := convostore.New(ctx, hostDB, convostore.WithMigrate(migrate.Options{}))
	must(err)

	user := uuid.New()
	c := &conversation.Conversation{Subject: "Order 7"}
	err = hostDB.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("INSERT INTO orders VALUES (7, 'lamp')").Error; err != nil {
			return err
		}
		if err := st.WithTx(tx).ForUser(user).Conversations().Create(ctx, c); err != nil {
			return err
		}
		return errors.New("the payment failed")
	})
	fmt.Println(err)

	var orders int64
	must(hostDB.Table("orders").Count(&orders).Error)
	counts, err := st.ForUser(user).Maintenance().Counts(ctx)
	must(err)
	fmt.Println("orders:", orders, "conversations:", counts.Conversations)
	// Output:
	// the payment failed
	// orders: 0 conversations: 0
}

func ExampleStore_Transaction() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	user := uuid.New()
	c := &conversation.Conversation{Title: "Support", Messages: []*message.Message{{Role: message.RoleUser, Content: "Help!"}}}
	must(st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(user)
		if err := mine.Conversations().Create(ctx, c); err != nil {
			return err
		}
		_, err := mine.Conversations().SetMetadata(ctx, c.ID, message.MustJSON(map[string]any{"urgent": true}))
		return err
	}))
	got, err := st.ForUser(user).Conversations().Get(ctx, c.ID)
	must(err)
	fmt.Println(got.Status, got.Metadata)
	// Output:
	// needs_reply {"urgent":true}
}

func ExampleConversationRemover() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "first")
	second := say(ctx, mine, c, message.RoleUser, "second")

	_, err := mine.Messages().Delete(ctx, second.ID)
	must(err)
	_, err = mine.Conversations().Delete(ctx, c.ID)
	must(err)
	_, err = mine.Conversations().Get(ctx, c.ID)
	fmt.Println(errors.Is(err, store.ErrNotFound))

	_, err = mine.Conversations().Restore(ctx, c.ID)
	must(err)
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	must(err)
	fmt.Println("messages after the restore:", len(thread.Messages))

	gone, err := mine.Conversations().Erase(ctx, c.ID)
	must(err)
	fmt.Println("erased:", gone.Conversations, "conversation,", gone.Messages, "messages")
	// Output:
	// true
	// messages after the restore: 1
	// erased: 1 conversation, 2 messages
}

func ExampleConversationLister_List() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	for _, subject := range []string{"100% wool", "Website", "Web shop"} {
		must(mine.Conversations().Create(ctx, &conversation.Conversation{Subject: subject, LeadID: "123"}))
	}
	page, err := mine.Conversations().List(ctx, store.ConversationFilter{LeadID: "123", Text: "web"}, store.PageRequest{})
	must(err)
	for _, c := range page.Items {
		fmt.Println(c.Subject)
	}
	numbered, err := mine.Conversations().ListNumbered(ctx, store.ConversationFilter{}, store.NumberRequest{Size: 2})
	must(err)
	fmt.Println("page", numbered.Number, "of", numbered.Pages, "total", numbered.Total)
	// Output:
	// Web shop
	// Website
	// page 1 of 2 total 3
}

// A chat bot knows a conversation by its channel.
func ExampleConversationCreator_GetOrCreate() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	for range 2 {
		c := &conversation.Conversation{ExternalKey: "slack:C024BE91L", Title: "#general"}
		created, err := mine.Conversations().GetOrCreate(ctx, c)
		must(err)
		fmt.Println(created, c.Title)
	}
	// Output:
	// true #general
	// false #general
}

func ExampleConversationEditor_MergeMetadata() {
	ctx := context.Background()
	mine, c := open(ctx)
	_, err := mine.Conversations().SetMetadata(ctx, c.ID, message.JSON(`{"tags":["new"],"model":"small-1"}`))
	must(err)
	c, err = mine.Conversations().MergeMetadata(ctx, c.ID, message.JSON(`{"model":"large-2","tags":null,"cost":0.10000000000000000001}`))
	must(err)
	fmt.Println(c.Metadata)
	// Output:
	// {"cost":0.10000000000000000001,"model":"large-2"}
}

func ExampleMaintenance() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "hello")

	archived, err := mine.Maintenance().ArchiveInactive(ctx, time.Now().Add(time.Hour))
	must(err)
	fmt.Println("archived:", archived)

	_, err = mine.Conversations().Delete(ctx, c.ID)
	must(err)
	purged, err := mine.Maintenance().Purge(ctx, time.Now().Add(time.Hour))
	must(err)
	fmt.Println("purged rows:", purged.Total())
	// Output:
	// archived: 1
	// purged rows: 2
}

func ExampleInvalidError() {
	ctx := context.Background()
	mine, c := open(ctx)
	_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a\x00b"})
	var invalid *store.InvalidError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Field, "/", invalid.Rule)
	}
	// Output:
	// content / has U+0000 at byte 1; PostgreSQL cannot keep it
}
