package storetest

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func inputTests() subtests {
	return subtests{
		"InputConversationFields": testInputConversationFields,
		"InputMessageFields":      testInputMessageFields,
		"InputSuggestionFields":   testInputSuggestionFields,
		"InputChanges":            testInputChanges,
		"InputDecisions":          testInputDecisions,
		"InputLookups":            testInputLookups,
		"InputFilters":            testInputFilters,
		"InputLimits":             testInputLimits,
		"InputCursors":            testInputCursors,
		"InputNil":                testInputNil,
		"InputNobody":             testInputNobody,
		"InputNULStripped":        testInputNULStripped,
		"InputBadUTF8NotStripped": testInputBadUTF8NotStripped,
		"InputIDs":                testInputIDs,
		"InputIDsTwice":           testInputIDsTwice,
		"InputZero":               testInputZero,
		"InputMany":               testInputMany,
		"InputLongTexts":          testInputLongTexts,
		"InputSamePointer":        testInputSamePointer,
		"InputSameVectors":        testInputSameVectors,
	}
}

// badTexts are those that PostgreSQL cannot keep.
var badTexts = map[string]string{
	"U+0000": "a\x00b", "not UTF-8": "a\xffb", "cut short": "a\xe6\xbc", "half a pair": "a\xed\xa0\x80b", "overlong": "a\xc0\x80b",
}

// badDocuments are those that one of the databases refuses or changes.
var badDocuments = map[string]string{
	"broken": `{"a":`, "not JSON": `nil`, "two": `{}{}`, "single quotes": `{'a':1}`, "NaN": `{"a":NaN}`,
	"U+0000": `{"a":"\u0000"}`, "U+0000 in a key": `{"\u0000":1}`, "raw U+0000": "{\"a\":\"\x00\"}",
	"half a pair": `"\ud83d"`, "wrong half": `"\ude00\ud83d"`, "not UTF-8": "\"\xff\"",
	"huge exponent": `1e400000`, "tiny exponent": `[1E-400000]`, "deep": strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
}

// distant is beyond the years that are written with four digits, where the order of text
// is no longer the order of time.
var distant = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// field is a column that takes text or a document, and how to reach it.
type field[T any] struct {
	name string
	set  func(*T, string)
	get  func(*T) string
}

var conversationTexts = []field[conversation.Conversation]{
	{"lead_id", func(c *conversation.Conversation, s string) { c.LeadID = s }, func(c *conversation.Conversation) string { return c.LeadID }},
	{"external_key", func(c *conversation.Conversation, s string) { c.ExternalKey = s }, func(c *conversation.Conversation) string { return c.ExternalKey }},
	{"title", func(c *conversation.Conversation, s string) { c.Title = s }, func(c *conversation.Conversation) string { return c.Title }},
	{"subject", func(c *conversation.Conversation, s string) { c.Subject = s }, func(c *conversation.Conversation) string { return c.Subject }},
}

var messageTexts = []field[message.Message]{
	{"content", func(m *message.Message, s string) { m.Content = s }, func(m *message.Message) string { return m.Content }},
	{"sender_email", func(m *message.Message, s string) { m.SenderEmail = s }, func(m *message.Message) string { return m.SenderEmail }},
	{"recipient_email", func(m *message.Message, s string) { m.RecipientEmail = s }, func(m *message.Message) string { return m.RecipientEmail }},
	{"postmark_message_id", func(m *message.Message, s string) { m.PostmarkMessageID = s }, func(m *message.Message) string { return m.PostmarkMessageID }},
	{"gmail_message_id", func(m *message.Message, s string) { m.GmailMessageID = s }, func(m *message.Message) string { return m.GmailMessageID }},
	{"gmail_thread_id", func(m *message.Message, s string) { m.GmailThreadID = s }, func(m *message.Message) string { return m.GmailThreadID }},
	{"email_message_id", func(m *message.Message, s string) { m.EmailMessageID = s }, func(m *message.Message) string { return m.EmailMessageID }},
	{"idempotency_key", func(m *message.Message, s string) { m.IdempotencyKey = s }, func(m *message.Message) string { return m.IdempotencyKey }},
	{"headers", func(m *message.Message, s string) { m.Headers = message.Headers{"X": {"ok", s}} }, func(m *message.Message) string { return m.Headers["X"][1] }},
	{"headers", func(m *message.Message, s string) { m.Headers = message.Headers{s: {"ok"}} }, func(m *message.Message) string {
		for name := range m.Headers {
			return name
		}
		return ""
	}},
	{"attachments[0]", func(m *message.Message, s string) { m.Attachments = message.Attachments{{Filename: s}} }, func(m *message.Message) string { return m.Attachments[0].Filename }},
	{"attachments[1]", func(m *message.Message, s string) { m.Attachments = message.Attachments{{}, {URL: s}} }, func(m *message.Message) string { return m.Attachments[1].URL }},
}

