package payload_test

import (
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
)

// What an SDK sent or got is stored to the byte, with the text and the calls beside it.
func ExampleRead() {
	doc := []byte(`{"role":"assistant","content":[
		{"type":"text","text":"Let me look."},
		{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bergen"}}]}`)
	m, err := payload.Read(payload.Anthropic, doc)
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Role, m.Content)
	fmt.Println(string(m.ToolCalls))
	fmt.Println(m.PayloadFormat, string(m.Payload) == string(doc))
	// Output:
	// assistant Let me look.
	// [{"id":"toolu_1","name":"weather","arguments":{"city":"Bergen"}}]
	// anthropic.messages true
}

// A message of one format is written in another, which a provider of that kind accepts.
func ExampleWrite() {
	m, err := payload.Read(payload.Anthropic, []byte(`{"role":"assistant","content":[
		{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bergen"}}]}`))
	if err != nil {
		panic(err)
	}
	doc, err := payload.Write(payload.ChatCompletions, m)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(doc))
	doc, err = payload.Write(payload.Gemini, &message.Message{Role: message.RoleUser, Content: "And in Oslo?"})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(doc))
	// Output:
	// {"role":"assistant","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bergen\"}"}}]}
	// {"role":"user","parts":[{"text":"And in Oslo?"}]}
}
