package a2a_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/a2a"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func open(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

type userKey struct{}

// as returns a context of a user's call.
func as(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

func who(ctx context.Context) (string, error) {
	name, _ := ctx.Value(userKey{}).(string)
	return name, nil
}

func newStore(st store.Store) *a2a.TaskStore {
	return a2a.New(st, a2a.Options{App: "travel", Authenticator: who})
}

func said(role sdk.MessageRole, text string) *sdk.Message {
	return sdk.NewMessage(role, sdk.NewTextPart(text))
}

func user(text string) *sdk.Message { return said(sdk.MessageRoleUser, text) }

func newTask(id, contextID string, history ...*sdk.Message) *sdk.Task {
	return &sdk.Task{
		ID: sdk.TaskID(id), ContextID: contextID, History: history,
		Status: sdk.TaskStatus{State: sdk.TaskStateSubmitted},
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	doc, err := json.Marshal(v)
	require.NoError(t, err)
	return string(doc)
}

func get(ctx context.Context, t *testing.T, s taskstore.Store, id sdk.TaskID) *taskstore.StoredTask {
	t.Helper()
	got, err := s.Get(ctx, id)
	require.NoError(t, err)
	return got
}

func texts(ms []*sdk.Message) (all []string) {
	for _, m := range ms {
		all = append(all, m.Parts[0].Text())
	}
	return all
}

// TestConversation has what people see of two tasks of a context.
func TestConversation(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := newStore(st), as(t.Context(), "ann")
		mine := st.ForUser(store.TenantID("ann"))
		one := newTask("t1", "trip", user("Find a flight to \x00 Porto."))
		v, err := s.Create(ctx, one)
		require.NoError(t, err)
		require.EqualValues(t, 1, v)
		one.Status = sdk.TaskStatus{State: sdk.TaskStateInputRequired, Message: said(sdk.MessageRoleAgent, "When?")}
		v, err = s.Update(ctx, &taskstore.UpdateRequest{Task: one, PrevVersion: v})
		require.NoError(t, err)
		require.EqualValues(t, 2, v)
		_, err = s.Create(ctx, newTask("t2", "trip", user("And a hotel.")))
		require.NoError(t, err)
		one.History = append(one.History, one.Status.Message, sdk.NewMessage(sdk.MessageRoleUser,
			sdk.NewDataPart(map[string]any{"day": "Friday"})), sdk.NewMessage(sdk.MessageRoleUser,
			sdk.NewRawPart([]byte{0, 255}), sdk.NewFileURLPart("https://example.com/a.pdf", "application/pdf")))
		one.Status = sdk.TaskStatus{State: sdk.TaskStateCompleted}
		one.Artifacts = []*sdk.Artifact{{ID: "a", Parts: sdk.ContentParts{sdk.NewTextPart("TP 123")}}}
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: one, PrevVersion: v})
		require.NoError(t, err)
		require.JSONEq(t, asJSON(t, one), asJSON(t, get(ctx, t, s, "t1").Task))

		c, err := mine.Conversations().GetByExternalKey(ctx, a2a.ExternalKey("travel", "trip"))
		require.NoError(t, err)
		require.Equal(t, "travel", c.App)
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		var lines []string
		for _, m := range thread.Messages {
			require.Equal(t, a2a.PayloadFormat, m.PayloadFormat)
			lines = append(lines, fmt.Sprint(m.Role, " ", m.Kind, " ", m.Content, len(m.Attachments)))
		}
		require.Equal(t, []string{
			"user message Find a flight to  Porto.0", "assistant message When?0", "user message And a hotel.0",
			"user event 0", "user message 2",
		}, lines)
		require.Equal(t, asJSON(t, one.History[0]), string(thread.Messages[0].Payload), "to the byte")

		one.Artifacts = nil
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: one})
		require.NoError(t, err)
		states, err := mine.States().List(ctx, store.ConversationState(c.ID), store.StateFilter{})
		require.NoError(t, err)
		require.Len(t, states, 4, "two for each task: the artifacts are gone")
	})
}