var suggestionTexts = []field[suggestion.Suggestion]{
	{"suggested_content", func(s *suggestion.Suggestion, v string) { s.SuggestedContent = v }, func(s *suggestion.Suggestion) string { return s.SuggestedContent }},
	{"edited_content", func(s *suggestion.Suggestion, v string) {
		s.EditedContent, s.Status, s.ReviewedAt = v, suggestion.StatusEdited, new(epoch)
	}, func(s *suggestion.Suggestion) string { return s.EditedContent }},
	{"model_used", func(s *suggestion.Suggestion, v string) { s.ModelUsed = v }, func(s *suggestion.Suggestion) string { return s.ModelUsed }},
	{"reviewed_by", func(s *suggestion.Suggestion, v string) { s.ReviewedBy = v }, func(s *suggestion.Suggestion) string { return s.ReviewedBy }},
	{"feedback", func(s *suggestion.Suggestion, v string) { s.Feedback = v }, func(s *suggestion.Suggestion) string { return s.Feedback }},
}

var conversationDocuments = []field[conversation.Conversation]{
	{"metadata", func(c *conversation.Conversation, s string) { c.Metadata = message.JSON(s) }, func(c *conversation.Conversation) string { return string(c.Metadata) }},
}

var messageDocuments = []field[message.Message]{
	{"tool_calls", func(m *message.Message, s string) { m.ToolCalls = message.JSON(s) }, func(m *message.Message) string { return string(m.ToolCalls) }},
	{"tool_results", func(m *message.Message, s string) { m.ToolResults = message.JSON(s) }, func(m *message.Message) string { return string(m.ToolResults) }},
	{"metadata", func(m *message.Message, s string) { m.Metadata = message.JSON(s) }, func(m *message.Message) string { return string(m.Metadata) }},
}

var suggestionDocuments = []field[suggestion.Suggestion]{
	{"sentiment_analysis", func(s *suggestion.Suggestion, v string) { s.SentimentAnalysis = message.JSON(v) }, func(s *suggestion.Suggestion) string { return string(s.SentimentAnalysis) }},
	{"context_used", func(s *suggestion.Suggestion, v string) { s.ContextUsed = message.JSON(v) }, func(s *suggestion.Suggestion) string { return string(s.ContextUsed) }},
}

// refuses tries every bad value in every field.
func refuses[T any](t testing.TB, fields []field[T], values map[string]string, good func() *T, write func(*T) error) {
	t.Helper()
	for _, f := range fields {
		for name, value := range values {
			row := good()
			f.set(row, value)
			err := write(row)
			require.ErrorIs(t, err, store.ErrInvalid, "%s in %s", name, f.name)
			invalid(t, err, f.name)
			require.NotContains(t, err.Error(), "a\x00b", "an error does not repeat what may be private")
		}
	}
}

func testInputConversationFields(t *testing.T, w *world) {
	create := func(c *conversation.Conversation) error { return w.mine.Conversations().Create(t.Context(), c) }
	writes := map[string]func(*conversation.Conversation) error{
		"Create": create,
		"Upsert": func(c *conversation.Conversation) error {
			c.ID = uuid.New()
			_, err := w.mine.Conversations().Upsert(t.Context(), c)
			return err
		},
		"GetOrCreate": func(c *conversation.Conversation) error {
			if c.ExternalKey == "" {
				c.ExternalKey = "key"
			}
			_, err := w.mine.Conversations().GetOrCreate(t.Context(), c)
			return err
		},
	}
	good := func() *conversation.Conversation { return &conversation.Conversation{} }
	long := strings.Repeat("k", 1025)
	w.unchanged(t, func() {
		for _, write := range writes {
			refuses(t, conversationTexts, badTexts, good, write)
			refuses(t, conversationDocuments, badDocuments, good, write)
			refuses(t, conversationTexts[:2], map[string]string{"too long": long}, good, write)
			refuses(t, conversationTexts[2:3], map[string]string{"too long": strings.Repeat("é", conversation.MaxTitle+1)}, good, write)
			invalid(t, write(&conversation.Conversation{Status: "open"}), "status")
			invalid(t, write(&conversation.Conversation{CreatedAt: distant}), "created_at", "updated_at", "last_message_at")
			invalid(t, write(&conversation.Conversation{LastMessageAt: distant}), "last_message_at")
		}
		invalid(t, create(&conversation.Conversation{UserID: uuid.New()}), "user_id")
	})
}

