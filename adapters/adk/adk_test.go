package adk_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/sessiontestsuite"
	"google.golang.org/genai"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/adk"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

const app = "travel"

func open(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

// TestSuite runs ADK's own tests of session services, each on tenants of its own.
func TestSuite(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		sessiontestsuite.RunServiceTests(t, sessiontestsuite.SuiteOptions{SupportsUserProvidedSessionID: true}, func(t *testing.T) session.Service {
			t.Helper()
			_, err := st.AllUsers().Maintenance().Counts(t.Context())
			require.NoError(t, err)
			empty(t, st)
			return adk.New(st, adk.Options{})
		})
	})
}

// empty removes what the test before left: the suite has one app.
func empty(t *testing.T, st store.Store) {
	t.Helper()
	for _, table := range []string{"conversations", "conversation_user_states", "conversation_app_states"} {
		require.NoError(t, st.DB(t.Context()).Exec("DELETE FROM "+table).Error)
	}
}

func create(t *testing.T, s session.Service, state map[string]any) session.Session {
	t.Helper()
	got, err := s.Create(t.Context(), &session.CreateRequest{AppName: app, UserID: "ann", SessionID: "s", State: state})
	require.NoError(t, err)
	return got.Session
}

func get(t *testing.T, s session.Service, req session.GetRequest) session.Session {
	t.Helper()
	req.AppName, req.UserID = app, "ann"
	got, err := s.Get(t.Context(), &req)
	require.NoError(t, err)
	return got.Session
}

func event(i int, delta map[string]any) *session.Event {
	e := &session.Event{ID: fmt.Sprintf("e%d", i), Author: "user", Timestamp: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	e.Content = genai.NewContentFromText(fmt.Sprintf("text %d", i), genai.RoleUser)
	e.Actions.StateDelta = delta
	return e
}

func state(s session.Session) map[string]any {
	all := map[string]any{}
	for k, v := range s.State().All() {
		all[k] = v
	}
	return all
}

func ids(s session.Session) (all []string) {
	for e := range s.Events().All() {
		all = append(all, e.ID)
	}
	return all
}

// TestManyHandles has sixteen handles of one session append at once, with states of all three
// scopes: no event and no key is lost, and nobody is told that the session is stale.
func TestManyHandles(t *testing.T) {
	t.Parallel()
	const handles, each = 16, 10
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := adk.New(open(t, d), adk.Options{})
		create(t, s, nil)
		var wg sync.WaitGroup
		for h := range handles {
			wg.Go(func() {
				got, err := s.Get(t.Context(), &session.GetRequest{AppName: app, UserID: "ann", SessionID: "s"})
				if err != nil {
					t.Error(err)
					return
				}
				for i := range each {
					n := h*each + i
					key := fmt.Sprintf("k%d", n)
					assert.NoError(t, s.AppendEvent(t.Context(), got.Session, event(n, map[string]any{key: n, "user:" + key: n, "app:" + key: n, "shared": h})))
				}
			})
		}
		wg.Wait()
		got := get(t, s, session.GetRequest{SessionID: "s"})
		require.Equal(t, handles*each, got.Events().Len())
		all := state(got)
		require.Len(t, all, 3*handles*each+1)
		for n := range handles * each {
			for _, prefix := range []string{"", "user:", "app:"} {
				require.EqualValues(t, n, all[fmt.Sprintf("%sk%d", prefix, n)])
			}
		}
	})
}

// TestOrder has events of one time, a redelivery, and an append that was repeated because nobody
// knew whether it was stored.
func TestOrder(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := adk.New(open(t, d), adk.Options{})
		sess := create(t, s, nil)
		other := get(t, s, session.GetRequest{SessionID: "s"})
		var want []string
		for i := range 30 {
			require.NoError(t, s.AppendEvent(t.Context(), sess, event(i, nil)))
			want = append(want, fmt.Sprintf("e%d", i))
		}
		require.NoError(t, s.AppendEvent(t.Context(), sess, event(3, map[string]any{"late": true})), "a redelivery")
		require.Equal(t, want, ids(sess))
		require.Equal(t, want, ids(get(t, s, session.GetRequest{SessionID: "s"})))
		require.Equal(t, want[20:], ids(get(t, s, session.GetRequest{SessionID: "s", NumRecentEvents: 10})))
		require.Empty(t, state(sess))
		require.Empty(t, state(get(t, s, session.GetRequest{SessionID: "s"})))
		require.NoError(t, s.AppendEvent(t.Context(), other, event(29, nil)))
		require.Equal(t, want[29:], ids(other), "the handle did not know it")
		require.Equal(t, want, ids(get(t, s, session.GetRequest{SessionID: "s"})))
	})
}

