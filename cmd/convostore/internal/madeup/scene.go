package madeup

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// Channel is the channel of the outbox through which made-up replies go.
const Channel = "mail"

// Showcase writes conversations that have, between them, everything that an inbox shows: drafts with
// what the model thought, drafts that newer mail overtook and edits that are not finished, notes,
// automatic replies and bounces, deliveries that wait and that failed, and chats with code, tools and
// branches. All happened in the hours before now.
func Showcase(ctx context.Context, st store.Store, now time.Time) error {
	return st.Transaction(ctx, func(tx store.Store) error {
		s := &scene{ctx: ctx, mine: tx.ForUser(Users[0].ID), now: now}
		for _, write := range []func(*scene){
			(*scene).refund, (*scene).angry, (*scene).overtaken, (*scene).absent, (*scene).bounced,
			(*scene).snoozed, (*scene).waiting, (*scene).spanish, (*scene).chats,
		} {
			if write(s); s.err != nil {
				return s.err
			}
		}
		return nil
	})
}

// scene writes conversations up to the first error.
type scene struct {
	ctx  context.Context //nolint:containedctx // lives as long as the transaction
	mine store.Scope
	now  time.Time
	err  error
	// mails numbers the Message-IDs.
	mails int
}

// do keeps the first error, and does nothing after it.
func (s *scene) do(write func() error) {
	if s.err == nil {
		s.err = write()
	}
}

// ago is a moment of the made-up past.
func (s *scene) ago(d time.Duration) time.Time { return s.now.Add(-d).Truncate(time.Second) }

// thread begins a conversation with a lead.
func (s *scene) thread(lead int, subject string, begun time.Duration) *conversation.Conversation {
	c := &conversation.Conversation{LeadID: leadID(lead), Subject: subject, CreatedAt: s.ago(begun)}
	s.do(func() error { return s.mine.Conversations().Create(s.ctx, c) })
	return c
}

// mail appends a mail of the lead, or of ours to it.
func (s *scene) mail(c *conversation.Conversation, lead int, d message.Direction, ago time.Duration, text string, change ...func(*message.Message)) *message.Message {
	s.mails++
	at := s.ago(ago)
	m := &message.Message{
		Direction: d, Content: text, SenderEmail: address(lead), RecipientEmail: ours, SentAt: at, CreatedAt: at,
		EmailMessageID: fmt.Sprintf("<%d.%d@mail.example>", s.now.Unix(), s.mails),
		Headers:        message.Headers{"Subject": {c.Subject}, "From": {people[lead].name + " <" + address(lead) + ">"}, "To": {ours}},
	}
	if d == message.DirectionOutbound {
		m.SenderEmail, m.RecipientEmail = ours, address(lead)
		m.Headers["From"], m.Headers["To"] = []string{ours}, []string{address(lead)}
	}
	for _, f := range change {
		f(m)
	}
	s.do(func() error {
		_, err := s.mine.Messages().Append(s.ctx, c.ID, m)
		return err
	})
	return m
}

// kind makes a mail another kind of message.
func kind(k message.Kind) func(*message.Message) {
	return func(m *message.Message) { m.Kind = k }
}

// files attaches files to a mail.
func files(all ...message.Attachment) func(*message.Message) {
	return func(m *message.Message) { m.Attachments = all }
}

// note is one of the people who answer to the others.
func (s *scene) note(c *conversation.Conversation, author string, ago time.Duration, text string) {
	at := s.ago(ago)
	s.do(func() error {
		_, err := s.mine.Messages().Append(s.ctx, c.ID, &message.Message{Kind: message.KindNote, Role: message.RoleAssistant, Author: author, Content: text, SentAt: at, CreatedAt: at})
		return err
	})
}

// thought is what a model says of its draft.
type thought struct {
	confidence float64
	sentiment  map[string]any
	context    map[string]any
}

// draft suggests an answer to a message.
func (s *scene) draft(c *conversation.Conversation, answers *message.Message, after time.Duration, text string, t thought) uuid.UUID {
	d := &suggestion.Suggestion{
		ConversationID: c.ID, InReplyToMessageID: &answers.ID, SuggestedContent: text, CreatedAt: answers.SentAt.Add(after),
		ConfidenceScore: new(t.confidence), ModelUsed: models[1].name, TokensUsed: int64(600 + 3*len(text)),
		GenerationCost: decimal.New(int64(600+3*len(text))*models[1].price, -6),
	}
	if t.sentiment != nil {
		d.SentimentAnalysis = message.MustJSON(t.sentiment)
	}
	if t.context != nil {
		d.ContextUsed = message.MustJSON(t.context)
	}
	s.do(func() error { return s.mine.Suggestions().Create(s.ctx, d) })
	return d.ID
}

// approve sends a draft at a time, through the outbox.
func (s *scene) approve(c *conversation.Conversation, lead int, id uuid.UUID, by string, due time.Time) *message.OutboxEntry {
	entry := &message.OutboxEntry{Channel: Channel, DueAt: due}
	s.do(func() error {
		if _, err := s.mine.Suggestions().Approve(s.ctx, id, suggestion.Review{By: by}); err != nil {
			return err
		}
		m := &message.Message{
			Author: by, SenderEmail: ours, RecipientEmail: address(lead),
			Headers: message.Headers{"Subject": {"Re: " + c.Subject}, "From": {ours}, "To": {address(lead)}},
		}
		_, err := s.mine.Suggestions().Send(s.ctx, id, m, store.SendOptions{Deliver: entry})
		return err
	})
	return entry
}

// label and assign are what operators do.
func (s *scene) label(c *conversation.Conversation, labels ...string) {
	s.do(func() error {
		_, err := s.mine.Conversations().AddLabels(s.ctx, c.ID, "ann", labels)
		return err
	})
}

func (s *scene) assign(c *conversation.Conversation, to string) {
	s.do(func() error {
		_, err := s.mine.Conversations().Assign(s.ctx, c.ID, to, store.AssignOptions{})
		return err
	})
}
