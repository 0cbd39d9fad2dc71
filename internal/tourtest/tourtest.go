// Package tourtest calls what a store does, with values that a setting of the database might
// change, and writes down the answers. It is for tests alone.
package tourtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// begin is a moment whose day and month a wrong order would exchange.
var begin = time.Date(2026, 3, 4, 21, 30, 15, 123456000, time.UTC)

// Options make the ids and the times the same in each tour.
func Options() []convostore.Option {
	n := 0
	return []convostore.Option{
		convostore.WithClock(func() time.Time { return begin.AddDate(0, 0, 20) }),
		convostore.WithIDs(func() (uuid.UUID, error) {
			n++
			return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)), nil
		}),
	}
}

// errUndo rolls a tour back.
var errUndo = errors.New("the end of the tour")

// Run calls methods of a store that was opened with Options and is empty, in a transaction that
// it rolls back, and returns a line for each answer. An error is an answer. After an error that
// aborts the transaction all further answers are errors.
func Run(tb testing.TB, st store.Store) string {
	tb.Helper()
	t := &tour{ctx: tb.Context()}
	err := st.Transaction(t.ctx, func(tx store.Store) error {
		t.lines = nil
		t.st, t.mine = tx, tx.ForUser(uuid.NewSHA1(uuid.NameSpaceOID, []byte("ann")))
		t.write()
		t.suggest()
		t.read()
		t.search()
		t.report()
		t.change()
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.note("transaction", nil, err)
	}
	return strings.Join(t.lines, "\n")
}

type tour struct {
	ctx   context.Context //nolint:containedctx // it lives for one test
	st    store.Store
	mine  store.Scope
	c     *conversation.Conversation
	first *message.Message
	// embedded is the message of a vector.
	embedded uuid.UUID
	lines    []string
}

func (t *tour) note(what string, answer any, err error) {
	if err != nil {
		t.lines = append(t.lines, what+": "+err.Error())
		return
	}
	text, err := json.Marshal(answer)
	t.lines = append(t.lines, fmt.Sprintf("%s: %s %v", what, text, err))
}

// note is note for a call with two results.
func note[T any](t *tour, what string) func(T, error) {
	return func(answer T, err error) { t.note(what, answer, err) }
}

// texts are what quoting, arrays, encodings and comparisons might change.
var texts = []string{
	`back\slash 'quoted' "double" \n E'\\'`, "NULL", "null", "Grüße aus Köln: ½ €", "日本語 한국어", "{a,\"b\"}", "100% under_score ? $1", "", "WORD of Mouth", "2026-01-02 03:04:05",
}

func (t *tour) write() {
	t.c = &conversation.Conversation{
		Title: "Grüße \\ 'x' 日本", Subject: "2026-01-02 03:04:05", ExternalKey: "k\\1", LeadID: "7",
		Metadata: message.JSON(`{"a":"\\","n":1.25,"日":null}`),
	}
	t.note("Create", t.c, t.mine.Conversations().Create(t.ctx, t.c))
	t.note("Create again", nil, t.mine.Conversations().Create(t.ctx, &conversation.Conversation{ExternalKey: "k\\1"}))
	t.first = &message.Message{
		Direction: message.DirectionInbound, Content: texts[0], GmailMessageID: "18c\\", SentAt: begin,
		Headers: message.Headers{"X-Back\\slash": {"NULL", ""}}, Attachments: message.Attachments{{Filename: "é.pdf", Size: 3}},
		Payload: message.Payload{0, 1, 0xff, '\\'}, PayloadFormat: "raw", Cost: decimal.RequireFromString("0.1234567891"),
	}
	note[bool](t, "Append")(t.mine.Messages().Append(t.ctx, t.c.ID, t.first))
	note[bool](t, "Append again")(t.mine.Messages().Append(t.ctx, t.c.ID, &message.Message{Direction: message.DirectionInbound, GmailMessageID: "18c\\"}))
	many := make([]*message.Message, len(texts))
	for i, text := range texts {
		many[i] = &message.Message{Role: message.RoleUser, Content: text, SentAt: begin.Add(time.Duration(i) * 7 * time.Hour), IdempotencyKey: text}
		if i%2 == 1 {
			many[i].Role, many[i].Author, many[i].Metadata = message.RoleAssistant, text, message.JSON(`{"NULL":"\\"}`)
		}
	}
	note[[]bool](t, "AppendMany")(t.mine.Messages().AppendMany(t.ctx, t.c.ID, many, store.AppendOptions{}))
	vectors := make([]store.MessageVector, len(many))
	for i, m := range many {
		v := make(message.Vector, 1536)
		v[0], v[1] = 1, float32(i)/3
		vectors[i] = store.MessageVector{MessageID: m.ID, Vector: v}
	}
	t.embedded = many[1].ID
	t.note("SetMany", nil, t.mine.Embeddings().SetMany(t.ctx, "m", vectors))
	t.note("Conversation of another", nil, t.mine.Suggestions().Create(t.ctx, &suggestion.Suggestion{ConversationID: uuid.Nil}))
}

func (t *tour) suggest() {
	confidence := 0.1 + 0.2
	for i := range 3 {
		s := &suggestion.Suggestion{
			ConversationID: t.c.ID, InReplyToMessageID: &t.first.ID, SuggestedContent: texts[i], ConfidenceScore: &confidence,
			ModelUsed: "2026-01-02 03:04:05", TokensUsed: 7, GenerationCost: decimal.RequireFromString("0.0000000001"),
		}
		t.note("Suggest", s, t.mine.Suggestions().Create(t.ctx, s))
		switch i {
		case 0:
			note[*suggestion.Suggestion](t, "Edit")(t.mine.Suggestions().Edit(t.ctx, s.ID, "edited \\ é", suggestion.Review{By: "ann"}))
			note[bool](t, "Send")(t.mine.Suggestions().Send(t.ctx, s.ID, &message.Message{RecipientEmail: "john@example.com", SentAt: begin.Add(80 * time.Hour)}, store.SendOptions{}))
		case 1:
			note[*suggestion.Suggestion](t, "Reject")(t.mine.Suggestions().Reject(t.ctx, s.ID, suggestion.Review{By: "NULL", Feedback: "null"}))
		}
	}
	note[store.Page[*store.PendingSuggestion]](t, "Pending")(t.mine.Suggestions().Pending(t.ctx, store.PageRequest{}))
}

func (t *tour) read() {
	note[*conversation.Conversation](t, "Thread")(t.mine.Conversations().Thread(t.ctx, t.c.ID))
	note[*conversation.Conversation](t, "GetByExternalKey")(t.mine.Conversations().GetByExternalKey(t.ctx, "k\\1"))
	for _, text := range []string{"\\", "%", "_", "grüße", "GR", "日", "'x'"} {
		note[store.Page[*conversation.Conversation]](t, "List "+text)(t.mine.Conversations().List(t.ctx, store.ConversationFilter{
			Text: text, Statuses: []conversation.Status{conversation.StatusNeedsReply, conversation.StatusWaiting},
			CreatedSince: begin, CreatedBefore: begin.AddDate(1, 0, 0),
		}, store.PageRequest{}))
	}
	page, err := t.mine.Messages().ListByUser(t.ctx, store.MessageFilter{SentSince: begin.Add(time.Hour)}, store.PageRequest{Limit: 2})
	t.note("ListByUser", page, err)
	note[store.Page[*message.Message]](t, "the next page")(t.mine.Messages().ListByUser(t.ctx, store.MessageFilter{SentSince: begin.Add(time.Hour)},
		store.PageRequest{Limit: 2, After: page.Next}))
	note[store.Page[*conversation.Conversation]](t, "NeedsReply")(t.mine.Conversations().NeedsReply(t.ctx, store.PageRequest{}))
	note[store.Page[*conversation.Conversation]](t, "Unread")(t.mine.Conversations().Unread(t.ctx, begin, store.PageRequest{}))
	note[*message.Message](t, "FindByProviderID")(t.mine.Messages().FindByProviderID(t.ctx, message.ProviderGmail, "18c\\"))
	note[[]*message.Message](t, "Around")(t.mine.Messages().Around(t.ctx, t.c.ID, 3, 1))
	note[*message.Embedding](t, "vector")(t.mine.Embeddings().Get(t.ctx, t.embedded, "m"))
	note[[]store.ModelCount](t, "Models")(t.mine.Embeddings().Models(t.ctx))
}

func (t *tour) search() {
	for _, text := range []string{"word", "back -nothing", `"aus köln"`, "gru*", "NULL OR quoted"} {
		note[store.Page[*store.MessageHit]](t, "Messages "+text)(t.mine.Search().Messages(t.ctx, text, store.TextOptions{}, store.PageRequest{}))
		note[store.Page[*store.ConversationHit]](t, "Conversations "+text)(t.mine.Search().Conversations(t.ctx, text, store.TextOptions{}, store.PageRequest{}))
	}
	for _, text := range []string{"SLASH", "k\\s", "nder_s", "日本語"} {
		note[store.Page[*store.MessageHit]](t, "substring "+text)(t.mine.Search().Messages(t.ctx, text, store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{}))
	}
	v := make(message.Vector, 1536)
	v[0], v[1] = 1, 1.5
	note[store.Similar[*store.SimilarMessage]](t, "SimilarMessages")(t.mine.Search().SimilarMessages(t.ctx, store.SimilarTo{Vector: v}, store.SimilarOptions{Model: "m", Limit: 3}))
}

func (t *tour) report() {
	r, kolkata := t.mine.Reports(), time.FixedZone("IST", 19800)
	p := store.Period{Since: begin.Add(-time.Hour), Before: begin.AddDate(0, 0, 9), Zone: kolkata}
	note[store.Summary](t, "Summary")(r.Summary(t.ctx, p))
	note[[]store.Daily](t, "DailySeries")(r.DailySeries(t.ctx, store.Days{Period: p}))
	note[[]store.ConversationActivity](t, "MostActive")(r.MostActive(t.ctx, store.Top{}))
	note[store.Page[*store.UnreadConversation]](t, "Unread")(r.Unread(t.ctx, begin, store.PageRequest{}))
	note[store.Page[*store.AttachedMessage]](t, "MessagesWithAttachments")(r.MessagesWithAttachments(t.ctx, p, store.PageRequest{}))
	note[store.ResponseTimes](t, "ResponseTimes")(r.ResponseTimes(t.ctx, p))
	note[[]store.DayResponse](t, "ResponseTimesByDay")(r.ResponseTimesByDay(t.ctx, store.Days{Period: p}))
	note[[]store.DaySuggestions](t, "SuggestionsByDay")(r.SuggestionsByDay(t.ctx, store.Days{}))
	note[[]store.ConfidenceSuggestions](t, "SuggestionsByConfidence")(r.SuggestionsByConfidence(t.ctx, store.Period{}))
	note[store.EditDistances](t, "EditDistances")(r.EditDistances(t.ctx, store.Period{}))
	note[[]store.ConversationCost](t, "CostsByConversation")(r.CostsByConversation(t.ctx, store.Top{}))
	note[[]store.ModelCost](t, "CostsByModel")(r.CostsByModel(t.ctx, store.Top{}))
}

func (t *tour) change() {
	content := "new \\ content é"
	note[*message.Message](t, "Update")(t.mine.Messages().Update(t.ctx, t.first.ID, store.MessageUpdate{Content: &content}))
	note[*conversation.Conversation](t, "MergeMetadata")(t.mine.Conversations().MergeMetadata(t.ctx, t.c.ID, message.JSON(`{"a":null,"b\\":"é"}`)))
	note[store.RetentionResult](t, "Retain")(t.mine.Maintenance().Retain(t.ctx, store.RetentionPolicy{ArchiveAfter: time.Hour, DryRun: true}))
	note[*conversation.Conversation](t, "Delete")(t.mine.Conversations().Delete(t.ctx, t.c.ID))
	note[*conversation.Conversation](t, "Restore")(t.mine.Conversations().Restore(t.ctx, t.c.ID))
	note[store.Counts](t, "Erase")(t.mine.Conversations().Erase(t.ctx, t.c.ID))
	note[store.Counts](t, "Counts")(t.mine.Maintenance().Counts(t.ctx))
}
