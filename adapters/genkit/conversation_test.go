package genkit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

var nothing message.JSON

// session is a session of "ann" with its conversation.
type session struct {
	t  *testing.T
	st store.Store
	sessionStore
	mine store.Scope
}

func newSession(t *testing.T, d bothtest.Database) *session {
	t.Helper()
	st := open(t, d)
	return &session{t, st, sessionsOf(st), st.ForUser(owner)}
}

// say is a snapshot whose history is these texts: those that begin with a q are a user's.
func say(seconds int, parent string, texts ...string) snapshot {
	snap := at(seconds, parent)
	snap.State.Messages = turns(texts...)
	return snap
}

func turns(texts ...string) (ms []*ai.Message) {
	for _, text := range texts {
		if strings.HasPrefix(text, "q") {
			ms = append(ms, ai.NewUserTextMessage(text))
		} else {
			ms = append(ms, ai.NewModelTextMessage(text))
		}
	}
	return ms
}

func said(ms []*ai.Message) (texts []string) {
	for _, m := range ms {
		texts = append(texts, m.Text())
	}
	return texts
}

func (s *session) requireSaid(id string, want ...string) {
	s.t.Helper()
	got := get(s.t, s, id)
	require.NotNil(s.t, got, id)
	require.Equal(s.t, want, said(got.State.Messages), id)
}

func (s *session) conversation() *conversation.Conversation {
	s.t.Helper()
	c, err := s.mine.Conversations().GetByExternalKey(s.t.Context(), genkit.ExternalKey("travel", "s"))
	require.NoError(s.t, err)
	return c
}

// thread returns what people see, and all returns what there is.
func (s *session) thread() []*message.Message { return s.list(store.MessageFilter{}) }

func (s *session) all() []*message.Message {
	return s.list(store.MessageFilter{Branches: store.AllBranches, Deleted: store.IncludeDeleted})
}

func (s *session) list(f store.MessageFilter) (found []*message.Message) {
	s.t.Helper()
	for m, err := range s.mine.Messages().All(s.t.Context(), s.conversation().ID, f) {
		require.NoError(s.t, err)
		if m.PayloadFormat != genkit.EventFormat {
			found = append(found, m)
		}
	}
	return found
}

func contents(ms []*message.Message) (texts []string) {
	for _, m := range ms {
		texts = append(texts, m.Content)
	}
	return texts
}

// TestStoredOnce has a session of five turns: each message is one row, whose snapshots find it.
func TestStoredOnce(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		var texts []string
		for i := range 5 {
			texts = append(texts, fmt.Sprint("question ", i), fmt.Sprint("answer ", i))
			parent := ""
			if i > 0 {
				parent = fmt.Sprint(i - 1)
			}
			save(t, s, fmt.Sprint(i), say(i, parent, texts...))
		}
		require.Equal(t, texts, contents(s.all()))
		c := s.conversation()
		require.False(t, c.Branched)
		require.Equal(t, int64(15), c.LastSeq, "ten messages and five events")
		require.Equal(t, "travel", c.App)
		require.Equal(t, conversation.StatusWaiting, c.Status, "an event changes nothing")
		for i := range 5 {
			s.requireSaid(fmt.Sprint(i), texts[:2*i+2]...)
			require.Equal(t, i, get(t, s, fmt.Sprint(i)).State.Custom.Counter)
		}
		hits, err := s.mine.Search().Messages(t.Context(), "answer 3", store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		require.Len(t, hits.Items, 1)

		rewritten := get(t, s, "4")
		rewritten.State.Custom.Counter = 40
		save(t, s, "4", *rewritten)
		s.requireSaid("4", texts...)
		require.Equal(t, int64(15), s.conversation().LastSeq)
	})
}

// TestBranches has a reply that is generated again, and a history that was summed up.
func TestBranches(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		save(t, s, "a", say(1, "", "q1", "a1"))
		save(t, s, "b", say(2, "a", "q1", "a1", "q2", "a2"))
		save(t, s, "c", say(3, "a", "q1", "a1", "q2", "better"))
		require.Equal(t, []string{"q1", "a1", "q2", "better"}, contents(s.thread()))
		save(t, s, "d", say(4, "b", "q1", "a1", "q2", "a2", "q3", "a3"))
		require.Equal(t, []string{"q1", "a1", "q2", "a2", "q3", "a3"}, contents(s.thread()))
		save(t, s, "e", say(5, "d", "summary", "a3", "q4", "a4"))
		save(t, s, "f", say(6, "e", "summary", "a3", "other"))
		save(t, s, "g", say(7, "unknown", "summary", "a3", "other", "a5"))
		save(t, s, "h", say(8, "a"))
		require.Empty(t, s.thread(), "an empty history is one, too")
		for id, want := range map[string][]string{
			"a": {"q1", "a1"}, "b": {"q1", "a1", "q2", "a2"}, "c": {"q1", "a1", "q2", "better"}, "d": {"q1", "a1", "q2", "a2", "q3", "a3"},
			"e": {"summary", "a3", "q4", "a4"}, "f": {"summary", "a3", "other"}, "g": {"summary", "a3", "other", "a5"}, "h": nil,
		} {
			s.requireSaid(id, want...)
		}
		require.Equal(t, []string{"q1", "a1", "q2", "a2", "q2", "better", "q3", "a3", "summary", "a3", "q4", "a4", "other", "a5"}, contents(s.all()),
			"each once on its branch")
	})
}

