package conversation_test

import (
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

// assertRefused asserts that every way to write row is a *rule.InvalidError of the field.
func assertRefused(t *testing.T, db *gorm.DB, field string, row any) {
	t.Helper()
	for name, err := range map[string]error{
		"Create": db.Create(row).Error, "Save": db.Save(row).Error, "Updates": db.Model(row).Updates(row).Error,
		"Save with associations": db.Session(&gorm.Session{FullSaveAssociations: true}).Save(row).Error,
	} {
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		assert.Equal(t, field, invalid.Field, name)
	}
}

func TestPlainWritesValidate(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		s := draft(c)
		require.NoError(t, db.Create(s).Error)
		for _, stored := range []bool{false, true} {
			id := func(id uuid.UUID) uuid.UUID {
				if stored {
					return id
				}
				return uuid.New()
			}
			assertRefused(t, db, "title", &conversation.Conversation{ID: id(c.ID), UserID: c.UserID, LastSeq: 2, Title: strings.Repeat("é", 300)})
			assertRefused(t, db, "status", &conversation.Conversation{ID: id(c.ID), UserID: c.UserID, LastSeq: 2, Status: "gone"})
			assertRefused(t, db, "metadata", &conversation.Conversation{ID: id(c.ID), UserID: c.UserID, LastSeq: 2, Metadata: message.JSON(`{`)})
			m := *c.Messages[0]
			m.ID, m.Embeddings, m.ToolCalls = id(m.ID), nil, message.JSON(`[`)
			assertRefused(t, db, "tool_calls", &m)
			d := *s
			d.ID, d.ConfidenceScore = id(s.ID), new(7.0)
			assertRefused(t, db, "confidence_score", &d)
		}
		assertSame(t, reload(t, db, c), reload(t, db, c))
		var rows int64
		require.NoError(t, db.Model(&conversation.Conversation{}).Count(&rows).Error)
		assert.EqualValues(t, 1, rows)
	})
}

func TestPlainUpdatesValidateWhatTheySet(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		s := draft(c)
		require.NoError(t, db.Create(s).Error)
		for field, update := range map[string]*gorm.DB{
			"title":             db.Model(c).Updates(map[string]any{"title": strings.Repeat("x", 300)}),
			"Title":             db.Model(&conversation.Conversation{}).Where("id = ?", c.ID).Update("Title", strings.Repeat("x", 300)),
			"status":            db.Model(c).Update("status", "gone"),
			"subject":           db.Model(c).Update("subject", "a\x00b"),
			"content":           db.Model(c.Messages[0]).Update("content", "a\x00b"),
			"role":              db.Model(c.Messages[0]).Update("role", message.Role("king")),
			"tokens_used":       db.Model(s).Update("tokens_used", -1),
			"suggested_content": db.Model(s).Updates(&suggestion.Suggestion{SuggestedContent: "\xff"}),
		} {
			var invalid *rule.InvalidError
			require.ErrorAs(t, update.Error, &invalid, field)
			assert.Equal(t, strings.ToLower(field), invalid.Field)
		}
		for _, update := range []*gorm.DB{
			db.Model(&conversation.Conversation{ID: c.ID, UserID: c.UserID}).Updates(map[string]any{"title": "New", "metadata": message.JSON(`{}`)}),
			db.Model(c).Update("title", gorm.Expr("upper(title)")),
			db.Model(c).Updates(map[string]any{"head_seq": 1, "assignee": nil}),
			db.Model(c.Messages[0]).Updates(map[string]any{"payload": message.Payload("{}"), "payload_format": "x"}),
			db.Model(c.Messages[0]).Update("payload", message.Payload("[]")),
			db.Model(c.Messages[0]).Updates(message.Message{Delivery: message.DeliverySent}),
			db.Model(s).Updates(map[string]any{"status": suggestion.StatusApproved, "reviewed_at": message.Now()}),
			db.Model(s).Update("feedback", "good"),
		} {
			require.NoError(t, update.Error)
			assert.EqualValues(t, 1, update.RowsAffected)
		}
		require.Error(t, db.Model(c).UpdateColumn("title", strings.Repeat("x", 300)).Error, "no hook, but the table's own check")
		assert.Equal(t, "NEW", reload(t, db, c).Title)
	})
}

func TestPlainSaveOfANewRowIsACreate(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		c.ID = uuid.New()
		require.NoError(t, db.Save(c).Error)
		got := reload(t, db, c)
		assertWhole(t, got, 2)
		assert.Equal(t, conversation.StatusNeedsReply, got.Status)
		m := line(c, message.DirectionOutbound, "saved with an id of the host's")
		m.ID = uuid.New()
		require.NoError(t, db.Save(m).Error)
		m.Content = "changed"
		require.NoError(t, db.Save(m).Error)
		got = reload(t, db, c)
		assertWhole(t, got, 3)
		assert.Equal(t, "changed", got.Messages[2].Content)
		s := draft(got)
		s.ID = uuid.New()
		require.NoError(t, db.Save(s).Error)
		require.NoError(t, s.Approve(suggestion.Review{}))
		require.NoError(t, db.Save(s).Error)
		require.NoError(t, db.Take(s).Error)
		assert.Equal(t, suggestion.StatusApproved, s.Status)
	})
}
