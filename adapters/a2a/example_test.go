package a2a_test

import (
	"context"
	"fmt"
	"iter"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv"

	"github.com/convostore/convostore/adapters/a2a"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// echo is an agent that asks once and answers then.
type echo struct{}

func (echo) Execute(_ context.Context, in *a2asrv.ExecutorContext) iter.Seq2[sdk.Event, error] {
	return func(yield func(sdk.Event, error) bool) {
		if in.StoredTask == nil {
			if !yield(sdk.NewSubmittedTask(in, in.Message), nil) {
				return
			}
			yield(sdk.NewStatusUpdateEvent(in, sdk.TaskStateInputRequired, sdk.NewMessage(sdk.MessageRoleAgent, sdk.NewTextPart("How often?"))), nil)
			return
		}
		if !yield(sdk.NewArtifactEvent(in, sdk.NewTextPart("hello hello")), nil) {
			return
		}
		yield(sdk.NewStatusUpdateEvent(in, sdk.TaskStateCompleted, nil), nil)
	}
}

func (echo) Cancel(_ context.Context, in *a2asrv.ExecutorContext) iter.Seq2[sdk.Event, error] {
	return func(yield func(sdk.Event, error) bool) {
		yield(sdk.NewStatusUpdateEvent(in, sdk.TaskStateCanceled, nil), nil)
	}
}

// A small agent works on a task, and what was said is a conversation in the store.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	handler := a2asrv.NewHandler(echo{}, a2asrv.WithTaskStore(a2a.New(st, a2a.Options{App: "echo"})))

	// A transport makes the call context, and the host's interceptor names the user.
	ctx, call := a2asrv.NewCallContext(ctx, nil)
	call.User = a2asrv.NewAuthenticatedUser("ann", nil)
	first := sdk.NewMessage(sdk.MessageRoleUser, sdk.NewTextPart("Say hello."))
	first.ContextID = "greetings"
	got, err := handler.SendMessage(ctx, &sdk.SendMessageRequest{Message: first})
	if err != nil {
		panic(err)
	}
	task := got.(*sdk.Task)
	fmt.Println(task.Status.State)
	got, err = handler.SendMessage(ctx, &sdk.SendMessageRequest{
		Message: sdk.NewMessageForTask(sdk.MessageRoleUser, task, sdk.NewTextPart("Twice.")),
	})
	if err != nil {
		panic(err)
	}
	task = got.(*sdk.Task)
	fmt.Println(task.Status.State, task.Artifacts[0].Parts[0].Text())

	mine := st.ForUser(store.TenantID("ann"))
	c, err := mine.Conversations().GetByExternalKey(ctx, a2a.ExternalKey("echo", "greetings"))
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
	// TASK_STATE_INPUT_REQUIRED
	// TASK_STATE_COMPLETED hello hello
	// user Say hello.
	// assistant How often?
	// user Twice.
}
