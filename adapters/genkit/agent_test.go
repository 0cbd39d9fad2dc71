package genkit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/firebase/genkit/go/ai/exp/localstore"
	firebase "github.com/firebase/genkit/go/genkit"
	gexp "github.com/firebase/genkit/go/genkit/exp"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/internal/bothtest"
)

// newGenkit has a model that calls a tool when it is asked for the weather, and repeats how many
// messages it was sent and the last text otherwise.
func newGenkit(ctx context.Context) *firebase.Genkit {
	g := firebase.Init(ctx, firebase.WithExperimental())
	firebase.DefineTool(g, "weather", "tells the weather", func(_ *ai.ToolContext, in struct {
		City string `json:"city"`
	},
	) (string, error) {
		return "sunny in " + in.City, nil
	})
	firebase.DefineModel(g, "test/echo", &ai.ModelOptions{Supports: &ai.ModelSupports{Multiturn: true, SystemRole: true, Tools: true}}, echo)
	return g
}

func echo(_ context.Context, in *ai.ModelRequest, _ ai.ModelStreamCallback) (*ai.ModelResponse, error) {
	last := in.Messages[len(in.Messages)-1]
	out := &ai.ModelResponse{Request: in, FinishReason: ai.FinishReasonStop, Usage: &ai.GenerationUsage{InputTokens: 7, OutputTokens: 3, ThoughtsTokens: 2}}
	switch {
	case last.Role == ai.RoleTool:
		out.Message = ai.NewModelTextMessage(fmt.Sprint("It is ", last.Content[0].ToolResponse.Output))
	case last.Text() == "weather":
		out.Message = ai.NewModelMessage(ai.NewToolRequestPart(&ai.ToolRequest{Ref: "r1", Name: "weather", Input: map[string]any{"city": "Porto"}}))
	case strings.HasPrefix(last.Text(), "give"):
		out.Message = ai.NewModelTextMessage(`{"n": 1}`)
	default:
		out.Message = ai.NewModelTextMessage(fmt.Sprint(len(in.Messages), " ", last.Content[0].Text))
	}
	return out, nil
}

// TestAgent runs a small agent on Genkit's own store and on both databases: it says the same, and
// what it keeps is the same.
func TestAgent(t *testing.T) {
	t.Parallel()
	talk := func(t *testing.T, s sessionStore) *snapshot {
		t.Helper()
		ctx := t.Context()
		agent := gexp.DefineAgent(newGenkit(ctx), "guide", exp.InlinePrompt{
			ai.WithModelName("test/echo"), ai.WithSystem("Be brief."), ai.WithTools(ai.ToolName("weather")),
		}, exp.WithSessionStore[custom](s))
		for i, text := range []string{"hello", "weather", "thanks"} {
			out, err := agent.RunText(ctx, text, exp.WithSessionID[custom]("s"))
			require.NoError(t, err)
			require.Nil(t, out.Error)
			require.Equal(t, []string{"2 hello", "It is sunny in Porto", "8 thanks"}[i], out.Message.Text())
		}
		got, err := s.GetLatestSnapshot(ctx, "s")
		require.NoError(t, err)
		return got
	}
	want := talk(t, localstore.NewInMemorySessionStore[custom]())
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		got := talk(t, s)
		require.Equal(t, want.State, got.State)
		require.Equal(t, []string{"hello", "2 hello", "weather", "", "", "It is sunny in Porto", "thanks", "8 thanks"}, contents(s.thread()))
		require.Len(t, s.all(), 8)
		same, err := genkit.NewHistory(s.mine, s.conversation().ID).Messages(t.Context())
		require.NoError(t, err)
		require.Equal(t, got.State.Messages, same, "as a history has it")
		require.False(t, s.conversation().Branched)
	})
}

// TestDetach runs an agent in the background and has another store abort it.
func TestDetach(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx := t.Context()
		s, other := newSession(t, d), sessionsOf(open(t, d))
		stopped := make(chan struct{})
		agent := gexp.DefineCustomAgent(newGenkit(ctx), "slow", func(ctx context.Context, _ exp.Responder, run *exp.SessionRunner[custom]) (*exp.AgentResult, error) {
			err := run.Run(ctx, func(ctx context.Context, _ *exp.AgentInput) (*exp.TurnResult, error) {
				<-ctx.Done()
				close(stopped)
				return nil, ctx.Err()
			})
			return nil, err
		}, exp.WithSessionStore[custom](s))
		out, err := agent.Run(ctx, &exp.AgentInput{Message: ai.NewUserTextMessage("go"), Detach: true}, exp.WithSessionID[custom]("s"))
		require.NoError(t, err)
		require.Equal(t, exp.AgentFinishReasonDetached, out.FinishReason)
		ch := other.OnSnapshotStatusChange(ctx, out.SnapshotID)
		requireStatus(t, ch, exp.SnapshotStatusPending)
		require.Equal(t, exp.SnapshotStatusAborted, abort(t, other, out.SnapshotID))
		requireStatus(t, ch, exp.SnapshotStatusAborted)
		<-stopped
		for get(t, s, out.SnapshotID).FinishReason != exp.AgentFinishReasonAborted { // the agent says so itself
			require.NoError(t, ctx.Err())
		}
	})
}
