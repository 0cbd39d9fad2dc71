package trpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestManyHandles has sixteen handles of one session append at once, events with states and events
// of tracks: nothing is lost.
func TestManyHandles(t *testing.T) {
	t.Parallel()
	const handles, each = 16, 10
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := trpc.New(open(t, d), trpc.Options{})
		create(t, s, nil)
		var wg sync.WaitGroup
		for h := range handles {
			wg.Go(func() {
				sess, err := s.GetSession(t.Context(), key)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range each {
					n := h*each + i
					if err := s.AppendEvent(t.Context(), sess, said(n, map[string][]byte{fmt.Sprint("k", n): []byte("v"), "shared": {byte(h)}})); err != nil {
						t.Error(err)
					}
				}
				track := session.Track(fmt.Sprint("t", h%4))
				assert.NoError(t, s.AppendTrackEvent(t.Context(), sess, &session.TrackEvent{Track: track, Payload: []byte("1")}))
			})
		}
		wg.Wait()
		got := get(t, s)
		require.Len(t, got.Events, handles*each)
		require.Len(t, got.State, handles*each+2)
		require.Len(t, got.Tracks, 4)
		for _, track := range got.Tracks {
			require.Len(t, track.Events, handles/4)
		}
	})
}

// TestOrder has events of one time, a redelivery, and an append that was repeated because nobody
// knew whether it was stored.
func TestOrder(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		sess := create(t, s, nil)
		other := get(t, s)
		var want []string
		for i := range 30 {
			require.NoError(t, s.AppendEvent(ctx, sess, said(i, nil)))
			want = append(want, fmt.Sprint("e", i))
		}
		require.NoError(t, s.AppendEvent(ctx, sess, said(3, map[string][]byte{"late": nil})))
		require.Equal(t, want, ids(sess))
		require.Empty(t, sess.State)
		require.Equal(t, want, ids(get(t, s)))
		require.Empty(t, get(t, s).State)
		require.Equal(t, want[20:], ids(get(t, s, session.WithEventNum(10))))
		require.NoError(t, s.AppendEvent(ctx, other, said(29, nil)))
		require.Equal(t, want[29:], ids(other), "the handle did not know it")
		require.Len(t, get(t, s).Events, 30)
	})
}

func ids(s *session.Session) []string {
	all := []string{}
	for _, e := range s.Events {
		all = append(all, e.ID)
	}
	return all
}

func conversationOf(t *testing.T, st store.Store) (store.Scope, uuid.UUID) {
	t.Helper()
	mine := st.ForUser(store.TenantID(key.UserID))
	c, err := mine.Conversations().GetByExternalKey(t.Context(), trpc.ExternalKey(key.AppName, key.SessionID))
	require.NoError(t, err)
	return mine, c.ID
}

// TestCreateAgain has a session that was deleted: nothing of it comes back, its handles go on with
// the new one, and what belongs to its user and its app stays.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := trpc.New(st, trpc.Options{}), t.Context()
		sess := create(t, s, session.StateMap{"own": []byte("1")})
		require.NoError(t, s.UpdateUserState(ctx, userKey, session.StateMap{"user:u": []byte("2")}))
		require.NoError(t, s.UpdateAppState(ctx, key.AppName, session.StateMap{"a": []byte("3")}))
		require.NoError(t, s.AppendEvent(ctx, sess, said(1, nil)))
		require.NoError(t, s.AppendTrackEvent(ctx, sess, &session.TrackEvent{Track: "agui"}))
		_, err := s.CreateSession(ctx, key, nil)
		require.ErrorIs(t, err, trpc.ErrExists)

		require.NoError(t, s.DeleteSession(ctx, key))
		counts, err := st.AllUsers().Maintenance().Counts(ctx)
		require.NoError(t, err)
		require.Zero(t, counts.Conversations, "the track is gone too")
		require.ErrorIs(t, s.AppendEvent(ctx, sess, said(2, map[string][]byte{"x": nil})), store.ErrNotFound)
		require.ErrorIs(t, s.AppendTrackEvent(ctx, sess, &session.TrackEvent{Track: "agui"}), store.ErrNotFound)
		require.ErrorIs(t, s.UpdateSessionState(ctx, key, nil), store.ErrNotFound)
		require.Equal(t, []string{"e1"}, ids(sess), "the handle is as before")
		require.Len(t, sess.Tracks["agui"].Events, 1)

		again := create(t, s, nil)
		require.Equal(t, session.StateMap{"user:u": []byte("2"), "app:a": []byte("3")}, again.State)
		require.NoError(t, s.AppendEvent(ctx, sess, said(1, nil)), "its ids are free, and the old handle finds it")
		require.Equal(t, []string{"e1"}, ids(get(t, s)))
		require.Empty(t, get(t, s).Tracks)
	})
}