func testInputMessageFields(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	before := w.get(t, c.ID)
	ms := w.mine.Messages()
	writes := map[string]func(*message.Message) error{
		"Append": func(m *message.Message) error { _, err := ms.Append(ctx, c.ID, m); return err },
		"AppendMany": func(m *message.Message) error {
			_, err := ms.AppendMany(ctx, c.ID, []*message.Message{text("ok"), m}, store.AppendOptions{})
			return err
		},
		"Import": func(m *message.Message) error {
			m.ConversationID = c.ID
			_, err := ms.Import(ctx, rowsOf(m), store.ImportOptions{})
			return err
		},
	}
	good := func() *message.Message { return text("ok") }
	w.unchanged(t, func() {
		for _, write := range writes {
			refuses(t, messageTexts, badTexts, good, write)
			refuses(t, messageDocuments, badDocuments, good, write)
			refuses(t, messageTexts[3:8], map[string]string{"too long": strings.Repeat("k", 1025)}, good, write)
			invalid(t, write(&message.Message{Content: "neither role nor direction"}), "role")
			require.ErrorContains(t, write(&message.Message{}), "or set Direction")
			invalid(t, write(&message.Message{Role: "robot"}), "role")
			invalid(t, write(&message.Message{Role: "User"}), "role")
			invalid(t, write(&message.Message{Role: message.RoleUser, Direction: "in"}), "direction")
			invalid(t, write(&message.Message{Role: message.RoleUser, Attachments: message.Attachments{{Size: -1}}}), "attachments[0].size")
			invalid(t, write(&message.Message{Role: message.RoleUser, SentAt: distant}), "sent_at")
			invalid(t, write(&message.Message{Role: message.RoleUser, CreatedAt: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}), "created_at", "sent_at")
		}
	})
	same(t, before, w.get(t, c.ID))
}

func testInputSuggestionFields(t *testing.T, w *world) {
	c := w.conversation(t)
	create := func(s *suggestion.Suggestion) error { return w.mine.Suggestions().Create(t.Context(), s) }
	good := func() *suggestion.Suggestion {
		return &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "ok"}
	}
	with := func(change func(*suggestion.Suggestion)) *suggestion.Suggestion {
		s := good()
		change(s)
		return s
	}
	w.unchanged(t, func() {
		refuses(t, suggestionTexts, badTexts, good, create)
		refuses(t, suggestionDocuments, badDocuments, good, create)
		refuses(t, suggestionTexts[:1], map[string]string{"empty": ""}, good, create)
		refuses(t, suggestionTexts[2:4], map[string]string{"too long": strings.Repeat("k", 1025)}, good, create)
		for _, score := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.1, 1.1} {
			invalid(t, create(with(func(s *suggestion.Suggestion) { s.ConfidenceScore = &score })), "confidence_score")
		}
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.Status = "sent" })), "status")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.Status = suggestion.StatusApproved })), "reviewed_at")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.ReviewedAt = new(epoch) })), "reviewed_at")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.EditedContent = "not edited" })), "edited_content")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.Status, s.ReviewedAt = suggestion.StatusEdited, new(epoch) })), "edited_content")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.CreatedAt = distant })), "created_at")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.Status, s.ReviewedAt = suggestion.StatusRejected, new(distant) })), "reviewed_at")
		invalid(t, create(with(func(s *suggestion.Suggestion) { s.TokensUsed = -1 })), "tokens_used")
		for _, cost := range []string{"-0.01", "0.00000000001", "1234567890123456789", "1e30"} {
			invalid(t, create(with(func(s *suggestion.Suggestion) { s.GenerationCost = decimal.RequireFromString(cost) })), "generation_cost")
		}
	})
}

func testInputChanges(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, text("ok"))
	before := w.get(t, c.ID)
	cs, ms := w.mine.Conversations(), w.mine.Messages()
	for name, bad := range badTexts {
		_, err := cs.SetTitle(ctx, c.ID, bad)
		require.ErrorIs(t, err, store.ErrInvalid, name)
		invalid(t, err, "title")
		_, err = cs.SetSubject(ctx, c.ID, bad)
		invalid(t, err, "subject")
		_, err = ms.Update(ctx, m.ID, store.MessageUpdate{Content: &bad})
		invalid(t, err, "content")
	}
	_, err := cs.SetTitle(ctx, c.ID, strings.Repeat("é", conversation.MaxTitle+1))
	invalid(t, err, "title")
	for name, bad := range badDocuments {
		_, err = cs.SetMetadata(ctx, c.ID, message.JSON(bad))
		require.ErrorIs(t, err, store.ErrInvalid, name)
		invalid(t, err, "metadata")
		_, err = cs.MergeMetadata(ctx, c.ID, message.JSON(`{"a":`+bad+`}`))
		require.ErrorIs(t, err, store.ErrInvalid, name)
		_, err = ms.MergeMetadata(ctx, m.ID, message.JSON(`{"a":`+bad+`}`))
		require.ErrorIs(t, err, store.ErrInvalid, name)
		_, err = ms.Update(ctx, m.ID, store.MessageUpdate{Metadata: new(message.JSON(bad))})
		invalid(t, err, "metadata")
	}
	same(t, before, w.get(t, c.ID))
	same(t, m, w.message(t, m.ID))
}

