package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func streamEndTests() subtests {
	return subtests{
		"after the end":                    streamAfterTheEnd,
		"the status follows what was said": streamMovesStatus,
		"a later message keeps its status": streamKeepsLaterStatus,
		"stopped by another process":       streamStopped,
		"deleted and erased":               streamDeleted,
		"reopened":                         streamReopened,
	}
}

func streamAfterTheEnd(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	for state, end := range map[message.State]func(store.MessageStream) error{
		message.StateComplete:    func(s store.MessageStream) error { return s.Finish(ctx, store.Usage{}) },
		message.StateInterrupted: func(s store.MessageStream) error { return s.Interrupt(ctx) },
		message.StateFailed:      func(s store.MessageStream) error { return s.Fail(ctx, "overloaded") },
	} {
		s := w.stream(t, c)
		require.NoError(t, s.Write(ctx, "text"))
		require.NoError(t, end(s))
		before := w.message(t, s.ID())
		require.Equal(t, state, before.State)
		for name, call := range streamMethods(t, s) {
			require.Equal(t, state, lost(t, call(), store.StreamEnded).State, name)
		}
		require.Equal(t, "text", s.Text())
		same(t, before, w.message(t, s.ID()))
		_, err := w.mine.Messages().StopStream(ctx, s.ID())
		require.Equal(t, state, lost(t, err, store.StreamEnded).State)
		_, err = w.mine.Messages().ResumeStream(ctx, s.ID(), store.StreamOptions{})
		require.Equal(t, state, lost(t, err, store.StreamEnded).State)
		same(t, before, w.message(t, s.ID()))
	}
}

func streamMovesStatus(t *testing.T, w *world) {
	ctx := t.Context()
	finish := func(s store.MessageStream) error { return s.Finish(ctx, store.Usage{}) }
	interrupt := func(s store.MessageStream) error { return s.Interrupt(ctx) }
	fail := func(s store.MessageStream) error { return s.Fail(ctx, "overloaded") }
	stop := func(s store.MessageStream) error { _, err := w.mine.Messages().StopStream(ctx, s.ID()); return err }
	sweep := func(store.MessageStream) error { _, err := w.mine.Maintenance().SweepStreams(ctx, 0); return err }
	for _, c := range []struct {
		name, text string
		kind       message.Kind
		end        func(store.MessageStream) error
		want       conversation.Status
	}{
		{"finish", "a", message.KindMessage, finish, conversation.StatusWaiting},
		{"finish without text", "", message.KindMessage, finish, conversation.StatusWaiting},
		{"finish a note", "a", message.KindNote, finish, conversation.StatusNeedsReply},
		{"interrupt", "a", message.KindMessage, interrupt, conversation.StatusWaiting},
		{"interrupt without text", "", message.KindMessage, interrupt, conversation.StatusNeedsReply},
		{"fail", "a", message.KindMessage, fail, conversation.StatusNeedsReply},
		{"stop", "a", message.KindMessage, stop, conversation.StatusWaiting},
		{"stop without text", "", message.KindMessage, stop, conversation.StatusNeedsReply},
		{"sweep", "a", message.KindMessage, sweep, conversation.StatusWaiting},
		{"sweep without text", "", message.KindMessage, sweep, conversation.StatusNeedsReply},
	} {
		thread := w.thread(t, 1)
		m := reply()
		m.Kind = c.kind
		s, err := w.mine.Messages().Stream(ctx, thread.ID, m, store.StreamOptions{})
		require.NoError(t, err)
		w.wrote(t, s, c.text)
		require.NoError(t, c.end(s), c.name)
		require.Equal(t, c.want, w.get(t, thread.ID).Status, c.name)
		// A message that is appended as it came to be has the same effect.
		m = w.message(t, s.ID())
		other := w.thread(t, 1)
		w.append(t, other, &message.Message{Role: m.Role, Kind: m.Kind, State: m.State, Content: m.Content})
		require.Equal(t, c.want, w.get(t, other.ID).Status, "%s, appended", c.name)
		memory := &conversation.Conversation{Status: conversation.StatusNeedsReply, ID: uuid.New(), UserID: w.user}
		require.NoError(t, memory.AddMessage(&message.Message{Role: m.Role, Kind: m.Kind, State: m.State, Content: m.Content}))
		require.Equal(t, c.want, memory.Status, "%s, in memory", c.name)
		plain := &message.Message{Role: m.Role, Kind: m.Kind, State: m.State, Content: m.Content, ConversationID: w.thread(t, 1).ID, UserID: w.user}
		w.createPlain(t, plain)
		require.Equal(t, c.want, w.get(t, plain.ConversationID).Status, "%s, by the host's own GORM", c.name)
	}
}

func streamKeepsLaterStatus(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	first, second := w.stream(t, c), w.stream(t, c)
	w.wrote(t, second, "b")
	w.inbound(t, c)
	require.NoError(t, first.Finish(ctx, store.Usage{}))
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status, "they have asked again")
	third := w.stream(t, c)
	require.NoError(t, third.Fail(ctx, ""))
	require.NoError(t, second.Finish(ctx, store.Usage{}))
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	last := w.stream(t, c)
	w.append(t, c, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "a note"})
	require.NoError(t, last.Finish(ctx, store.Usage{}))
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status, "neither a note nor a failure is a later answer")
}

