package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

func windowTests() subtests {
	return subtests{
		"Context":                 testContext,
		"ContextReadsNotAll":      testContextReadsNotAll,
		"ContextKeepsSteps":       testContextKeepsSteps,
		"ContextRefuses":          testContextRefuses,
		"ContextUsesSummaries":    testContextUsesSummaries,
		"SummaryKeepsEveryColumn": testSummaryKeepsEveryColumn,
		"SummaryCreateRefuses":    testSummaryCreateRefuses,
		"SummaryCreateConflicts":  testSummaryCreateConflicts,
		"SummaryBecomesVoid":      testSummaryBecomesVoid,
		"SummaryDelete":           testSummaryDelete,
		"PayloadsThroughAppend":   testPayloadsThroughAppend,
	}
}

// chat appends messages of alternating roles, a user's first, after one of the system's.
func (w *world) chat(t *testing.T, n int) *conversation.Conversation {
	t.Helper()
	c := w.conversation(t)
	w.append(t, c, &message.Message{Role: message.RoleSystem, Content: "Be kind."})
	ms := make([]*message.Message, n)
	for i := range ms {
		ms[i] = &message.Message{Role: []message.Role{message.RoleUser, message.RoleAssistant}[i%2], Content: fmt.Sprint("message ", i+2)}
	}
	_, err := w.mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{})
	require.NoError(t, err)
	return c
}

func seqsOf(w window.Window) []int64 {
	var seqs []int64
	for _, e := range w.Entries {
		if e.Summary != nil {
			seqs = append(seqs, -e.Summary.FromSeq)
		} else {
			seqs = append(seqs, e.Message.Seq)
		}
	}
	return seqs
}

func testContext(t *testing.T, w *world) {
	c := w.chat(t, 9)
	got, err := w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 100})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, seqsOf(got))
	require.Empty(t, got.LeftOut)
	require.Zero(t, got.UnreadBefore)
	same(t, w.newest(t, c.ID), got.Messages())

	got, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 4})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 8, 9, 10}, seqsOf(got), "the system's message and the newest, a user's first")
	require.Len(t, got.LeftOut, 6)

	_, err = w.mine.Messages().Delete(t.Context(), w.newest(t, c.ID)[8].ID)
	require.NoError(t, err)
	got, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 4})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 8, 10}, seqsOf(got), "message 9 is deleted, and a window does not begin with message 7, an assistant's")

	empty, err := w.mine.Messages().Context(t.Context(), w.conversation(t).ID, window.Budget{Tokens: 1})
	require.NoError(t, err)
	require.Equal(t, window.Window{}, empty)
}

func (w *world) newest(t *testing.T, id uuid.UUID) []*message.Message {
	t.Helper()
	ms, err := w.mine.Messages().Last(t.Context(), id, store.MaxLimit)
	require.NoError(t, err)
	return ms
}

func testContextReadsNotAll(t *testing.T, w *world) {
	c := w.chat(t, 400)
	got, err := w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 20})
	require.NoError(t, err)
	require.Len(t, got.Entries, 19)
	require.Equal(t, []int64{1, 384}, seqsOf(got)[:2])
	require.Greater(t, got.UnreadBefore, int64(200), "the beginning is not read")

	// The last user may be far back, before more than the budget holds.
	ms := make([]*message.Message, 150)
	for i := range ms {
		ms[i] = &message.Message{Role: message.RoleAssistant, Content: "on and on"}
	}
	_, err = w.mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{})
	require.NoError(t, err)
	got, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 5})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 400, 549, 550, 551}, seqsOf(got))
}

func testContextKeepsSteps(t *testing.T, w *world) {
	c := w.chat(t, 1)
	for i := range 3 {
		id := fmt.Sprint("call_", i)
		w.append(t, c, &message.Message{Role: message.RoleAssistant, ToolCalls: message.MustJSON([]payload.Call{{ID: id, Name: "f"}})})
		if i < 2 {
			w.append(t, c, &message.Message{Role: message.RoleTool, ToolResults: message.MustJSON([]payload.Result{{CallID: id, Content: "x"}})})
		}
	}
	got, err := w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 5})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 5, 6}, seqsOf(got), "a call with its result, and no call without")
	got, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 5, Missing: window.AddResult})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 7, 0}, seqsOf(got))
	require.True(t, got.Entries[3].Synthetic)
}

