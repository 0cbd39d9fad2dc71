package message_test

import (
	"encoding/json"
	"fmt"

	"github.com/convostore/convostore/message"
)

func ExampleHeaders() {
	var h message.Headers
	doc := `{"subject": "Re: Website improvements", "Received": ["by mx2", "by mx1"]}`
	if err := json.Unmarshal([]byte(doc), &h); err != nil {
		fmt.Println(err)
	}
	fmt.Println(h.Get("Subject"))
	fmt.Println(h.Values("received"))
	// Output:
	// Re: Website improvements
	// [by mx2 by mx1]
}

func ExampleParseIDs() {
	fmt.Println(message.ParseIDs("<first@example.com>\r\n <second@example.com>"))
	// Output: [<first@example.com> <second@example.com>]
}

func ExampleMessage_SetEmbedding() {
	m := &message.Message{Role: message.RoleUser, Content: "Can you show me examples?"}
	fmt.Println(m.SetEmbedding("model-a", message.Vector{0.6, 0.8}))
	fmt.Println(m.SetEmbedding("model-a", message.Vector{0, 0}))
	fmt.Println(m.Embedding("model-a"))
	// Output:
	// <nil>
	// convostore: invalid embedding: is the zero vector, which has no direction
	// [0.6 0.8]
}

// The parent of a sibling is that of the message itself, whose ParentSeq is nil in a conversation
// that has no branches yet.
func ExampleMessage_Parent() {
	reply := &message.Message{Role: message.RoleAssistant, Content: "Tom", Seq: 2} // as it is stored
	again := &message.Message{Role: message.RoleAssistant, Content: "Minerva", ParentSeq: new(reply.Parent())}
	fmt.Println(reply.ParentSeq == nil, *again.ParentSeq)
	// Output: true 1
}

func ExampleJSON() {
	m := message.Message{ToolCalls: message.JSON(`[{"id":"call_1","price":19.90}]`)}
	var calls []struct {
		ID    string
		Price json.Number
	}
	if err := m.ToolCalls.Decode(&calls); err != nil {
		fmt.Println(err)
	}
	fmt.Println(calls[0].ID, calls[0].Price)
	// Output: call_1 19.90
}
