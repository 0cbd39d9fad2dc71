package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func boundTests() subtests {
	return subtests{
		"BoundsNumbers":    testBoundsNumbers,
		"BoundsBytes":      testBoundsBytes,
		"BoundsEdits":      testBoundsEdits,
		"BoundsTokens":     testBoundsTokens,
		"BoundsWaits":      testBoundsWaits,
		"BoundsBrokenRows": testBoundsBrokenRows,
		"BoundsWalk":       testBoundsWalk,
		"BoundsPages":      testBoundsPages,
		"BoundsEmbedding":  testBoundsEmbedding,
		"BoundsReplaced":   testBoundsReplaced,
		"BoundsFuture":     testBoundsFuture,
	}
}

// zeros is a short document with numbers that jsonb writes out to 17 MB.
var zeros = "[" + strings.Repeat("1e1000,", 17_000) + "0]"

// testBoundsNumbers: a number counts by its digits. A document that PostgreSQL would store in
// 10 MB and write out to 1 GB makes every read of it fail, everybody's among them.
func testBoundsNumbers(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, text("ok"))
	write := func(m *message.Message) error { _, err := w.mine.Messages().Append(ctx, c.ID, m); return err }
	invalid(t, write(&message.Message{Role: message.RoleTool, ToolResults: message.JSON("[" + strings.Repeat("1e1000,", 1_100_000) + "0]")}), "message")
	for _, f := range messageDocuments {
		row := text("ok")
		f.set(row, zeros)
		invalid(t, write(row), "message")
		row = text("plain GORM")
		row.UserID, row.ConversationID, row.Seq = c.UserID, c.ID, 2
		f.set(row, zeros)
		invalid(t, w.st.DB(ctx).Create(row).Error, "message")
	}
	for _, f := range conversationDocuments {
		row := &conversation.Conversation{}
		f.set(row, zeros)
		invalid(t, w.mine.Conversations().Create(ctx, row), "conversation")
	}
	for _, f := range suggestionDocuments {
		row := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "ok"}
		f.set(row, zeros)
		invalid(t, w.mine.Suggestions().Create(ctx, row), "suggestion")
	}
	_, err := w.mine.Conversations().SetMetadata(ctx, c.ID, message.JSON(zeros))
	invalid(t, err, "conversation")
	_, err = w.mine.Conversations().MergeMetadata(ctx, c.ID, message.JSON(`{"a":`+zeros+`}`))
	invalid(t, err, "conversation")
	_, err = w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Metadata: new(message.JSON(zeros))})
	invalid(t, err, "message")
	_, err = w.mine.Messages().MergeMetadata(ctx, m.ID, message.JSON(`{"a":`+zeros+`}`))
	invalid(t, err, "message")
	same(t, m, w.message(t, m.ID))
	fits := w.append(t, c, &message.Message{Role: message.RoleTool, ToolResults: message.JSON("[" + strings.Repeat("1e1000,", 1000) + "0]")})
	require.NotEmpty(t, w.message(t, fits.ID).ToolResults)
}

// testBoundsBytes: the texts and documents of a row count together, in every way to write it.
func testBoundsBytes(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithMaxMessageBytes(1000))
	ctx := t.Context()
	c := w.conversation(t)
	part := strings.Repeat("a", 600)
	ms := w.mine.Messages()
	tooLarge := []*message.Message{
		text(strings.Repeat("a", 1001)),
		{Role: message.RoleUser, Content: part, Metadata: message.JSON(`"` + part + `"`)},
		{Role: message.RoleUser, Content: part, Headers: message.Headers{"X": {part}}},
		{Role: message.RoleUser, Headers: message.Headers{part: {part}}},
		{Role: message.RoleUser, SenderEmail: part, Attachments: message.Attachments{{URL: part}}},
		{Role: message.RoleUser, Attachments: make(message.Attachments, 1000)},
	}
	w.unchanged(t, func() {
		for i, m := range tooLarge {
			for way, write := range map[string]func(*message.Message) error{
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
				"Create": func(m *message.Message) error {
					return w.mine.Conversations().Create(ctx, &conversation.Conversation{Messages: []*message.Message{m}})
				},
			} {
				row := *m
				err := write(&row)
				require.ErrorIs(t, err, store.ErrInvalid, "%d by %s", i, way)
				invalid(t, err, "message")
				require.Contains(t, err.Error(), "the most is 1000", "the bound is named")
			}
		}
		invalid(t, w.mine.Conversations().Create(ctx, &conversation.Conversation{Subject: part, Metadata: message.JSON(`"` + part + `"`)}), "conversation")
		invalid(t, w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{
			ConversationID: c.ID, SuggestedContent: part, ContextUsed: message.JSON(`"` + part + `"`),
		}), "suggestion")
	})
	require.Len(t, w.message(t, w.append(t, c, text(strings.Repeat("a", 1000))).ID).Content, 1000)
	for _, n := range []int{0, -1, math.MaxInt} {
		_, err := convostore.New(ctx, w.st.DB(ctx), convostore.WithMaxMessageBytes(n))
		invalid(t, err, "WithMaxMessageBytes")
	}
	_, err := outer.mine.Messages().Append(ctx, outer.conversation(t).ID, text(strings.Repeat("a", message.MaxBytes+1)))
	invalid(t, err, "message")
}

