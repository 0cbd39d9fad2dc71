package storetest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// runStreams states what holds of messages that are written while a model answers: what a writer
// may do, what readers see, and who learns what if two of them meet.
func runStreams(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	all := subtests{}
	for _, part := range []subtests{streamTests(), streamTextTests(), streamEndTests(), streamOwnerTests(), streamFollowTests()} {
		maps.Copy(all, part)
	}
	all.run(t, f, c)
}

func streamTests() subtests {
	return subtests{
		"what came in ends a snooze":             testSnoozeEndedByStream,
		"from the first token to the last":       streamLives,
		"flushes are due by time and by bytes":   streamFlushesWhenDue,
		"documents, payload and usage":           streamKeepsParts,
		"parts that break a rule":                streamRefusesParts,
		"heartbeats":                             streamBeats,
		"options and transactions":               streamOptions,
		"a redelivery is named":                  streamRedelivery,
		"a streaming message counts nowhere":     streamCountsNowhere,
		"a streaming message is not edited":      streamIsNotEdited,
		"a host's own message that is streaming": streamOfAHost,
		"an ended context":                       streamEndedContext,
		"writes at once":                         streamWritesAtOnce,
	}
}

// reply is a message of a model.
func reply() *message.Message { return &message.Message{Role: message.RoleAssistant} }

func (w *world) stream(t testing.TB, c *conversation.Conversation) store.MessageStream {
	t.Helper()
	s, err := w.mine.Messages().Stream(t.Context(), c.ID, reply(), store.StreamOptions{})
	require.NoError(t, err)
	return s
}

func (w *world) wrote(t testing.TB, s store.MessageStream, text string) {
	t.Helper()
	require.NoError(t, s.Write(t.Context(), text))
	require.NoError(t, s.Flush(t.Context()))
	require.Equal(t, s.Text(), w.message(t, s.ID()).Content)
	require.Equal(t, int64(len(s.Text())), s.Flushed())
}

// createPlain creates a message with the host's own GORM.
func (w *world) createPlain(t testing.TB, m *message.Message) {
	t.Helper()
	require.NoError(t, w.st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Create(m).Error }))
}

// lost requires a StreamError of a reason.
func lost(t testing.TB, err error, reason store.StreamReason) store.StreamError {
	t.Helper()
	require.ErrorIs(t, err, store.ErrConflict)
	var e *store.StreamError
	require.ErrorAs(t, err, &e)
	require.Equal(t, reason, e.Reason, "%v", err)
	require.NotEqual(t, uuid.Nil, e.MessageID)
	return *e
}

func streamLives(t *testing.T, w *world) {
	c := w.thread(t, 2)
	sent := w.tick()
	s := w.stream(t, c)
	m := w.message(t, s.ID())
	require.Equal(t, int64(3), s.Seq())
	require.Equal(t, int64(3), m.Seq)
	require.Equal(t, message.StateStreaming, m.State)
	require.Equal(t, int64(1), m.Fence)
	require.True(t, sent.Equal(*m.HeartbeatAt))
	require.Empty(t, m.Content)
	before := w.get(t, c.ID)
	require.Equal(t, int64(3), before.LastSeq)
	require.True(t, sent.Equal(before.LastMessageAt), "the place among the conversations")
	require.Equal(t, conversation.StatusNeedsReply, before.Status, "nobody has answered yet")

	w.wrote(t, s, "Hel")
	at := w.tick()
	w.wrote(t, s, "lo")
	m = w.message(t, s.ID())
	require.True(t, at.Equal(*m.HeartbeatAt))
	require.Equal(t, int64(2), m.Revision)
	require.Equal(t, w.get(t, c.ID).LastChangeSeq, m.ChangeSeq, "each flush is a change of the conversation")
	require.NoError(t, s.Write(t.Context(), ", all"))
	require.NoError(t, s.Finish(t.Context(), store.Usage{Model: "m", TokensIn: 3, TokensOut: 4, Cost: decimal.RequireFromString("0.0012"), FinishReason: "stop"}))
	m = w.message(t, s.ID())
	require.Equal(t, "Hello, all", m.Content)
	require.Equal(t, message.StateComplete, m.State)
	require.Equal(t, []any{"m", int64(3), int64(4), "0.0012", "stop"}, []any{m.Model, m.TokensIn, m.TokensOut, m.Cost.String(), m.FinishReason})
	require.Nil(t, m.EditedAt)
	after := w.get(t, c.ID)
	require.Equal(t, conversation.StatusWaiting, after.Status)
	require.Equal(t, after.LastChangeSeq, m.ChangeSeq)
	require.Len(t, CheckConversation(t, w.mine, c.ID), 3)
}

