package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func draftTests() subtests {
	return subtests{
		"DraftAnswers":          testDraftAnswers,
		"DraftAnswersGiven":     testDraftAnswersGiven,
		"DraftSuperseded":       testDraftSuperseded,
		"DraftNotSuperseded":    testDraftNotSuperseded,
		"DraftSupersededByRest": testDraftSupersededByRest,
		"DraftSave":             testDraftSave,
		"DraftSaveExpected":     testDraftSaveExpected,
		"DraftReopen":           testDraftReopen,
		"DraftReopenRefuses":    testDraftReopenRefuses,
		"DraftExpire":           testDraftExpire,
	}
}

// ways are the ways to store messages of one conversation.
func (w *world) ways(t *testing.T) map[string]func(c *conversation.Conversation, ms ...*message.Message) {
	t.Helper()
	ctx, mine := t.Context(), w.mine.Messages()
	many := func(o store.AppendOptions) func(c *conversation.Conversation, ms ...*message.Message) {
		return func(c *conversation.Conversation, ms ...*message.Message) {
			yields(mine.AppendMany(ctx, c.ID, ms, o))
		}
	}
	each := func(m func(m *message.Message)) func(c *conversation.Conversation, ms ...*message.Message) {
		return func(c *conversation.Conversation, ms ...*message.Message) {
			for _, one := range ms {
				m(one)
				w.append(t, c, one)
			}
		}
	}
	states := store.AppendStates{Conversation: store.StateMap{"k": []byte("v")}}
	return map[string]func(c *conversation.Conversation, ms ...*message.Message){
		"Append":                 each(func(*message.Message) {}),
		"Append with metadata":   each(func(m *message.Message) { m.Metadata = message.JSON(`{}`) }),
		"Append with a key":      each(func(m *message.Message) { m.IdempotencyKey = uuid.NewString() }),
		"Append with a vector":   each(func(m *message.Message) { m.Embeddings = []*message.Embedding{{Model: "m", Vector: axis(0)}} }),
		"Append on a branch":     each(func(m *message.Message) { m.ParentSeq = new(int64(0)) }),
		"AppendMany":             many(store.AppendOptions{}),
		"AppendMany with states": many(store.AppendOptions{States: states}),
		"AppendMany at a seq": func(c *conversation.Conversation, ms ...*message.Message) {
			yields(mine.AppendMany(ctx, c.ID, ms, store.AppendOptions{ExpectedSeq: new(w.get(t, c.ID).LastSeq)}))
		},
		"AppendMany with a key and states": func(c *conversation.Conversation, ms ...*message.Message) {
			for _, m := range ms {
				m.IdempotencyKey = uuid.NewString()
				yields(mine.AppendMany(ctx, c.ID, []*message.Message{m}, store.AppendOptions{States: states}))
			}
		},
		"Import": func(c *conversation.Conversation, ms ...*message.Message) {
			for _, m := range ms {
				m.ConversationID = c.ID
			}
			yields(mine.Import(ctx, rowsOf(ms...), store.ImportOptions{}))
		},
	}
}

func in(sentAt time.Time) *message.Message {
	return &message.Message{Direction: message.DirectionInbound, Content: "in", SentAt: sentAt}
}

func testDraftAnswers(t *testing.T, w *world) {
	c := w.conversation(t)
	require.Zero(t, w.suggest(t, c, nil).AnswersSeq)
	for range 3 {
		w.inbound(t, c)
	}
	s := w.suggest(t, c, nil)
	require.EqualValues(t, 3, s.AnswersSeq)
	require.EqualValues(t, 3, w.suggestion(t, s.ID).AnswersSeq)
	last := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "out"})
	require.EqualValues(t, 4, w.suggest(t, c, nil).AnswersSeq, "of either direction")
	w.deleteMessage(t, last)
	require.EqualValues(t, 3, w.suggest(t, c, nil).AnswersSeq, "a live one")
	w.under(t, c, 1, "branch")
	require.EqualValues(t, 5, w.suggest(t, c, nil).AnswersSeq)
	yields(w.mine.Messages().SetHead(t.Context(), c.ID, 2))
	require.EqualValues(t, 2, w.suggest(t, c, nil).AnswersSeq, "on the path of the head")
}

