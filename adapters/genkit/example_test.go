package genkit_test

import (
	"context"
	"fmt"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	firebase "github.com/firebase/genkit/go/genkit"
	gexp "github.com/firebase/genkit/go/genkit/exp"
	"github.com/google/uuid"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/window"
)

// counter is what the agent of the example keeps.
type counter struct{ Turns int }

// An agent answers, and what was said is a conversation in the store.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()

	user := func(context.Context) uuid.UUID { return store.TenantID("ann") } // a host asks ctx who it is
	sessions := genkit.NewSessionStore[counter](st, user, genkit.Options{App: "demo"})
	g := firebase.Init(ctx, firebase.WithExperimental())
	agent := gexp.DefineCustomAgent(g, "echo", func(ctx context.Context, _ exp.Responder, run *exp.SessionRunner[counter]) (*exp.AgentResult, error) {
		err := run.Run(ctx, func(_ context.Context, in *exp.AgentInput) (*exp.TurnResult, error) {
			run.UpdateCustom(func(c counter) counter { return counter{c.Turns + 1} })
			run.AddMessages(ai.NewModelTextMessage(fmt.Sprintf("Turn %d: %s", run.Custom().Turns, in.Message.Text())))
			return &exp.TurnResult{FinishReason: exp.AgentFinishReasonStop}, nil
		})
		return run.Result(), err
	}, exp.WithSessionStore(sessions))
	for _, text := range []string{"hello", "and again"} {
		if _, err := agent.RunText(ctx, text, exp.WithSessionID[counter]("s1")); err != nil {
			panic(err)
		}
	}

	mine := st.ForUser(store.TenantID("ann"))
	c, err := mine.Conversations().GetByExternalKey(ctx, genkit.ExternalKey("demo", "s1"))
	if err != nil {
		panic(err)
	}
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		panic(err)
	}
	for _, m := range thread.Messages {
		if m.PayloadFormat == genkit.PayloadFormat {
			fmt.Println(m.Role, m.Content)
		}
	}
	// Output:
	// user hello
	// assistant Turn 1: hello
	// user and again
	// assistant Turn 2: and again
}

// A flow reads what the model is to be sent, and appends what it answered.
func ExampleHistory() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine, c := st.ForUser(store.TenantID("ann")), &conversation.Conversation{}
	if err := mine.Conversations().Create(ctx, c); err != nil {
		panic(err)
	}
	history := genkit.NewHistory(mine, c.ID)

	g := firebase.Init(ctx)
	firebase.DefineModel(g, "demo/parrot", &ai.ModelOptions{Supports: &ai.ModelSupports{Multiturn: true}},
		func(_ context.Context, in *ai.ModelRequest, _ ai.ModelStreamCallback) (*ai.ModelResponse, error) {
			last := in.Messages[len(in.Messages)-1].Text()
			return &ai.ModelResponse{Request: in, Message: ai.NewModelTextMessage(fmt.Sprintf("Of %d messages the last is %q.", len(in.Messages), last))}, nil
		})
	chat := firebase.DefineFlow(g, "chat", func(ctx context.Context, text string) (string, error) {
		given, err := history.Window(ctx, window.Budget{Tokens: 10_000})
		if err != nil {
			return "", err
		}
		resp, err := firebase.Generate(ctx, g, ai.WithModelName("demo/parrot"), ai.WithMessages(given...), ai.WithPrompt(text))
		if err != nil {
			return "", err
		}
		return resp.Text(), history.AppendResponse(ctx, given, resp)
	})
	for _, text := range []string{"hello", "good-bye"} {
		answer, err := chat.Run(ctx, text)
		if err != nil {
			panic(err)
		}
		fmt.Println(answer)
	}
	// Output:
	// Of 1 messages the last is "hello".
	// Of 3 messages the last is "good-bye".
}