func streamFlushesWhenDue(t *testing.T, w *world) {
	s, err := w.mine.Messages().Stream(t.Context(), w.thread(t, 1).ID, reply(), store.StreamOptions{FlushEvery: time.Second, FlushBytes: 10})
	require.NoError(t, err)
	add := func(text string) string {
		require.NoError(t, s.Write(t.Context(), text))
		return w.message(t, s.ID()).Content
	}
	require.Empty(t, add("123456789"), "it waits")
	require.Equal(t, "1234567890", add("0"), "ten bytes")
	w.clock.add(time.Second - time.Microsecond)
	require.Equal(t, "1234567890", add("a"), "it waits")
	w.clock.add(time.Microsecond)
	require.Equal(t, "1234567890ab", add("b"), "a second")
	require.NoError(t, s.Write(t.Context(), "c"))
	w.clock.add(-time.Hour)
	require.Equal(t, "1234567890abcd", add("d"), "a clock that was set back keeps nothing back")
	require.NoError(t, s.SetToolCalls(t.Context(), message.JSON(`[1]`)))
	require.Nil(t, w.message(t, s.ID()).ToolCalls, "documents wait as well")
	w.clock.add(time.Second)
	require.NoError(t, s.SetToolCalls(t.Context(), message.JSON(`[1, 2]`)))
	sameJSON(t, `[1,2]`, w.message(t, s.ID()).ToolCalls)
}

func streamKeepsParts(t *testing.T, w *world) {
	ctx, s := t.Context(), w.stream(t, w.thread(t, 1))
	doc := message.JSON(`[{"id":"call_1","n":12345678901234567890123}]`)
	require.NoError(t, s.SetToolCalls(ctx, doc))
	copy(doc, "garbage:") // the caller's own
	require.NoError(t, s.SetToolResults(ctx, message.JSON(`[{"id":"call_1","result":"é"}]`)))
	require.NoError(t, s.SetPayload(ctx, "json", message.Payload("{ \"a\" : 1.0,\x00 }")))
	require.NoError(t, s.SetUsage(ctx, store.Usage{Model: "m", TokensIn: 7}))
	w.wrote(t, s, "text")
	m := w.message(t, s.ID())
	sameJSON(t, `[{"id":"call_1","n":12345678901234567890123}]`, m.ToolCalls)
	sameJSON(t, `[{"id":"call_1","result":"é"}]`, m.ToolResults)
	require.Equal(t, message.Payload("{ \"a\" : 1.0,\x00 }"), m.Payload)
	require.Equal(t, []any{"json", "m", int64(7), int64(0)}, []any{m.PayloadFormat, m.Model, m.TokensIn, m.TokensOut})
	require.NoError(t, s.SetPayload(ctx, "", nil))
	require.NoError(t, s.SetToolCalls(ctx, nil))
	require.NoError(t, s.Finish(ctx, store.Usage{TokensOut: 9}))
	m = w.message(t, s.ID())
	require.Equal(t, []any{"", 0, 0, "m", int64(7), int64(9)}, []any{m.PayloadFormat, len(m.Payload), len(m.ToolCalls), m.Model, m.TokensIn, m.TokensOut})
}

