package window_test

import (
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/window"
)

// The newest messages that there is room for, beginning with a user's. What the system says stays.
func ExampleBuild() {
	messages := []*message.Message{
		{Seq: 1, Role: message.RoleSystem, Content: "Be brief."},
		{Seq: 2, Role: message.RoleUser, Content: "What is the capital of Norway?"},
		{Seq: 3, Role: message.RoleAssistant, Content: "Oslo."},
		{Seq: 4, Role: message.RoleUser, Content: "And of Iceland?"},
	}
	for _, m := range messages {
		m.Kind, m.State = message.KindMessage, message.StateComplete
	}
	w, err := window.Build(messages, nil, window.Budget{Messages: 3})
	if err != nil {
		panic(err)
	}
	for _, m := range w.Messages() {
		fmt.Println(m.Seq, m.Role, m.Content)
	}
	for _, out := range w.LeftOut {
		fmt.Printf("without %d: %s\n", out.Seq, out.Reason)
	}
	// Output:
	// 1 system Be brief.
	// 4 user And of Iceland?
	// without 2: over budget
	// without 3: before the first user's message
}