func testContextRefuses(t *testing.T, w *world) {
	c := w.chat(t, 3)
	for _, b := range []window.Budget{{}, {Tokens: -1}, {Messages: 1, Missing: 7}, {Tokens: 5}, {Messages: 1, Kinds: []message.Kind{"x"}}} {
		_, err := w.mine.Messages().Context(t.Context(), c.ID, b)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
	var small *window.TooSmallError
	_, err := w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 1})
	require.ErrorAs(t, err, &small)
	require.Equal(t, 2, small.Messages)
	_, err = w.mine.Messages().Context(t.Context(), uuid.New(), window.Budget{Messages: 1})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.mine.Conversations().Delete(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 1})
	require.ErrorIs(t, err, store.ErrNotFound)
}

func (w *world) summarize(t *testing.T, c *conversation.Conversation, from, to int64) *conversation.Summary {
	t.Helper()
	s := &conversation.Summary{ConversationID: c.ID, FromSeq: from, ToSeq: to, Content: fmt.Sprintf("What was said from %d to %d.", from, to)}
	require.NoError(t, w.mine.Summaries().Create(t.Context(), s))
	return s
}

func testContextUsesSummaries(t *testing.T, w *world) {
	c := w.chat(t, 300)
	w.summarize(t, c, 2, 100)
	long := w.summarize(t, c, 2, 281)
	w.summarize(t, c, 200, 285)
	w.summarize(t, c, 290, 300) // the last user's message
	got, err := w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 100})
	require.NoError(t, err)
	seqs := seqsOf(got)
	require.Equal(t, []int64{1, -2, 282}, seqs[:3])
	require.Len(t, seqs, 22)
	require.Equal(t, long.ID, got.Messages()[1].ID)
	require.Len(t, got.LeftOut, 3, "what a summary covers is not even read, and three summaries overlap")

	_, err = w.mine.Messages().Update(t.Context(), w.newest(t, c.ID)[150].ID, store.MessageUpdate{Content: new("other words")})
	require.NoError(t, err)
	got, err = w.mine.Messages().Context(t.Context(), c.ID, window.Budget{Messages: 400})
	require.NoError(t, err)
	require.Equal(t, []int64{1, -2, 101}, seqsOf(got)[:3], "only the short one is not void")
}

func testSummaryKeepsEveryColumn(t *testing.T, w *world) {
	c := w.chat(t, 5)
	hash, err := w.mine.Summaries().Cover(t.Context(), c.ID, 2, 4)
	require.NoError(t, err)
	at := time.Date(2020, 5, 5, 5, 5, 5, 555555999, time.FixedZone("east", 4*3600+1800))
	s := &conversation.Summary{ID: uuid.New(), ConversationID: c.ID, FromSeq: 2, ToSeq: 4, Content: scripts, Model: "gpt-4", Tokens: 17, CoveredHash: hash, CreatedAt: at}
	require.NoError(t, w.mine.Summaries().Create(t.Context(), s))
	require.Equal(t, w.user, s.UserID)
	require.Equal(t, message.Instant(at), s.CreatedAt)
	other := w.summarize(t, c, 1, 2)
	require.Equal(t, uuid.Version(7), other.ID.Version())
	require.NotEmpty(t, other.CoveredHash)
	got, err := w.mine.Summaries().List(t.Context(), c.ID)
	require.NoError(t, err)
	same(t, []*conversation.Summary{other, s}, got)
}