// TestEvents has what people see of events, and what agents see of people.
func TestEvents(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := trpc.New(st, trpc.Options{}), t.Context()
		sess := create(t, s, nil)
		stop, long := "stop", strings.Repeat("é", 1000)
		call := said(2, nil)
		call.Author, call.ID = long, "\x00"+long
		call.Response = &model.Response{Model: "m\x00", Usage: &model.Usage{PromptTokens: 7, CompletionTokens: 5}, Choices: []model.Choice{{FinishReason: &stop, Message: model.Message{
			Role: model.RoleAssistant, Content: "I look \x00 it up.", ReasoningContent: "hm",
			ToolCalls: []model.ToolCall{{ID: "c1", Type: "function", Function: model.FunctionDefinitionParam{Name: "find", Arguments: []byte(`{"q":"Porto"}`)}}},
		}}}}
		answer := said(3, nil)
		answer.Response = &model.Response{Choices: []model.Choice{{Message: model.NewToolMessage("c1", "find", "found")}}}
		picture := said(4, nil)
		picture.Timestamp = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) // no year of a column
		picture.Choices[0].Message.AddImageData([]byte("abc"), "", "png")
		picture.Choices[0].Message.AddAudioData([]byte("ab"), "wav")
		picture.Choices[0].Message.AddFileData("a.pdf", []byte("a"), "application/pdf")
		picture.Choices[0].Message.ContentParts = append(picture.Choices[0].Message.ContentParts,
			model.ContentPart{Type: "video", Video: &model.Video{URL: "https://example.org/v", Format: "video/mp4"}}, model.ContentPart{Type: "image", Image: &model.Image{}})
		for _, e := range []*event.Event{said(1, nil), call, answer, picture} {
			require.NoError(t, s.AppendEvent(ctx, sess, e))
		}
		mine, id := conversationOf(t, st)
		thread, err := mine.Conversations().Thread(ctx, id)
		require.NoError(t, err)
		m := thread.Messages
		require.Equal(t, []message.Role{message.RoleUser, message.RoleAssistant, message.RoleTool, message.RoleUser}, []message.Role{m[0].Role, m[1].Role, m[2].Role, m[3].Role})
		require.Equal(t, "I look  it up.", m[1].Content)
		require.Equal(t, []any{"m", "stop", int64(7), int64(5)}, []any{m[1].Model, m[1].FinishReason, m[1].TokensIn, m[1].TokensOut})
		require.Contains(t, string(m[1].ToolCalls), "Porto")
		require.JSONEq(t, `[{"tool_call_id": "c1", "name": "find", "content": "found"}]`, string(m[2].ToolResults))
		require.Equal(t, message.Attachments{
			{ContentType: "image/png", Size: 3},
			{ContentType: "audio/wav", Size: 2},
			{ContentType: "application/pdf", Size: 1, Filename: "a.pdf"},
			{ContentType: "video/mp4", URL: "https://example.org/v"},
			{ContentType: "image"},
		}, m[3].Attachments)
		doc, err := json.Marshal(call)
		require.NoError(t, err)
		require.Equal(t, string(doc), string(m[1].Payload), "to the byte")

		_, err = mine.Messages().Append(ctx, id, &message.Message{Kind: message.KindNote, Role: message.RoleAssistant, Content: "a note"})
		require.NoError(t, err)
		_, err = mine.Messages().Append(ctx, id, &message.Message{Role: message.RoleAssistant, Author: "eve", Content: "a person"})
		require.NoError(t, err)
		_, err = mine.Messages().Update(ctx, m[3].ID, store.MessageUpdate{Content: new("edited")})
		require.NoError(t, err)
		got := get(t, s).Events
		require.Len(t, got, 5)
		require.Equal(t, string(doc), encode(t, got[1]))
		require.Equal(t, "edited", got[3].Choices[0].Message.Content)
		require.Len(t, got[3].Choices[0].Message.ContentParts, 5, "the files stay")
		require.Equal(t, []any{"eve", "a person", model.RoleAssistant}, []any{got[4].Author, got[4].Choices[0].Message.Content, got[4].Choices[0].Message.Role})
	})
}