func testInputDecisions(t *testing.T, w *world) {
	ctx := t.Context()
	s := w.suggest(t, w.conversation(t), nil)
	ss := w.mine.Suggestions()
	for _, decide := range decisions(w.mine) {
		for name, bad := range badTexts {
			_, err := decide(ctx, s.ID, suggestion.Review{By: bad})
			require.ErrorIs(t, err, store.ErrInvalid, name)
			invalid(t, err, "reviewed_by")
			_, err = decide(ctx, s.ID, suggestion.Review{Feedback: bad})
			invalid(t, err, "feedback")
			_, err = ss.Edit(ctx, s.ID, bad, suggestion.Review{})
			invalid(t, err, "edited_content")
		}
	}
	_, err := ss.Edit(ctx, s.ID, "", suggestion.Review{})
	invalid(t, err, "edited_content")
	_, err = ss.Approve(ctx, s.ID, suggestion.Review{At: distant})
	invalid(t, err, "reviewed_at")
	same(t, s, w.suggestion(t, s.ID))
}

// testInputLookups: what cannot be stored cannot be found, and a database's complaint
// about it must not come through.
func testInputLookups(t *testing.T, w *world) {
	ctx := t.Context()
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		for _, bad := range badTexts {
			_, err := s.Conversations().GetByExternalKey(ctx, bad)
			require.True(t, errors.Is(err, store.ErrInvalid) || errors.Is(err, store.ErrNotFound), "%v", err)
			_, err = s.Messages().FindByProviderID(ctx, message.ProviderGmail, bad)
			require.True(t, errors.Is(err, store.ErrInvalid) || errors.Is(err, store.ErrNotFound), "%v", err)
			for _, m := range []*message.Message{
				{GmailThreadID: bad},
				{Headers: message.Headers{"In-Reply-To": {"<" + bad + "@x>"}}},
				{Headers: message.Headers{"References": {"<" + bad + "@x>"}}},
			} {
				_, err = s.Messages().FindThread(ctx, m)
				require.True(t, errors.Is(err, store.ErrInvalid) || errors.Is(err, store.ErrNotFound), "%v", err)
			}
			_, err = s.Maintenance().EraseLead(ctx, bad)
			invalid(t, err, "lead_id")
		}
		_, err := s.Messages().FindByProviderID(ctx, "hotmail", "1")
		invalid(t, err, "provider")
		_, err = s.Messages().FindByProviderID(ctx, message.ProviderGmail, "")
		require.ErrorIs(t, err, store.ErrInvalid)
		_, err = s.Conversations().GetByExternalKey(ctx, "")
		require.ErrorIs(t, err, store.ErrInvalid)
	}
}

func testInputFilters(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	for _, tt := range []struct {
		field  string
		filter store.ConversationFilter
	}{
		{"statuses", store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusActive, "open"}}},
		{"statuses", store.ConversationFilter{Statuses: []conversation.Status{""}}},
		{"order", store.ConversationFilter{Order: 99}},
		{"order", store.ConversationFilter{Order: -1}},
		{"deleted", store.ConversationFilter{Deleted: 99}},
		{"deleted", store.ConversationFilter{Deleted: -1}},
		{"text", store.ConversationFilter{Text: "\x00"}},
		{"text", store.ConversationFilter{Text: "\xff"}},
		{"lead_id", store.ConversationFilter{LeadID: "\x00"}},
		{"lead_id", store.ConversationFilter{LeadID: "\xff"}},
	} {
		_, err := w.mine.Conversations().List(ctx, tt.filter, store.PageRequest{})
		require.ErrorIs(t, err, store.ErrInvalid, "%+v", tt.filter)
		invalid(t, err, tt.field)
		_, err = w.mine.Conversations().ListNumbered(ctx, tt.filter, store.NumberRequest{})
		invalid(t, err, tt.field)
		_, err = collect(w.mine.Conversations().All(ctx, tt.filter))
		invalid(t, err, tt.field)
	}
	both := []struct {
		field  string
		filter store.MessageFilter
	}{
		{"roles", store.MessageFilter{Roles: []message.Role{message.RoleUser, "robot"}}},
		{"roles", store.MessageFilter{Roles: []message.Role{""}}},
		{"kinds", store.MessageFilter{Kinds: []message.Kind{"x"}}},
		{"direction", store.MessageFilter{Direction: "in"}},
		{"order", store.MessageFilter{Order: 99}},
		{"deleted", store.MessageFilter{Deleted: 99}},
		{"after_seq", store.MessageFilter{AfterSeq: -1}},
		{"before_seq", store.MessageFilter{BeforeSeq: -1}},
	}
	for _, tt := range both {
		_, err := w.mine.Messages().List(ctx, c.ID, tt.filter, store.PageRequest{})
		invalid(t, err, tt.field)
		_, err = collect(w.mine.Messages().All(ctx, c.ID, tt.filter))
		invalid(t, err, tt.field)
	}
	for _, f := range []store.MessageFilter{{AfterSeq: 1}, {BeforeSeq: 1}, {Order: store.SentOrder}, {Order: store.ReverseSentOrder}, both[0].filter, both[2].filter, both[4].filter} {
		_, err := w.mine.Messages().ListByUser(ctx, f, store.PageRequest{})
		require.ErrorIs(t, err, store.ErrInvalid, "%+v", f)
		_, err = collect(w.mine.Messages().AllByUser(ctx, f))
		require.ErrorIs(t, err, store.ErrInvalid, "%+v", f)
	}
}

