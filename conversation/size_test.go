package conversation_test

import (
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

// TestSizeCountsEveryField: a column that comes later must count as well.
func TestSizeCountsEveryField(t *testing.T) {
	long := strings.Repeat("a", 100)
	for _, make := range []func() interface{ Size() int }{
		func() interface{ Size() int } { return &conversation.Conversation{} },
		func() interface{ Size() int } { return &message.Message{} },
		func() interface{ Size() int } { return &suggestion.Suggestion{} },
	} {
		for i := range reflect.TypeOf(make()).Elem().NumField() {
			row := make()
			switch field := reflect.ValueOf(row).Elem().Field(i).Addr().Interface().(type) {
			case *string:
				*field = long
			case *message.JSON:
				*field = message.JSON(`"` + long + `"`)
			case *message.Payload:
				*field = message.Payload(long)
			case *message.Headers:
				*field = message.Headers{long: {""}}
			case *message.Attachments:
				*field = message.Attachments{{Filename: long}}
			default:
				continue
			}
			assert.GreaterOrEqual(t, row.Size(), 100, "%T.%s", row, reflect.TypeOf(row).Elem().Field(i).Name)
		}
	}
}

func TestAttachmentSizeCountsEveryField(t *testing.T) {
	for i := range reflect.TypeFor[message.Attachment]().NumField() {
		var a message.Attachment
		if f := reflect.ValueOf(&a).Elem().Field(i); f.Kind() == reflect.String {
			f.SetString(strings.Repeat("a", 100))
			assert.GreaterOrEqual(t, (&message.Message{Attachments: message.Attachments{a}}).Size(), 100, i)
		}
	}
}

func TestHooksKeepTheBound(t *testing.T) {
	large := strings.Repeat("a", message.MaxBytes+1)
	zeros := message.JSON("[" + strings.Repeat("1e1000,", 17_000) + "0]")
	for _, hook := range []interface{ BeforeCreate(db *gorm.DB) error }{
		&conversation.Conversation{Subject: large}, &conversation.Conversation{Metadata: zeros},
		&message.Message{Role: message.RoleUser, Content: large}, &message.Message{Role: message.RoleUser, ToolResults: zeros},
		&suggestion.Suggestion{SuggestedContent: large}, &suggestion.Suggestion{SuggestedContent: "a", ContextUsed: zeros},
	} {
		err := hook.BeforeCreate(nil)
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Contains(t, []string{"conversation", "message", "suggestion"}, invalid.Field)
		require.Contains(t, invalid.Rule, "the most is 16777216")
	}
	require.NoError(t, (&message.Message{UserID: uuid.Max, ConversationID: uuid.Max, Role: message.RoleUser, Content: large[1:]}).BeforeCreate(nil))
}
