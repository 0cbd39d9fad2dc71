package store_test

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// What the replies of a model cost, by conversation and by model.
func ExampleUsageReports() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")
	for _, model := range []string{"small-1", "large-2", "large-2"} {
		_, err := mine.Messages().Append(ctx, c.ID, &message.Message{
			Role: message.RoleAssistant, Content: "In Seville, mostly.", Model: model,
			TokensIn: 90, TokensOut: 5, Cost: decimal.RequireFromString("0.0012"),
		})
		must(err)
	}

	chats, err := mine.Reports().UsageByConversation(ctx, store.Top{Limit: 10})
	must(err)
	for _, u := range chats {
		fmt.Println(u.Title, u.Messages, "replies", u.TokensIn, "in", u.TokensOut, "out", u.Cost)
	}
	models, err := mine.Reports().UsageByModel(ctx, store.Top{})
	must(err)
	for _, u := range models {
		fmt.Println(u.Model, u.Messages, u.Cost)
	}
	// Output:
	// Holiday plans 3 replies 270 in 15 out 0.0036
	// large-2 2 0.0024
	// small-1 1 0.0012
}