// TestDetached has an invocation that goes on in the background while the session does.
func TestDetached(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		save(t, s, "a", say(1, "", "q1", "a1"))
		save(t, s, "p", pending(2, "a"))
		finished := say(2, "a", "q1", "a1", "q2", "a2")
		require.Nil(t, get(t, s, "p").State)
		save(t, s, "p", finished)
		require.False(t, s.conversation().Branched)
		save(t, s, "r", pending(3, "p"))
		save(t, s, "b", say(4, "p", "q1", "a1", "q2", "a2", "q3", "a3"))
		require.False(t, s.conversation().Branched, "an event is in nobody's way")
		save(t, s, "r", say(3, "p", "q1", "a1", "q2", "a2", "late", "very"))
		s.requireSaid("p", "q1", "a1", "q2", "a2")
		s.requireSaid("b", "q1", "a1", "q2", "a2", "q3", "a3")
		s.requireSaid("r", "q1", "a1", "q2", "a2", "late", "very")
		require.Equal(t, "b", latest(t, s, "s"))
		save(t, s, "first", pending(5, ""))
		save(t, s, "first", say(5, "", "anew"))
		s.requireSaid("first", "anew")
	})
}

// TestPeople has what people do in the conversation of a session: it counts.
func TestPeople(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		ctx := t.Context()
		save(t, s, "a", say(1, "", "q1", "a1", "q2", "a2"))
		id := s.conversation().ID
		_, err := s.mine.Messages().Append(ctx, id, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "a note"})
		require.NoError(t, err)
		save(t, s, "b", say(2, "a", "q1", "a1", "q2", "a2", "q3", "a3"))
		require.Equal(t, []string{"q1", "a1", "q2", "a2", "a note", "q3", "a3"}, contents(s.thread()))
		s.requireSaid("b", "q1", "a1", "q2", "a2", "q3", "a3")

		require.False(t, s.conversation().Branched)
		thread := s.thread()
		_, err = s.mine.Messages().Update(ctx, thread[1].ID, store.MessageUpdate{Content: new("edited")})
		require.NoError(t, err)
		_, err = s.mine.Messages().Delete(ctx, thread[2].ID)
		require.NoError(t, err)
		s.requireSaid("a", "q1", "edited", "a2")
		s.requireSaid("b", "q1", "edited", "a2", "q3", "a3")
		require.False(t, s.conversation().Branched)
		save(t, s, "c", say(3, "b", "q1", "edited", "a2", "q3", "a3", "q4", "a4"))
		require.False(t, s.conversation().Branched, "what was read goes on")
		s.requireSaid("c", "q1", "edited", "a2", "q3", "a3", "q4", "a4")
		save(t, s, "d", say(4, "c", "q1", "edited", "a2", "q3", "a3", "q4", "a4", "q5"))
		require.Equal(t, []string{"q1", "edited", "a2", "a note", "q3", "a3", "q4", "a4", "q5"}, contents(s.thread()))
		_, err = s.mine.Messages().Restore(ctx, thread[2].ID)
		require.NoError(t, err)
		s.requireSaid("d", "q1", "edited", "q2", "a2", "q3", "a3", "q4", "a4", "q5")
	})
}

// TestTakenBack has a conversation that somebody truncated, and its head moved.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		ctx := t.Context()
		save(t, s, "z", say(1, "", "q1", "a1"))
		save(t, s, "b", say(2, "z", "q1", "a1", "q2", "a2"))
		save(t, s, "c", say(3, "b", "q1", "a1", "q2", "a2", "q3", "a3"))
		id := s.conversation().ID
		_, err := s.mine.Messages().TruncateAfter(ctx, id, 3, store.TruncateOptions{})
		require.NoError(t, err)
		require.Nil(t, get(t, s, "b"))
		require.Equal(t, "z", latest(t, s, "s"))
		save(t, s, "d", say(4, "z", "q1", "a1", "other", "way"))
		require.Equal(t, []string{"q1", "a1", "other", "way"}, contents(s.thread()))
		require.Equal(t, "d", latest(t, s, "s"))
		_, err = s.SaveSnapshot(ctx, "b", func(existing *snapshot) (*snapshot, error) {
			require.Nil(t, existing)
			return new(at(5, "")), nil
		})
		require.ErrorIs(t, err, store.ErrConflict, "its id is taken")
		_, err = s.mine.Messages().SetHead(ctx, id, 3)
		require.NoError(t, err)
		save(t, s, "e", say(6, "d", "q1", "a1", "other", "way", "on"))
		require.Equal(t, []string{"q1", "a1", "other", "way", "on"}, contents(s.thread()))
		_, err = s.mine.Messages().SetHead(ctx, id, 0)
		require.NoError(t, err)
		save(t, s, "f", say(7, "z", "q1", "a1", "again"))
		require.Equal(t, []string{"q1", "a1", "again"}, contents(s.thread()))
		_, err = s.mine.Messages().SetHead(ctx, id, 3)
		require.NoError(t, err)
		_, err = s.mine.Messages().Append(ctx, id, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "elsewhere"})
		require.NoError(t, err)
		save(t, s, "g", say(8, "e", "q1", "a1", "other", "way", "on", "and on"))
		s.requireSaid("g", "q1", "a1", "other", "way", "on", "and on")
		require.Equal(t, []string{"q1", "a1", "other", "way", "on", "and on"}, contents(s.thread()))
	})
}

