package recipes

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// oldConversation and oldMessage are the tables that are left behind. Change them to yours.
type oldConversation struct {
	ID, UserID           int64
	Title                string
	CreatedAt, UpdatedAt time.Time
	DeletedAt            *time.Time
}

type oldMessage struct {
	ID, ConversationID int64
	Role, Content      string
	ToolCalls          *string // JSON or NULL
	CreatedAt          time.Time
	DeletedAt          *time.Time
}

// moved is the id here of a row there: the same one in every run, so that links can be mapped too.
func moved(table string, id int64) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(table+":"+strconv.FormatInt(id, 10)))
}

// move copies what is not deleted. It may be broken off and run again, also after the application has
// written to both: what is there already is counted as a duplicate.
func move(ctx context.Context, old *gorm.DB, st store.Store) (store.ImportResult, error) {
	var cs []oldConversation
	find := old.WithContext(ctx).Table("old_conversations").Where("deleted_at IS NULL").
		FindInBatches(&cs, 500, func(*gorm.DB, int) error {
			for _, c := range cs {
				mine := st.ForUser(store.TenantID(strconv.FormatInt(c.UserID, 10))) // users were numbers
				_, err := mine.Conversations().GetOrCreate(ctx, &conversation.Conversation{
					ID: moved("conversation", c.ID), ExternalKey: "old:" + strconv.FormatInt(c.ID, 10),
					Title: c.Title, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
				})
				if err != nil {
					return fmt.Errorf("conversation %d: %w", c.ID, err)
				}
			}
			return nil
		})
	if find.Error != nil {
		return store.ImportResult{}, find.Error
	}
	return st.AllUsers().Messages().Import(ctx, oldMessages(ctx, old), store.ImportOptions{})
}

// oldMessages yields messages in the order in which their threads show them, one at a time.
func oldMessages(ctx context.Context, old *gorm.DB) iter.Seq2[*message.Message, error] {
	return func(yield func(*message.Message, error) bool) {
		rows, err := old.WithContext(ctx).Table("old_messages m").Select("m.*").
			Joins("JOIN old_conversations c ON c.id = m.conversation_id AND c.deleted_at IS NULL").
			Where("m.deleted_at IS NULL").Order("m.conversation_id, m.created_at, m.id").Rows() // the id breaks ties
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close() // rows.Err says what went wrong
		for rows.Next() {
			var o oldMessage
			if err := old.ScanRows(rows, &o); err != nil {
				yield(nil, err)
				return
			}
			if !yield(o.message(), nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

func (o oldMessage) message() *message.Message {
	m := &message.Message{
		ID: moved("message", o.ID), ConversationID: moved("conversation", o.ConversationID),
		Role: message.Role(o.Role), Content: o.Content, SentAt: o.CreatedAt, CreatedAt: o.CreatedAt,
	}
	if o.ToolCalls != nil {
		m.ToolCalls = message.JSON(*o.ToolCalls)
	}
	return m
}

func Example_moving() {
	ctx := context.Background()
	old := hostDB("recipe_moving")
	must(old.Table("old_conversations").AutoMigrate(&oldConversation{}))
	must(old.Table("old_messages").AutoMigrate(&oldMessage{}))
	at := time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC)
	must(old.Table("old_conversations").Create([]oldConversation{
		{ID: 1, UserID: 42, Title: "Holiday", CreatedAt: at, UpdatedAt: at},
		{ID: 2, UserID: 42, Title: "Gone", CreatedAt: at, UpdatedAt: at, DeletedAt: &at},
	}).Error)
	calls := `[{"id": "c1", "name": "weather"}]`
	must(old.Table("old_messages").Create([]oldMessage{
		{ID: 7, ConversationID: 1, Role: "user", Content: "Warm in March?", CreatedAt: at},
		{ID: 8, ConversationID: 1, Role: "assistant", ToolCalls: &calls, CreatedAt: at}, // the same second
		{ID: 9, ConversationID: 2, Role: "user", Content: "Nobody reads this.", CreatedAt: at},
	}).Error)

	st, _ := memory(ctx)
	for range 2 {
		done, err := move(ctx, old, st)
		must(err)
		fmt.Println("imported", done.Imported, "were there", done.Duplicates)
	}
	thread, err := st.ForUser(store.TenantID("42")).Conversations().Thread(ctx, moved("conversation", 1))
	must(err)
	for _, m := range thread.Messages {
		fmt.Println(m.Seq, m.Role, m.Content, !m.ToolCalls.IsEmpty())
	}
	// Output:
	// imported 2 were there 0
	// imported 0 were there 2
	// 1 user Warm in March? false
	// 2 assistant  true
}
