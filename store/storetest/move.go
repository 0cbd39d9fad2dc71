package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func moveTests() subtests {
	return subtests{
		"Move":            testMove,
		"MoveBranches":    testMoveBranches,
		"MoveKeys":        testMoveKeys,
		"MoveReads":       testMoveReads,
		"MoveSuggestions": testMoveSuggestions,
		"MoveTraces":      testMoveTraces,
		"MoveHold":        testMoveHold,
		"MoveRefuses":     testMoveRefuses,
	}
}

func (w *world) move(t testing.TB, into *conversation.Conversation, ms ...*message.Message) {
	t.Helper()
	ids := make([]uuid.UUID, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	moved, err := w.mine.Messages().Move(t.Context(), ids, into.ID, store.MoveOptions{})
	require.NoError(t, err)
	require.Equal(t, int64(len(ms)), moved)
}

func testMove(t *testing.T, w *world) {
	w.clock.add(time.Hour) // after all that is sent
	into, other := w.mailed(t, at(10, "a")), w.mailed(t, at(12, "d"))
	late, early := at(20, "late"), at(11, "early")
	from := w.mailed(t, at(1, "first"), late, early)
	third := w.append(t, other, at(15, "third"))
	w.tick()
	w.move(t, into, late, third, early)
	require.Equal(t, []string{"a", "early", "third", "late"}, w.messages(t, into), "in the order of sent_at, from wherever they come")
	require.Equal(t, []string{"first"}, w.messages(t, from))
	require.Equal(t, []string{"d"}, w.messages(t, other))
	c := w.get(t, into.ID)
	require.Equal(t, int64(4), c.LastSeq)
	require.Equal(t, late.SentAt, c.LastMessageAt)
	require.Equal(t, epoch.Add(time.Second).UTC(), w.get(t, from.ID).LastMessageAt, "the activity of what is left")
	require.Equal(t, int64(3), w.get(t, from.ID).LastSeq)
	moved, err := w.mine.Messages().Move(t.Context(), []uuid.UUID{late.ID, early.ID, late.ID}, into.ID, store.MoveOptions{})
	require.NoError(t, err)
	require.Zero(t, moved, "they are there")
	moved, err = w.mine.Messages().Move(t.Context(), nil, into.ID, store.MoveOptions{})
	require.NoError(t, err)
	require.Zero(t, moved)
	w.append(t, from, at(30, "next"))
	require.Equal(t, []string{"first", "next"}, w.messages(t, from))
	w.move(t, from, late)
	require.Equal(t, []string{"first", "next", "late"}, w.messages(t, from), "back again, at the end")
	w.move(t, from, third)
	empty := w.get(t, other.ID)
	require.Equal(t, conversation.StatusNeedsReply, empty.Status)
	w.move(t, from, w.messageOf(t, other, "d"))
	empty = w.get(t, other.ID)
	require.Equal(t, conversation.StatusActive, empty.Status, "nobody has said anything there")
	require.Equal(t, empty.CreatedAt, empty.LastMessageAt)
}

func (w *world) messageOf(t testing.TB, c *conversation.Conversation, content string) *message.Message {
	t.Helper()
	all, err := collect(w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{}))
	require.NoError(t, err)
	for _, m := range all {
		if m.Content == content {
			return m
		}
	}
	require.Fail(t, "there is no such message", content)
	return nil
}

// testMoveBranches: paths lead past what has moved, and what has moved is on the path of the head.
func testMoveBranches(t *testing.T, w *world) {
	from := w.tree(t) // 1 2 3, 1 2b 3b with the head there
	into := w.tree(t)
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(t.Context(), into.ID, 3))
	w.move(t, into, w.messageOf(t, from, "2b"), w.messageOf(t, from, "1"))
	require.Equal(t, []string{"3b"}, w.messages(t, from))
	require.Equal(t, []string{"2", "3"}, w.path(t, from, 3))
	require.Equal(t, []string{"1", "2", "3", "1", "2b"}, w.messages(t, into))
	require.Equal(t, []string{"1", "2b", "3b"}, w.path(t, into, 5))
	w.append(t, from, text("4b"))
	require.Equal(t, []string{"3b", "4b"}, w.messages(t, from))
}