func testSummaryCreateRefuses(t *testing.T, w *world) {
	c := w.chat(t, 5)
	ctx, ss := t.Context(), w.mine.Summaries()
	deleted := w.newest(t, c.ID)[2]
	_, err := w.mine.Messages().Delete(ctx, deleted.ID)
	require.NoError(t, err)
	require.ErrorIs(t, ss.Create(ctx, nil), store.ErrInvalid)
	for field, s := range map[string]conversation.Summary{
		"from_seq": {FromSeq: 0, ToSeq: 2, Content: "x"}, "to_seq": {FromSeq: 3, ToSeq: 2, Content: "x"},
		"content": {FromSeq: 1, ToSeq: 2}, "tokens": {FromSeq: 1, ToSeq: 2, Content: "x", Tokens: -1},
		"void_at": {FromSeq: 1, ToSeq: 2, Content: "x", VoidAt: new(time.Now())}, "user_id": {FromSeq: 1, ToSeq: 2, Content: "x", UserID: uuid.New()},
	} {
		s.ConversationID = c.ID
		var bad *store.InvalidError
		require.ErrorAs(t, ss.Create(ctx, &s), &bad, field)
		require.Equal(t, field, bad.Field)
	}
	for _, to := range []int64{deleted.Seq, 7} {
		var bad *store.InvalidError
		require.ErrorAs(t, ss.Create(ctx, &conversation.Summary{ConversationID: c.ID, FromSeq: 1, ToSeq: to, Content: "x"}), &bad)
		require.Equal(t, "to_seq", bad.Field)
		_, err = ss.Cover(ctx, c.ID, 1, to)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
	_, err = ss.Cover(ctx, c.ID, 0, 1)
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = ss.Cover(ctx, uuid.New(), 1, 1)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, ss.Create(ctx, &conversation.Summary{ConversationID: uuid.New(), FromSeq: 1, ToSeq: 1, Content: "x"}), store.ErrNotFound)
	_, err = ss.List(ctx, uuid.New())
	require.ErrorIs(t, err, store.ErrNotFound)
	got, err := ss.List(ctx, c.ID)
	require.NoError(t, err)
	require.Empty(t, got, "nothing was stored")
}

func testSummaryCreateConflicts(t *testing.T, w *world) {
	c := w.chat(t, 5)
	ctx, ss := t.Context(), w.mine.Summaries()
	hash, err := ss.Cover(ctx, c.ID, 1, 3)
	require.NoError(t, err)
	w.tick()
	_, err = w.mine.Messages().Update(ctx, w.newest(t, c.ID)[1].ID, store.MessageUpdate{Content: new("edited meanwhile")})
	require.NoError(t, err)
	s := &conversation.Summary{ConversationID: c.ID, FromSeq: 1, ToSeq: 3, Content: "x", CoveredHash: hash}
	require.ErrorIs(t, ss.Create(ctx, s), store.ErrConflict)
	s.CoveredHash = ""
	require.NoError(t, ss.Create(ctx, s))
	again := *s
	require.ErrorIs(t, ss.Create(ctx, &again), store.ErrConflict, "the id is taken")
}

// Whatever happens to a message, by whatever means, makes the summaries of it void, and no others.
func testSummaryBecomesVoid(t *testing.T, w *world) {
	ms := w.mine.Messages()
	for name, change := range map[string]func(t *testing.T, c *conversation.Conversation, m, deleted *message.Message) error{
		"update": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			_, err := ms.Update(t.Context(), m.ID, store.MessageUpdate{Content: new("other")})
			return err
		},
		"metadata": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			_, err := ms.MergeMetadata(t.Context(), m.ID, message.JSON(`{"a":1}`))
			return err
		},
		"delete": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			_, err := ms.Delete(t.Context(), m.ID)
			return err
		},
		"restore": func(t *testing.T, _ *conversation.Conversation, _, deleted *message.Message) error {
			_, err := ms.Restore(t.Context(), deleted.ID)
			return err
		},
		"restore all": func(t *testing.T, c *conversation.Conversation, _, _ *message.Message) error {
			_, err := ms.RestoreAll(t.Context(), c.ID)
			return err
		},
		"one deleted, one restored": func(t *testing.T, _ *conversation.Conversation, m, deleted *message.Message) error {
			if _, err := ms.Delete(t.Context(), m.ID); err != nil {
				return err
			}
			_, err := ms.Restore(t.Context(), deleted.ID)
			return err
		},
		"plain Save": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			m.Content = "other"
			return w.st.DB(t.Context()).Save(m).Error //nolint:forbidigo // as a host may
		},
		"plain Update": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			return w.st.DB(t.Context()).Model(m).Update("content", "other").Error
		},
		"plain Delete": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			return w.st.DB(t.Context()).Delete(m).Error
		},
		"plain removal": func(t *testing.T, _ *conversation.Conversation, m, _ *message.Message) error {
			return w.st.DB(t.Context()).Unscoped().Delete(m).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.chat(t, 8)
			all := w.newest(t, c.ID)
			_, err := ms.Delete(t.Context(), all[4].ID)
			require.NoError(t, err)
			before, of, after := w.summarize(t, c, 1, 3), w.summarize(t, c, 4, 6), w.summarize(t, c, 7, 9)
			w.tick()
			require.NoError(t, change(t, c, all[3], all[4]))
			got, err := w.mine.Summaries().List(t.Context(), c.ID)
			require.NoError(t, err)
			require.Len(t, got, 3)
			same(t, before, got[0])
			require.Equal(t, of.ID, got[1].ID)
			require.True(t, got[1].Void())
			require.False(t, got[1].VoidAt.Before(got[1].CreatedAt))
			same(t, after, got[2])
		})
	}
}

