package suggestion_test

import (
	"errors"
	"fmt"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

func ExampleSuggestion_Approve() {
	s := &suggestion.Suggestion{SuggestedContent: "Hi John! Absolutely."}
	if err := s.Approve(suggestion.Review{By: "ann", Feedback: "Looks good!"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(s.Status, "by", s.ReviewedBy)
	fmt.Println(s.FinalContent())

	err := s.Reject(suggestion.Review{By: "bob"})
	var late *rule.TransitionError
	if errors.As(err, &late) {
		fmt.Println("too late, it is", late.From)
	}
	// Output:
	// approved by ann
	// Hi John! Absolutely.
	// too late, it is approved
}

func ExampleSuggestion_Edit() {
	s := &suggestion.Suggestion{SuggestedContent: "Hi John! Absolutely."}
	err := s.Edit("Hi John! I found 3 improvements.", suggestion.Review{By: "ann"})
	fmt.Println(err, s.Status)
	fmt.Println(s.FinalContent())
	// Output:
	// <nil> edited
	// Hi John! I found 3 improvements.
}