func testDraftAnswersGiven(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 3)
	w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "out"})
	create := func(seq int64, status suggestion.Status) *suggestion.Suggestion {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", AnswersSeq: seq, Status: status}
		if status != suggestion.StatusPending {
			s.ReviewedAt = new(epoch)
		}
		require.NoError(t, w.mine.Suggestions().Create(ctx, s))
		same(t, s, w.suggestion(t, s.ID))
		require.Equal(t, seq, s.AnswersSeq)
		return s
	}
	require.Equal(t, suggestion.StatusPending, create(3, suggestion.StatusPending).Status, "what is outbound overtakes nothing")
	require.Equal(t, suggestion.StatusPending, create(4, suggestion.StatusPending).Status)
	late := create(2, suggestion.StatusPending)
	require.Equal(t, suggestion.StatusSuperseded, late.Status, "message 3 came while it was written")
	require.True(t, late.ReviewedAt.Equal(w.clock.Now()))
	require.Equal(t, suggestion.StatusApproved, create(2, suggestion.StatusApproved).Status, "somebody has decided")
	w.unchanged(t, func() {
		invalid(t, w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", AnswersSeq: 5}), "answers_seq")
		invalid(t, w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", AnswersSeq: -1}), "answers_seq")
	})
	w.append(t, c, &message.Message{Direction: message.DirectionInbound, Content: "on a branch", ParentSeq: new(int64(1))})
	require.Equal(t, suggestion.StatusSuperseded, create(4, suggestion.StatusPending).Status)
	yields(w.mine.Messages().SetHead(ctx, c.ID, 4))
	require.Equal(t, suggestion.StatusPending, create(4, suggestion.StatusPending).Status, "that message is on another branch")
}

// testDraftSuperseded: whichever way a message of the lead comes in, nobody decides any more on what
// was drafted before it, and nothing else changes.
func testDraftSuperseded(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	elsewhere := w.suggest(t, w.thread(t, 1), nil)
	for name, way := range w.ways(t) {
		c := w.thread(t, 2)
		first, second, decided, gone := w.suggest(t, c, nil), w.suggest(t, c, nil), w.suggest(t, c, nil), w.suggest(t, c, nil)
		second = yields(ss.SaveDraft(ctx, second.ID, "half", store.SaveOptions{By: "ann"}))
		decided = yields(ss.Approve(ctx, decided.ID, suggestion.Review{}))
		yields(ss.Delete(ctx, gone.ID))
		now := w.tick()
		way(c, in(now), in(now))
		for _, was := range []*suggestion.Suggestion{first, second} {
			want := *was
			want.Status, want.ReviewedAt, want.UpdatedAt = suggestion.StatusSuperseded, &now, now
			same(t, want, w.suggestion(t, was.ID))
			for to, decide := range decisions(w.mine) {
				_, err := decide(ctx, was.ID, suggestion.Review{})
				tooLate(t, err, "superseded", to.String(), name)
			}
			_, err := ss.SaveDraft(ctx, was.ID, "more", store.SaveOptions{})
			tooLate(t, err, "superseded", "drafted", name)
			same(t, want, w.suggestion(t, was.ID))
		}
		same(t, decided, w.suggestion(t, decided.ID))
		back := yields(ss.Restore(ctx, gone.ID))
		require.Equal(t, suggestion.StatusSuperseded, back.Status, "%s: one that was deleted then", name)
		require.Equal(t, suggestion.StatusPending, w.suggest(t, c, nil).Status, "%s: what comes after it", name)
	}
	same(t, elsewhere, w.suggestion(t, elsewhere.ID))
}

func tooLate(t *testing.T, err error, from, to, msg string) {
	t.Helper()
	var refused *store.TransitionError
	require.ErrorAs(t, err, &refused, msg)
	require.Equal(t, store.TransitionError{Of: "suggestion", From: from, To: to}, *refused, msg)
}

// testDraftNotSuperseded: what is not the lead's word leaves the drafts alone, and so does an old
// mail of the lead's that comes late.
func testDraftNotSuperseded(t *testing.T, w *world) {
	now := w.tick()
	with := func(set func(m *message.Message)) *message.Message {
		m := in(now)
		set(m)
		return m
	}
	for name, m := range map[string]func() *message.Message{
		"outbound": func() *message.Message {
			return with(func(m *message.Message) { m.Direction = message.DirectionOutbound })
		},
		"no direction":  func() *message.Message { return &message.Message{Role: message.RoleTool, Content: "x", SentAt: now} },
		"note":          func() *message.Message { return with(func(m *message.Message) { m.Kind = message.KindNote }) },
		"auto reply":    func() *message.Message { return with(func(m *message.Message) { m.Kind = message.KindAutoReply }) },
		"bounce":        func() *message.Message { return with(func(m *message.Message) { m.Kind = message.KindBounce }) },
		"event":         func() *message.Message { return with(func(m *message.Message) { m.Kind = message.KindEvent }) },
		"failed":        func() *message.Message { return with(func(m *message.Message) { m.State = message.StateFailed }) },
		"an older mail": func() *message.Message { return in(epoch) },
	} {
		for how, way := range w.ways(t) {
			c := w.thread(t, 3) // sent at the epoch and up to two seconds later
			s := w.suggest(t, c, nil)
			way(c, m())
			require.Equal(t, suggestion.StatusPending, w.suggestion(t, s.ID).Status, "%s, %s", name, how)
			same(t, s, w.suggestion(t, s.ID))
			if name != "an older mail" {
				continue
			}
			way(c, in(epoch.Add(2*time.Second)))
			require.Equal(t, suggestion.StatusSuperseded, w.suggestion(t, s.ID).Status, "%s of one that was sent at the same time as the last", how)
		}
	}
	c := w.thread(t, 1)
	m := with(func(m *message.Message) { m.IdempotencyKey = "key" })
	w.append(t, c, m)
	s := w.suggest(t, c, nil)
	again := with(func(m *message.Message) { m.IdempotencyKey = "key" })
	require.False(t, yields(w.mine.Messages().Append(t.Context(), c.ID, again)))
	same(t, s, w.suggestion(t, s.ID))
	// A time in the future counts as that of the arrival: it does not make all others old.
	c = w.conversation(t)
	w.append(t, c, in(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)))
	s = w.suggest(t, c, nil)
	w.append(t, c, in(w.tick()))
	require.Equal(t, suggestion.StatusSuperseded, w.suggestion(t, s.ID).Status)
}

