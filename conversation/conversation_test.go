package conversation_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

func TestStatusesRoundTrip(t *testing.T) {
	for _, s := range conversation.Statuses() {
		assert.True(t, s.Valid(), s)
		doc, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%q", s.String()), string(doc))
		var decoded, scanned conversation.Status
		require.NoError(t, json.Unmarshal(doc, &decoded))
		assert.Equal(t, s, decoded)
		value, err := s.Value()
		require.NoError(t, err)
		require.NoError(t, scanned.Scan(value))
		assert.Equal(t, s, scanned)
		require.NoError(t, scanned.Scan([]byte(s)))
		assert.Equal(t, s, scanned)
	}
}

func TestUnknownStatuses(t *testing.T) {
	assert.False(t, conversation.Status("").Valid())
	for _, bad := range []conversation.Status{"Active", "closed", " "} {
		assert.False(t, bad.Valid(), bad)
		kept := conversation.StatusWaiting
		require.ErrorIs(t, json.Unmarshal(fmt.Appendf(nil, "%q", bad), &kept), rule.ErrInvalid)
		assert.Equal(t, conversation.StatusWaiting, kept)
	}
	var s conversation.Status
	require.Error(t, s.Scan(nil), "the column is never NULL")
	require.Error(t, s.Scan(1))
}

// TestUnsetRoundTrip encodes and decodes models that are not stored yet, by themselves and
// within a struct of the host.
func TestUnsetRoundTrip(t *testing.T) {
	for _, want := range []any{
		&conversation.Conversation{}, &message.Message{}, &suggestion.Suggestion{}, &message.Embedding{},
		&conversation.Conversation{Messages: []*message.Message{{}}, Suggestions: []*suggestion.Suggestion{{}}},
		&struct {
			Status   conversation.Status
			Decision suggestion.Status
			Role     message.Role
			Way      message.Direction
		}{},
	} {
		doc, err := json.Marshal(want)
		require.NoError(t, err)
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
		require.NoError(t, json.Unmarshal(doc, got), string(doc))
		again, err := json.Marshal(got)
		require.NoError(t, err)
		assert.JSONEq(t, string(doc), string(again))
	}
	doc, err := json.Marshal(&conversation.Conversation{Messages: []*message.Message{{}}, Suggestions: []*suggestion.Suggestion{{}}})
	require.NoError(t, err)
	assert.NotContains(t, string(doc), `"status"`)
	assert.NotContains(t, string(doc), `"role"`)
}

func TestAddMessageNil(t *testing.T) {
	c := conversation.Conversation{ID: uuid.New()}
	before := c
	require.ErrorIs(t, c.AddMessage(nil), rule.ErrInvalid)
	assert.Equal(t, before, c)
}

// TestStatusAfter checks every combination of a status and a direction.
func TestStatusAfter(t *testing.T) {
	for _, s := range conversation.Statuses() {
		assert.Equal(t, conversation.StatusNeedsReply, s.After(message.DirectionInbound))
		assert.Equal(t, conversation.StatusWaiting, s.After(message.DirectionOutbound))
		assert.Equal(t, s, s.After(message.DirectionNone))
		want := s
		if s == conversation.StatusArchived {
			want = conversation.StatusActive
		}
		assert.Equal(t, want, s.Reopened())
	}
	assert.ElementsMatch(t, conversation.Statuses(), append(conversation.OpenStatuses(), conversation.StatusArchived))
}

func TestAddMessage(t *testing.T) {
	c := &conversation.Conversation{ID: uuid.New(), UserID: uuid.New()}
	c.Normalize(message.Now())
	early := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

	require.NoError(t, c.AddMessage(&message.Message{Role: message.RoleSystem, SentAt: early}))
	assert.Equal(t, conversation.StatusActive, c.Status, "no direction, no change")
	assert.Equal(t, early, c.LastMessageAt, "the first message tells the time, even an old one")

	require.NoError(t, c.AddMessage(&message.Message{Direction: message.DirectionInbound, SentAt: early.Add(time.Hour)}))
	assert.Equal(t, conversation.StatusNeedsReply, c.Status)
	require.NoError(t, c.AddMessage(&message.Message{Role: message.RoleAssistant, SentAt: early}))
	assert.Equal(t, conversation.StatusNeedsReply, c.Status, "an answer from before the question answers nothing")
	assert.Equal(t, early.Add(time.Hour), c.LastMessageAt, "a message from before does not turn time back")

	assert.Equal(t, int64(3), c.LastSeq)
	for i, m := range c.Messages {
		assert.Equal(t, int64(i+1), m.Seq)
		assert.Equal(t, c.ID, m.ConversationID)
		assert.Equal(t, c.UserID, m.UserID)
	}
}

