package upgradetest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// Odd is text that a careless migration would change: accents in both forms, letters of four
// bytes and of two directions, what quotes, templates, formats and patterns are made of.
const odd = "Zoë Zoe\u0308 🙂👩‍👩‍👧 שלום 雪 ﬁ '\"`\\ \\n \r\n\t {{.Now}} %s %_ $1 ? ; -- /* \u2028 \ufeff"

var (
	owner    = uuid.MustParse("0190f3a0-0000-7000-8000-00000000000a")
	stranger = uuid.MustParse("ffffffff-ffff-7fff-bfff-ffffffffffff")
	number   int
)

// newID returns ids in order, the same in each call of makeRows.
func newID() uuid.UUID {
	number++
	return uuid.MustParse(fmt.Sprintf("0190f3a0-0000-7000-8000-%012x", number))
}

// at returns a time with microseconds, n seconds after the first.
func at(n int) time.Time {
	return time.Date(2026, 2, 28, 23, 59, 59, 123_456_000, time.UTC).Add(time.Duration(n) * time.Second)
}

// The first and the last moment that the tables keep.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// makeRows returns rows of every model, parents first: every value of every enum, the greatest
// numbers, the first and last times, rows that are archived, deleted and on hold.
func makeRows() []any {
	number = 0
	var rows []any
	full := fullConversation()
	rows = append(rows, full)
	messages := append(enumMessages(full), fullMessage(full))
	for i, m := range messages {
		m.Seq = int64(i + 1)
		rows = append(rows, m)
	}
	full.LastSeq, full.HeadSeq = int64(len(messages)), new(int64(3))
	for i, status := range conversation.Statuses() {
		c := &conversation.Conversation{ID: newID(), UserID: owner, Status: status, LastMessageAt: at(i), CreatedAt: at(i), UpdatedAt: at(i)}
		rows = append(rows, c)
	}
	rows = append(rows, deletedThread()...)
	rows = append(rows, extremes()...)
	rows = append(rows, suggestions(full, messages)...)
	rows = append(rows, aboutMessages(full, messages)...)
	return append(rows, aboutConversations(full)...)
}

func fullConversation() *conversation.Conversation {
	c := &conversation.Conversation{
		ID: newID(), UserID: owner, App: "crm " + odd, LeadID: "lead-1", ExternalKey: "key " + odd, Title: strings.Repeat("é", conversation.MaxTitle),
		Subject: "Re: " + odd, Status: conversation.StatusNeedsReply,
		Metadata:      message.JSON(`{"n":12345678901234567890.123456789,"s":"Zoë 🙂","deep":[{"a":[null,true,-0.5]}],"":""}`),
		LastMessageAt: at(60), LastChangeSeq: 7, Branched: true,
		ForkedFromID: new(newID()), ForkedFromSeq: new(int64(math.MaxInt64)), MergedIntoID: new(newID()),
		Assignee: "ann " + odd, SnoozedUntil: new(latest), PinnedAt: new(at(61)), HeldAt: new(at(62)), CreatedAt: at(0), UpdatedAt: at(63),
	}
	return c
}

// enumMessages returns a message for each value of each enum.
func enumMessages(c *conversation.Conversation) (messages []*message.Message) {
	add := func(change func(*message.Message)) {
		m := plain(c, fmt.Sprintf("word%d %s", len(messages)+1, odd), len(messages))
		change(m)
		messages = append(messages, m)
	}
	for _, v := range message.Roles() {
		add(func(m *message.Message) { m.Role = v })
	}
	for _, v := range message.Directions() {
		add(func(m *message.Message) { m.Direction = v })
	}
	for _, v := range message.Kinds() {
		add(func(m *message.Message) { m.Kind = v })
	}
	for _, v := range message.States() {
		add(func(m *message.Message) { m.State = v })
	}
	for _, v := range message.Deliveries() {
		add(func(m *message.Message) { m.Delivery = v })
	}
	add(func(m *message.Message) { m.Content = "" })
	add(func(m *message.Message) { m.DeletedAt.Time, m.DeletedAt.Valid = at(100), true })
	return messages
}

func plain(c *conversation.Conversation, content string, n int) *message.Message {
	return &message.Message{
		ID: newID(), UserID: c.UserID, ConversationID: c.ID, Seq: 1, Role: message.RoleUser, Kind: message.KindMessage,
		State: message.StateComplete, Content: content, SentAt: at(n), CreatedAt: at(n), UpdatedAt: at(n),
	}
}