// TestCreateAgain has a session that was deleted, and one that was erased.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		ctx := t.Context()
		save(t, s, "a", say(1, "", "secret", "a1"))
		id := s.conversation().ID
		_, err := s.mine.Conversations().Delete(ctx, id)
		require.NoError(t, err)
		require.Nil(t, get(t, s, "a"))
		require.Empty(t, latest(t, s, "s"))
		for _, snapshotID := range []string{"a", "b"} {
			_, err = s.SaveSnapshot(ctx, snapshotID, func(*snapshot) (*snapshot, error) { return new(at(2, "")), nil })
			require.ErrorIs(t, err, store.ErrConflict)
		}
		elsewhere := at(2, "")
		elsewhere.SessionID = "elsewhere"
		_, err = s.SaveSnapshot(ctx, "a", func(*snapshot) (*snapshot, error) { return &elsewhere, nil })
		require.ErrorIs(t, err, store.ErrConflict, "its id is taken")
		_, err = s.mine.Conversations().Restore(ctx, id)
		require.NoError(t, err)
		s.requireSaid("a", "secret", "a1")

		_, err = s.mine.Conversations().Erase(ctx, id)
		require.NoError(t, err)
		require.Nil(t, get(t, s, "a"))
		require.Empty(t, latest(t, s, "s"))
		for _, table := range []string{"messages", "conversation_states", "conversation_user_states"} {
			var n int64
			require.NoError(t, s.st.DB(ctx).Table(table).Count(&n).Error)
			require.Zero(t, n, table)
		}
		save(t, s, "a", say(2, "", "new"))
		s.requireSaid("a", "new")
		require.Equal(t, "a", latest(t, s, "s"))
	})
}

// TestTenants has users and apps whose sessions and snapshots have one id.
func TestTenants(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		ctx := t.Context()
		var all []*genkit.SessionStore[custom]
		for _, user := range []uuid.UUID{uuid.New(), uuid.New()} {
			for _, app := range []string{"", "a", "a/b"} {
				all = append(all, genkit.NewSessionStore[custom](st, func(context.Context) uuid.UUID { return user }, genkit.Options{App: app}))
			}
		}
		for i, s := range all {
			save(t, s, "x", say(i, "", fmt.Sprint(i)))
			save(t, s, "b/x", say(i, "x", fmt.Sprint(i), "more"))
		}
		for i, s := range all {
			require.Equal(t, []string{fmt.Sprint(i)}, said(get(t, s, "x").State.Messages))
			require.Equal(t, []string{fmt.Sprint(i), "more"}, said(get(t, s, "b/x").State.Messages))
			require.Equal(t, "x", latestAt(t, s, i))
		}
		nobody := genkit.NewSessionStore[custom](st, func(context.Context) uuid.UUID { return store.TenantID("") }, genkit.Options{})
		_, err := nobody.GetSnapshot(ctx, "x")
		require.ErrorIs(t, err, store.ErrInvalid)
		_, err = nobody.GetLatestSnapshot(ctx, "s")
		require.ErrorIs(t, err, store.ErrInvalid)
		_, err = nobody.SaveSnapshot(ctx, "x", func(*snapshot) (*snapshot, error) { return new(at(1, "")), nil })
		require.ErrorIs(t, err, store.ErrInvalid)
		requireClosed(t, nobody.OnSnapshotStatusChange(ctx, "x"))
		require.Panics(t, func() { genkit.NewSessionStore[custom](st, nil, genkit.Options{}) })
	})
}

// latestAt is the latest snapshot, which has to be from a time.
func latestAt(t *testing.T, s exp.SnapshotReader[custom], seconds int) string {
	t.Helper()
	got, err := s.GetLatestSnapshot(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, seconds, got.State.Custom.Counter)
	return got.SnapshotID
}