// testBoundsEdits: an edit counts with what the row has.
func testBoundsEdits(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithMaxMessageBytes(200_000))
	ctx := t.Context()
	part := strings.Repeat("a", 120_000)
	doc := message.JSON(`{"a":"` + part + `"}`)
	c := w.create(t, &conversation.Conversation{Subject: part})
	m := w.append(t, c, text(part))
	s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: part}
	require.NoError(t, w.mine.Suggestions().Create(ctx, s))
	before := w.get(t, c.ID)
	_, err := w.mine.Conversations().SetMetadata(ctx, c.ID, doc)
	invalid(t, err, "conversation")
	_, err = w.mine.Conversations().MergeMetadata(ctx, c.ID, doc)
	invalid(t, err, "conversation")
	_, err = w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Metadata: &doc})
	invalid(t, err, "message")
	_, err = w.mine.Messages().MergeMetadata(ctx, m.ID, doc)
	invalid(t, err, "message")
	_, err = w.mine.Suggestions().Edit(ctx, s.ID, part, suggestion.Review{})
	invalid(t, err, "suggestion")
	same(t, before, w.get(t, c.ID))
	same(t, m, w.message(t, m.ID))
	same(t, s, w.suggestion(t, s.ID))
	_, err = w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("short"), Metadata: &doc})
	require.NoError(t, err)
	_, err = w.mine.Conversations().SetSubject(ctx, c.ID, part+part[:70_000])
	require.NoError(t, err)
	got, err := w.mine.Suggestions().Edit(ctx, s.ID, part[:70_000], suggestion.Review{})
	require.NoError(t, err)
	require.Len(t, got.EditedContent, 70_000)
}

// testBoundsTokens: two rows with the largest number that an int64 holds would make the reports
// of everybody fail. The library takes none, and leaves out those of a host's own SQL.
func testBoundsTokens(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	draft := func(tokens int64) *suggestion.Suggestion {
		return &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", TokensUsed: tokens}
	}
	for _, tokens := range []int64{math.MaxInt64, suggestion.MaxTokens + 1} {
		invalid(t, w.mine.Suggestions().Create(ctx, draft(tokens)), "tokens_used")
		row := draft(tokens)
		row.UserID = w.user
		invalid(t, w.st.DB(ctx).Create(row).Error, "tokens_used")
		_, err := w.mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleAssistant, TokensIn: tokens})
		invalid(t, err, "tokens_in")
		_, err = w.mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleAssistant, TokensOut: tokens})
		invalid(t, err, "tokens_out")
	}
	var ids []uuid.UUID
	for range 3 {
		s := draft(suggestion.MaxTokens)
		require.NoError(t, w.mine.Suggestions().Create(ctx, s))
		ids = append(ids, s.ID)
	}
	require.NoError(t, w.st.DB(ctx).Model(&suggestion.Suggestion{}).Where("id IN ?", ids[1:]).UpdateColumn("tokens_used", int64(math.MaxInt64)).Error)
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		costs, err := s.Reports().CostsByConversation(ctx, store.Top{})
		require.NoError(t, err)
		require.EqualValues(t, 3, costs[0].Suggestions)
		require.EqualValues(t, suggestion.MaxTokens, costs[0].Tokens)
		for name, err := range askEverything(ctx, s.Reports(), store.Top{}, page) {
			require.True(t, err == nil || name == "ResponseRate", "%s: %v", name, err)
		}
	}
}