// fullMessage has a value in every column.
func fullMessage(c *conversation.Conversation) *message.Message {
	m := plain(c, "full "+odd, 50)
	m.Role, m.Direction, m.Kind, m.State = message.RoleAssistant, message.DirectionOutbound, message.KindMessage, message.StateInterrupted
	m.Author, m.ParentSeq, m.Fence, m.HeartbeatAt = "agent "+odd, new(int64(0)), math.MaxInt64, new(at(51))
	m.Payload, m.PayloadFormat = message.Payload("\x00\xff\xfe raw \r\n"), "bytes "+odd
	m.Model, m.TokensIn, m.TokensOut, m.FinishReason = "model "+odd, message.MaxTokens, message.MaxTokens, "stop "+odd
	m.Cost = decimal.RequireFromString("99999999.9999999999")
	m.Delivery, m.DeliveryError = message.DeliveryBounced, "550 "+odd
	m.SenderEmail, m.RecipientEmail = "\"Zoë\" <zoë@example.com>", "john@example.com"
	m.PostmarkMessageID, m.GmailMessageID, m.GmailThreadID = "pm-1", "ffffffffffffffff", "thread "+odd
	m.EmailMessageID, m.IdempotencyKey = "<abc@example.com>", strings.Repeat("k", 1024)
	m.Headers = message.Headers{"Message-ID": {"<abc@example.com>"}, "Received": {"by a", "by b"}, "X-Odd": {odd, ""}}
	m.Attachments = message.Attachments{{Filename: odd, ContentType: "image/png", Size: math.MaxInt64}, {Filename: "b"}}
	m.ToolCalls, m.ToolResults = message.JSON(`[{"id":"call_1","arguments":"{\"a\": 1}"}]`), message.JSON(`"just a text"`)
	m.Metadata = message.JSON(`[]`)
	m.EditedAt, m.Revision, m.ChangeSeq = new(at(70)), math.MaxInt32, 7
	return m
}

// deletedThread is a conversation that was deleted with what is in it.
func deletedThread() []any {
	c := &conversation.Conversation{ID: newID(), UserID: owner, Title: "deleted", Status: conversation.StatusArchived, LastSeq: 1, LastMessageAt: at(1), CreatedAt: at(1), UpdatedAt: at(2)}
	c.DeletedAt.Time, c.DeletedAt.Valid = at(2), true
	m := plain(c, "in a deleted conversation", 1)
	m.DeletedAt = c.DeletedAt
	s := draft(c, suggestion.StatusPending)
	s.DeletedAt = c.DeletedAt
	return []any{c, m, s}
}

// extremes are the first and the last times and numbers, of another user.
func extremes() []any {
	last := &conversation.Conversation{ID: stranger, UserID: stranger, Status: conversation.StatusActive, LastSeq: math.MaxInt64, LastChangeSeq: math.MaxInt64, LastMessageAt: latest, CreatedAt: latest, UpdatedAt: latest}
	first := &conversation.Conversation{ID: newID(), UserID: stranger, Status: conversation.StatusActive, LastMessageAt: earliest, CreatedAt: earliest, UpdatedAt: earliest}
	m := plain(last, "the last", 0)
	m.Seq, m.SentAt, m.CreatedAt, m.UpdatedAt = math.MaxInt64, latest, earliest, earliest
	m.ParentSeq, m.ChangeSeq = new(int64(math.MaxInt64-1)), math.MaxInt64
	return []any{last, first, m}
}

func draft(c *conversation.Conversation, status suggestion.Status) *suggestion.Suggestion {
	s := &suggestion.Suggestion{
		ID: newID(), UserID: c.UserID, ConversationID: c.ID, SuggestedContent: "Draft " + odd, Status: status, CreatedAt: at(80), UpdatedAt: at(81),
	}
	if status != suggestion.StatusPending {
		s.ReviewedAt, s.ReviewedBy = new(at(82)), "ann "+odd
	}
	if status == suggestion.StatusEdited {
		s.EditedContent = "Edited " + odd
	}
	return s
}