// TestPaging reads more events than a page of the store has.
func TestPaging(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		const n = 2000
		st := open(t, d)
		s := adk.New(st, adk.Options{})
		create(t, s, nil)
		mine := st.ForUser(store.TenantID("ann"))
		c, err := mine.Conversations().GetByExternalKey(t.Context(), adk.ExternalKey(app, "s"))
		require.NoError(t, err)
		var ms []*message.Message
		for i := range n {
			ms = append(ms, &message.Message{Role: message.RoleUser, Author: "user", Content: fmt.Sprint(i)})
		}
		_, err = mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{})
		require.NoError(t, err)
		got := get(t, s, session.GetRequest{SessionID: "s"})
		require.Equal(t, n, got.Events().Len())
		for i := range n {
			require.Equal(t, fmt.Sprint(i), got.Events().At(i).Content.Parts[0].Text)
		}
		last := get(t, s, session.GetRequest{SessionID: "s", NumRecentEvents: 1500})
		require.Equal(t, 1500, last.Events().Len())
		require.Equal(t, "500", last.Events().At(0).Content.Parts[0].Text)
	})
}

// TestCreateAgain has a session that was deleted: nothing of it comes back, and what belongs to
// its user and app stays.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := adk.New(open(t, d), adk.Options{}), t.Context()
		sess := create(t, s, map[string]any{"own": 1, "user:u": 2, "app:a": 3, "temp:t": 4})
		require.Equal(t, map[string]any{"own": 1., "user:u": 2., "app:a": 3., "temp:t": 4}, state(sess))
		require.NoError(t, s.AppendEvent(ctx, sess, event(1, nil)))
		require.NoError(t, s.Delete(ctx, &session.DeleteRequest{AppName: app, UserID: "ann", SessionID: "s"}))
		require.ErrorIs(t, s.AppendEvent(ctx, sess, event(2, map[string]any{"app:a": 9})), store.ErrNotFound)
		require.Equal(t, []string{"e1"}, ids(sess), "the handle is as before")
		again := create(t, s, nil)
		require.Equal(t, map[string]any{"user:u": 2., "app:a": 3.}, state(again))
		require.Zero(t, again.Events().Len())
		require.NoError(t, s.AppendEvent(ctx, again, event(1, nil)), "its ids are free")
		_, err := s.Create(ctx, &session.CreateRequest{AppName: app, UserID: "ann", SessionID: "s"})
		require.ErrorIs(t, err, adk.ErrExists)
	})
}

// TestEvents has what events may hold, and messages that no agent wrote.
func TestEvents(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := adk.New(st, adk.Options{}), t.Context()
		sess := create(t, s, nil)
		full := event(1, map[string]any{"temp:x": 1, "kept": nil})
		full.Author = "planner"
		full.Content = &genai.Content{Role: genai.RoleModel, Parts: []*genai.Part{
			{Text: "thinking", Thought: true, ThoughtSignature: []byte{1, 2}},
			{Text: "I look \x00 it up."},
			{FunctionCall: &genai.FunctionCall{ID: "c1", Name: "find", Args: map[string]any{"q": "Porto"}}},
		}}
		full.ModelVersion, full.FinishReason = "gemini-3", genai.FinishReasonStop
		full.UsageMetadata = &genai.GenerateContentResponseUsageMetadata{PromptTokenCount: 7, CandidatesTokenCount: 3, ThoughtsTokenCount: 2}
		answer := event(2, nil)
		answer.Content = &genai.Content{Role: genai.RoleUser, Parts: []*genai.Part{
			{FunctionResponse: &genai.FunctionResponse{ID: "c1", Name: "find", Response: map[string]any{"found": 3.}}},
		}}
		quiet := &session.Event{Author: "planner", Actions: session.EventActions{TransferToAgent: "booker"}}
		for _, e := range []*session.Event{full, answer, quiet} {
			require.NoError(t, s.AppendEvent(ctx, sess, e))
		}
		require.NotEmpty(t, quiet.ID)
		require.Equal(t, map[string]any{"temp:x": 1, "kept": nil}, state(sess))

		mine := st.ForUser(store.TenantID("ann"))
		c, err := mine.Conversations().GetByExternalKey(ctx, adk.ExternalKey(app, "s"))
		require.NoError(t, err)
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		m := thread.Messages
		require.Equal(t, "I look  it up.", m[0].Content)
		require.Equal(t, []message.Role{message.RoleAssistant, message.RoleTool, message.RoleAssistant}, []message.Role{m[0].Role, m[1].Role, m[2].Role})
		require.Equal(t, []int64{7, 5}, []int64{m[0].TokensIn, m[0].TokensOut})
		require.Equal(t, "gemini-3", m[0].Model)
		require.Equal(t, message.KindEvent, m[2].Kind)
		require.Contains(t, string(m[0].ToolCalls), "Porto")
		require.Contains(t, string(m[1].ToolResults), "found")
		_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Author: "bob", Content: "a person"})
		require.NoError(t, err)

		got := get(t, s, session.GetRequest{SessionID: "s"})
		require.Equal(t, 4, got.Events().Len())
		want := *full
		want.Actions.StateDelta = map[string]any{"kept": nil}
		require.Equal(t, &want, got.Events().At(0))
		require.Equal(t, answer, got.Events().At(1))
		require.Equal(t, "booker", got.Events().At(2).Actions.TransferToAgent)
		require.Equal(t, "bob", got.Events().At(3).Author)
		require.Equal(t, map[string]any{"kept": nil}, state(got))
	})
}