// testBoundsWaits: a wait that no clock can have measured decides no figure.
func testBoundsWaits(t *testing.T, w *world) {
	ctx := t.Context()
	at := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	ask := func(asked, answered time.Time) {
		c := w.create(t, &conversation.Conversation{LeadID: "1"})
		w.append(t, c, &message.Message{Direction: message.DirectionInbound, SentAt: asked})
		w.append(t, c, &message.Message{Direction: message.DirectionOutbound, SentAt: answered})
	}
	for range 3 {
		ask(at(1900), at(9999))
		ask(at(1970), at(2024))
	}
	ask(at(2023), at(2023).Add(time.Hour))
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		r, err := s.Reports().ResponseTimes(ctx, store.Period{})
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Answered)
		require.Zero(t, r.Open)
		require.Equal(t, store.Durations{Mean: time.Hour, Median: time.Hour, P90: time.Hour, P95: time.Hour}, r.Durations)
		leads, err := s.Reports().ResponseTimesByLead(ctx, store.Top{})
		require.NoError(t, err)
		require.Equal(t, time.Hour, leads[0].Mean)
	}
	c := w.conversation(t)
	for _, reviewed := range []time.Time{at(1900), at(9999), epoch.Add(time.Minute)} {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", CreatedAt: epoch, Status: suggestion.StatusApproved, ReviewedAt: &reviewed}
		require.NoError(t, w.mine.Suggestions().Create(ctx, s))
	}
	d, err := w.mine.Reports().DecisionTimes(ctx, store.Period{})
	require.NoError(t, err)
	require.EqualValues(t, 1, d.Decided)
	require.Equal(t, time.Minute, d.Mean)
}

