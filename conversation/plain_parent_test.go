package conversation_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

// TestRowHasTheFieldsOfAConversation: the row that a message belongs to is the conversation
// without its associations, field by field, and FromRow leaves none out.
func TestRowHasTheFieldsOfAConversation(t *testing.T) {
	full, row := reflect.TypeFor[conversation.Conversation](), reflect.TypeFor[message.ConversationRow]()
	filled := reflect.New(row)
	for i := range full.NumField() {
		want := full.Field(i)
		if strings.Contains(want.Tag.Get("gorm"), "foreignKey") {
			continue
		}
		got, ok := row.FieldByName(want.Name)
		if !assert.True(t, ok, want.Name) {
			continue
		}
		assert.Equal(t, want.Tag, got.Tag, want.Name)
		assert.True(t, got.Type.ConvertibleTo(want.Type), want.Name)
		fillField(t, filled.Elem().FieldByName(want.Name))
	}
	made := reflect.ValueOf(conversation.FromRow(filled.Interface().(*message.ConversationRow))).Elem()
	for i := range row.NumField() {
		name := row.Field(i).Name
		want, got := filled.Elem().Field(i), made.FieldByName(name)
		assert.Equal(t, want.Convert(got.Type()).Interface(), got.Interface(), name)
	}
	assert.Nil(t, conversation.FromRow(nil))
}

// fillField sets a field to something that is not zero.
func fillField(t *testing.T, f reflect.Value) {
	t.Helper()
	switch f.Kind() {
	case reflect.String:
		f.SetString("x")
	case reflect.Int64:
		f.SetInt(7)
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
	case reflect.Array: // a uuid
		f.Index(0).SetUint(7)
	case reflect.Slice:
		f.SetBytes([]byte("{}"))
	default:
		switch v := f.Addr().Interface().(type) {
		case *gorm.DeletedAt:
			v.Time, v.Valid = message.Now(), true
		default:
			f.Set(reflect.ValueOf(message.Now()))
		}
	}
}

func TestPreloadOfTheConversation(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		user := uuid.New()
		first, other, foreign := leadThread(t, user), chat(t, user), chat(t, uuid.New())
		for _, c := range []*conversation.Conversation{first, other, foreign} {
			require.NoError(t, db.Create(c).Error)
		}
		s := draft(first)
		require.NoError(t, db.Create(s).Error)

		var messages []*message.Message
		require.NoError(t, db.Preload("Conversation").Find(&messages).Error)
		require.Len(t, messages, 10)
		for _, m := range messages {
			require.NotNil(t, m.Conversation)
			assert.Equal(t, m.ConversationID, m.Conversation.ID)
			assert.Equal(t, m.UserID, m.Conversation.UserID)
		}
		var one message.Message
		require.NoError(t, db.Joins("Conversation").Take(&one, "messages.id = ?", first.Messages[1].ID).Error)
		assertConversation(t, first, conversation.FromRow(one.Conversation))
		one = message.Message{}
		require.NoError(t, db.Preload("Conversation", conversation.ActiveSince(first.LastMessageAt), conversation.NeedsReply).
			Take(&one, "id = ?", first.Messages[1].ID).Error)
		assertConversation(t, first, conversation.FromRow(one.Conversation))

		var got suggestion.Suggestion
		require.NoError(t, db.Preload("Conversation").Preload("InReplyTo.Conversation").Take(&got, "id = ?", s.ID).Error)
		assertConversation(t, first, conversation.FromRow(got.Conversation))
		assertConversation(t, first, conversation.FromRow(got.InReplyTo.Conversation))
		text, err := json.Marshal(got)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"conversation":{`)

		var plain []*message.Message
		require.NoError(t, db.Find(&plain).Error)
		text, err = json.Marshal(plain)
		require.NoError(t, err)
		assert.NotContains(t, string(text), `"conversation":`, "only on request")

		require.NoError(t, db.Delete(first).Error)
		one = message.Message{}
		require.NoError(t, db.Preload("Conversation").Take(&one, "id = ?", first.Messages[1].ID).Error)
		assert.Nil(t, one.Conversation, "deleted")
		require.NoError(t, db.Unscoped().Preload("Conversation").Take(&one, "id = ?", first.Messages[1].ID).Error)
		assert.True(t, one.Conversation.DeletedAt.Valid)
	})
}

// TestPreloadedConversationIsNotSaved: a row that came along is as old as its reading. What else
// saves it would put the status back or write over what others wrote.
func TestPreloadedConversationIsNotSaved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		s := draft(c)
		require.NoError(t, db.Create(s).Error)
		var m message.Message
		require.NoError(t, db.Preload("Conversation").Take(&m, "id = ?", c.Messages[0].ID).Error)
		require.NoError(t, db.Preload("Conversation").Take(s).Error)
		require.NoError(t, db.Create(line(c, message.DirectionOutbound, "meanwhile")).Error)
		want := reload(t, db, c)

		stale := *m.Conversation
		for _, row := range []*message.ConversationRow{m.Conversation, s.Conversation} {
			row.Title, row.Status = "stale", "archived"
		}
		full := db.Session(&gorm.Session{FullSaveAssociations: true})
		for name, err := range map[string]error{
			"Save": db.Save(&m).Error, "Save of all": full.Save(&m).Error, "Updates": full.Model(&m).Updates(&m).Error,
			"Save of several": db.Save([]*message.Message{&m}).Error,
			"suggestion":      db.Save(s).Error, "suggestion and all": full.Save(s).Error,
		} {
			require.NoError(t, err, name)
		}
		fresh := line(c, message.DirectionOutbound, "another")
		fresh.Conversation = m.Conversation
		require.NoError(t, full.Create(fresh).Error)
		got := reload(t, db, c)
		assertWhole(t, got, 4)
		assert.Equal(t, want.Title, got.Title)
		assert.Equal(t, conversation.StatusWaiting, got.Status)

		for name, err := range map[string]error{
			"Create": db.Create(&message.ConversationRow{ID: uuid.New(), UserID: c.UserID}).Error,
			"Save":   db.Save(&stale).Error, "Update": db.Model(&stale).Update("title", "x").Error, "Delete": db.Delete(&stale).Error,
		} {
			require.ErrorIs(t, err, rule.ErrInvalid, name)
		}
		elsewhere := chat(t, c.UserID)
		require.NoError(t, db.Create(elsewhere).Error)
		require.NoError(t, db.Model(&m).Association("Conversation").Replace(&message.ConversationRow{ID: elsewhere.ID, UserID: c.UserID}))
		require.NoError(t, db.Model(&m).Association("Conversation").Clear())
		got = reload(t, db, c)
		assertWhole(t, got, 4)
		assert.Equal(t, want.Title, got.Title)
		assertWhole(t, reload(t, db, elsewhere), 4)
	})
}