// pages are the methods that give pages, without their results: what comes next and the
// error.
func pages(s store.Scope, conversationID uuid.UUID) map[string]func(context.Context, store.PageRequest) (store.Cursor, error) {
	cs, ms, ss := s.Conversations(), s.Messages(), s.Suggestions()
	return map[string]func(context.Context, store.PageRequest) (store.Cursor, error){
		"List": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := cs.List(ctx, store.ConversationFilter{}, p)
			return page.Next, err
		},
		"List by creation": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := cs.List(ctx, store.ConversationFilter{Order: store.NewestCreated}, p)
			return page.Next, err
		},
		"List open": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := cs.List(ctx, store.ConversationFilter{Statuses: conversation.OpenStatuses()}, p)
			return page.Next, err
		},
		"NeedsReply": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := cs.NeedsReply(ctx, p)
			return page.Next, err
		},
		"Unread": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := cs.Unread(ctx, epoch.Add(-time.Hour), p)
			return page.Next, err
		},
		"Messages": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ms.List(ctx, conversationID, store.MessageFilter{}, p)
			return page.Next, err
		},
		"Messages by time": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ms.List(ctx, conversationID, store.MessageFilter{Order: store.SentOrder}, p)
			return page.Next, err
		},
		"Messages inbound": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ms.List(ctx, conversationID, store.MessageFilter{Direction: message.DirectionInbound}, p)
			return page.Next, err
		},
		"ListByUser": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ms.ListByUser(ctx, store.MessageFilter{}, p)
			return page.Next, err
		},
		"ListByUser oldest first": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ms.ListByUser(ctx, store.MessageFilter{Order: store.ThreadOrder}, p)
			return page.Next, err
		},
		"Pending": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ss.Pending(ctx, p)
			return page.Next, err
		},
		"ListByConversation": func(ctx context.Context, p store.PageRequest) (store.Cursor, error) {
			page, err := ss.ListByConversation(ctx, conversationID, p)
			return page.Next, err
		},
	}
}

func testInputLimits(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	for name, read := range pages(w.mine, c.ID) {
		for _, limit := range []int{-1, store.MaxLimit + 1, math.MinInt, math.MaxInt} {
			_, err := read(ctx, store.PageRequest{Limit: limit})
			require.ErrorIs(t, err, store.ErrInvalid, "%s %d", name, limit)
			invalid(t, err, "limit")
		}
		for _, limit := range []int{0, 1, store.MaxLimit} {
			_, err := read(ctx, store.PageRequest{Limit: limit})
			require.NoError(t, err, "%s %d", name, limit)
		}
	}
	numbered := func(n store.NumberRequest) error {
		_, err := w.mine.Conversations().ListNumbered(ctx, store.ConversationFilter{}, n)
		return err
	}
	for _, size := range []int{-1, store.MaxLimit + 1, math.MaxInt} {
		invalid(t, numbered(store.NumberRequest{Size: size}), "size")
	}
	for _, number := range []int{-1, math.MinInt, math.MaxInt} {
		invalid(t, numbered(store.NumberRequest{Number: number}), "number")
	}
	for _, n := range []int{-1, store.MaxLimit + 1} {
		_, err := w.mine.Messages().Last(ctx, c.ID, n)
		invalid(t, err, "n", "limit")
		_, err = w.mine.Messages().Around(ctx, c.ID, 1, n)
		invalid(t, err, "n", "limit")
	}
	_, err := w.mine.Messages().Around(ctx, c.ID, -1, 1)
	invalid(t, err, "seq")
	for _, size := range []int{-1, 10001} {
		_, err := w.mine.Messages().Import(ctx, rowsOf(), store.ImportOptions{BatchSize: size})
		invalid(t, err, "batch_size")
	}
}