// TestOutside has what somebody does to the conversation of a task.
func TestOutside(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := newStore(st), as(t.Context(), "ann")
		mine := st.ForUser(store.TenantID("ann"))
		task := newTask("t", "c", user("one"), user("two"), user("three"))
		task.History[2].Parts = append(task.History[2].Parts, sdk.NewDataPart("more"))
		_, err := s.Create(ctx, task)
		require.NoError(t, err)
		c, err := mine.Conversations().GetByExternalKey(ctx, a2a.ExternalKey("travel", "c"))
		require.NoError(t, err)
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		_, err = mine.Messages().Update(ctx, thread.Messages[0].ID, store.MessageUpdate{Content: new("ONE")})
		require.NoError(t, err)
		_, err = mine.Messages().MergeMetadata(ctx, thread.Messages[2].ID, message.JSON(`{"seen":true}`))
		require.NoError(t, err)
		_, err = mine.Messages().Delete(ctx, thread.Messages[1].ID)
		require.NoError(t, err)
		_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a note of a person"})
		require.NoError(t, err)

		got := get(ctx, t, s, "t")
		require.Equal(t, []string{"ONE", "three"}, texts(got.Task.History), "an edit and a deletion count")
		require.Len(t, got.Task.History[1].Parts, 2, "metadata of the host do not")
		got.Task.History = append(got.Task.History, user("four"))
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: got.Task, PrevVersion: got.Version})
		require.NoError(t, err)
		require.Equal(t, []string{"ONE", "three", "four"}, texts(get(ctx, t, s, "t").Task.History))
		thread, err = mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		require.Len(t, thread.Messages, 4, "the edited message is still its own row")
		require.Equal(t, "ONE", thread.Messages[0].Content)

		got = get(ctx, t, s, "t")
		got.Task.History = got.Task.History[1:]
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: got.Task, PrevVersion: got.Version})
		require.NoError(t, err)
		thread, err = mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		require.Len(t, thread.Messages, 3, "what the task has no more is hidden")
		require.Equal(t, "three", thread.Messages[0].Content)

		_, err = mine.Conversations().Delete(ctx, c.ID)
		require.NoError(t, err)
		_, err = s.Get(ctx, "t")
		require.ErrorIs(t, err, sdk.ErrTaskNotFound)
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: task})
		require.ErrorIs(t, err, sdk.ErrTaskNotFound)
		list, err := s.List(ctx, &sdk.ListTasksRequest{})
		require.NoError(t, err)
		require.Zero(t, list.TotalSize)
		_, err = s.Create(ctx, task)
		require.ErrorIs(t, err, store.ErrConflict, "the context is deleted")

		_, err = mine.Conversations().Erase(ctx, c.ID)
		require.NoError(t, err)
		v, err := s.Create(ctx, task)
		require.NoError(t, err)
		require.Greater(t, v, got.Version, "nobody takes the new task for the old one")
		require.Equal(t, []string{"one", "two", "three"}, texts(get(ctx, t, s, "t").Task.History))
	})
}

// TestUsers has two users with a task of the same id, two agents, and one user without a name.
func TestUsers(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ann, bob := newStore(st), as(t.Context(), "ann"), as(t.Context(), "bob")
		_, err := s.Create(ann, newTask("t", "c", user("of Ann")))
		require.NoError(t, err)
		_, err = s.Get(bob, "t")
		require.ErrorIs(t, err, sdk.ErrTaskNotFound)
		_, err = s.Update(bob, &taskstore.UpdateRequest{Task: newTask("t", "c")})
		require.ErrorIs(t, err, sdk.ErrTaskNotFound)
		_, err = s.Create(bob, newTask("t", "c", user("of Bob")))
		require.NoError(t, err)
		require.Equal(t, []string{"of Ann"}, texts(get(ann, t, s, "t").Task.History))
		require.Equal(t, []string{"of Bob"}, texts(get(bob, t, s, "t").Task.History))

		other := a2a.New(st, a2a.Options{Authenticator: who})
		_, err = other.Get(ann, "t")
		require.ErrorIs(t, err, sdk.ErrTaskNotFound)
		_, err = other.Create(ann, newTask("t", "c"))
		require.NoError(t, err)
		for _, agent := range []*a2a.TaskStore{s, other} {
			list, err := agent.List(ann, &sdk.ListTasksRequest{})
			require.NoError(t, err)
			require.Equal(t, 1, list.TotalSize)
		}

		nobody := t.Context()
		_, err = s.Create(nobody, newTask("n", "c"))
		require.ErrorIs(t, err, sdk.ErrUnauthenticated)
		_, err = s.Get(nobody, "t")
		require.ErrorIs(t, err, sdk.ErrUnauthenticated)
		_, err = a2a.New(st, a2a.Options{}).Get(nobody, "t")
		require.ErrorIs(t, err, sdk.ErrUnauthenticated, "no call context")
		shared := a2a.New(st, a2a.Options{Authenticator: who, Tenant: func(user string) uuid.UUID {
			return store.TenantID("a2a:" + user)
		}})
		_, err = shared.Create(nobody, newTask("n", "c"))
		require.NoError(t, err)
		require.NotNil(t, get(nobody, t, shared, "n"))
		_, err = shared.List(nobody, &sdk.ListTasksRequest{})
		require.ErrorIs(t, err, sdk.ErrUnauthenticated, "as the in-memory store")
	})
}

