package eino_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/eino"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func open(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

// ann is the user of the tests.
var ann = store.TenantID("ann")

// newConversation returns the scope of Ann with a conversation.
func newConversation(t *testing.T, st store.Store) (store.Scope, uuid.UUID) {
	t.Helper()
	sc, c := st.ForUser(ann), &conversation.Conversation{App: "travel"}
	require.NoError(t, sc.Conversations().Create(t.Context(), c))
	return sc, c.ID
}

// memory is the store of checkpoints of Eino's own tests.
type memory map[string][]byte

func (m memory) Get(_ context.Context, id string) ([]byte, bool, error) {
	v, ok := m[id]
	return v, ok, nil
}

func (m memory) Set(_ context.Context, id string, v []byte) error {
	m[id] = bytes.Clone(v)
	return nil
}

func (m memory) Delete(_ context.Context, id string) error {
	delete(m, id)
	return nil
}

// TestBesideMemory gives the same random steps to a map and, in turns, to two stores on one
// database, and compares all answers.
func TestBesideMemory(t *testing.T) {
	t.Parallel()
	large := make([]byte, 1<<20)
	for i := range large {
		large[i] = byte(i ^ i>>8)
	}
	values := [][]byte{nil, {}, {0}, []byte("text"), []byte("\x00\xff\xfe\xc3"), []byte(`{"a": 1.0,  "a": 2}`), large}
	ids := []string{"", "a", "A", "a/b", "a%", "a_", "é", "e\u0301", strings.Repeat("x", 1000)}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		first := open(t, d)
		sc, id := newConversation(t, first)
		own := []*eino.CheckPoints{
			eino.NewCheckPoints(sc, store.ConversationState(id)),
			eino.NewCheckPoints(open(t, d).ForUser(ann), store.ConversationState(id)),
		}
		theirs, r, ctx := memory{}, rand.New(rand.NewPCG(9, 0)), t.Context()
		for range 120 {
			s, key := own[r.IntN(2)], ids[r.IntN(len(ids))]
			switch r.IntN(4) {
			case 0, 1:
				v := values[r.IntN(len(values))]
				require.NoError(t, s.Set(ctx, key, v))
				require.NoError(t, theirs.Set(ctx, key, v))
			case 2:
				require.NoError(t, s.Delete(ctx, key))
				require.NoError(t, theirs.Delete(ctx, key))
			}
			got, ok, err := s.Get(ctx, key)
			require.NoError(t, err)
			want, is, _ := theirs.Get(ctx, key)
			require.Equal(t, is, ok)
			require.True(t, bytes.Equal(want, got), "%q", key)
		}
	})
}

// TestPlaces has checkpoints of a conversation, which go with it, and of a user.
func TestPlaces(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		sc, id := newConversation(t, st)
		own, ofUser := eino.NewCheckPoints(sc, store.ConversationState(id)), eino.NewCheckPoints(sc, store.UserState("travel"))
		require.NoError(t, own.Set(ctx, "run", []byte("of the conversation")))
		require.NoError(t, ofUser.Set(ctx, "run", []byte("of the user")))
		_, err := sc.Conversations().Delete(ctx, id)
		require.NoError(t, err)
		_, ok, err := own.Get(ctx, "run")
		require.NoError(t, err)
		require.False(t, ok)
		require.ErrorIs(t, own.Set(ctx, "run", nil), store.ErrNotFound)
		require.NoError(t, own.Delete(ctx, "run"), "there is none")
		_, err = sc.Conversations().Restore(ctx, id)
		require.NoError(t, err)
		got, ok, err := own.Get(ctx, "run")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "of the conversation", string(got))
		got, _, err = ofUser.Get(ctx, "run")
		require.NoError(t, err)
		require.Equal(t, "of the user", string(got))
		_, ok, err = eino.NewCheckPoints(st.ForUser(uuid.New()), store.UserState("travel")).Get(ctx, "run")
		require.NoError(t, err)
		require.False(t, ok, "another user")

		for _, bad := range []string{"a\x00", "\xff", strings.Repeat("x", 2000)} {
			require.ErrorIs(t, own.Set(ctx, bad, nil), store.ErrInvalid)
			require.ErrorIs(t, own.Delete(ctx, bad), store.ErrInvalid)
			_, _, err := own.Get(ctx, bad)
			require.ErrorIs(t, err, store.ErrInvalid)
		}
		require.ErrorIs(t, own.Set(ctx, "large", make([]byte, 17<<20)), store.ErrInvalid)
		require.ErrorIs(t, eino.NewCheckPoints(sc, store.StatePlace{}).Set(ctx, "run", nil), store.ErrInvalid)
	})
}

