package message_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

var now = time.Date(2025, 11, 4, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))

func TestNormalizeRoleAndDirection(t *testing.T) {
	for _, c := range []struct {
		role          message.Role
		direction     message.Direction
		wantRole      message.Role
		wantDirection message.Direction
	}{
		{"", message.DirectionInbound, message.RoleUser, message.DirectionInbound},
		{"", message.DirectionOutbound, message.RoleAssistant, message.DirectionOutbound},
		{message.RoleUser, "", message.RoleUser, message.DirectionInbound},
		{message.RoleAssistant, "", message.RoleAssistant, message.DirectionOutbound},
		{message.RoleSystem, "", message.RoleSystem, ""},
		{message.RoleTool, "", message.RoleTool, ""},
		{message.RoleTool, message.DirectionInbound, message.RoleTool, message.DirectionInbound},
		{message.RoleUser, message.DirectionOutbound, message.RoleUser, message.DirectionOutbound},
		{"", "", "", ""},
		{"", "sideways", "", "sideways"},
		{"robot", "", "robot", ""},
	} {
		m := message.Message{Role: c.role, Direction: c.direction}
		m.Normalize(now)
		assert.Equal(t, c.wantRole, m.Role, "%+v", c)
		assert.Equal(t, c.wantDirection, m.Direction, "%+v", c)
	}
}

func TestNormalizeTimes(t *testing.T) {
	cut := time.Date(2025, 11, 4, 11, 0, 0, 123456000, time.UTC)
	var m message.Message
	m.Normalize(now)
	assert.Equal(t, []time.Time{cut, cut, cut}, []time.Time{m.CreatedAt, m.SentAt, m.UpdatedAt})

	sent := now.Add(-time.Hour)
	m = message.Message{SentAt: sent}
	m.Normalize(now)
	assert.Equal(t, cut.Add(-time.Hour), m.SentAt)
	assert.Equal(t, cut, m.CreatedAt)
	again := m
	again.Normalize(now.Add(time.Hour))
	assert.Equal(t, m, again, "a second time changes nothing")
	assert.Equal(t, time.Time{}, message.Instant(time.Time{}), "the zero time stays zero")
}