// testBoundsBrokenRows has rows of one tenant that the library would not write. They break no
// read, no search, no job and no report of all users.
func testBoundsBrokenRows(t *testing.T, w *world) {
	ctx := t.Context()
	other := w.other()
	theirs := populate(t, other)
	c := populate(t, w.mine)
	all := w.st.AllUsers()
	db := w.st.DB(ctx)
	for _, broken := range []struct {
		model  any
		column string
		values []any
	}{
		{&message.Message{}, "headers", []any{`[]`, `"x"`, `1`, `{"a":{"b":1}}`, `{"a":[1,"b"]}`}},
		{&message.Message{}, "attachments", []any{`{}`, `"x"`, `1`, `[1,{"filename":"a"}]`, `[{"filename":1,"size":"x","url":"u"}]`, `[[]]`}},
		{&message.Message{}, "tool_calls", []any{`1`}},
		{&suggestion.Suggestion{}, "generation_cost", brokenCosts(w)},
		{&suggestion.Suggestion{}, "tokens_used", []any{int64(math.MaxInt64)}},
	} {
		for _, value := range broken.values {
			require.NoError(t, db.Model(broken.model).Where("user_id = ?", w.user).UpdateColumn(broken.column, value).Error)
			what := fmt.Sprintf("%s = %v", broken.column, value)
			for name, err := range askEverything(ctx, all.Reports(), store.Top{}, page) {
				require.True(t, err == nil || name == "ResponseRate", "%s with %s: %v", name, what, err)
			}
			ms, err := collect(all.Messages().AllByUser(ctx, store.MessageFilter{}))
			require.NoError(t, err, what)
			require.Len(t, ms, 8)
			pending, err := all.Suggestions().Pending(ctx, store.PageRequest{})
			require.NoError(t, err, what)
			require.Len(t, pending.Items, 4)
			hits, err := all.Search().Messages(ctx, "1", store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
			require.NoError(t, err, what)
			require.Len(t, hits.Items, 4)
			for _, id := range []uuid.UUID{c.ID, theirs.ID} {
				must[*conversation.Conversation](t)(all.Conversations().Thread(ctx, id))
			}
		}
	}
	costs, err := other.Reports().CostsByModel(ctx, store.Top{})
	require.NoError(t, err)
	require.True(t, costs[0].Cost.Equal(decimal.Zero))
}

// brokenCosts are those that a database takes, and no decimal.
func brokenCosts(w *world) []any {
	if w.can.Name == Postgres {
		return []any{"NaN", "Infinity", "1e1000"}
	}
	return []any{"NaN", "many", "1e400", ""}
}

// testBoundsReplaced: what is not Unicode is replaced, wherever a text can be, and found by what
// it was before.
func testBoundsReplaced(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithInvalidTextReplaced())
	ctx := t.Context()
	const bad, good = "a\xff\xfeb\xed\xa0\x80", "a\uFFFDb\uFFFD"
	c := w.create(t, &conversation.Conversation{ExternalKey: bad, LeadID: bad, Metadata: message.JSON(`{"\ud800":"x\ude00"}`)})
	got, err := w.mine.Conversations().GetByExternalKey(ctx, bad)
	require.NoError(t, err)
	require.Equal(t, c.ID, got.ID)
	require.Equal(t, good, got.LeadID)
	sameJSON(t, `{"\ufffd":"x\ufffd"}`, got.Metadata)
	for _, f := range messageTexts {
		row := text("ok")
		f.set(row, bad)
		m := w.append(t, c, row)
		require.Equal(t, good, f.get(w.message(t, m.ID)), f.name)
	}
	found, err := w.mine.Messages().FindByProviderID(ctx, message.ProviderGmail, bad)
	require.NoError(t, err)
	require.Equal(t, good, found.GmailMessageID)
	list, err := w.mine.Conversations().List(ctx, store.ConversationFilter{LeadID: bad}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	_, err = w.mine.Messages().Append(ctx, c.ID, text("a\x00"))
	invalid(t, err, "content")

	both := newWorld(t, outer.factory, convostore.WithInvalidTextReplaced(), convostore.WithNULStripped())
	c = both.conversation(t)
	m := both.append(t, c, &message.Message{Role: message.RoleUser, Headers: message.Headers{"Sub\x00ject": {"odd\xff"}, "Subject": {"real"}}})
	require.Equal(t, message.Headers{"Subject": {"real", "odd\uFFFD"}}, both.message(t, m.ID).Headers, "no value is lost, the real one is first")
	for _, empty := range []store.ConversationFilter{{LeadID: "\x00"}, {Text: "\x00"}} {
		_, err = both.mine.Conversations().List(ctx, empty, store.PageRequest{})
		require.ErrorIs(t, err, store.ErrInvalid, "an unclean filter does not become no filter")
	}
	_, err = both.mine.Maintenance().EraseLead(ctx, "\x00")
	invalid(t, err, "lead_id")
	_, err = both.mine.Conversations().GetOrCreate(ctx, &conversation.Conversation{ExternalKey: "\x00"})
	invalid(t, err, "external_key")
}

// testBoundsFuture: what names a time in the future neither heads a list for ever nor escapes
// retention. The column keeps what was said.
func testBoundsFuture(t *testing.T, w *world) {
	ctx := t.Context()
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	given := w.create(t, &conversation.Conversation{Title: "given", LastMessageAt: far})
	require.Equal(t, epoch, given.LastMessageAt)
	w.tick()
	later := w.create(t, &conversation.Conversation{Title: "later"})
	require.Equal(t, []string{"later", "given"}, titles(w.listed(t, store.ConversationFilter{})))
	for _, m := range []*message.Message{{SentAt: far}, {SentAt: far, IdempotencyKey: "key"}} {
		m.Role = message.RoleUser
		w.append(t, given, m)
		require.Equal(t, far, w.message(t, m.ID).SentAt)
	}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, given.ID, []*message.Message{{Role: message.RoleUser, SentAt: far}, {Role: message.RoleUser, SentAt: far, IdempotencyKey: "other"}}, store.AppendOptions{}))
	require.Equal(t, later.LastMessageAt, w.get(t, given.ID).LastMessageAt, "the time of the appends")
	w.delete(t, given)
	w.clock.add(365 * 24 * time.Hour)
	n, err := w.mine.Maintenance().ArchiveInactive(ctx, w.clock.Now())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
