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

// answering makes an approved suggestion that takes the messages up to a seq into account, 0 for one
// of which that is not known, and replies to a message unless that is nil.
func (w *world) answering(t testing.TB, c *conversation.Conversation, seq int64, to *message.Message) *suggestion.Suggestion {
	t.Helper()
	now := w.clock.Now()
	s := &suggestion.Suggestion{
		ConversationID: c.ID, SuggestedContent: "draft", AnswersSeq: seq, Status: suggestion.StatusApproved, ReviewedAt: &now,
	}
	if to != nil {
		s.InReplyToMessageID = &to.ID
	}
	require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
	return s
}

func (w *world) trySend(t testing.TB, s *suggestion.Suggestion, o store.SendOptions) (*message.Message, error) {
	t.Helper()
	m := &message.Message{}
	_, err := w.mine.Suggestions().Send(t.Context(), s.ID, m, o)
	return m, err
}

// stale requires that a message keeps a suggestion from being sent.
func (w *world) stale(t testing.TB, s *suggestion.Suggestion, newer *message.Message, why string) {
	t.Helper()
	w.unchanged(t, func() {
		_, err := w.trySend(t, s, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}, AllowSecond: true})
		require.ErrorIs(t, err, store.ErrConflict, why)
		var found *store.StaleDraftError
		require.ErrorAs(t, err, &found, why)
		require.Equal(t, s.ID, found.SuggestionID)
		require.Equal(t, s.AnswersSeq, found.AnswersSeq)
		same(t, newer, found.Newer)
	})
}

// testSendStale: a draft for message 4, the lead writes message 5, Send is refused.
func testSendStale(t *testing.T, w *world) {
	c := w.conversation(t)
	var last *message.Message
	for range 4 {
		w.tick()
		last = w.inbound(t, c)
	}
	s := w.answering(t, c, last.Seq, last)
	w.tick()
	w.stale(t, s, w.inbound(t, c), "one newer")
	w.tick()
	w.stale(t, s, w.append(t, c, &message.Message{Role: message.RoleUser, Direction: message.DirectionInbound, State: message.StateInterrupted, Content: "hal"}), "two newer")
	m, err := w.trySend(t, s, store.SendOptions{AllowStale: true})
	require.NoError(t, err)
	require.EqualValues(t, 7, m.Seq)
	again, err := w.trySend(t, s, store.SendOptions{})
	require.NoError(t, err, "it was sent, whatever came since")
	require.Equal(t, m.ID, again.ID)
	// A time ahead of the clock is no reason to take what comes later for old.
	c = w.conversation(t)
	ahead := w.append(t, c, &message.Message{Direction: message.DirectionInbound, Content: "ahead", SentAt: w.clock.Now().Add(time.Hour)})
	s = w.answering(t, c, ahead.Seq, nil)
	w.tick()
	w.stale(t, s, w.inbound(t, c), "sent after the other arrived")
}

// testSendNotStale is about what comes in and overtakes nothing.
func testSendNotStale(t *testing.T, w *world) {
	in := func(m message.Message) *message.Message {
		if m.Direction == "" {
			m.Direction = message.DirectionInbound
		}
		m.Content += "in"
		return &m
	}
	for name, m := range map[string]*message.Message{
		"nothing":     nil,
		"auto_reply":  in(message.Message{Kind: message.KindAutoReply}),
		"bounce":      in(message.Message{Kind: message.KindBounce}),
		"note":        in(message.Message{Kind: message.KindNote}),
		"event":       in(message.Message{Kind: message.KindEvent}),
		"outbound":    in(message.Message{Direction: message.DirectionOutbound}),
		"tool":        {Role: message.RoleTool, Content: "42"},
		"failed":      in(message.Message{State: message.StateFailed}),
		"an old mail": in(message.Message{SentAt: epoch.Add(-time.Hour)}),
	} {
		c := w.asked(t)
		s := w.answering(t, c, 1, nil)
		w.tick()
		if m != nil {
			w.append(t, c, m)
		}
		_, err := w.trySend(t, s, store.SendOptions{})
		require.NoError(t, err, name)
	}
	// What is known to the suggestion, what was deleted, and what it does not say.
	c := w.asked(t)
	later := w.inbound(t, c)
	_, err := w.trySend(t, w.answering(t, c, 2, nil), store.SendOptions{})
	require.NoError(t, err)
	s := w.answering(t, c, 1, nil)
	w.stale(t, s, later, "it is not known")
	w.deleteMessage(t, later)
	_, err = w.trySend(t, s, store.SendOptions{})
	require.NoError(t, err, "it is gone")
	// Of another user, and of another conversation.
	w.inbound(t, w.conversation(t))
	_, err = w.trySend(t, w.answering(t, w.asked(t), 1, nil), store.SendOptions{})
	require.NoError(t, err)
}