// TestQuiet has events that are not stored.
func TestQuiet(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		part := said(1, nil)
		part.IsPartial = true
		require.NoError(t, s.AppendEvent(ctx, session.NewSession("no", "such", "session"), part), "it asks nobody")
		sess := create(t, s, nil)
		require.NoError(t, s.AppendEvent(ctx, sess, part))
		require.NoError(t, s.AppendEvent(ctx, sess, &event.Event{StateDelta: map[string][]byte{"k": []byte("v")}}))
		require.Equal(t, session.StateMap{"k": []byte("v")}, sess.State)
		require.Equal(t, sess.State, get(t, s).State)
		require.Empty(t, get(t, s).Events)
		unnamed := said(1, nil)
		unnamed.ID = ""
		require.NoError(t, s.AppendEvent(ctx, sess, unnamed))
		require.NoError(t, s.AppendEvent(ctx, sess, unnamed))
		require.Len(t, get(t, s).Events, 2, "nothing says that they are one")
	})
}

// TestNames has sessions, apps and users whose names run into each other, and a handle that was made
// into one of another session.
func TestNames(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		keys := []session.Key{
			{AppName: "a/b", UserID: "ann", SessionID: "c"},
			{AppName: "a", UserID: "ann", SessionID: "b/c"},
			{AppName: "a%2Fb", UserID: "ann", SessionID: "c"},
			{AppName: "a", UserID: "bob", SessionID: "b/c"},
		}
		var first *session.Session
		for i, k := range keys {
			sess, err := s.CreateSession(ctx, k, session.StateMap{"i": {byte(i + 1)}})
			require.NoError(t, err)
			if first == nil {
				first = sess
			}
		}
		moved := first.Clone()
		moved.AppName, moved.ID = "a", "b/c"
		require.NoError(t, s.AppendEvent(ctx, moved, said(1, nil)))
		for i, k := range keys {
			got, err := s.GetSession(ctx, k)
			require.NoError(t, err)
			require.Equal(t, session.StateMap{"i": {byte(i + 1)}}, got.State)
			require.Equal(t, i == 1, len(got.Events) == 1, k)
		}
		got, err := s.ListSessions(ctx, session.UserKey{AppName: "a", UserID: "ann"})
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
}

func TestHooks(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		var calls []string
		stop := errors.New("stop")
		hook := func(name string) session.AppendEventHook {
			return func(c *session.AppendEventContext, next func() error) error {
				calls = append(calls, name)
				if c.Event.ID == "e2" && name == "b" {
					return stop
				}
				return next()
			}
		}
		s := trpc.New(open(t, d), trpc.Options{
			AppendEventHooks: []session.AppendEventHook{hook("a"), hook("b")},
			GetSessionHooks: []session.GetSessionHook{func(c *session.GetSessionContext, next func() (*session.Session, error)) (*session.Session, error) {
				c.Options.EventNum = 1
				return next()
			}},
		})
		sess := create(t, s, nil)
		require.NoError(t, s.AppendEvent(t.Context(), sess, said(0, nil)))
		require.NoError(t, s.AppendEvent(t.Context(), sess, said(1, nil)))
		require.ErrorIs(t, s.AppendEvent(t.Context(), sess, said(2, nil)), stop)
		require.Equal(t, []string{"a", "b", "a", "b", "a", "b"}, calls)
		require.Equal(t, []string{"e1"}, ids(get(t, s)))
	})
}

