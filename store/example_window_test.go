package store_test

import (
	"context"
	"fmt"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/window"
)

// The newest messages that a budget has room for, with a summary of the older ones, as a request
// to Anthropic has them.
func ExampleMessageWindower_Context() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleSystem, "Be brief.")
	say(ctx, mine, c, message.RoleUser, "What is the capital of Norway?")
	say(ctx, mine, c, message.RoleAssistant, "Oslo.")
	say(ctx, mine, c, message.RoleUser, "And of Iceland?")
	hash, err := mine.Summaries().Cover(ctx, c.ID, 2, 3)
	must(err)
	must(mine.Summaries().Create(ctx, &conversation.Summary{
		ConversationID: c.ID, FromSeq: 2, ToSeq: 3, Content: "We spoke of Oslo.", CoveredHash: hash,
	}))
	w, err := mine.Messages().Context(ctx, c.ID, window.Budget{Tokens: 1000})
	must(err)
	p, err := payload.NewPrompt(payload.Anthropic, w.Messages())
	must(err)
	fmt.Println(string(p.System))
	for _, m := range p.Messages {
		fmt.Println(string(m))
	}
	// Output:
	// [{"type":"text","text":"Be brief."}]
	// {"content":[{"type":"text","text":"We spoke of Oslo."},{"type":"text","text":"And of Iceland?"}],"role":"user"}
}