// testSendStaleOnBranches: what counts is on the path of the head.
func testSendStaleOnBranches(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.asked(t) // 1
	w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "2"})
	s := w.answering(t, c, 2, nil)
	elsewhere := w.inbound(t, c) // 3
	w.stale(t, s, elsewhere, "it is on the path")
	w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "4", ParentSeq: new(int64(1))})
	kept := w.answering(t, c, 4, nil)
	must[*conversation.Conversation](t)(w.mine.Conversations().Get(ctx, c.ID))
	_, err := w.trySend(t, kept, store.SendOptions{})
	require.NoError(t, err)
	_, err = w.trySend(t, s, store.SendOptions{AllowSecond: true})
	require.NoError(t, err, "what came in is on another branch")
	s = w.answering(t, c, 4, nil)
	newer := w.inbound(t, c)
	w.stale(t, s, newer, "it is on the path of the head")
}

// second requires that a reply keeps another suggestion from being sent.
func (w *world) second(t *testing.T, s, other *suggestion.Suggestion, m *message.Message, why string) {
	t.Helper()
	w.unchanged(t, func() {
		_, err := w.trySend(t, s, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}})
		require.ErrorIs(t, err, store.ErrConflict, why)
		var found *store.SecondReplyError
		require.ErrorAs(t, err, &found, why)
		require.Equal(t, &store.SecondReplyError{SuggestionID: s.ID, Other: other.ID, Message: m.ID}, found, why)
	})
}

// testSendSecond: two drafts for one question do not both go out by accident.
func testSendSecond(t *testing.T, w *world) {
	for name, answer := range map[string]struct {
		first, second func(c *conversation.Conversation, m *message.Message) *suggestion.Suggestion
	}{
		"the same message": {
			func(c *conversation.Conversation, m *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 1, m)
			},
			func(c *conversation.Conversation, m *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 2, m)
			},
		},
		"the same seq": {
			func(c *conversation.Conversation, _ *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 1, nil)
			},
			func(c *conversation.Conversation, _ *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 1, nil)
			},
		},
		"one by its message, one by its seq": {
			func(c *conversation.Conversation, m *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 1, m)
			},
			func(c *conversation.Conversation, _ *message.Message) *suggestion.Suggestion {
				return w.answering(t, c, 1, nil)
			},
		},
	} {
		c := w.conversation(t)
		in := w.inbound(t, c)
		first := answer.first(c, in)
		m, err := w.trySend(t, first, store.SendOptions{})
		require.NoError(t, err, name)
		second := answer.second(c, in)
		w.second(t, second, first, m, name)
		must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(t.Context(), first.ID))
		w.second(t, second, first, m, name+", the suggestion hidden")
		allowed, err := w.trySend(t, second, store.SendOptions{AllowSecond: true})
		require.NoError(t, err, name)
		again, err := w.trySend(t, second, store.SendOptions{})
		require.NoError(t, err, "it was sent")
		require.Equal(t, allowed.ID, again.ID)
	}
}

// testSendNotSecond: what has not gone out, and a reply to something else, are in nobody's way.
func testSendNotSecond(t *testing.T, w *world) {
	for _, how := range []string{"failed", "failed and deleted", "bounced", "cancelled", "sent and deleted", "deleted while queued"} {
		c, first, former := w.refusedSend(t, how)
		_, err := w.trySend(t, w.answering(t, c, max(first.AnswersSeq, 1), nil), store.SendOptions{AllowStale: true})
		require.NoError(t, err, how)
		_ = former
	}
	c := w.conversation(t)
	one, other := w.inbound(t, c), w.inbound(t, c)
	send := func(s *suggestion.Suggestion) {
		t.Helper()
		_, err := w.trySend(t, s, store.SendOptions{})
		require.NoError(t, err)
	}
	send(w.answering(t, c, 2, one))
	send(w.answering(t, c, 2, other))
	send(w.answering(t, c, 3, nil))
	there := w.asked(t)
	w.inbound(t, there)
	send(w.answering(t, there, 2, nil))
	// Approved and not sent.
	c = w.asked(t)
	w.answering(t, c, 1, nil)
	_, err := w.trySend(t, w.answering(t, c, 1, nil), store.SendOptions{})
	require.NoError(t, err)
	missing[*message.Message](t)(w.trySend(t, &suggestion.Suggestion{ID: uuid.New()}, store.SendOptions{}))
}