// TestRefused has requests that lack something, or have what no database keeps.
func TestRefused(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		sess := create(t, s, nil)
		for _, k := range []session.Key{{}, {AppName: "a"}, {AppName: "a", UserID: "u"}} {
			_, err := s.GetSession(ctx, k)
			require.Error(t, err)
			require.Error(t, s.DeleteSession(ctx, k))
			require.Error(t, s.UpdateSessionState(ctx, k, nil))
			require.Error(t, s.AppendEvent(ctx, session.NewSession(k.AppName, k.UserID, k.SessionID), said(1, nil)))
			require.Error(t, s.AppendTrackEvent(ctx, session.NewSession(k.AppName, k.UserID, k.SessionID), &session.TrackEvent{}))
			_, err = s.GetTrackEvents(ctx, k, "t")
			require.Error(t, err)
			_, err = s.GetEventWindow(ctx, session.EventWindowRequest{Key: k, AnchorEventID: "e"})
			require.Error(t, err)
		}
		_, err := s.CreateSession(ctx, session.Key{UserID: "u"}, nil)
		require.ErrorIs(t, err, session.ErrAppNameRequired)
		_, err = s.ListSessions(ctx, session.UserKey{AppName: "a"})
		require.ErrorIs(t, err, session.ErrUserIDRequired)
		_, err = s.ListSessions(ctx, userKey, session.WithGetSessionEventPage(0, 1))
		require.ErrorIs(t, err, session.ErrEventPageOnlyForGetSession)
		require.ErrorIs(t, s.UpdateAppState(ctx, "", nil), session.ErrAppNameRequired)
		require.ErrorIs(t, s.DeleteUserState(ctx, session.UserKey{}, "k"), session.ErrAppNameRequired)

		require.ErrorIs(t, s.AppendEvent(ctx, nil, said(1, nil)), session.ErrNilSession)
		require.ErrorIs(t, s.AppendEvent(ctx, sess, nil), trpc.ErrNilEvent)
		require.ErrorIs(t, s.AppendTrackEvent(ctx, nil, nil), session.ErrNilSession)
		require.ErrorIs(t, s.AppendTrackEvent(ctx, sess, nil), trpc.ErrNilEvent)
		for _, k := range []string{"", "\x00", "\xff", strings.Repeat("k", 1025)} {
			require.ErrorIs(t, s.AppendEvent(ctx, sess, said(1, map[string][]byte{k: nil})), store.ErrInvalid, "%q", k)
			require.ErrorIs(t, s.UpdateSessionState(ctx, key, session.StateMap{k: nil}), store.ErrInvalid, "%q", k)
			require.ErrorIs(t, s.UpdateAppState(ctx, "a", session.StateMap{k: nil}), store.ErrInvalid, "%q", k)
			require.ErrorIs(t, s.DeleteAppState(ctx, "a", k), store.ErrInvalid, "%q", k)
		}
		reserved := session.StateMap{"convostore.summary:": nil}
		require.ErrorIs(t, s.AppendEvent(ctx, sess, said(1, reserved)), trpc.ErrStateKey)
		require.ErrorIs(t, s.UpdateSessionState(ctx, key, reserved), trpc.ErrStateKey)
		_, err = s.CreateSession(ctx, session.Key{AppName: "a", UserID: "u"}, reserved)
		require.ErrorIs(t, err, trpc.ErrStateKey)
		require.ErrorIs(t, s.UpdateSessionState(ctx, key, session.StateMap{"app:k": nil}), trpc.ErrStateKey)
		require.ErrorIs(t, s.UpdateUserState(ctx, userKey, session.StateMap{"temp:k": nil}), trpc.ErrStateKey)
		_, err = s.CreateSession(ctx, session.Key{AppName: "a", UserID: "u", SessionID: "\x00"}, nil)
		require.ErrorIs(t, err, store.ErrInvalid)
		late := said(1, nil)
		late.Timestamp = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		require.ErrorContains(t, s.AppendEvent(ctx, sess, late), "e1", "no JSON has such a year")
		own := session.StateMap{"tracks": []byte("of the host's own")}
		require.NoError(t, s.UpdateSessionState(ctx, key, own))
		require.Error(t, s.AppendTrackEvent(ctx, sess, &session.TrackEvent{Track: "agui"}))
		require.Equal(t, own, get(t, s).State)
		require.Empty(t, sess.Tracks)
		require.Empty(t, get(t, s).Events)
		require.Empty(t, sess.Events)
	})
}