// populate gives a user two rows of everything, so that each list has a second page.
func populate(t testing.TB, s store.Scope) *conversation.Conversation {
	t.Helper()
	ctx := t.Context()
	var c *conversation.Conversation
	for range 2 {
		c = &conversation.Conversation{Messages: []*message.Message{text("1"), text("2")}}
		require.NoError(t, s.Conversations().Create(ctx, c))
	}
	for range 2 {
		require.NoError(t, s.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}))
	}
	return c
}

func testInputCursors(t *testing.T, w *world) {
	ctx := t.Context()
	c := populate(t, w.mine)
	other := w.other()
	theirs := populate(t, other)
	one := store.PageRequest{Limit: 1}
	cursors := map[string]store.Cursor{}
	for name, read := range pages(w.mine, c.ID) {
		next, err := read(ctx, one)
		require.NoError(t, err)
		require.NotEmpty(t, next, name)
		require.Regexp(t, `^[A-Za-z0-9._~-]+$`, string(next), "safe in a URL")
		cursors[name] = next
	}
	refused := func(name string, read func(context.Context, store.PageRequest) (store.Cursor, error), from string, after store.Cursor) {
		_, err := read(ctx, store.PageRequest{Limit: 1, After: after})
		require.ErrorIs(t, err, store.ErrInvalid, "%s with the cursor of %s", name, from)
		invalid(t, err, "cursor", "after")
	}
	all, foreign := pages(w.st.AllUsers(), c.ID), pages(other, theirs.ID)
	elsewhere := pages(w.mine, populate(t, w.mine).ID)
	for name, read := range pages(w.mine, c.ID) {
		for from, after := range cursors {
			if from == name {
				_, err := read(ctx, store.PageRequest{Limit: 7, After: after})
				require.NoError(t, err, "its own cursor, with another limit")
				continue
			}
			refused(name, read, from, after)
		}
		own := string(cursors[name])
		swapped := "A"
		if own[0] == 'A' {
			swapped = "B"
		}
		for _, garbage := range []string{"x", "null", "%00", "\x00", "-", own[:len(own)-1], own[1:], own + "A", own + own, swapped + own[1:], strings.Repeat("A", len(own)), strings.Repeat("A", 1<<16)} {
			refused(name, read, "garbage", store.Cursor(garbage))
		}
		refused(name, all[name], "one user", cursors[name])
		refused(name, foreign[name], "another user", cursors[name])
		if strings.HasPrefix(name, "Messages") || name == "ListByConversation" {
			refused(name, elsewhere[name], "another conversation", cursors[name])
		}
	}
}

// testInputNil: an import or a decoder that lost a row must not take the service down.
func testInputNil(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	s := w.decided(t, c, "")
	cs, ms, ss := w.mine.Conversations(), w.mine.Messages(), w.mine.Suggestions()
	calls := map[string]func() error{
		"Create":              func() error { return cs.Create(ctx, nil) },
		"Create with message": func() error { return cs.Create(ctx, &conversation.Conversation{Messages: []*message.Message{nil}}) },
		"Upsert":              func() error { _, err := cs.Upsert(ctx, nil); return err },
		"GetOrCreate":         func() error { _, err := cs.GetOrCreate(ctx, nil); return err },
		"Append":              func() error { _, err := ms.Append(ctx, c.ID, nil); return err },
		"AppendMany": func() error {
			_, err := ms.AppendMany(ctx, c.ID, []*message.Message{text("x"), nil}, store.AppendOptions{})
			return err
		},
		"Import":     func() error { _, err := ms.Import(ctx, rowsOf(nil), store.ImportOptions{}); return err },
		"FindThread": func() error { _, err := ms.FindThread(ctx, nil); return err },
		"Suggestion": func() error { return ss.Create(ctx, nil) },
		"Send":       func() error { _, err := ss.Send(ctx, s.ID, nil, store.SendOptions{}); return err },
	}
	w.unchanged(t, func() {
		for name, call := range calls {
			var err error
			if assert.NotPanics(t, func() { err = call() }, name) {
				assert.ErrorIs(t, err, store.ErrInvalid, name)
			}
		}
	})
}