func suggestions(c *conversation.Conversation, messages []*message.Message) (rows []any) {
	for _, status := range suggestion.Statuses() {
		rows = append(rows, draft(c, status))
	}
	full := draft(c, suggestion.StatusApproved)
	full.InReplyToMessageID, full.SentMessageID = &messages[0].ID, &messages[len(messages)-1].ID
	full.AnswersSeq, full.DraftContent, full.DraftBy, full.DraftAt = math.MaxInt64, "half "+odd, "bob", new(at(83))
	full.ConfidenceScore, full.TokensUsed = new(0.1+0.2), suggestion.MaxTokens
	full.GenerationCost = decimal.RequireFromString("0.0000000001")
	full.SentimentAnalysis, full.ContextUsed = message.JSON(`{"tone":"Zoë"}`), message.JSON(`[1e2,null]`)
	full.ModelUsed, full.Feedback = "model "+odd, "good "+odd
	sure := draft(c, suggestion.StatusPending)
	sure.ConfidenceScore = new(1.0)
	return append(rows, full, sure)
}

// aboutMessages are the rows that hang on messages.
func aboutMessages(c *conversation.Conversation, messages []*message.Message) (rows []any) {
	for i, m := range messages[:2] {
		rows = append(rows,
			&message.Embedding{MessageID: m.ID, UserID: owner, Model: "model-a", ConversationID: c.ID, Vector: message.Vector{float32(i), -1.5, 3e-7}, CreatedAt: at(i)},
			&message.Ref{MessageID: m.ID, UserID: owner, Provider: "gmail", Ref: fmt.Sprint("ref ", i, odd), Exclusive: i == 0, CreatedAt: at(i)})
	}
	m := messages[len(messages)-1]
	rows = append(rows,
		&message.Vote{MessageID: m.ID, UserID: owner, Voter: "ann " + odd, Value: message.VoteUp, Comment: "good " + odd, CreatedAt: at(1), UpdatedAt: at(2)},
		&message.Vote{MessageID: m.ID, UserID: owner, Voter: "bob", Value: message.VoteDown, CreatedAt: at(1), UpdatedAt: at(2)})
	entry := func(channel string) *message.OutboxEntry {
		return &message.OutboxEntry{ID: newID(), UserID: owner, MessageID: m.ID, Channel: channel, DueAt: at(90), CreatedAt: at(89), UpdatedAt: at(91)}
	}
	open, claimed, done, failed, cancelled := entry("open"), entry("claimed "+odd), entry("done"), entry("failed"), entry("cancelled")
	claimed.ClaimedBy, claimed.ClaimedUntil, claimed.Attempts, claimed.LastError = "worker", new(latest), math.MaxInt32, "timeout "+odd
	done.DoneAt, failed.FailedAt, cancelled.CancelledAt = new(at(92)), new(at(93)), new(at(94))
	return append(rows, open, claimed, done, failed, cancelled)
}

// aboutConversations are the rows that hang on a conversation, on a user or on an app.
func aboutConversations(c *conversation.Conversation) []any {
	return []any{
		&conversation.Label{ConversationID: c.ID, UserID: owner, Label: "urgent " + odd, CreatedBy: "ann", CreatedAt: at(1)},
		&conversation.Label{ConversationID: c.ID, UserID: owner, Label: "plain", CreatedAt: at(1)},
		&conversation.Read{ConversationID: c.ID, UserID: owner, Reader: "ann " + odd, Seq: math.MaxInt64, ReadAt: at(2)},
		&conversation.Read{ConversationID: c.ID, UserID: owner, Reader: "bob", ReadAt: at(2)},
		&conversation.State{ConversationID: c.ID, UserID: owner, Key: "key " + odd, Value: conversation.Value("\x00\xff"), Version: math.MaxInt64, UpdatedAt: at(3)},
		&conversation.State{ConversationID: c.ID, UserID: owner, Key: "empty", Value: conversation.Value{}, Version: 1, UpdatedAt: at(3)},
		&conversation.UserState{UserID: owner, App: "app " + odd, Key: "key", Value: conversation.Value(odd), Version: 2, UpdatedAt: at(4)},
		&conversation.UserState{UserID: owner, Key: "no app", Value: conversation.Value{}, Version: 1, UpdatedAt: at(4)},
		&conversation.AppState{App: "app " + odd, Key: "key", Value: conversation.Value("shared"), Version: 3, UpdatedAt: at(5)},
		&conversation.Summary{
			ID: newID(), UserID: owner, ConversationID: c.ID, FromSeq: 1, ToSeq: math.MaxInt64, Content: "summary " + odd,
			Model: "model", Tokens: math.MaxInt64, CoveredHash: "hash " + odd, CreatedAt: at(6), VoidAt: new(at(7)),
		},
		&conversation.Summary{ID: newID(), UserID: owner, ConversationID: c.ID, FromSeq: 1, ToSeq: 1, Content: "one", CreatedAt: at(6)},
	}
}