func testMoveKeys(t *testing.T, w *world) {
	keyed := func(content string) *message.Message {
		return &message.Message{Role: message.RoleUser, Content: content, IdempotencyKey: "key"}
	}
	m := keyed("moved")
	m.GmailMessageID = "gmail"
	from, into := w.mailed(t, m), w.conversation(t)
	w.move(t, into, m)
	_, err := w.mine.Messages().Append(t.Context(), from.ID, keyed("moved"))
	var taken *store.TakenError
	require.ErrorAs(t, err, &taken, "a redelivery is not stored twice")
	require.Equal(t, store.FinishMoved, taken.Message.FinishReason)
	sameJSON(t, `{"message_id":"`+m.ID.String()+`","moved_to":"`+into.ID.String()+`"}`, taken.Message.Metadata)
	created, err := w.mine.Messages().Append(t.Context(), into.ID, keyed("moved"))
	require.NoError(t, err)
	require.False(t, created)
	w.move(t, from, m)
	require.Equal(t, "key", w.message(t, m.ID).IdempotencyKey, "back again, it has its key from what it had left there")
	again := keyed("moved")
	created, err = w.mine.Messages().Append(t.Context(), from.ID, again)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, m.ID, again.ID)
	other := keyed("other")
	w.append(t, w.conversation(t), other)
	w.move(t, from, other)
	require.Empty(t, w.message(t, other.ID).IdempotencyKey, "the key is another message's there")
	mail, err := w.mine.Messages().FindByProviderID(t.Context(), message.ProviderGmail, "gmail")
	require.NoError(t, err)
	require.Equal(t, m.ID, mail.ID)
}

func testMoveReads(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	from, into := w.thread(t, 3), w.thread(t, 1)
	for reader, seqs := range map[string][2]int64{"both": {2, 1}, "there": {0, 1}, "behind": {3, 0}} {
		must[*conversation.Read](t)(cs.MarkRead(t.Context(), from.ID, reader, seqs[0]))
		must[*conversation.Read](t)(cs.MarkRead(t.Context(), into.ID, reader, seqs[1]))
	}
	w.move(t, into, w.messageOf(t, from, "2"), w.messageOf(t, from, "3"))
	for reader, want := range map[string][2]int64{"both": {2, 2}, "there": {0, 1}, "behind": {3, 0}} {
		here, err := cs.MarkRead(t.Context(), from.ID, reader, 0)
		require.NoError(t, err)
		there, err := cs.MarkRead(t.Context(), into.ID, reader, 0)
		require.NoError(t, err)
		require.Equal(t, want, [2]int64{here.Seq, there.Seq}, reader)
	}
}

// testMoveSuggestions: a draft goes with what it answers.
func testMoveSuggestions(t *testing.T, w *world) {
	from, into := w.thread(t, 3), w.thread(t, 2)
	first, second := w.messageOf(t, from, "1"), w.messageOf(t, from, "2")
	draft := func(to *message.Message, answers int64) *suggestion.Suggestion {
		s := &suggestion.Suggestion{ConversationID: from.ID, SuggestedContent: "draft", AnswersSeq: answers}
		if to != nil {
			s.InReplyToMessageID = &to.ID
		}
		require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
		return s
	}
	toFirst, toSecond, bySeq := draft(first, 3), draft(second, 3), draft(nil, 2)
	stays, sent := draft(nil, 3), draft(first, 3)
	require.NoError(t, w.st.DB(t.Context()).Model(sent).Update("sent_message_id", second.ID).Error)
	w.move(t, into, second)
	for s, want := range map[*suggestion.Suggestion]*conversation.Conversation{toFirst: from, toSecond: into, bySeq: into, stays: from, sent: into} {
		got := w.suggestion(t, s.ID)
		require.Equal(t, want.ID, got.ConversationID)
		require.Equal(t, int64(3), got.AnswersSeq, "where it was, and where 2 is now")
	}
}