func streamRefusesParts(t *testing.T, w *world) {
	ctx, s := t.Context(), w.stream(t, w.thread(t, 1))
	for name, bad := range badDocuments {
		require.ErrorIs(t, s.SetToolCalls(ctx, message.JSON(bad)), store.ErrInvalid, name)
		require.ErrorIs(t, s.SetToolResults(ctx, message.JSON(bad)), store.ErrInvalid, name)
	}
	invalid(t, s.SetPayload(ctx, "", message.Payload("x")), "payload_format")
	invalid(t, s.SetPayload(ctx, "json", nil), "payload_format")
	invalid(t, s.SetUsage(ctx, store.Usage{TokensIn: -1}), "tokens_in")
	invalid(t, s.SetUsage(ctx, store.Usage{Model: strings.Repeat("m", 2000)}), "model")
	invalid(t, s.Finish(ctx, store.Usage{Cost: decimal.New(-1, 0)}), "cost")
	before := w.message(t, s.ID())
	require.NoError(t, s.Flush(ctx), "nothing waits")
	same(t, before, w.message(t, s.ID()))
	require.NoError(t, s.Finish(ctx, store.Usage{}), "what is refused does not end the stream")
	require.Empty(t, w.message(t, s.ID()).Content, "nothing was written")
	require.Equal(t, message.StateComplete, w.message(t, s.ID()).State)
}

func streamBeats(t *testing.T, w *world) {
	s, err := w.mine.Messages().Stream(t.Context(), w.thread(t, 1).ID, reply(), store.StreamOptions{HeartbeatEvery: time.Minute})
	require.NoError(t, err)
	before := w.message(t, s.ID())
	w.clock.add(59 * time.Second)
	require.NoError(t, s.Beat(t.Context()))
	same(t, before, w.message(t, s.ID()))
	at := w.clock.add(time.Second)
	require.NoError(t, s.Beat(t.Context()))
	after := w.message(t, s.ID())
	require.True(t, at.Equal(*after.HeartbeatAt))
	require.Equal(t, before.Revision, after.Revision, "nothing changes for readers")
	require.Equal(t, before.ChangeSeq, after.ChangeSeq)
	require.NoError(t, s.Write(t.Context(), "a"), "it was flushed when it began")
	w.clock.add(time.Second)
	require.NoError(t, s.Beat(t.Context()))
	require.Equal(t, "a", w.message(t, s.ID()).Content, "a beat flushes what is due")
}

func streamOptions(t *testing.T, w *world) {
	ctx, c, ms := t.Context(), w.thread(t, 1), w.mine.Messages()
	for field, o := range map[string]store.StreamOptions{
		"flush_every": {FlushEvery: -1}, "flush_bytes": {FlushBytes: -1}, "heartbeat_every": {HeartbeatEvery: -1}, "quiet": {Quiet: -1},
	} {
		_, err := ms.Stream(ctx, c.ID, reply(), o)
		invalid(t, err, field)
		_, err = ms.ResumeStream(ctx, uuid.New(), o)
		invalid(t, err, field)
	}
	for field, m := range map[string]*message.Message{
		"message": nil, "state": {Role: message.RoleUser, State: message.StateFailed}, "role": {},
		"embeddings": {Role: message.RoleUser, Embeddings: []*message.Embedding{{Model: "m", Vector: axis(0)}}},
	} {
		_, err := ms.Stream(ctx, c.ID, m, store.StreamOptions{})
		invalid(t, err, field)
	}
	_, err := ms.Stream(ctx, c.ID, reply(), store.StreamOptions{Quiet: 1})
	invalid(t, err, "quiet")
	missing[store.MessageStream](t)(ms.Stream(ctx, uuid.New(), reply(), store.StreamOptions{}))
	missing[store.MessageStream](t)(ms.ResumeStream(ctx, uuid.New(), store.StreamOptions{}))
	missing[*message.Message](t)(ms.StopStream(ctx, uuid.New()))
	s := w.stream(t, c)
	require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
		in := tx.ForUser(w.user).Messages()
		_, err := in.Stream(ctx, c.ID, reply(), store.StreamOptions{})
		invalid(t, err, "transaction")
		_, err = in.ResumeStream(ctx, s.ID(), store.StreamOptions{})
		invalid(t, err, "transaction")
		_, err = collect(in.FollowStream(ctx, s.ID(), 0, store.FollowOptions{}))
		invalid(t, err, "transaction")
		must[*message.Message](t)(in.StopStream(ctx, s.ID()))
		return nil
	}))
	w.tick()
	lost(t, s.Beat(ctx), store.StreamStopped)
}