func testSummaryDelete(t *testing.T, w *world) {
	c := w.chat(t, 5)
	a, b := w.summarize(t, c, 1, 2), w.summarize(t, c, 3, 4)
	require.NoError(t, w.mine.Summaries().Delete(t.Context(), a.ID))
	require.ErrorIs(t, w.mine.Summaries().Delete(t.Context(), a.ID), store.ErrNotFound)
	got, err := w.mine.Summaries().List(t.Context(), c.ID)
	require.NoError(t, err)
	same(t, []*conversation.Summary{b}, got)
	_, err = w.mine.Conversations().Delete(t.Context(), c.ID)
	require.NoError(t, err)
	require.ErrorIs(t, w.mine.Summaries().Delete(t.Context(), b.ID), store.ErrNotFound)
}

// Messages of every format come back to the byte, with what was read of them.
func testPayloadsThroughAppend(t *testing.T, w *world) {
	c := w.conversation(t)
	for f, doc := range map[payload.Format]string{
		payload.ChatCompletions: "{\"role\":\"assistant\", \"content\":null,\n\t\"tool_calls\":[{\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"n\\\": 1.50}\"}}]}",
		payload.Responses:       `[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA+/=="},{"type":"function_call","call_id":"call_a","name":"f","arguments":"{}","id":"fc"}]`,
		payload.Anthropic:       `{"role":"assistant","content":[{"type":"thinking","thinking":"…","signature":"Eq+/=="},{"type":"tool_use","id":"toolu_1","name":"f","input":{"n":12345678901234567890.10}}]}`,
		payload.Gemini:          `{"parts":[{"functionCall":{"args":{"a":"\u0000"},"name":"f"},"thoughtSignature":"CiQB"}],"role":"model"}`,
		payload.UIMessage:       `{"id":"a1","role":"assistant","parts":[{"type":"tool-f","toolCallId":"c1","state":"output-available","input":{},"output":{"t":7.10}},{"type":"text","text":"žluť 🙂"}]}`,
	} {
		m, err := payload.Read(f, []byte(doc))
		require.NoError(t, err)
		want := w.append(t, c, m)
		got := w.message(t, want.ID)
		require.Equal(t, doc, string(got.Payload))
		require.Equal(t, payload.Calls(m), payload.Calls(got))
		require.NotEmpty(t, payload.Calls(got))
		written, err := payload.Write(f, got)
		require.NoError(t, err)
		require.Equal(t, doc, string(written))
	}
}

// summaryCalls are the calls of Summaries, for the tests that go over every method.
func summaryCalls() map[string][]call {
	return map[string][]call{
		"Cover": {{want: notFound, args: live(int64(1), int64(1))}},
		"Create": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{&conversation.Summary{ConversationID: e.live.ID, FromSeq: 1, ToSeq: 1, Content: "new"}}
		}}},
		"List":   {{want: notFound, args: liveID}},
		"Delete": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.summary.ID} }}},
	}
}
