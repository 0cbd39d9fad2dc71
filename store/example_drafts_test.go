package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// A mail is drafted, the lead writes first, and nobody approves the old draft by accident.
func ExampleSuggestionDrafter() {
	ctx := context.Background()
	mine, c := open(ctx)
	s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "Shall we meet on Monday at ten?"}
	must(mine.Suggestions().Create(ctx, s))
	_, err := mine.Suggestions().SaveDraft(ctx, s.ID, "Shall we meet on Monday at eleven?", store.SaveOptions{By: "ann"})
	must(err)
	_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "Have you time on Tuesday?"})
	must(err)

	_, err = mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{By: "ann"})
	var late *store.TransitionError
	fmt.Println(errors.As(err, &late), late.From)

	// Ann has read it and goes on with what she had.
	s, err = mine.Suggestions().Reopen(ctx, s.ID, store.ReopenOptions{Current: true})
	must(err)
	fmt.Println(s.Status, s.AnswersSeq, s.DraftContent)
	s, err = mine.Suggestions().Edit(ctx, s.ID, "Tuesday at eleven, then.", suggestion.Review{By: "ann"})
	must(err)
	fmt.Println(s.Status, s.Drafted())
	// Output:
	// true superseded
	// pending 1 Shall we meet on Monday at eleven?
	// edited false
}