func TestNormalizeEmailMessageID(t *testing.T) {
	for value, want := range map[string]string{
		"<abc@example.com>":                   "<abc@example.com>",
		"(comment) <abc@example.com>":         "<abc@example.com>",
		"abc@example.com":                     "<abc@example.com>",
		"<>":                                  "",
		"<" + strings.Repeat("a", 1022) + ">": "<" + strings.Repeat("a", 1022) + ">",
		"<" + strings.Repeat("a", 1023) + ">": "",
	} {
		m := message.Message{Headers: message.Headers{"message-id": {value}}}
		m.Normalize(now)
		assert.Equal(t, want, m.EmailMessageID)
	}
	m := message.Message{EmailMessageID: "<mine@x>", Headers: message.Headers{"Message-ID": {"<theirs@x>"}}}
	m.Normalize(now)
	assert.Equal(t, "<mine@x>", m.EmailMessageID, "what is set stays")
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("a", 1025)
	for field, spoil := range map[string]func(*message.Message){
		"":                    func(*message.Message) {},
		"role":                func(m *message.Message) { m.Role = "robot" },
		"direction":           func(m *message.Message) { m.Role, m.Direction = "", "sideways" },
		"content":             func(m *message.Message) { m.Content = "a\x00" },
		"sender_email":        func(m *message.Message) { m.SenderEmail = "\xff" },
		"recipient_email":     func(m *message.Message) { m.RecipientEmail = "\xff" },
		"postmark_message_id": func(m *message.Message) { m.PostmarkMessageID = long },
		"gmail_message_id":    func(m *message.Message) { m.GmailMessageID = long },
		"gmail_thread_id":     func(m *message.Message) { m.GmailThreadID = long },
		"email_message_id":    func(m *message.Message) { m.EmailMessageID = long },
		"idempotency_key":     func(m *message.Message) { m.IdempotencyKey = "a\x00" },
		"headers":             func(m *message.Message) { m.Headers = message.Headers{"A": {"ok", "\x00"}} },
		"attachments[1]":      func(m *message.Message) { m.Attachments = message.Attachments{{}, {Filename: "\xff"}} },
		"attachments[0].size": func(m *message.Message) { m.Attachments = message.Attachments{{Size: -1}} },
		"tool_calls":          func(m *message.Message) { m.ToolCalls = message.JSON(`[`) },
		"tool_results":        func(m *message.Message) { m.ToolResults = message.JSON(`"\u0000"`) },
		"metadata":            func(m *message.Message) { m.Metadata = message.JSON(`{} {}`) },
		"sent_at":             func(m *message.Message) { m.SentAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"created_at":          func(m *message.Message) { m.CreatedAt, m.SentAt = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), now },
		"updated_at":          func(m *message.Message) { m.UpdatedAt = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		m := message.Message{Role: message.RoleUser}
		spoil(&m)
		m.Normalize(now)
		err := m.Validate()
		if field == "" {
			require.NoError(t, err)
			continue
		}
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
		require.ErrorIs(t, m.BeforeCreate(nil), rule.ErrInvalid)
	}
}

func TestBeforeCreateGivesIDsAndKeys(t *testing.T) {
	m := message.Message{UserID: uuid.New(), ConversationID: uuid.New(), Role: message.RoleUser}
	require.NoError(t, m.SetEmbedding("test", message.Vector{1}))
	require.NoError(t, m.BeforeCreate(nil))
	assert.Equal(t, uuid.Version(7), m.ID.Version())
	e := m.Embeddings[0]
	assert.Equal(t, []uuid.UUID{m.ID, m.UserID, m.ConversationID}, []uuid.UUID{e.MessageID, e.UserID, e.ConversationID})
	id := m.ID
	require.NoError(t, m.BeforeCreate(nil))
	assert.Equal(t, id, m.ID, "an id that is set stays")
}

func TestSetEmbedding(t *testing.T) {
	m := message.Message{ID: uuid.New(), UserID: uuid.New(), ConversationID: uuid.New()}
	require.NoError(t, m.SetEmbedding("a", message.Vector{1, 2}))
	require.NoError(t, m.SetEmbedding("b", message.Vector{3}))
	require.NoError(t, m.SetEmbedding("a", message.Vector{4, 5}))
	require.Len(t, m.Embeddings, 2, "one for a model")
	assert.Equal(t, message.Vector{4, 5}, m.Embedding("a"))
	assert.Equal(t, message.Vector{3}, m.Embedding("b"))
	assert.Nil(t, m.Embedding("c"))
	assert.Equal(t, m.ID, m.Embeddings[0].MessageID)
	assert.False(t, m.Embeddings[0].CreatedAt.IsZero())

	require.ErrorIs(t, m.SetEmbedding("", message.Vector{1}), rule.ErrInvalid)
	require.ErrorIs(t, m.SetEmbedding("a\x00", message.Vector{1}), rule.ErrInvalid)
	require.ErrorIs(t, m.SetEmbedding("a", message.Vector{0}), rule.ErrInvalid)
	assert.Equal(t, message.Vector{4, 5}, m.Embedding("a"), "a refused vector changes nothing")
}

// TestNilEmbeddings has a nil in the list, which a decoder leaves for null.
func TestNilEmbeddings(t *testing.T) {
	var m message.Message
	require.NoError(t, json.Unmarshal([]byte(`{"role":"user","embeddings":[null,{"model":"a","vector":[1]}]}`), &m))
	require.NoError(t, m.SetEmbedding("a", message.Vector{2}))
	require.NoError(t, m.SetEmbedding("b", message.Vector{3}))
	assert.Equal(t, message.Vector{2}, m.Embedding("a"))
	assert.Equal(t, message.Vector{3}, m.Embedding("b"))
	assert.Nil(t, m.Embedding("c"))
	require.ErrorIs(t, m.BeforeCreate(nil), rule.ErrInvalid)
}

func TestEmbeddingBeforeCreate(t *testing.T) {
	e := message.Embedding{Model: "a", Vector: message.Vector{1}}
	require.NoError(t, e.BeforeCreate(nil))
	assert.Equal(t, message.Instant(e.CreatedAt), e.CreatedAt)
	assert.False(t, e.CreatedAt.IsZero())
	require.ErrorIs(t, (&message.Embedding{Vector: message.Vector{1}}).BeforeCreate(nil), rule.ErrInvalid)
	require.ErrorIs(t, (&message.Embedding{Model: "a"}).BeforeCreate(nil), rule.ErrInvalid)
}

func TestMessageJSONRoundTrip(t *testing.T) {
	want := message.Message{
		ID: uuid.New(), Role: message.RoleAssistant, Content: "Hi", ToolCalls: message.JSON(`[{"n":1.10}]`),
		Headers: message.Headers{"Subject": {"Hi"}}, Attachments: message.Attachments{{Filename: "a"}},
	}
	want.Normalize(now)
	doc, err := json.Marshal(want)
	require.NoError(t, err)
	assert.NotContains(t, string(doc), "deleted_at")
	assert.NotContains(t, string(doc), "metadata")
	var got message.Message
	require.NoError(t, json.Unmarshal(doc, &got))
	assert.Equal(t, want, got)
	assert.False(t, got.Deleted())
}