// TestTenants has users whose sessions have one id.
func TestTenants(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		ctx := t.Context()
		own := map[string]uuid.UUID{"ann": uuid.New(), "bob": uuid.New()}
		s := adk.New(st, adk.Options{Tenant: func(_, user string) uuid.UUID { return own[user] }})
		for _, user := range []string{"ann", "bob"} {
			got, err := s.Create(ctx, &session.CreateRequest{AppName: app, UserID: user, SessionID: "s", State: map[string]any{"who": user, "user:u": user}})
			require.NoError(t, err)
			require.NoError(t, s.AppendEvent(ctx, got.Session, event(1, nil)))
		}
		all, err := s.List(ctx, &session.ListRequest{AppName: app})
		require.NoError(t, err)
		require.Len(t, all.Sessions, 2)
		for _, sess := range all.Sessions {
			require.Equal(t, map[string]any{"who": sess.UserID(), "user:u": sess.UserID()}, state(sess))
			require.Zero(t, sess.Events().Len())
		}
		one, err := s.List(ctx, &session.ListRequest{AppName: app, UserID: "bob"})
		require.NoError(t, err)
		require.Len(t, one.Sessions, 1)
		none, err := s.List(ctx, &session.ListRequest{AppName: "other", UserID: "bob"})
		require.NoError(t, err)
		require.Empty(t, none.Sessions)
		_, err = s.Create(ctx, &session.CreateRequest{AppName: app, UserID: "nobody"})
		require.ErrorIs(t, err, store.ErrInvalid, "a user without a tenant is nobody")
	})
}

// TestNames has apps and sessions whose names run into each other.
func TestNames(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := adk.New(open(t, d), adk.Options{}), t.Context()
		names := [][2]string{{"a/b", "c"}, {"a", "b/c"}, {"a%2Fb", "c"}}
		for i, n := range names {
			_, err := s.Create(ctx, &session.CreateRequest{AppName: n[0], UserID: "ann", SessionID: n[1], State: map[string]any{"i": float64(i)}})
			require.NoError(t, err)
		}
		for i, n := range names {
			got, err := s.Get(ctx, &session.GetRequest{AppName: n[0], UserID: "ann", SessionID: n[1]})
			require.NoError(t, err)
			require.Equal(t, map[string]any{"i": float64(i)}, state(got.Session))
			all, err := s.List(ctx, &session.ListRequest{AppName: n[0]})
			require.NoError(t, err)
			require.Len(t, all.Sessions, 1)
			require.Equal(t, n[1], all.Sessions[0].ID())
		}
	})
}

// TestRefused has requests that lack something.
func TestRefused(t *testing.T) {
	t.Parallel()
	s, ctx := adk.New(nil, adk.Options{}), context.Background()
	_, err := s.Create(ctx, &session.CreateRequest{UserID: "u"})
	require.ErrorIs(t, err, adk.ErrIncomplete)
	_, err = s.Get(ctx, nil)
	require.ErrorIs(t, err, adk.ErrIncomplete)
	_, err = s.List(ctx, &session.ListRequest{})
	require.ErrorIs(t, err, adk.ErrIncomplete)
	require.ErrorIs(t, s.Delete(ctx, &session.DeleteRequest{AppName: app}), adk.ErrIncomplete)
	require.Error(t, s.AppendEvent(ctx, nil, &session.Event{}))
	require.Error(t, s.AppendEvent(ctx, nil, nil))
	_, err = s.Create(ctx, &session.CreateRequest{AppName: app, UserID: "u", State: map[string]any{"f": func() {}}})
	require.ErrorContains(t, err, `state "f"`)
}

// A partial event, which a model streams, is not stored.
func TestPartial(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := adk.New(open(t, d), adk.Options{})
		sess := create(t, s, nil)
		require.NoError(t, s.AppendEvent(t.Context(), sess, &session.Event{LLMResponse: model.LLMResponse{Partial: true}}))
		require.Zero(t, sess.Events().Len())
	})
}

// TestUnread counts nothing of the user's own as unread.
func TestUnread(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s := adk.New(st, adk.Options{})
		got := create(t, s, nil)
		require.NoError(t, s.AppendEvent(t.Context(), got, event(1, nil)))
		answer := event(2, nil)
		answer.Author, answer.Content.Role = "planner", genai.RoleModel
		require.NoError(t, s.AppendEvent(t.Context(), got, answer))
		page, err := st.AllUsers().Conversations().Overview(t.Context(), store.ConversationFilter{}, store.OverviewOptions{Reader: "user"}, store.PageRequest{})
		require.NoError(t, err)
		require.EqualValues(t, 1, page.Items[0].Unread)
	})
}
