package store_test

import (
	"context"
	"fmt"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Mails come in any order, and more than once. The question comes last, and brings the two answers
// together.
func ExampleMessageFiler() {
	ctx := context.Background()
	mine, _ := open(ctx)
	mail := func(from, text, id, answers string) {
		f, err := mine.Messages().File(ctx, &message.Message{
			Direction: message.DirectionInbound, SenderEmail: from, Content: text,
			Headers: message.Headers{
				"From": {from}, "To": {"sales@acme.example"}, "Message-ID": {id}, "In-Reply-To": {answers}, "Subject": {"Re: Offer"},
			},
		}, store.FileOptions{New: &conversation.Conversation{LeadID: "acme-7"}})
		must(err)
		fmt.Println(text, "- new:", f.Created, "- began a conversation:", f.Begun, "- merged:", len(f.Merged))
	}
	mail("ann@example.com", "Yes", "<2@example.com>", "<1@example.com>")
	mail("ann@example.com", "Yes", "<2@example.com>", "<1@example.com>")
	mail("ben@example.com", "No", "<3@example.com>", "<0@example.com>")
	mail("ann@example.com", "Shall we?", "<1@example.com>", "<0@example.com>")
	// Output:
	// Yes - new: true - began a conversation: true - merged: 0
	// Yes - new: false - began a conversation: false - merged: 0
	// No - new: true - began a conversation: true - merged: 0
	// Shall we? - new: true - began a conversation: false - merged: 1
}

// A provider gives a message its id after it was sent. Answers name it.
func ExampleMessageRefs() {
	ctx := context.Background()
	mine, c := open(ctx)
	sent := &message.Message{Direction: message.DirectionOutbound, Content: "Shall we talk?"}
	_, err := mine.Messages().Append(ctx, c.ID, sent)
	must(err)
	must(mine.Messages().AddRefs(ctx, sent.ID,
		message.Ref{Provider: message.RefEmail, Ref: "<0100018f@email.provider.example>"},
		message.Ref{Provider: message.RefGmail, Ref: "1842843112218069537", Exclusive: true},
	))
	found, err := mine.Messages().GetByRef(ctx, message.RefGmail, "1993180bf8888a21") // the same one, as Gmail's API has it
	must(err)
	fmt.Println(found.Content)
	answer := &message.Message{Role: message.RoleUser, Headers: message.Headers{"In-Reply-To": {"<0100018f@email.provider.example>"}}}
	filed, err := mine.Messages().File(ctx, answer, store.FileOptions{})
	must(err)
	fmt.Println(filed.Conversation.Title)
	// Output:
	// Shall we talk?
	// Holiday plans
}
