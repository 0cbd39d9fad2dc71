// Package seed makes the rows that the tests of the inbox begin with.
package seed

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// Mail is a mail of a lead, with a Message-ID of its own.
func Mail(text string) *message.Message {
	return &message.Message{
		Direction: message.DirectionInbound, SenderEmail: "lead@acme.example", RecipientEmail: "us@shop.example", Content: text,
		EmailMessageID: "<" + uuid.NewString() + "@acme.example>", Headers: message.Headers{"Subject": {"An offer"}},
	}
}

// Draft is a suggestion that answers a stored message.
func Draft(to *message.Message, text string) *suggestion.Suggestion {
	return &suggestion.Suggestion{
		ConversationID: to.ConversationID, InReplyToMessageID: &to.ID, AnswersSeq: to.Seq, SuggestedContent: text, ConfidenceScore: new(0.9),
	}
}