func TestAddMessageTakesAnArchivedConversationUpAgain(t *testing.T) {
	c := &conversation.Conversation{}
	c.Archive()
	require.NoError(t, c.AddMessage(&message.Message{Role: message.RoleTool}))
	assert.Equal(t, conversation.StatusArchived, c.Status)
	require.NoError(t, c.AddMessage(&message.Message{Role: message.RoleUser}))
	assert.Equal(t, conversation.StatusNeedsReply, c.Status)
}

func TestAddMessageRefusesWhatIsNotValid(t *testing.T) {
	c := &conversation.Conversation{Status: conversation.StatusWaiting, LastSeq: 7}
	before := *c
	require.ErrorIs(t, c.AddMessage(&message.Message{}), rule.ErrInvalid)
	require.ErrorIs(t, c.AddMessage(&message.Message{Role: message.RoleUser, Content: "\x00"}), rule.ErrInvalid)
	assert.Equal(t, before, *c)
}

func TestArchiveAndReopen(t *testing.T) {
	for _, s := range conversation.Statuses() {
		c := conversation.Conversation{Status: s}
		c.Reopen()
		assert.Equal(t, s.Reopened(), c.Status)
		assert.Equal(t, s == c.Status, c.UpdatedAt.IsZero(), "the time moves with the status")
		c = conversation.Conversation{Status: s}
		c.Archive()
		assert.Equal(t, conversation.StatusArchived, c.Status)
		assert.Equal(t, s == c.Status, c.UpdatedAt.IsZero())
	}
}

func TestHoldAndRelease(t *testing.T) {
	old := time.Date(2025, 11, 4, 12, 0, 0, 0, time.UTC)
	c := conversation.Conversation{UpdatedAt: old}
	c.Release()
	assert.Equal(t, conversation.Conversation{UpdatedAt: old}, c, "one that is not held stays as it is")
	assert.False(t, c.Held())

	c.Hold()
	assert.True(t, c.Held())
	assert.WithinDuration(t, message.Now(), *c.HeldAt, time.Minute)
	assert.Equal(t, c.UpdatedAt, *c.HeldAt, "the time moves with the hold")

	c = conversation.Conversation{HeldAt: &old, UpdatedAt: old}
	c.Hold()
	assert.Equal(t, conversation.Conversation{HeldAt: &old, UpdatedAt: old}, c, "one that is held stays as it is")
	c.Release()
	assert.False(t, c.Held())
	assert.True(t, c.UpdatedAt.After(old))
}

func TestNormalize(t *testing.T) {
	now := time.Date(2025, 11, 4, 12, 0, 0, 999, time.FixedZone("", 3600))
	want := time.Date(2025, 11, 4, 11, 0, 0, 0, time.UTC)
	var c conversation.Conversation
	c.Normalize(now)
	assert.Equal(t, conversation.StatusActive, c.Status)
	assert.Equal(t, []time.Time{want, want, want}, []time.Time{c.CreatedAt, c.UpdatedAt, c.LastMessageAt})
	again := c
	again.Normalize(now.Add(time.Hour))
	assert.Equal(t, c, again)
}

func TestValidate(t *testing.T) {
	year10k := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for field, spoil := range map[string]func(*conversation.Conversation){
		"":                func(c *conversation.Conversation) { c.Title = strings.Repeat("é", conversation.MaxTitle) },
		"status":          func(c *conversation.Conversation) { c.Status = "closed" },
		"lead_id":         func(c *conversation.Conversation) { c.LeadID = "\x00" },
		"external_key":    func(c *conversation.Conversation) { c.ExternalKey = strings.Repeat("a", 1025) },
		"title":           func(c *conversation.Conversation) { c.Title = strings.Repeat("é", conversation.MaxTitle+1) },
		"subject":         func(c *conversation.Conversation) { c.Subject = "\xff" },
		"metadata":        func(c *conversation.Conversation) { c.Metadata = message.JSON(`{`) },
		"last_message_at": func(c *conversation.Conversation) { c.LastMessageAt = year10k },
		"created_at": func(c *conversation.Conversation) {
			c.CreatedAt = year10k
			c.UpdatedAt, c.LastMessageAt = message.Now(), message.Now()
		},
		"updated_at": func(c *conversation.Conversation) { c.UpdatedAt = year10k },
	} {
		c := conversation.Conversation{UserID: uuid.New()}
		spoil(&c)
		err := c.BeforeCreate(nil)
		if field == "" {
			require.NoError(t, err)
			assert.Equal(t, uuid.Version(7), c.ID.Version())
			continue
		}
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
	}
}
