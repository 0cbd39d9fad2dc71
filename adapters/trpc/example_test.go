package trpc_test

import (
	"context"
	"fmt"

	"trpc.group/trpc-go/trpc-agent-go/agent/llmagent"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/runner"

	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// echo is a model that repeats what the user said last and counts what it was sent.
type echo struct{}

func (echo) Info() model.Info { return model.Info{Name: "echo"} }

func (echo) GenerateContent(_ context.Context, r *model.Request) (<-chan *model.Response, error) {
	answers := make(chan *model.Response, 2)
	text := fmt.Sprintf("You said: %s (%d messages)", r.Messages[len(r.Messages)-1].Content, len(r.Messages))
	answers <- &model.Response{IsPartial: true, Choices: []model.Choice{{Delta: model.Message{Role: model.RoleAssistant, Content: "You"}}}}
	answers <- &model.Response{Model: "echo", Done: true, Choices: []model.Choice{{Message: model.NewAssistantMessage(text)}}}
	close(answers)
	return answers, nil
}

// A small agent answers twice, and what was said is a conversation in the store.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	sessions := trpc.New(st, trpc.Options{})
	defer func() { _ = sessions.Close() }()

	r := runner.NewRunner("demo", llmagent.New("echo", llmagent.WithModel(echo{})), runner.WithSessionService(sessions))
	for _, text := range []string{"hello", "again"} {
		events, err := r.Run(ctx, "ann", "s1", model.NewUserMessage(text))
		if err != nil {
			panic(err)
		}
		for e := range events {
			if e.Error != nil {
				panic(e.Error.Message)
			}
		}
	}

	mine := st.ForUser(store.TenantID("ann"))
	c, err := mine.Conversations().GetByExternalKey(ctx, trpc.ExternalKey("demo", "s1"))
	if err != nil {
		panic(err)
	}
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		panic(err)
	}
	for _, m := range thread.Messages {
		fmt.Println(m.Role, m.Author, m.Content)
	}
	// Output:
	// user user hello
	// assistant echo You said: hello (1 messages)
	// user user again
	// assistant echo You said: again (3 messages)
}