// TestCompareAndSet has sixteen writers of one task who each add messages to what they read: each
// wins and loses, and no message is lost. Half of them have a store of their own.
func TestCompareAndSet(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 2
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		stores := []*a2a.TaskStore{newStore(open(t, d)), newStore(open(t, d))}
		ctx := as(t.Context(), "ann")
		var wg sync.WaitGroup
		var created sync.Map
		for w := range writers {
			wg.Go(func() {
				_, err := stores[w%2].Create(ctx, newTask("t", "c"))
				if err == nil {
					created.Store(w, true)
				} else {
					assert.ErrorIs(t, err, taskstore.ErrTaskAlreadyExists)
				}
			})
		}
		wg.Wait()
		n := 0
		created.Range(func(any, any) bool { n++; return true })
		require.Equal(t, 1, n, "one of them created it")
		for w := range writers {
			wg.Go(func() {
				s := stores[w%2]
				for i := 0; i < each; {
					got, err := s.Get(ctx, "t")
					if err != nil {
						t.Error(err)
						return
					}
					got.Task.History = append(got.Task.History, user(fmt.Sprint(w, " ", i)))
					_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: got.Task, PrevVersion: got.Version})
					if err == nil {
						i++
					} else if !assert.ErrorIs(t, err, taskstore.ErrConcurrentModification) {
						return
					}
				}
			})
		}
		wg.Wait()
		got := get(ctx, t, stores[0], "t")
		require.EqualValues(t, 1+writers*each, got.Version)
		require.Len(t, got.Task.History, writers*each)
		for w := range writers {
			wg.Go(func() {
				_, err := stores[w%2].Update(ctx, &taskstore.UpdateRequest{Task: newTask("t", "c", user(fmt.Sprint(w)))})
				assert.NoError(t, err, "without a version the last one wins")
			})
		}
		wg.Wait()
		got = get(ctx, t, stores[1], "t")
		require.EqualValues(t, 1+writers*each+writers, got.Version)
		require.Len(t, got.Task.History, 1)
	})
}

// TestReaders has readers beside a writer whose versions have nothing in common: what is read is one
// version, whole.
func TestReaders(t *testing.T) {
	t.Parallel()
	const versions = 25
	version := func(n int) *sdk.Task {
		text := fmt.Sprint(n)
		task := newTask("t", "c", user(text), user(text))
		task.History = task.History[:n%3]
		task.Status.Message = said(sdk.MessageRoleAgent, text)
		task.Artifacts = []*sdk.Artifact{{ID: "a", Parts: sdk.ContentParts{sdk.NewTextPart(text)}}}
		task.Metadata = map[string]any{"n": float64(n)}
		return task
	}
	check := func(t *testing.T, task *sdk.Task) {
		t.Helper()
		n := int(task.Metadata["n"].(float64))
		want := fmt.Sprint(n)
		assert.Len(t, task.History, n%3)
		for _, m := range task.History {
			assert.Equal(t, want, m.Parts[0].Text())
		}
		if assert.NotNil(t, task.Status.Message) {
			assert.Equal(t, want, task.Status.Message.Parts[0].Text())
		}
		assert.Equal(t, want, task.Artifacts[0].Parts[0].Text())
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := newStore(open(t, d)), as(t.Context(), "ann")
		_, err := s.Create(ctx, version(0))
		require.NoError(t, err)
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for running := true; running; {
					select {
					case <-done:
						running = false
					default:
					}
					got, err := s.Get(ctx, "t")
					list, err2 := s.List(ctx, &sdk.ListTasksRequest{IncludeArtifacts: true})
					if err = errors.Join(err, err2); err != nil || len(list.Tasks) != 1 {
						t.Error(err)
						return
					}
					assert.Equal(t, int(got.Version), 1+int(got.Task.Metadata["n"].(float64)))
					check(t, got.Task)
					check(t, list.Tasks[0])
				}
			})
		}
		for n := 1; n <= versions; n++ {
			if _, err = s.Update(ctx, &taskstore.UpdateRequest{Task: version(n)}); err != nil {
				break
			}
		}
		close(done)
		wg.Wait()
		require.NoError(t, err)
	})
}

// TestLong has a task with more messages than one statement reads.
func TestLong(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		const n = 2000
		s, ctx := newStore(open(t, d)), as(t.Context(), "ann")
		task := newTask("t", "c")
		for i := range n {
			task.History = append(task.History, user(fmt.Sprint(i)))
		}
		_, err := s.Create(ctx, task)
		require.NoError(t, err)
		task.History = append(task.History, user("last"))
		_, err = s.Update(ctx, &taskstore.UpdateRequest{Task: task, PrevVersion: 1})
		require.NoError(t, err)
		require.Equal(t, asJSON(t, task), asJSON(t, get(ctx, t, s, "t").Task))
		list, err := s.List(ctx, &sdk.ListTasksRequest{})
		require.NoError(t, err)
		require.Equal(t, texts(task.History[n-99:]), texts(list.Tasks[0].History))
	})
}

