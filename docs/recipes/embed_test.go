package recipes

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// User and Lead are models that the application had before.
type User struct {
	ID    uuid.UUID `gorm:"type:uuid;primaryKey"`
	Email string
}

type Lead struct {
	ID       int64     `gorm:"primaryKey;uniqueIndex:leads_id_user_id_key"`
	UserID   uuid.UUID `gorm:"type:uuid;uniqueIndex:leads_id_user_id_key"`
	Name     string
	Category string
}

// openConversations puts the library's tables beside those of the application.
func openConversations(ctx context.Context, db *gorm.DB) (store.Store, error) {
	if err := db.WithContext(ctx).AutoMigrate(&User{}, &Lead{}); err != nil { // or your migrations
		return nil, err
	}
	return convostore.New(ctx, db,
		convostore.WithMigrate(migrate.Options{
			Prefix: "chat_",                                                        // chat_messages …: nothing of yours is in the way
			Users:  &migrate.Ref{Table: "users"},                                   // who is deleted there has no conversations here
			Leads:  &migrate.Ref{Table: "leads", Owner: "user_id", Type: "bigint"}, // lead_id is a bigint like leads.id
		}),
		convostore.WithLeads(store.HostTable{
			Name: "leads", Owner: "user_id", Title: "name", Columns: []string{"category"},
		}),
	)
}

// newLead stores a lead and what the lead wrote: both or nothing.
func newLead(ctx context.Context, db *gorm.DB, st store.Store, lead *Lead, text string) error {
	return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(lead).Error; err != nil {
			return err
		}
		c := &conversation.Conversation{LeadID: strconv.FormatInt(lead.ID, 10), Subject: "Hello from " + lead.Name}
		mine := st.WithTx(tx).ForUser(lead.UserID)
		if err := mine.Conversations().Create(ctx, c); err != nil {
			return err
		}
		_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Direction: message.DirectionInbound, Content: text})
		return err
	})
}

// inbox is a page of an inbox with columns of the application's own table.
func inbox(ctx context.Context, st store.Store, user uuid.UUID) (store.Page[*store.ConversationOverview], error) {
	return st.ForUser(user).Conversations().Overview(ctx,
		store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}},
		store.OverviewOptions{LastMessage: true, Lead: []string{"name", "category"}},
		store.PageRequest{Limit: 20})
}

// answer is plain GORM, on a handle whose naming strategy knows the prefix.
func answer(plain *gorm.DB, user, id uuid.UUID, text string) error {
	var c conversation.Conversation
	if err := plain.Scopes(conversation.OwnedBy(user)).Preload("Messages", message.Oldest).Take(&c, "id = ?", id).Error; err != nil {
		return err
	}
	m := &message.Message{Direction: message.DirectionOutbound, Content: text}
	if err := c.AddMessage(m); err != nil {
		return err
	}
	return plain.Create(m).Error // the hook takes the seq and moves the conversation
}

func Example_embed() {
	ctx := context.Background()
	db := hostDB("recipe_embed")
	st, err := openConversations(ctx, db)
	must(err)
	ann := User{ID: uuid.New(), Email: "ann@example.com"}
	must(db.Create(&ann).Error)

	must(newLead(ctx, db, st, &Lead{UserID: ann.ID, Name: "John", Category: "web"}, "Can you show me examples?"))
	fmt.Println("a foreign key refuses strangers:", newLead(ctx, db, st, &Lead{UserID: uuid.New(), Name: "Eve"}, "Hi") != nil)

	page, err := inbox(ctx, st, ann.ID)
	must(err)
	for _, c := range page.Items {
		fmt.Println(c.Subject, c.Lead["category"], c.LastMessage.Content)
	}

	plain := db.Session(&gorm.Session{})
	plain.NamingStrategy = convostore.NewNaming("chat_", "", db.NamingStrategy)
	must(answer(plain, ann.ID, page.Items[0].ID, "Here are three."))
	thread, err := st.ForUser(ann.ID).Conversations().Thread(ctx, page.Items[0].ID)
	must(err)
	fmt.Println(thread.Status, len(thread.Messages))

	must(db.Delete(&ann).Error)
	counts, err := st.AllUsers().Maintenance().Counts(ctx)
	must(err)
	fmt.Println("left of ann:", counts.Total())
	// Output:
	// a foreign key refuses strangers: true
	// Hello from John web Can you show me examples?
	// waiting 2
	// left of ann: 0
}

// TestEmbedOnPostgreSQL is the example on the other database.
func TestEmbedOnPostgreSQL(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), hostPostgres(t)
	st, err := openConversations(ctx, db)
	require.NoError(t, err)
	ann := User{ID: uuid.New(), Email: "ann@example.com"}
	require.NoError(t, db.Create(&ann).Error)
	require.NoError(t, newLead(ctx, db, st, &Lead{UserID: ann.ID, Name: "John", Category: "web"}, "Can you show me examples?"))
	require.Error(t, newLead(ctx, db, st, &Lead{UserID: uuid.New(), Name: "Eve"}, "Hi"))
	var leads int64
	require.NoError(t, db.Model(&Lead{}).Count(&leads).Error)
	require.EqualValues(t, 1, leads, "a lead without its conversation was rolled back")
	page, err := inbox(ctx, st, ann.ID)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, "web", page.Items[0].Lead["category"])
	require.NoError(t, db.Delete(&ann).Error)
	counts, err := st.AllUsers().Maintenance().Counts(ctx)
	require.NoError(t, err)
	require.Zero(t, counts.Total())
}
