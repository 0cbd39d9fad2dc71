package main

import (
	"context"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// model is a language model.
type model interface {
	name() string
	// answer calls write with each part of the answer, and ends with the first error of write or
	// with ctx.
	answer(ctx context.Context, t turn, write func(text string) error) (store.Usage, error)
}

// turn is what a model is asked.
type turn struct {
	messages []*message.Message
	// said is the beginning of the answer that is there already: the model goes on behind it.
	said string
	// seed makes two answers to the same messages differ.
	seed int64
}

// prompt returns the messages to send. A model that shall go on is given what it said, and told so.
func (t turn) prompt() []*message.Message {
	if t.said == "" {
		return t.messages
	}
	return append(t.messages[:len(t.messages):len(t.messages)],
		&message.Message{Role: message.RoleAssistant, Content: t.said},
		&message.Message{Role: message.RoleUser, Content: "You were interrupted. Go on exactly where your text ends, without a word about it."})
}

// question is the last message of a user's.
func (t turn) question() string {
	for i := len(t.messages) - 1; i >= 0; i-- {
		if t.messages[i].Role == message.RoleUser {
			return t.messages[i].Content
		}
	}
	return ""
}
