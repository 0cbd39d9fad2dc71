package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

func TestActivity(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for sent, want := range map[time.Time]time.Time{
		now:                 now,
		now.Add(-time.Hour): now.Add(-time.Hour),
		now.Add(time.Hour):  now,
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC): now,
	} {
		assert.Equal(t, want, conversation.Activity(sent, now))
	}
}

// TestFutureMessageDoesNotRuleTheList: the column keeps what was said, the order does not.
func TestFutureMessageDoesNotRuleTheList(t *testing.T) {
	distant := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &conversation.Conversation{CreatedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	c.Normalize(message.Now())
	m := &message.Message{Role: message.RoleUser, SentAt: distant}
	require.NoError(t, c.AddMessage(m))
	assert.Equal(t, distant, m.SentAt)
	assert.False(t, c.LastMessageAt.After(message.Now()))

	given := &conversation.Conversation{LastMessageAt: distant}
	given.Normalize(message.Now())
	assert.False(t, given.LastMessageAt.After(message.Now()))
	beyond := &conversation.Conversation{LastMessageAt: distant.AddDate(1, 0, 0)}
	beyond.Normalize(message.Now())
	require.Error(t, beyond.Validate(), "what no table keeps is refused and not replaced")
}