func streamStopped(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	s := w.stream(t, c)
	w.wrote(t, s, "what was ")
	require.NoError(t, s.Write(ctx, "flushed"))
	at := w.tick()
	m, err := w.st.AllUsers().Messages().StopStream(ctx, s.ID())
	require.NoError(t, err)
	same(t, w.message(t, s.ID()), m)
	require.Equal(t, []any{message.StateInterrupted, "what was ", store.FinishStopped}, []any{m.State, m.Content, m.FinishReason})
	require.True(t, at.Equal(m.UpdatedAt))
	require.Equal(t, w.get(t, c.ID).LastChangeSeq, m.ChangeSeq)
	for name, call := range streamMethods(t, s) {
		lost(t, call(), store.StreamStopped)
		same(t, m, w.message(t, s.ID()))
		_ = name
	}
	_, err = w.mine.Messages().StopStream(ctx, s.ID())
	lost(t, err, store.StreamStopped)
	_, err = w.mine.Messages().ResumeStream(ctx, s.ID(), store.StreamOptions{})
	lost(t, err, store.StreamStopped)
	require.Nil(t, m.EditedAt)
	quiet := w.stream(t, c)
	must[*message.Message](t)(w.mine.Messages().StopStream(ctx, quiet.ID()))
	w.tick()
	lost(t, quiet.Beat(ctx), store.StreamStopped)
}

func streamDeleted(t *testing.T, w *world) {
	ctx := t.Context()
	for name, remove := range map[string]func(c *conversation.Conversation, id uuid.UUID) error{
		"message": func(_ *conversation.Conversation, id uuid.UUID) error {
			_, err := w.mine.Messages().Delete(ctx, id)
			return err
		},
		"conversation": func(c *conversation.Conversation, _ uuid.UUID) error {
			_, err := w.mine.Conversations().Delete(ctx, c.ID)
			return err
		},
		"erased": func(c *conversation.Conversation, _ uuid.UUID) error {
			_, err := w.mine.Conversations().Erase(ctx, c.ID)
			return err
		},
	} {
		for _, method := range []string{"Flush", "Beat", "Finish", "Interrupt", "Fail"} {
			c := w.thread(t, 1)
			s := w.stream(t, c)
			require.NoError(t, s.Write(ctx, "a"))
			if method == "Beat" {
				w.wrote(t, s, "")
				w.tick()
			}
			require.NoError(t, remove(c, s.ID()), name)
			lost(t, streamMethods(t, s)[method](), store.StreamDeleted)
			lost(t, s.Write(ctx, "b"), store.StreamDeleted)
			missing[*message.Message](t)(w.mine.Messages().StopStream(ctx, s.ID()))
			missing[store.MessageStream](t)(w.mine.Messages().ResumeStream(ctx, s.ID(), store.StreamOptions{}))
			_, err := collect(w.mine.Messages().FollowStream(ctx, s.ID(), 0, store.FollowOptions{}))
			require.ErrorIs(t, err, store.ErrNotFound)
			missing[store.MessageStream](t)(w.mine.Messages().Stream(ctx, uuid.New(), reply(), store.StreamOptions{}))
		}
	}
	c := w.thread(t, 1)
	s := w.stream(t, c)
	w.wrote(t, s, "a")
	w.delete(t, c)
	missing[store.MessageStream](t)(w.mine.Messages().Stream(ctx, c.ID, reply(), store.StreamOptions{}))
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	w.wrote(t, s, " writer that did not notice goes on")
}

func streamReopened(t *testing.T, w *world) {
	ctx, ms, again := t.Context(), w.mine.Messages(), store.StreamOptions{Reopen: true}
	for _, end := range []func(store.MessageStream) error{
		func(s store.MessageStream) error { return s.Fail(ctx, "overloaded") },
		func(s store.MessageStream) error { return s.Interrupt(ctx) },
		func(s store.MessageStream) error { _, err := ms.StopStream(ctx, s.ID()); return err },
	} {
		c := w.thread(t, 1)
		s := w.stream(t, c)
		w.wrote(t, s, "half")
		require.NoError(t, end(s))
		m := w.message(t, s.ID())
		w.embed(t, m, "m")
		at := w.tick()
		reopened, err := ms.ResumeStream(ctx, s.ID(), again)
		require.NoError(t, err)
		m = w.message(t, s.ID())
		require.Equal(t, []any{message.StateStreaming, ""}, []any{m.State, m.FinishReason})
		require.True(t, at.Equal(*m.EditedAt), "the text that was seen becomes another one")
		require.Zero(t, w.counts(t).Embeddings)
		require.Equal(t, w.get(t, c.ID).LastChangeSeq, m.ChangeSeq)
		require.ErrorIs(t, s.Interrupt(ctx), store.ErrConflict)
		w.wrote(t, reopened, " and half")
		require.NoError(t, reopened.Finish(ctx, store.Usage{}))
		require.Equal(t, "half and half", w.message(t, s.ID()).Content)
		_, err = ms.ResumeStream(ctx, s.ID(), again)
		lost(t, err, store.StreamEnded)
	}
	missing[store.MessageStream](t)(ms.ResumeStream(ctx, uuid.New(), again))
	s := w.stream(t, w.thread(t, 1))
	must[*message.Message](t)(ms.StopStream(ctx, s.ID()))
	must[*message.Message](t)(ms.Delete(ctx, s.ID()))
	missing[store.MessageStream](t)(ms.ResumeStream(ctx, s.ID(), again))
}