// testDraftSupersededByRest: messages that are said or live only later, and those that take the
// place of others.
func testDraftSupersededByRest(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	superseded := func(c *conversation.Conversation, do func()) {
		t.Helper()
		s := w.suggest(t, c, nil)
		do()
		require.Equal(t, suggestion.StatusSuperseded, w.suggestion(t, s.ID).Status)
	}
	c := w.thread(t, 1)
	superseded(c, func() {
		yields(ms.Replace(ctx, c.ID, []*message.Message{in(w.tick())}, store.ReplaceOptions{}))
	})
	m := w.inbound(t, c)
	w.deleteMessage(t, m)
	superseded(c, func() { yields(ms.Restore(ctx, m.ID)) })
	w.deleteMessage(t, m)
	superseded(c, func() { yields(ms.RestoreAll(ctx, c.ID)) })
	// One that is restored on another branch than the head's changes nothing.
	w.deleteMessage(t, m)
	w.under(t, c, 0, "branch")
	s := w.suggest(t, c, nil)
	yields(ms.Restore(ctx, m.ID))
	same(t, s, w.suggestion(t, s.ID))
	if w.inTx(t) {
		return // no streams
	}
	c = w.thread(t, 1)
	superseded(c, func() {
		s := w.suggest(t, c, nil)
		stream, err := ms.Stream(ctx, c.ID, &message.Message{Direction: message.DirectionInbound, SentAt: w.tick()}, store.StreamOptions{})
		require.NoError(t, err)
		require.NoError(t, stream.Write(ctx, "spoken"))
		same(t, s, w.suggestion(t, s.ID))
		require.NoError(t, stream.Finish(ctx, store.Usage{}))
	})
}