func streamRedelivery(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	keyed := func() *message.Message {
		return &message.Message{Role: message.RoleAssistant, IdempotencyKey: "turn 1"}
	}
	first, err := w.mine.Messages().Stream(ctx, c.ID, keyed(), store.StreamOptions{})
	require.NoError(t, err)
	w.wrote(t, first, "half")
	again := keyed()
	_, err = w.mine.Messages().Stream(ctx, c.ID, again, store.StreamOptions{})
	e := lost(t, err, store.StreamExists)
	require.Equal(t, first.ID(), e.MessageID)
	require.Equal(t, "half", e.Message.Content)
	require.Equal(t, message.StateStreaming, e.State)
	w.wrote(t, first, " and") // it was not disturbed
	second, err := w.mine.Messages().ResumeStream(ctx, e.MessageID, store.StreamOptions{})
	require.NoError(t, err)
	w.wrote(t, second, " half")
	require.NoError(t, second.Finish(ctx, store.Usage{}))
	_, err = w.mine.Messages().Stream(ctx, c.ID, keyed(), store.StreamOptions{})
	require.Equal(t, "half and half", lost(t, err, store.StreamExists).Message.Content)
	require.Equal(t, int64(2), w.get(t, c.ID).LastSeq)
}

func streamCountsNowhere(t *testing.T, w *world) {
	ctx, c := t.Context(), (*conversation.Conversation)(nil)
	found := func() []int {
		t.Helper()
		words, err := w.mine.Search().Messages(ctx, "partial", store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		part, err := w.mine.Search().Messages(ctx, "artia", store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
		require.NoError(t, err)
		threads, err := w.mine.Search().Conversations(ctx, "artia", store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
		require.NoError(t, err)
		todo, err := collect(w.mine.Embeddings().Missing(ctx, "m", store.EmbedFilter{Roles: []message.Role{message.RoleAssistant}}))
		require.NoError(t, err)
		days, err := w.mine.Reports().Daily(ctx, epoch)
		require.NoError(t, err)
		unread, err := w.mine.Reports().Unread(ctx, time.Time{}, store.PageRequest{})
		require.NoError(t, err)
		active, err := w.mine.Reports().MostActive(ctx, store.Top{})
		require.NoError(t, err)
		times, err := w.mine.Reports().ResponseTimes(ctx, store.Period{})
		require.NoError(t, err)
		return []int{
			len(words.Items), len(part.Items), len(threads.Items), len(todo), int(days.Outbound), len(unread.Items), int(active[0].Messages),
			int(times.Answered),
		}
	}
	nowhere, searched, everywhere := []int{0, 0, 0, 0, 0, 1, 1, 0}, []int{1, 1, 1, 1, 0, 1, 1, 0}, []int{1, 1, 1, 1, 1, 0, 2, 1}
	begin := func() store.MessageStream {
		t.Helper()
		s := w.stream(t, c)
		w.wrote(t, s, "a partial text")
		require.Equal(t, nowhere, found())
		return s
	}
	for name, end := range map[string]struct {
		by   func(store.MessageStream) error
		want []int
	}{
		"finished":    {func(s store.MessageStream) error { return s.Finish(ctx, store.Usage{}) }, everywhere},
		"interrupted": {func(s store.MessageStream) error { return s.Interrupt(ctx) }, everywhere},
		"failed":      {func(s store.MessageStream) error { return s.Fail(ctx, "overloaded") }, searched},
	} {
		c = w.thread(t, 1)
		s := begin()
		require.NoError(t, end.by(s))
		require.Equal(t, end.want, found(), name)
		must[store.Counts](t)(w.mine.Conversations().Erase(ctx, c.ID))
	}
}

func streamOfAHost(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	rows := make([]*message.Message, 3)
	for i := range rows {
		rows[i] = &message.Message{Role: message.RoleAssistant, State: message.StateStreaming, Content: fmt.Sprint("half ", i), ConversationID: c.ID}
	}
	w.append(t, c, rows[0])
	must[store.ImportResult](t)(w.mine.Messages().Import(ctx, rowsOf(rows[1]), store.ImportOptions{}))
	rows[2].UserID = w.user
	w.createPlain(t, rows[2])
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	hits, err := w.mine.Search().Messages(ctx, "half", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, hits.Items)
	s, err := w.mine.Messages().ResumeStream(ctx, rows[0].ID, store.StreamOptions{})
	require.NoError(t, err)
	w.wrote(t, s, " and more")
	must[*message.Message](t)(w.mine.Messages().StopStream(ctx, rows[1].ID))
	w.clock.add(24 * 365 * 10 * time.Hour) // the host's own has the time of the machine
	n, err := w.mine.Maintenance().SweepStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Equal(t, int64(2), n)
	for i, want := range []string{"half 0 and more", "half 1", "half 2"} {
		m := w.message(t, rows[i].ID)
		require.Equal(t, message.StateInterrupted, m.State)
		require.Equal(t, want, m.Content)
	}
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
}

func streamEndedContext(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	require.NoError(t, s.Write(canceled(t), "a"), "nothing is due")
	for name, call := range map[string]func() error{
		"flush": func() error { return s.Flush(canceled(t)) }, "finish": func() error { return s.Finish(canceled(t), store.Usage{}) },
		"interrupt": func() error { return s.Interrupt(canceled(t)) }, "fail": func() error { return s.Fail(canceled(t), "x") },
		"write": func() error { w.tick(); return s.Write(canceled(t), "b") }, "beat": func() error { w.tick(); return s.Beat(canceled(t)) },
	} {
		require.ErrorIs(t, call(), canceled(t).Err(), name)
		require.Equal(t, message.StateStreaming, w.message(t, s.ID()).State, name)
	}
	require.Equal(t, "ab", s.Text())
	require.NoError(t, s.Flush(t.Context()), "what was not written waits")
	require.Equal(t, "ab", w.message(t, s.ID()).Content)
	_, err := w.mine.Messages().Stream(canceled(t), uuid.New(), reply(), store.StreamOptions{})
	require.ErrorIs(t, err, canceled(t).Err())
}

// streamWritesAtOnce uses a writer from many sides. Whatever their order, each text is there once.
func streamWritesAtOnce(t *testing.T, w *world) {
	s, err := w.mine.Messages().Stream(t.Context(), w.thread(t, 1).ID, reply(), store.StreamOptions{FlushBytes: 64})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			var failed error
			for n := range 25 {
				failed = errors.Join(failed, s.Write(t.Context(), fmt.Sprintf("<%d.%d>", i, n)))
				if n%5 == i {
					failed = errors.Join(failed, s.Flush(t.Context()))
				}
			}
			assert.NoError(t, errors.Join(failed, s.Beat(t.Context())))
		})
	}
	wg.Wait()
	require.NoError(t, s.Finish(t.Context(), store.Usage{}))
	text := w.message(t, s.ID()).Content
	require.Equal(t, s.Text(), text)
	for i := range 4 {
		last := -1
		for n := range 25 {
			part := fmt.Sprintf("<%d.%d>", i, n)
			require.Equal(t, 1, strings.Count(text, part))
			require.Greater(t, strings.Index(text, part), last, "each in its order")
			last = strings.Index(text, part)
		}
	}
}

// streamMethods calls every method of a writer, found by reflection, that can fail.
func streamMethods(t *testing.T, s store.MessageStream) map[string]func() error {
	t.Helper()
	calls := map[string]func() error{}
	v, contract := reflect.ValueOf(s), reflect.TypeFor[store.MessageStream]()
	for i := range contract.NumMethod() {
		name := contract.Method(i).Name
		method := v.MethodByName(name)
		if method.Type().NumOut() != 1 || method.Type().Out(0) != reflect.TypeFor[error]() {
			continue
		}
		calls[name] = func() error {
			in := []reflect.Value{reflect.ValueOf(t.Context())}
			for j := 1; j < method.Type().NumIn(); j++ {
				in = append(in, reflect.New(method.Type().In(j)).Elem())
			}
			err, _ := method.Call(in)[0].Interface().(error)
			return err
		}
	}
	require.Greater(t, len(calls), 8)
	return calls
}
