package conversation_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// TestPlainDrafts: a message that a host creates with its own GORM supersedes what waits, and a
// suggestion knows what it takes into account, as in the store.
func TestPlainDrafts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		suggest := func(c *conversation.Conversation, answers int64) *suggestion.Suggestion {
			s := &suggestion.Suggestion{UserID: c.UserID, ConversationID: c.ID, SuggestedContent: "x", AnswersSeq: answers}
			require.NoError(t, db.Create(s).Error)
			return s
		}
		status := func(s *suggestion.Suggestion) suggestion.Status {
			now := &suggestion.Suggestion{}
			require.NoError(t, db.Take(now, "id = ? AND user_id = ?", s.ID, s.UserID).Error)
			require.NoError(t, now.Validate())
			return now.Status
		}
		for name, add := range map[string]func(c *conversation.Conversation, m *message.Message){
			"Create": func(_ *conversation.Conversation, m *message.Message) { require.NoError(t, db.Create(m).Error) },
			"on a branch": func(_ *conversation.Conversation, m *message.Message) {
				m.ParentSeq = new(int64(0))
				require.NoError(t, db.Create(m).Error)
			},
			"AddMessage and Create": func(c *conversation.Conversation, m *message.Message) {
				*c = *reload(t, db, c)
				require.NoError(t, c.AddMessage(m))
				require.NoError(t, db.Create(m).Error)
			},
			"AddMessage and Save": func(c *conversation.Conversation, m *message.Message) {
				*c = *reload(t, db, c)
				require.NoError(t, c.AddMessage(m))
				require.NoError(t, db.Save(c).Error)
			},
		} {
			c := emptyThread(t, db)
			assert.Zero(t, suggest(c, 0).AnswersSeq)
			first := line(c, message.DirectionInbound, "first")
			require.NoError(t, db.Create(first).Error)
			s := suggest(c, 0)
			assert.EqualValues(t, 1, s.AnswersSeq, name)
			note := line(c, message.DirectionInbound, "note")
			note.Kind = message.KindNote
			require.NoError(t, db.Create(note).Error)
			old := line(c, message.DirectionInbound, "old")
			old.SentAt = first.SentAt.Add(-time.Hour)
			require.NoError(t, db.Create(old).Error)
			require.NoError(t, db.Create(line(c, message.DirectionOutbound, "out")).Error)
			assert.Equal(t, suggestion.StatusPending, status(s), name)
			late := line(c, message.DirectionInbound, "late")
			late.SentAt = first.SentAt.Add(time.Second)
			add(c, late)
			assert.Equal(t, suggestion.StatusSuperseded, status(s), name)
			if name != "on a branch" {
				given := suggest(c, 1)
				assert.Equal(t, suggestion.StatusSuperseded, given.Status, "%s: a message came while it was written", name)
				assert.Equal(t, suggestion.StatusSuperseded, status(given), name)
			}
			current := suggest(c, 0)
			assert.EqualValues(t, 5, current.AnswersSeq, name)
			assert.Equal(t, suggestion.StatusPending, status(current), name)
		}
		var found []*suggestion.Suggestion
		require.NoError(t, db.Scopes(suggestion.Superseded, suggestion.AnsweringBefore(2)).Find(&found, "user_id <> ?", uuid.Nil).Error)
		assert.NotEmpty(t, found)
		for _, s := range found {
			assert.Equal(t, suggestion.StatusSuperseded, s.Status)
			assert.EqualValues(t, 1, s.AnswersSeq)
		}
		require.NoError(t, found[0].Reopen())
		require.NoError(t, found[0].SaveDraft("half", "ann", time.Time{}))
		require.NoError(t, db.Save(found[0]).Error)
		require.NoError(t, db.Scopes(suggestion.Drafted, suggestion.Pending).Take(&suggestion.Suggestion{}, "id = ?", found[0].ID).Error)
		require.NoError(t, found[0].Approve(suggestion.Review{}))
		require.NoError(t, db.Save(found[0]).Error)
		require.NoError(t, db.Scopes(suggestion.Sendable).Take(&suggestion.Suggestion{}, "id = ?", found[0].ID).Error)
		require.NoError(t, found[0].Reopen())
		require.NoError(t, found[0].Expire(time.Time{}))
		require.NoError(t, db.Save(found[0]).Error)
		require.NoError(t, db.Scopes(suggestion.Expired).Take(&suggestion.Suggestion{}, "id = ?", found[0].ID).Error)
	})
}