func testDraftSave(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	c := w.thread(t, 1)
	s := w.suggest(t, c, nil)
	now := w.tick()
	got := yields(ss.SaveDraft(ctx, s.ID, scripts, store.SaveOptions{By: "Jö"}))
	want := *s
	want.DraftContent, want.DraftBy, want.DraftAt, want.UpdatedAt = scripts, "Jö", &now, now
	same(t, want, got)
	same(t, want, w.suggestion(t, s.ID))
	same(t, w.pending(t, w.mine, 10)[0].Suggestion, got)
	again := yields(w.st.AllUsers().Suggestions().SaveDraft(ctx, s.ID, "b", store.SaveOptions{}))
	require.Equal(t, "b", again.DraftContent)
	require.Empty(t, again.DraftBy)
	require.True(t, again.DraftAt.After(now), "in the same microsecond")
	s.UpdatedAt = now
	same(t, s, yields(ss.SaveDraft(ctx, s.ID, "", store.SaveOptions{By: "x"})))
	for to, decide := range decisions(w.mine) {
		s := w.suggest(t, c, nil)
		yields(ss.SaveDraft(ctx, s.ID, "half", store.SaveOptions{By: "a"}))
		got := yields(decide(ctx, s.ID, suggestion.Review{}))
		require.Nil(t, got.DraftAt, "%s clears it", to)
		require.Empty(t, got.DraftContent+got.DraftBy)
		_, err := ss.SaveDraft(ctx, s.ID, "more", store.SaveOptions{})
		tooLate(t, err, to.String(), "drafted", "")
	}
	_, err := ss.SaveDraft(ctx, uuid.New(), "x", store.SaveOptions{})
	require.ErrorIs(t, err, store.ErrNotFound)
	invalid(t, second(ss.SaveDraft(ctx, s.ID, "\xff", store.SaveOptions{})), "draft_content")
	invalid(t, second(ss.SaveDraft(ctx, s.ID, "x", store.SaveOptions{By: "\xff"})), "draft_by")
	gone := w.suggest(t, c, nil)
	yields(ss.Delete(ctx, gone.ID))
	missing[*suggestion.Suggestion](t)(ss.SaveDraft(ctx, gone.ID, "x", store.SaveOptions{}))
	w.delete(t, c)
	missing[*suggestion.Suggestion](t)(ss.SaveDraft(ctx, s.ID, "x", store.SaveOptions{}))
}

func testDraftSaveExpected(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	s := w.suggest(t, w.conversation(t), nil)
	save := func(content string, expected *time.Time) (*suggestion.Suggestion, error) {
		return ss.SaveDraft(ctx, s.ID, content, store.SaveOptions{By: "by " + content, Expected: expected})
	}
	conflict := func(expected time.Time, now *suggestion.Suggestion) {
		t.Helper()
		_, err := save("late", &expected)
		var lost *store.DraftConflictError
		require.ErrorAs(t, err, &lost)
		require.ErrorIs(t, err, store.ErrConflict)
		require.True(t, lost.Expected.Equal(message.Instant(expected)))
		same(t, now, lost.Suggestion)
		same(t, now, w.suggestion(t, s.ID))
	}
	conflict(epoch, s)
	first := yields(save("first", &time.Time{}))
	conflict(time.Time{}, first)
	second := yields(save("second", new(first.DraftAt.Add(999).In(time.FixedZone("", 3600)))))
	conflict(*first.DraftAt, second)
	third := yields(save("third", nil))
	conflict(*second.DraftAt, third)
	removed := yields(save("", third.DraftAt))
	require.Nil(t, removed.DraftAt)
	conflict(*third.DraftAt, removed)
}

func testDraftReopen(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	c := w.thread(t, 1)
	for to, become := range map[suggestion.Status]func(id uuid.UUID){
		suggestion.StatusApproved: func(id uuid.UUID) {
			yields(ss.Approve(ctx, id, suggestion.Review{By: "a", Feedback: "f"}))
		},
		suggestion.StatusRejected: func(id uuid.UUID) {
			yields(ss.Reject(ctx, id, suggestion.Review{By: "a", Feedback: "f"}))
		},
		suggestion.StatusEdited: func(id uuid.UUID) {
			yields(ss.Edit(ctx, id, "better", suggestion.Review{By: "a", Feedback: "f"}))
		},
		suggestion.StatusSuperseded: func(uuid.UUID) { w.inbound(t, c) },
		suggestion.StatusExpired: func(uuid.UUID) {
			require.EqualValues(t, 1, yields(ss.Expire(ctx, store.ExpireOptions{CreatedBefore: w.tick()})))
		},
	} {
		s := w.suggest(t, c, nil)
		become(s.ID)
		decided := w.suggestion(t, s.ID)
		require.Equal(t, to, decided.Status)
		now := w.tick()
		got := yields(ss.Reopen(ctx, s.ID, store.ReopenOptions{}))
		want := *s
		want.UpdatedAt = now
		if to == suggestion.StatusEdited {
			want.DraftContent, want.DraftBy, want.DraftAt = "better", "a", decided.ReviewedAt
		}
		same(t, want, got)
		same(t, want, w.suggestion(t, s.ID))
		_, err := ss.Reopen(ctx, s.ID, store.ReopenOptions{})
		tooLate(t, err, "pending", "pending", to.String())
		w.inbound(t, c)
		require.Equal(t, suggestion.StatusSuperseded, w.suggestion(t, s.ID).Status, "the next message does it again")
		got = yields(ss.Reopen(ctx, s.ID, store.ReopenOptions{Current: true}))
		require.Equal(t, w.get(t, c.ID).LastSeq, got.AnswersSeq)
		yields(ss.Approve(ctx, s.ID, suggestion.Review{}))
	}
}