// TestPages walks over tasks of which many have the same time, and ids that a token must quote.
func TestPages(t *testing.T) {
	t.Parallel()
	n := 130
	if testrun.Full() {
		n = 2000
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		s := a2a.New(open(t, d), a2a.Options{Authenticator: who, Now: func() time.Time { return now }})
		ctx := as(t.Context(), "ann")
		for i := range n {
			now = now.Add(time.Duration(i%7/6) * time.Nanosecond)
			_, err := s.Create(ctx, newTask(fmt.Sprintf("a_%%/%04d", i), ""))
			require.NoError(t, err)
		}
		got := []string{}
		req := &sdk.ListTasksRequest{PageSize: 17}
		for {
			page, err := s.List(ctx, req)
			require.NoError(t, err)
			require.Equal(t, n, page.TotalSize)
			require.Equal(t, 17, page.PageSize)
			for _, task := range page.Tasks {
				got = append(got, string(task.ID))
			}
			if req.PageToken = page.NextPageToken; req.PageToken == "" {
				break
			}
		}
		require.Len(t, got, n)
		for i, id := range got {
			require.Equal(t, fmt.Sprintf("a_%%/%04d", n-1-i), id)
		}
	})
}

// TestRefused has what is refused, with its field, and leaves nothing behind.
func TestRefused(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["self"] = loop
	part := func(p *sdk.Part) *sdk.Task { return newTask("t", "c", sdk.NewMessage(sdk.MessageRoleUser, p)) }
	meta := func(v any) *sdk.Task {
		task := newTask("t", "c")
		task.Metadata = map[string]any{"k": v}
		return task
	}
	bad := map[string]*sdk.Task{
		"nil":         nil,
		"no id":       newTask("", "c"),
		"id":          newTask("a\x00", "c"),
		"long id":     newTask(strings.Repeat("x", 2000), "c"),
		"bytes":       newTask("\xff", "c"),
		"NUL":         newTask("t", "c\x00"),
		"context":     newTask("t", "\xff"),
		"message":     newTask("t", "c", nil),
		"part":        part(nil),
		"empty part":  part(&sdk.Part{}),
		"raw":         part(sdk.NewRawPart(nil)),
		"data":        part(sdk.NewDataPart(nil)),
		"url":         part(sdk.NewFileURLPart("", "")),
		"NaN":         part(sdk.NewDataPart(math.NaN())),
		"loop":        meta(loop),
		"uint":        meta(uint(1)),
		"deep":        meta([]any{struct{}{}}),
		"artifact":    {ID: "t", ContextID: "c", Artifacts: []*sdk.Artifact{nil}},
		"status":      {ID: "t", ContextID: "c", Status: sdk.TaskStatus{State: sdk.TaskState(strings.Repeat("S", 65))}},
		"status time": {ID: "t", ContextID: "c", Status: sdk.TaskStatus{Timestamp: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}},
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := newStore(st), as(t.Context(), "ann")
		good := newTask("kept", "c", user("x"))
		_, err := s.Create(ctx, good)
		require.NoError(t, err)
		for name, task := range bad {
			_, err := s.Create(ctx, task)
			require.ErrorIs(t, err, store.ErrInvalid, name)
			if task != nil && task.ID == "t" && task.ContextID == "c" {
				task = new(*task)
				task.ID = "kept"
				_, err := s.Update(ctx, &taskstore.UpdateRequest{Task: task})
				require.ErrorIs(t, err, store.ErrInvalid, name)
			}
		}
		for _, id := range []sdk.TaskID{"", "a\x00", "\xff", sdk.TaskID(strings.Repeat("x", 2000)), "%", "kep_"} {
			_, err = s.Get(ctx, id)
			require.ErrorIs(t, err, sdk.ErrTaskNotFound)
			list, err := s.List(ctx, &sdk.ListTasksRequest{ContextID: string(id) + "\x00"})
			require.NoError(t, err)
			require.Empty(t, list.Tasks)
		}
		_, err = s.Update(ctx, nil)
		require.ErrorIs(t, err, store.ErrInvalid)
		require.Equal(t, asJSON(t, good), asJSON(t, get(ctx, t, s, "kept").Task))
		list, err := s.List(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, 1, list.TotalSize)
		for _, size := range []int{-1, 101} {
			_, err = s.List(ctx, &sdk.ListTasksRequest{PageSize: size})
			require.ErrorIs(t, err, sdk.ErrInvalidRequest)
		}
		for _, token := range []string{"?", "eA==", "X18=", "X3g="} {
			_, err = s.List(ctx, &sdk.ListTasksRequest{PageToken: token})
			require.ErrorIs(t, err, sdk.ErrParseError, token)
		}
	})
}
