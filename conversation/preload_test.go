package conversation_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

const model = "test-model"

// leadThread returns a conversation with an outbound e-mail, a reply with a vector, and a
// suggestion that answers the reply. Every column has a value.
func leadThread(t *testing.T, userID uuid.UUID) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{
		UserID: userID, LeadID: "123", Title: "Website", Subject: "Website improvements",
		Metadata: message.JSON(`{"n":12345678901234567890.123456789}`),
	}
	require.NoError(t, c.AddMessage(&message.Message{
		Direction: message.DirectionOutbound, Content: "Hi John", SenderEmail: "user@example.com",
		RecipientEmail: "john@example.com", PostmarkMessageID: "pm_12345678",
		ToolCalls: message.JSON(`[{"id":"call_1"}]`), SentAt: time.Date(2025, 11, 4, 9, 0, 0, 123456789, time.FixedZone("", 3600)),
	}))
	in := &message.Message{
		Direction: message.DirectionInbound, Content: "Can you show me examples?",
		GmailMessageID: "1234567890abcdef", GmailThreadID: "thread_abc123",
		Headers:     message.Headers{"Message-ID": {"<abc@example.com>"}, "Received": {"by a", "by b"}},
		Attachments: message.Attachments{{Filename: "logo.png", ContentType: "image/png", Size: 2048}},
		SentAt:      time.Date(2025, 11, 4, 10, 0, 0, 0, time.UTC),
	}
	require.NoError(t, in.SetEmbedding(model, message.Vector{0.1, -2, 3e-7}))
	require.NoError(t, c.AddMessage(in))
	return c
}

func draft(c *conversation.Conversation) *suggestion.Suggestion {
	return &suggestion.Suggestion{
		UserID: c.UserID, ConversationID: c.ID, InReplyToMessageID: &c.Messages[1].ID,
		SuggestedContent: "Hi John! Absolutely.", ConfidenceScore: new(0.92), ModelUsed: "gpt-4", TokensUsed: 450,
		GenerationCost:    decimal.RequireFromString("0.0135"),
		SentimentAnalysis: message.JSON(`{"tone":"interested"}`),
	}
}

func TestModelsRoundTripWithPlainGORM(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		want := leadThread(t, uuid.New())
		require.NoError(t, db.Create(want).Error)
		s := draft(want)
		require.NoError(t, db.Create(s).Error)

		var got conversation.Conversation
		require.NoError(t, db.Scopes(conversation.OwnedBy(want.UserID)).
			Preload("Messages", message.Oldest).Preload("Messages.Embeddings").
			Preload("Suggestions.InReplyTo").Take(&got, "id = ?", want.ID).Error)

		assertConversation(t, want, &got)
		require.Len(t, got.Messages, 2)
		assertMessage(t, want.Messages[0], got.Messages[0])
		assertMessage(t, want.Messages[1], got.Messages[1])
		require.Len(t, got.Suggestions, 1)
		assertSuggestion(t, s, got.Suggestions[0])
		assertMessage(t, want.Messages[1], got.Suggestions[0].InReplyTo)
	})
}

func assertConversation(t *testing.T, want, got *conversation.Conversation) {
	t.Helper()
	assert.Equal(t, want.ID, got.ID)
	assert.Equal(t, conversation.StatusNeedsReply, got.Status)
	assert.Equal(t, int64(2), got.LastSeq)
	assert.Equal(t, want.LeadID, got.LeadID)
	assert.Empty(t, got.ExternalKey, "NULL reads as empty")
	assert.JSONEq(t, want.Metadata.String(), got.Metadata.String())
	assert.Contains(t, got.Metadata.String(), "12345678901234567890.123456789", "no digit is lost")
	assertInstant(t, want.LastMessageAt, got.LastMessageAt)
	assertInstant(t, want.CreatedAt, got.CreatedAt)
	assert.False(t, got.Deleted())
}

func assertMessage(t *testing.T, want, got *message.Message) {
	t.Helper()
	require.NotNil(t, got)
	assert.Equal(t, want.ID, got.ID)
	assert.Equal(t, want.ConversationID, got.ConversationID)
	assert.Equal(t, want.Seq, got.Seq)
	assert.Equal(t, want.Role, got.Role)
	assert.Equal(t, want.Direction, got.Direction)
	assert.Equal(t, want.PostmarkMessageID, got.PostmarkMessageID)
	assert.Equal(t, want.GmailMessageID, got.GmailMessageID)
	assert.Equal(t, want.EmailMessageID, got.EmailMessageID)
	assert.Equal(t, want.Headers, got.Headers)
	assert.Equal(t, want.Attachments, got.Attachments)
	assert.JSONEq(t, want.ToolCalls.String(), got.ToolCalls.String())
	assert.True(t, got.Metadata.IsNull())
	assertInstant(t, want.SentAt, got.SentAt)
	assert.Nil(t, got.EditedAt)
	for i, e := range got.Embeddings {
		assert.Equal(t, want.Embeddings[i].Vector, e.Vector)
		assert.Equal(t, want.ConversationID, e.ConversationID, "a vector knows its conversation")
		assert.False(t, e.CreatedAt.IsZero())
	}
}

func assertSuggestion(t *testing.T, want, got *suggestion.Suggestion) {
	t.Helper()
	assert.Equal(t, want.ID, got.ID)
	assert.Equal(t, suggestion.StatusPending, got.Status)
	assert.InDelta(t, 0.92, *got.ConfidenceScore, 0)
	assert.Equal(t, "0.0135", got.GenerationCost.String())
	assert.Equal(t, int64(450), got.TokensUsed)
	assert.Nil(t, got.ReviewedAt)
	assert.Nil(t, got.SentMessageID)
	assert.JSONEq(t, want.SentimentAnalysis.String(), got.SentimentAnalysis.String())
}

// assertInstant also asserts that the time has no unit below microseconds, which neither
// database stores.
func assertInstant(t *testing.T, want, got time.Time) {
	t.Helper()
	assert.True(t, want.Equal(got), "%s is not %s", got, want)
	assert.Equal(t, want, message.Instant(got))
}

func TestPreloadStaysInTheConversation(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		userID := uuid.New()
		first, other, foreign := leadThread(t, userID), chat(t, userID), chat(t, uuid.New())
		for _, c := range []*conversation.Conversation{first, other, foreign} {
			require.NoError(t, db.Create(c).Error)
		}
		var got []conversation.Conversation
		require.NoError(t, db.Scopes(conversation.OwnedBy(userID), conversation.NewestCreated).
			Preload("Messages", message.Newest, message.Inbound).Preload("Messages.Embeddings").Find(&got).Error)
		require.Len(t, got, 2)
		counts := map[uuid.UUID]int{}
		for _, c := range got {
			for _, m := range c.Messages {
				assert.Equal(t, c.ID, m.ConversationID)
				counts[c.ID] += 1 + len(m.Embeddings)
			}
		}
		assert.Equal(t, map[uuid.UUID]int{first.ID: 2, other.ID: 1}, counts)
	})
}

func chat(t *testing.T, userID uuid.UUID) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{UserID: userID, Title: "Chat", ExternalKey: "chat"}
	for _, role := range []message.Role{message.RoleUser, message.RoleAssistant, message.RoleSystem, message.RoleTool} {
		require.NoError(t, c.AddMessage(&message.Message{Role: role, Content: "as " + role.String()}))
	}
	return c
}