func testDraftReopenRefuses(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	c := w.thread(t, 1)
	sent, gone := w.suggest(t, c, nil), w.suggest(t, c, nil)
	yields(ss.Approve(ctx, sent.ID, suggestion.Review{}))
	yields(ss.Send(ctx, sent.ID, &message.Message{}, store.SendOptions{}))
	yields(ss.Reject(ctx, gone.ID, suggestion.Review{}))
	yields(ss.Delete(ctx, gone.ID))
	w.unchanged(t, func() {
		_, err := ss.Reopen(ctx, sent.ID, store.ReopenOptions{})
		tooLate(t, err, "sent", "pending", "")
		for _, id := range []uuid.UUID{gone.ID, uuid.New()} {
			missing[*suggestion.Suggestion](t)(ss.Reopen(ctx, id, store.ReopenOptions{}))
		}
		missing[*suggestion.Suggestion](t)(w.other().Suggestions().Reopen(ctx, sent.ID, store.ReopenOptions{}))
	})
}

func testDraftExpire(t *testing.T, w *world) {
	ctx, ss := t.Context(), w.mine.Suggestions()
	c, hidden := w.thread(t, 1), w.thread(t, 1)
	var all []*suggestion.Suggestion
	for range 4 {
		all = append(all, w.suggest(t, c, nil))
		w.tick()
	}
	under, decided, gone := w.suggest(t, hidden, nil), w.suggest(t, c, nil), w.suggest(t, c, nil)
	yields(ss.Approve(ctx, decided.ID, suggestion.Review{}))
	yields(ss.Delete(ctx, gone.ID))
	w.delete(t, hidden)
	of := w.st.ForUser(uuid.New())
	theirs := &conversation.Conversation{}
	require.NoError(t, of.Conversations().Create(ctx, theirs))
	require.NoError(t, of.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: theirs.ID, SuggestedContent: "x"}))
	invalid(t, second(ss.Expire(ctx, store.ExpireOptions{})), "created_before")
	invalid(t, second(ss.Expire(ctx, store.ExpireOptions{CreatedBefore: distant})), "created_before")
	invalid(t, second(ss.Expire(ctx, store.ExpireOptions{CreatedBefore: epoch, Limit: -1})), "limit")
	expire := func(s store.Scope, o store.ExpireOptions) int64 {
		t.Helper()
		return yields(s.Suggestions().Expire(ctx, o))
	}
	require.Zero(t, expire(w.mine, store.ExpireOptions{CreatedBefore: all[0].CreatedAt}), "before")
	now := w.tick()
	require.EqualValues(t, 1, expire(w.mine, store.ExpireOptions{CreatedBefore: all[2].CreatedAt, Limit: 1}))
	want := *all[0]
	want.Status, want.ReviewedAt, want.UpdatedAt = suggestion.StatusExpired, &now, now
	same(t, want, w.suggestion(t, all[0].ID))
	same(t, all[1], w.suggestion(t, all[1].ID))
	_, err := ss.Approve(ctx, all[0].ID, suggestion.Review{})
	tooLate(t, err, "expired", "approved", "")
	yields(ss.SaveDraft(ctx, all[1].ID, "half", store.SaveOptions{}))
	yields(ss.Reopen(ctx, all[0].ID, store.ReopenOptions{}))
	require.EqualValues(t, 2, expire(w.mine, store.ExpireOptions{CreatedBefore: now}), "not what was touched since")
	require.EqualValues(t, 3, expire(w.st.AllUsers(), store.ExpireOptions{CreatedBefore: w.tick().Add(time.Hour)}))
	yields(w.mine.Conversations().Restore(ctx, hidden.ID))
	require.Equal(t, suggestion.StatusPending, w.suggestion(t, under.ID).Status, "in a deleted conversation there was none")
	require.Equal(t, suggestion.StatusPending, yields(ss.Restore(ctx, gone.ID)).Status)
	daily := yields(w.mine.Reports().SuggestionsByDay(ctx, store.Days{Period: store.Period{Since: epoch, Before: w.tick()}}))
	require.True(t, slices.ContainsFunc(daily, func(d store.DaySuggestions) bool { return d.Expired > 0 }))
}

// yields returns what a call that must succeed yields.
func yields[T any](v T, err error) T {
	if err != nil {
		panic(err) // which the subtest reports
	}
	return v
}

func second[T any](_ T, err error) error { return err }