// testMoveTraces: what is left in the place of a message is no message: nobody finds it, restores
// it or counts it.
func testMoveTraces(t *testing.T, w *world) {
	ms := w.mine.Messages()
	from, into := w.thread(t, 3), w.conversation(t)
	m := w.messageOf(t, from, "2")
	w.move(t, into, m)
	hidden, err := collect(ms.All(t.Context(), from.ID, store.MessageFilter{Deleted: store.OnlyDeleted}))
	require.NoError(t, err)
	require.Len(t, hidden, 1)
	trace := hidden[0]
	require.Equal(t, int64(2), trace.Seq)
	require.NotEqual(t, m.ID, trace.ID)
	require.Equal(t, message.KindEvent, trace.Kind)
	require.Empty(t, trace.Content)
	_, err = ms.Restore(t.Context(), trace.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	restored, err := ms.RestoreAll(t.Context(), from.ID)
	require.NoError(t, err)
	require.Zero(t, restored)
	counts, err := w.mine.Conversations().Erase(t.Context(), from.ID)
	require.NoError(t, err)
	require.Equal(t, int64(3), counts.Messages)
	require.Equal(t, []string{"2"}, w.messages(t, into), "what has moved stays where it is")
}

func testMoveHold(t *testing.T, w *world) {
	from, into := w.thread(t, 2), w.thread(t, 1)
	m := w.messageOf(t, from, "2")
	must[*conversation.Conversation](t)(w.mine.Conversations().Hold(t.Context(), from.ID))
	_, err := w.mine.Messages().Move(t.Context(), []uuid.UUID{m.ID}, into.ID, store.MoveOptions{})
	require.ErrorIs(t, err, store.ErrConflict, "what is on hold stays on hold")
	must[*conversation.Conversation](t)(w.mine.Conversations().Hold(t.Context(), into.ID))
	w.move(t, into, m)
}

func testMoveRefuses(t *testing.T, w *world) {
	ms := w.mine.Messages()
	from := w.create(t, &conversation.Conversation{LeadID: "1"})
	into := w.create(t, &conversation.Conversation{LeadID: "2"})
	m := w.append(t, from, text("a"))
	hidden := w.append(t, from, text("hidden"))
	w.deleteMessage(t, hidden)
	inDeleted := w.append(t, w.conversation(t), text("in a deleted one"))
	must[*conversation.Conversation](t)(w.mine.Conversations().Delete(t.Context(), inDeleted.ConversationID))
	foreign := &conversation.Conversation{UserID: uuid.New(), Messages: []*message.Message{text("foreign")}}
	require.NoError(t, w.st.AllUsers().Conversations().Create(t.Context(), foreign))
	move := func(o store.MoveOptions, into uuid.UUID, ids ...uuid.UUID) error {
		_, err := ms.Move(t.Context(), ids, into, o)
		return err
	}
	w.unchanged(t, func() {
		invalid(t, move(store.MoveOptions{}, into.ID, m.ID), "into")
		invalid(t, move(store.MoveOptions{}, into.ID, make([]uuid.UUID, store.MaxLimit+1)...), "ids")
		for _, id := range []uuid.UUID{hidden.ID, inDeleted.ID, foreign.Messages[0].ID, uuid.New(), uuid.Nil} {
			err := move(store.MoveOptions{AcrossLeads: true}, into.ID, m.ID, id)
			require.ErrorIs(t, err, store.ErrNotFound)
			var fault *store.BatchError
			require.ErrorAs(t, err, &fault)
			require.Equal(t, 1, fault.Index)
		}
		for _, id := range []uuid.UUID{inDeleted.ConversationID, foreign.ID, uuid.New()} {
			require.ErrorIs(t, move(store.MoveOptions{}, id, m.ID), store.ErrNotFound)
		}
		_, err := w.st.AllUsers().Messages().Move(t.Context(), []uuid.UUID{m.ID}, foreign.ID, store.MoveOptions{})
		require.ErrorIs(t, err, store.ErrNotFound, "tenants never mix")
	})
	require.Equal(t, []string{"a"}, w.messages(t, from))
	require.NoError(t, move(store.MoveOptions{AcrossLeads: true}, into.ID, m.ID))
	require.Equal(t, "2", w.get(t, into.ID).LeadID)
	w.merge(t, w.conversation(t), into)
	heir := w.create(t, &conversation.Conversation{LeadID: "2"})
	w.merge(t, into, heir)
	mergedInto(t, move(store.MoveOptions{}, into.ID, m.ID), into.ID, heir.ID)
}