// testInputNobody is a sample; RunTenancy asks every method.
func testInputNobody(t *testing.T, w *world) {
	nobody := w.st.ForUser(uuid.Nil)
	c := w.thread(t, 1)
	w.unchanged(t, func() {
		invalid(t, nobody.Conversations().Create(t.Context(), &conversation.Conversation{}), "user_id")
		invalid(t, nobody.Conversations().Create(t.Context(), &conversation.Conversation{UserID: w.user}), "user_id")
		for name, read := range pages(nobody, c.ID) {
			_, err := read(t.Context(), store.PageRequest{})
			require.ErrorIs(t, err, store.ErrInvalid, name)
			invalid(t, err, "user_id")
		}
		_, err := nobody.Maintenance().EraseUser(t.Context())
		invalid(t, err, "user_id")
	})
}

// strips writes U+0000 into every field and reads what is left.
func strips[T any](t testing.TB, fields []field[T], value, want string, good func() *T, write func(*T) (*T, error)) {
	t.Helper()
	for _, f := range fields {
		row := good()
		f.set(row, value)
		got, err := write(row)
		require.NoError(t, err, f.name)
		require.Equal(t, want, strings.ReplaceAll(f.get(got), " ", ""), f.name)
	}
}

func testInputNULStripped(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithNULStripped())
	ctx := t.Context()
	cs, ms, ss := w.mine.Conversations(), w.mine.Messages(), w.mine.Suggestions()
	// The escape of a backslash before u0000 is a text about U+0000, and stays.
	const dirty, clean = `{"a\u0000":"\u0000b\u0000","\\u0000":1}`, `{"a":"b","\\u0000":1}`
	var c *conversation.Conversation
	writeConversation := func(row *conversation.Conversation) (*conversation.Conversation, error) {
		c = row
		if err := cs.Create(ctx, row); err != nil {
			return nil, err
		}
		got, err := cs.Get(ctx, row.ID)
		if err == nil && len(got.Metadata) > 0 {
			sameJSON(t, clean, got.Metadata)
			got.Metadata = message.JSON(clean)
		}
		_, eraseErr := cs.Erase(ctx, row.ID) // keys of the next row would meet its own
		return got, errors.Join(err, eraseErr)
	}
	strips(t, conversationTexts, "\x00a\x00b\x00", "ab", func() *conversation.Conversation { return &conversation.Conversation{} }, writeConversation)
	strips(t, conversationDocuments, dirty, clean, func() *conversation.Conversation { return &conversation.Conversation{} }, writeConversation)

	c = w.conversation(t)
	writeMessage := func(row *message.Message) (*message.Message, error) {
		if _, err := ms.Append(ctx, c.ID, row); err != nil {
			return nil, err
		}
		got, err := ms.Get(ctx, row.ID)
		for _, doc := range []*message.JSON{&got.ToolCalls, &got.ToolResults, &got.Metadata} {
			if len(*doc) > 0 {
				sameJSON(t, clean, *doc)
				*doc = message.JSON(clean)
			}
		}
		return got, err
	}
	strips(t, messageTexts, "\x00a\x00b\x00", "ab", func() *message.Message { return text("ok") }, writeMessage)
	strips(t, messageDocuments, dirty, clean, func() *message.Message { return text("ok") }, writeMessage)

	writeSuggestion := func(row *suggestion.Suggestion) (*suggestion.Suggestion, error) {
		if err := ss.Create(ctx, row); err != nil {
			return nil, err
		}
		got, err := ss.Get(ctx, row.ID)
		for _, doc := range []*message.JSON{&got.SentimentAnalysis, &got.ContextUsed} {
			if len(*doc) > 0 {
				sameJSON(t, clean, *doc)
				*doc = message.JSON(clean)
			}
		}
		return got, err
	}
	good := func() *suggestion.Suggestion {
		return &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "ok"}
	}
	strips(t, suggestionTexts, "\x00a\x00b\x00", "ab", good, writeSuggestion)
	strips(t, suggestionDocuments, dirty, clean, good, writeSuggestion)
	stripsChanges(t, w, c, dirty, clean)
}

