package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// What is said is nobody's business who reads spans.
const (
	question = "My account number is 4711, why was I charged twice?"
	draft    = "You were not, dear John."
	answer   = "The second one was a reservation and goes back on Friday."
	key      = "ticket-0815"
)

// chat is what a service does: each step has a span, below which its statements stand.
func chat(ctx context.Context, t *telemetry, st store.Store) error {
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{ExternalKey: key, Title: question}
	in := &message.Message{Direction: message.DirectionInbound, Content: question, GmailMessageID: "gmail-" + key}
	reply := &suggestion.Suggestion{SuggestedContent: draft}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"create", func(ctx context.Context) error { return mine.Conversations().Create(ctx, c) }},
		{"append", func(ctx context.Context) error { return appendTwice(ctx, mine, c, in) }},
		{"suggest", func(ctx context.Context) error {
			reply.ConversationID, reply.InReplyToMessageID = c.ID, &in.ID
			return mine.Suggestions().Create(ctx, reply)
		}},
		{"edit", func(ctx context.Context) error {
			_, err := mine.Suggestions().Edit(ctx, reply.ID, answer, suggestion.Review{By: "ann"})
			return err
		}},
		{"send", func(ctx context.Context) error {
			_, err := mine.Suggestions().Send(ctx, reply.ID, &message.Message{}, store.SendOptions{})
			return err
		}},
		{"search", func(ctx context.Context) error {
			_, err := mine.Search().Messages(ctx, "charged twice", store.TextOptions{}, store.PageRequest{})
			return err
		}},
		{"create again", func(ctx context.Context) error { return takenKey(ctx, mine) }},
	} {
		if err := t.step(ctx, "chat "+step.name, step.do); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// appendTwice has the webhook of a mail delivered twice.
func appendTwice(ctx context.Context, mine store.Scope, c *conversation.Conversation, in *message.Message) error {
	for range 2 {
		if _, err := mine.Messages().Append(ctx, c.ID, in); err != nil {
			return err
		}
	}
	return nil
}

// takenKey fails on purpose: its statement's span says why, by a code.
func takenKey(ctx context.Context, mine store.Scope) error {
	err := mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: key})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return fmt.Errorf("expected a conflict, got %w", err)
}
