package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

func TestOperatorsMethods(t *testing.T) {
	var c conversation.Conversation
	require.NoError(t, c.Assign("ann"))
	assert.Equal(t, "ann", c.Assignee)
	assert.False(t, c.UpdatedAt.IsZero())
	c.UpdatedAt = time.Time{}
	require.NoError(t, c.Assign("ann"))
	assert.True(t, c.UpdatedAt.IsZero(), "nothing has changed")
	for _, bad := range []string{"", "\xff", "a\x00", strings.Repeat("a", 1025)} {
		require.ErrorIs(t, c.Assign(bad), rule.ErrInvalid)
	}
	assert.Equal(t, "ann", c.Assignee)
	c.Unassign()
	assert.Empty(t, c.Assignee)

	at := message.Now().Add(time.Hour)
	require.NoError(t, c.Snooze(at))
	assert.True(t, c.SnoozedAt(at.Add(-time.Microsecond)))
	assert.False(t, c.SnoozedAt(at), "at the time itself it is back")
	for _, bad := range []time.Time{{}, time.Now(), time.Now().Add(-time.Hour), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		require.ErrorIs(t, c.Snooze(bad), rule.ErrInvalid)
	}
	assert.Equal(t, at, *c.SnoozedUntil)
	c.Unsnooze()
	assert.Nil(t, c.SnoozedUntil)
	assert.False(t, c.SnoozedAt(time.Time{}))

	c.Pin()
	pinned := *c.PinnedAt
	c.Pin()
	assert.Equal(t, pinned, *c.PinnedAt)
	assert.True(t, c.Pinned())
	c.Unpin()
	assert.False(t, c.Pinned())
}

func TestAddMessageEndsSnooze(t *testing.T) {
	until := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		m    message.Message
		ends bool
	}{
		{message.Message{Role: message.RoleUser}, true},
		{message.Message{Role: message.RoleUser, Kind: message.KindNote}, false},
		{message.Message{Role: message.RoleUser, Kind: message.KindAutoReply}, false},
		{message.Message{Role: message.RoleUser, Kind: message.KindBounce}, false},
		{message.Message{Role: message.RoleUser, State: message.StateStreaming}, false},
		{message.Message{Role: message.RoleAssistant}, false},
	} {
		c := conversation.Conversation{ID: uuid.New(), UserID: uuid.New(), SnoozedUntil: &until}
		require.NoError(t, c.AddMessage(&tt.m))
		assert.Equal(t, tt.ends, c.SnoozedUntil == nil, "%+v", tt.m)
	}
}

// TestPlainOperators: with GORM alone the scopes find what operators have marked, and a message that comes
// in ends the snooze.
func TestPlainOperators(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		user, now := uuid.New(), message.Now()
		made := func(title string, change func(c *conversation.Conversation)) *conversation.Conversation {
			c := &conversation.Conversation{UserID: user, Title: title, LastMessageAt: now.Add(-time.Minute), Status: conversation.StatusNeedsReply}
			change(c)
			require.NoError(t, db.Create(c).Error)
			now = now.Add(time.Minute)
			return c
		}
		made("plain", func(*conversation.Conversation) {})
		made("ann", func(c *conversation.Conversation) { require.NoError(t, c.Assign("ann")); c.Pin() })
		snoozed := made("snoozed", func(c *conversation.Conversation) { require.NoError(t, c.Snooze(now.AddDate(1, 0, 0))) })
		back := now.Add(-time.Hour)
		drafted := made("back", func(c *conversation.Conversation) { c.SnoozedUntil = &back })
		require.NoError(t, db.Create(&suggestion.Suggestion{ConversationID: drafted.ID, UserID: user, SuggestedContent: "draft"}).Error)
		other := made("decided", func(*conversation.Conversation) {})
		decided := &suggestion.Suggestion{ConversationID: other.ID, UserID: user, SuggestedContent: "draft"}
		require.NoError(t, db.Create(decided).Error)
		require.NoError(t, db.Delete(decided).Error)

		titles := func(scopes ...column.Scope) (all []string) {
			t.Helper()
			scopes = append(scopes, conversation.OwnedBy(user))
			require.NoError(t, db.Model(&conversation.Conversation{}).Scopes(scopes...).Pluck("title", &all).Error)
			return all
		}
		at := time.Now()
		assert.ElementsMatch(t, []string{"ann"}, titles(conversation.AssignedTo("ann")))
		assert.ElementsMatch(t, []string{"plain", "snoozed", "back", "decided"}, titles(conversation.Unassigned))
		assert.ElementsMatch(t, []string{"snoozed"}, titles(conversation.Snoozed(at)))
		assert.ElementsMatch(t, []string{"plain", "ann", "back", "decided"}, titles(conversation.NotSnoozed(at), conversation.NeedsReply))
		assert.Contains(t, titles(conversation.NotSnoozed(back)), "back", "at the time itself")
		assert.NotContains(t, titles(conversation.NotSnoozed(back.Add(-time.Second))), "back")
		assert.ElementsMatch(t, []string{"ann"}, titles(conversation.Pinned))
		assert.ElementsMatch(t, []string{"plain", "snoozed", "back", "decided"}, titles(conversation.NotPinned))
		assert.ElementsMatch(t, []string{"back"}, titles(conversation.HasDraft))
		assert.Equal(t, []string{"ann", "decided", "back", "snoozed", "plain"}, titles(conversation.PinnedFirst))
		assert.Equal(t, []string{"plain", "ann", "snoozed", "back", "decided"}, titles(conversation.OldestActivity))
		require.ErrorIs(t, db.Scopes(conversation.Snoozed(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))).Find(&[]conversation.Conversation{}).Error, rule.ErrInvalid)

		for kind, ends := range map[message.Kind]bool{message.KindNote: false, message.KindAutoReply: false, message.KindMessage: true} {
			require.NoError(t, db.Model(snoozed).Update("snoozed_until", now.AddDate(1, 0, 0)).Error)
			require.NoError(t, db.Create(&message.Message{ConversationID: snoozed.ID, UserID: user, Role: message.RoleUser, Kind: kind, Content: "in"}).Error)
			var stored conversation.Conversation
			require.NoError(t, db.Take(&stored, "id = ? AND user_id = ?", snoozed.ID, user).Error)
			assert.Equal(t, ends, stored.SnoozedUntil == nil, kind)
		}
	})
}