// stripsChanges is about the methods that change rows.
func stripsChanges(t *testing.T, w *world, c *conversation.Conversation, dirty, clean string) {
	ctx := t.Context()
	cs := w.mine.Conversations()
	got, err := cs.SetTitle(ctx, c.ID, "a\x00b")
	require.NoError(t, err)
	require.Equal(t, "ab", got.Title)
	got, err = cs.SetSubject(ctx, c.ID, "a\x00b")
	require.NoError(t, err)
	require.Equal(t, "ab", got.Subject)
	got, err = cs.SetMetadata(ctx, c.ID, message.JSON(dirty))
	require.NoError(t, err)
	sameJSON(t, clean, got.Metadata)
	got, err = cs.MergeMetadata(ctx, c.ID, message.JSON(`{"a\u0000":null,"c":"\u0000"}`))
	require.NoError(t, err)
	sameJSON(t, `{"\\u0000":1,"c":""}`, got.Metadata)

	m, err := w.mine.Messages().Update(ctx, w.inbound(t, c).ID, store.MessageUpdate{Content: new("a\x00b"), Metadata: new(message.JSON(dirty))})
	require.NoError(t, err)
	require.Equal(t, "ab", m.Content)
	sameJSON(t, clean, m.Metadata)
	m, err = w.mine.Messages().MergeMetadata(ctx, m.ID, message.JSON(`{"a\u0000":null,"c":"\u0000"}`))
	require.NoError(t, err)
	sameJSON(t, `{"\\u0000":1,"c":""}`, m.Metadata)

	s, err := w.mine.Suggestions().Edit(ctx, w.suggest(t, c, nil).ID, "a\x00b", suggestion.Review{By: "\x00c", Feedback: "d\x00"})
	require.NoError(t, err)
	require.Equal(t, []string{"ab", "c", "d"}, []string{s.EditedContent, s.ReviewedBy, s.Feedback})
}

func testInputBadUTF8NotStripped(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithNULStripped())
	c := w.conversation(t)
	w.unchanged(t, func() {
		_, err := w.mine.Messages().Append(t.Context(), c.ID, text("a\xff\x00"))
		invalid(t, err, "content")
		_, err = w.mine.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleTool, Metadata: message.JSON(`"\ud800\u0000"`)})
		invalid(t, err, "metadata")
	})
}

func testInputIDs(t *testing.T, outer *world) {
	broken := errors.New("no entropy")
	next, fails := byte(0), false
	w := newWorld(t, outer.factory, convostore.WithIDs(func() (uuid.UUID, error) {
		if fails {
			return uuid.Nil, broken
		}
		next++
		return uuid.UUID{0: 0xab, 15: next}, nil
	}))
	c := w.conversation(t)
	require.Equal(t, uuid.UUID{0: 0xab, 15: 1}, c.ID)
	require.Equal(t, uuid.UUID{0: 0xab, 15: 2}, w.inbound(t, c).ID)
	require.Equal(t, uuid.UUID{0: 0xab, 15: 3}, w.suggest(t, c, nil).ID)
	fails = true
	w.unchanged(t, func() {
		require.ErrorIs(t, w.mine.Conversations().Create(t.Context(), &conversation.Conversation{}), broken)
		_, err := w.mine.Messages().Append(t.Context(), c.ID, text("x"))
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, w.mine.Suggestions().Create(t.Context(), &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}), broken)
	})
}

// testInputIDsTwice is about a maker of ids that repeats itself, or makes none.
func testInputIDsTwice(t *testing.T, outer *world) {
	made := uuid.New()
	w := newWorld(t, outer.factory, convostore.WithIDs(func() (uuid.UUID, error) { return made, nil }))
	ctx := t.Context()
	c := w.conversation(t)
	s := w.suggest(t, c, nil)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{}))
	refused := func(want error, call func(store.Scope) error) {
		t.Helper()
		w.unchanged(t, func() {
			require.ErrorIs(t, w.st.Transaction(ctx, func(tx store.Store) error { return call(tx.ForUser(w.user)) }), want)
		})
	}
	refused(store.ErrConflict, func(s store.Scope) error {
		_, err := s.Messages().AppendMany(ctx, c.ID, []*message.Message{text("a"), text("b")}, store.AppendOptions{})
		return err
	})
	refused(store.ErrConflict, func(s store.Scope) error {
		keyed := text("c")
		keyed.IdempotencyKey = "c"
		_, err := s.Messages().AppendMany(ctx, c.ID, []*message.Message{keyed, text("d")}, store.AppendOptions{})
		return err
	})
	refused(store.ErrConflict, func(s store.Scope) error {
		e, f := text("e"), text("f")
		e.ConversationID, f.ConversationID = c.ID, c.ID
		_, err := s.Messages().Import(ctx, rowsOf(e, f), store.ImportOptions{})
		return err
	})
	w.inbound(t, c)
	appends := func(s store.Scope) error { _, err := s.Messages().Append(ctx, c.ID, text("b")); return err }
	creates := func(s store.Scope) error { return s.Conversations().Create(ctx, &conversation.Conversation{}) }
	suggests := func(of store.Scope) error {
		return of.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"})
	}
	sends := func(of store.Scope) error {
		_, err := of.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
		return err
	}
	all := []func(store.Scope) error{appends, creates, suggests, sends}
	for _, call := range all {
		refused(store.ErrConflict, call)
	}
	made = uuid.Nil
	for _, call := range all {
		refused(store.ErrInvalid, call)
	}
}
