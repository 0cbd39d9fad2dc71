package eino_test

import (
	"context"
	"fmt"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/schema"

	"github.com/convostore/convostore/adapters/eino"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/window"
)

// An agent asks a person before it books a flight. Meanwhile the process may end: the checkpoint is
// in the store, and so is what was said.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine, c := st.ForUser(store.TenantID("ann")), &conversation.Conversation{Title: "Porto"}
	if err := mine.Conversations().Create(ctx, c); err != nil {
		panic(err)
	}
	history := eino.NewHistory(mine, c.ID)
	if err := history.Append(ctx, schema.UserMessage("Get me to Porto.")); err != nil {
		panic(err)
	}
	input, err := history.Window(ctx, window.Budget{Tokens: 8000})
	if err != nil {
		panic(err)
	}

	checkPoints := eino.NewCheckPoints(mine, store.ConversationState(c.ID))
	runner, err := newRunner(ctx, checkPoints)
	if err != nil {
		panic(err)
	}
	said, question, err := drain(runner.Run(ctx, input, adk.WithCheckPointID("run-1")))
	if err != nil {
		panic(err)
	}
	if err := history.Append(ctx, said...); err != nil {
		panic(err)
	}
	fmt.Println(question.Info)

	runner, err = newRunner(ctx, checkPoints) // in another process
	if err != nil {
		panic(err)
	}
	events, err := runner.ResumeWithParams(ctx, "run-1", &adk.ResumeParams{Targets: map[string]any{question.ID: "is booked"}})
	if err != nil {
		panic(err)
	}
	if said, _, err = drain(events); err != nil {
		panic(err)
	}
	if err := history.Append(ctx, said...); err != nil {
		panic(err)
	}
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		panic(err)
	}
	for _, m := range thread.Messages {
		for _, call := range payload.Calls(m) {
			fmt.Println(m.Role, call.Name, string(call.Arguments))
		}
		for _, result := range payload.Results(m) {
			fmt.Println(m.Role, result.Content)
		}
		if m.Content != "" {
			fmt.Println(m.Role, m.Content)
		}
	}
	// Output:
	// Book Porto?
	// user Get me to Porto.
	// assistant book {"city":"Porto"}
	// tool Porto is booked
	// assistant The desk said: Porto is booked
}
