package adk_test

import (
	"context"
	"fmt"
	"iter"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/runner"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/convostore/convostore/adapters/adk"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A small agent answers, and what was said is a conversation in the store.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()

	echo, err := agent.New(agent.Config{Name: "echo", Run: func(in agent.InvocationContext) iter.Seq2[*session.Event, error] {
		return func(yield func(*session.Event, error) bool) {
			e := session.NewEvent(in, in.InvocationID())
			e.Author = "echo"
			e.Content = genai.NewContentFromText("You said: "+in.UserContent().Parts[0].Text, genai.RoleModel)
			e.Actions.StateDelta["user:turns"] = 1
			yield(e, nil)
		}
	}})
	if err != nil {
		panic(err)
	}
	sessions := adk.New(st, adk.Options{})
	if _, err := sessions.Create(ctx, &session.CreateRequest{AppName: "demo", UserID: "ann", SessionID: "s1"}); err != nil {
		panic(err)
	}
	r, err := runner.New(runner.Config{AppName: "demo", Agent: echo, SessionService: sessions})
	if err != nil {
		panic(err)
	}
	for _, err := range r.Run(ctx, "ann", "s1", genai.NewContentFromText("hello", genai.RoleUser), agent.RunConfig{}) {
		if err != nil {
			panic(err)
		}
	}

	mine := st.ForUser(store.TenantID("ann"))
	c, err := mine.Conversations().GetByExternalKey(ctx, adk.ExternalKey("demo", "s1"))
	if err != nil {
		panic(err)
	}
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		panic(err)
	}
	for _, m := range thread.Messages {
		fmt.Println(m.Role, m.Content)
	}
	// Output:
	// user hello
	// assistant You said: hello
}
