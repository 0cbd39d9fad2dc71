package main

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

const (
	ours    = "ann@example.com"
	theirs  = "john@example.net"
	subject = "Website improvements for your business"
)

// replies are the mails that John writes, one for each run.
var replies = []struct{ question, draft, final string }{
	{
		"Thanks! I'm interested. Can you show me examples?",
		"Hi John! Absolutely. I've looked at your website and made some mock-ups.",
		"Hi John! I've looked at your site and found 3 key improvements, with mock-ups.",
	},
	{
		"These look good. What would it cost, and how long would it take?",
		"Hi John! It depends on the details.",
		"Hi John! 1,200 for all three, done in two weeks.",
	},
}

// leadStory plays one round of an e-mail thread: the lead writes, a model drafts, a person
// edits, and the answer is sent.
func leadStory(ctx context.Context, mine store.Scope, p printer) error {
	p.title("1. E-mail with a lead")
	c, err := openLead(ctx, mine, p)
	if err != nil {
		return err
	}
	// The number of messages names this round's mails, as Gmail and Postmark would.
	round := c.LastSeq
	in, err := receive(ctx, mine, p, c, round)
	if err != nil {
		return err
	}
	if err := queue(ctx, mine, p); err != nil {
		return err
	}
	s, err := suggest(ctx, mine, p, in, round)
	if err != nil {
		return err
	}
	if err := answer(ctx, mine, p, s, round); err != nil {
		return err
	}
	if err := queue(ctx, mine, p); err != nil {
		return err
	}
	return showThread(ctx, mine, p, c)
}

func reply(round int64) struct{ question, draft, final string } {
	return replies[(round/2)%int64(len(replies))]
}

// openLead finds the conversation by the host's own key, or starts it with a first mail.
// If a run was interrupted between the two, the mail's provider id prevents a second mail.
func openLead(ctx context.Context, mine store.Scope, p printer) (*conversation.Conversation, error) {
	c := &conversation.Conversation{ExternalKey: "lead/123/website", LeadID: "123", Subject: subject}
	created, err := mine.Conversations().GetOrCreate(ctx, c)
	if err != nil {
		return nil, err
	}
	first := &message.Message{
		Direction: message.DirectionOutbound, SenderEmail: ours, RecipientEmail: theirs,
		Content:           "Hi John, I noticed your website could benefit from a few changes.",
		PostmarkMessageID: "pm-first", IdempotencyKey: "first",
	}
	if _, err := mine.Messages().Append(ctx, c.ID, first); err != nil {
		return nil, err
	}
	if created {
		p.line("started", "%q with lead %s", c.Subject, c.LeadID)
		p.line("sent", "%s", short(first.Content))
	} else {
		p.line("continuing", "%q after %s", c.Subject, many(c.LastSeq, "message"))
	}
	return mine.Conversations().Get(ctx, c.ID)
}

// receive stores a mail twice, because mail services deliver at least once.
func receive(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation, round int64) (*message.Message, error) {
	mail := func() *message.Message {
		return &message.Message{
			Direction: message.DirectionInbound, SenderEmail: theirs, RecipientEmail: ours,
			Content:        reply(round).question,
			GmailMessageID: fmt.Sprintf("gmail-%d", round), GmailThreadID: "thread-abc123",
			Headers: message.Headers{
				"Message-ID": {fmt.Sprintf("<reply-%d@example.net>", round)},
				"Subject":    {"Re: " + subject},
			},
		}
	}
	in := mail()
	if _, err := mine.Messages().Append(ctx, c.ID, in); err != nil {
		return nil, err
	}
	p.line("received", "%s", short(in.Content))

	again := mail()
	created, err := mine.Messages().Append(ctx, c.ID, again)
	if err != nil {
		return nil, err
	}
	p.line("redelivered", "stored again: %t, it is message %d already", created, again.Seq)
	return in, nil
}

func suggest(ctx context.Context, mine store.Scope, p printer, in *message.Message, round int64) (*suggestion.Suggestion, error) {
	s := &suggestion.Suggestion{
		ConversationID: in.ConversationID, InReplyToMessageID: &in.ID, SuggestedContent: reply(round).draft,
		ConfidenceScore: new(0.92), ModelUsed: "gpt-4", TokensUsed: 450, GenerationCost: decimal.RequireFromString("0.0135"),
		SentimentAnalysis: message.MustJSON(map[string]string{"sentiment": "positive", "intent": "requesting_information"}),
		ContextUsed:       message.MustJSON(map[string]any{"previous_messages": in.Seq - 1}),
	}
	if err := mine.Suggestions().Create(ctx, s); err != nil {
		return nil, err
	}
	p.line("suggested", "%s", short(s.SuggestedContent))
	p.line("", "%s, confidence %.2f, %d tokens for %s, %s", s.ModelUsed, *s.ConfidenceScore, s.TokensUsed, s.GenerationCost, s.SentimentAnalysis)
	return s, nil
}

// answer decides and sends. It calls Send twice, as a service would after a crash; the mail is
// stored once.
func answer(ctx context.Context, mine store.Scope, p printer, s *suggestion.Suggestion, round int64) error {
	review := suggestion.Review{By: "ann", Feedback: "more specific"}
	s, err := mine.Suggestions().Edit(ctx, s.ID, reply(round).final, review)
	if err != nil {
		return err
	}
	p.line("edited", "%s (%s: %s)", short(s.FinalContent()), s.ReviewedBy, s.Feedback)
	for range 2 {
		out := &message.Message{SenderEmail: ours, RecipientEmail: theirs, PostmarkMessageID: fmt.Sprintf("pm-%d", round)}
		created, err := mine.Suggestions().Send(ctx, s.ID, out, store.SendOptions{})
		if err != nil {
			return err
		}
		if created {
			p.line("sent", "as message %d", out.Seq)
		} else {
			p.line("sent again", "nothing to do, it is message %d already", out.Seq)
		}
	}
	return nil
}

func queue(ctx context.Context, mine store.Scope, p printer) error {
	waiting, err := mine.Conversations().NeedsReply(ctx, store.PageRequest{})
	if err != nil {
		return err
	}
	p.line("needs reply", "%s", many(int64(len(waiting.Items)), "conversation"))
	return nil
}

func showThread(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation) error {
	c, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		return err
	}
	p.line("now", "%s, %s, %s", c.Status, many(c.LastSeq, "message"), many(int64(len(c.Suggestions)), "suggestion"))
	p.thread(last(c.Messages, 6))
	return nil
}

func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