// TestManySetters has sixteen setters of one checkpoint: what is read is what one of them set.
func TestManySetters(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		sc, id := newConversation(t, open(t, d))
		s, ctx := eino.NewCheckPoints(sc, store.ConversationState(id)), t.Context()
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for range 3 {
					err := s.Set(ctx, "run", bytes.Repeat([]byte{byte(i)}, 1000+i))
					got, ok, err2 := s.Get(ctx, "run")
					if err = errors.Join(err, err2); err != nil || !ok {
						t.Error(ok, err)
						return
					}
					assert.Len(t, got, 1000+int(got[0]))
				}
			})
		}
		wg.Wait()
	})
}

// clerk is a model that calls a tool, and says what the tool answered.
type clerk struct{}

func (clerk) Generate(_ context.Context, in []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	last := in[len(in)-1]
	if last.Role == schema.Tool {
		return schema.AssistantMessage("The desk said: "+last.Content, nil), nil
	}
	return schema.AssistantMessage("", []schema.ToolCall{{
		ID: "c1", Type: "function", Function: schema.FunctionCall{Name: "book", Arguments: `{"city":"Porto"}`},
	}}), nil
}

func (c clerk) Stream(ctx context.Context, in []*schema.Message, o ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	m, err := c.Generate(ctx, in, o...)
	return schema.StreamReaderFromArray([]*schema.Message{m}), err
}

// newRunner makes a runner whose agent asks a person before it books.
func newRunner(ctx context.Context, s compose.CheckPointStore) (*adk.Runner, error) {
	type trip struct {
		City string `json:"city"`
	}
	book, err := utils.InferTool("book", "Books a flight.", func(ctx context.Context, in trip) (string, error) {
		if again, data, answer := tool.GetResumeContext[string](ctx); again && data {
			return in.City + " " + answer, nil
		}
		return "", tool.Interrupt(ctx, "Book "+in.City+"?")
	})
	if err != nil {
		return nil, err
	}
	agent, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
		Name: "clerk", Description: "Books flights.", Model: clerk{},
		ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: compose.ToolsNodeConfig{Tools: []tool.BaseTool{book}}},
	})
	if err != nil {
		return nil, err
	}
	return adk.NewRunner(ctx, adk.RunnerConfig{Agent: agent, CheckPointStore: s}), nil
}

// drain returns what a run says, and the question with which it stops.
func drain(events *adk.AsyncIterator[*adk.AgentEvent]) (said []*schema.Message, question *adk.InterruptCtx, err error) {
	for {
		e, ok := events.Next()
		if !ok {
			return said, question, nil
		}
		if e.Err != nil {
			return nil, nil, e.Err
		}
		if e.Output != nil && e.Output.MessageOutput != nil {
			said = append(said, e.Output.MessageOutput.Message)
		}
		if e.Action != nil && e.Action.Interrupted != nil {
			question = e.Action.Interrupted.InterruptContexts[0]
		}
	}
}

// TestResume interrupts an agent with one store and resumes it with another on the same database,
// as another process would, and beside a map.
func TestResume(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, before, after compose.CheckPointStore) (texts []string) {
		t.Helper()
		r, err := newRunner(t.Context(), before)
		require.NoError(t, err)
		said, question, err := drain(r.Query(t.Context(), "To Porto.", adk.WithCheckPointID("run")))
		require.NoError(t, err)
		require.Len(t, said[0].ToolCalls, 1)
		require.Equal(t, "Book Porto?", question.Info)
		r, err = newRunner(t.Context(), after)
		require.NoError(t, err)
		events, err := r.ResumeWithParams(t.Context(), "run", &adk.ResumeParams{Targets: map[string]any{question.ID: "booked"}})
		require.NoError(t, err)
		said, _, err = drain(events)
		require.NoError(t, err)
		for _, m := range said {
			texts = append(texts, fmt.Sprint(m.Role, " ", m.Content))
		}
		return texts
	}
	beside := memory{}
	want := run(t, beside, beside)
	require.Equal(t, "assistant The desk said: Porto booked", want[len(want)-1])
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		sc, id := newConversation(t, open(t, d))
		before := eino.NewCheckPoints(sc, store.ConversationState(id))
		after := eino.NewCheckPoints(open(t, d).ForUser(ann), store.ConversationState(id))
		require.Equal(t, want, run(t, before, after))
	})
}
