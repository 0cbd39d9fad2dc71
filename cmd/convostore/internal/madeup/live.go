package madeup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// Pace is how fast things happen in Live. The zero value is that of people who watch.
type Pace struct {
	// Word is the time between two words of a reply that streams, Chat that between two questions, and
	// Mail that between two new mails.
	Word, Chat, Mail time.Duration
}

func (p Pace) complete() Pace {
	if p.Word == 0 {
		p.Word = 90 * time.Millisecond
	}
	if p.Chat == 0 {
		p.Chat = 25 * time.Second
	}
	if p.Mail == 0 {
		p.Mail = 40 * time.Second
	}
	return p
}

// Live goes on as people, a model and a mail server would, until ctx ends: questions are asked and their
// answers stream, mails come in and are answered by drafts, and replies are sent, which log tells.
// Nothing leaves the machine. The error is the first that is not the end of ctx.
func Live(ctx context.Context, st store.Store, p Pace, log func(string)) error {
	l := &live{mine: st.ForUser(Users[0].ID), pace: p.complete(), log: log}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i, part := range []func(context.Context) error{l.send, l.chat, l.mail} {
		wait.Go(func() {
			if err := part(ctx); !errors.Is(err, context.Canceled) {
				errs[i] = err
				stop() // the others end too
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

type live struct {
	mine store.Scope
	pace Pace
	log  func(string)
}

// pause waits, and returns ctx's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// refuses is a domain that takes no mail.
const refuses = "@petit-papier.example"

// send is the worker of a mail server that is not there.
func (l *live) send(ctx context.Context) error {
	return l.mine.Deliveries().Run(ctx, store.RunOptions{Name: "demo", Channels: []string{Channel}}, func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
		to := c.Message.RecipientEmail
		if strings.HasSuffix(to, refuses) {
			l.log(fmt.Sprintf("refused: mail to %s (no such user here)", to))
			return store.DeliveryResult{}, &store.PermanentError{Err: errors.New("550 5.1.1 no such user here")}
		}
		first, _, _ := strings.Cut(c.Message.Content, "\n")
		l.log(fmt.Sprintf("sent (not really): to %s: %.60q", to, first))
		return store.DeliveryResult{EmailMessageID: "<" + c.Key + "@" + strings.TrimPrefix(ours, "support@") + ">"}, nil
	})
}

// talk are questions of a chat and their answers.
var talk = []struct{ question, answer string }{
	{"What should I look at first this morning?", "Three threads cannot wait:\n\n- **Hotel Seeblick** has written three times about one invoice; Ben has begun an answer.\n- **Bergmann Bicycles** asks when the refund arrives. The draft says before Friday.\n- **Kovács Kft.** has changed its mind about the delivery, so the first draft is void."},
	{"How do I count the open threads in Go?", "Ask the scope of your users:\n\n```go\ncounts, err := st.ForUser(user).Conversations().Counts(ctx, \"ann\")\nif err != nil {\n\treturn err\n}\nfmt.Println(counts.NeedsReply, counts.WithDraft, counts.Mine)\n```\n\n`NeedsReply` leaves out what is snoozed."},
	{"Write me a polite reminder for an unpaid invoice.", "Dear Ms Lindgren,\n\nour invoice of 2 March over 240.00 € seems to have slipped through. Could you have a look? If it is paid by now, please take no notice of this mail.\n\nKind regards\nMill & Harbour"},
}

// chat asks and answers in one conversation, word by word.
func (l *live) chat(ctx context.Context) error {
	c := &conversation.Conversation{App: App, Title: "A chat that goes on while you watch"}
	if err := l.mine.Conversations().Create(ctx, c); err != nil {
		return err
	}
	for i := 0; ; i++ {
		turn := talk[i%len(talk)]
		if _, err := l.mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: turn.question}); err != nil {
			return err
		}
		if err := l.stream(ctx, c, turn.answer); err != nil {
			return err
		}
		if err := pause(ctx, l.pace.Chat); err != nil {
			return err
		}
	}
}

func (l *live) stream(ctx context.Context, c *conversation.Conversation, answer string) error {
	s, err := l.mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant, Model: models[1].name}, store.StreamOptions{})
	if err != nil {
		return err
	}
	words := strings.SplitAfter(answer, " ")
	for _, word := range words {
		if err := s.Write(ctx, word); err != nil {
			return stopped(err)
		}
		if err := pause(ctx, l.pace.Word); err != nil {
			return err
		}
	}
	return stopped(s.Finish(ctx, store.Usage{Model: models[1].name, TokensIn: 400, TokensOut: int64(len(words)), FinishReason: "stop"}))
}

// stopped takes it as no failure that somebody has stopped the reply.
func stopped(err error) error {
	var by *store.StreamError
	if errors.As(err, &by) {
		return nil
	}
	return err
}

// mail has a lead write now and then, and a model answer.
func (l *live) mail(ctx context.Context) error {
	for i := 0; ; i++ {
		if err := pause(ctx, l.pace.Mail); err != nil {
			return err
		}
		lead, about := (7*i+2)%len(people), topics[i%len(topics)]
		c := &conversation.Conversation{LeadID: leadID(lead), Subject: fmt.Sprintf(about.subject, 5000+i)}
		m := &message.Message{
			Direction: in, Content: about.question, SenderEmail: address(lead), RecipientEmail: ours, Attachments: about.files,
			Headers: message.Headers{"Subject": {c.Subject}},
		}
		c.Messages = []*message.Message{m}
		if err := l.mine.Conversations().Create(ctx, c); err != nil {
			return err
		}
		if err := pause(ctx, l.pace.Mail/8); err != nil {
			return err
		}
		err := l.mine.Suggestions().Create(ctx, &suggestion.Suggestion{
			ConversationID: c.ID, InReplyToMessageID: &m.ID, SuggestedContent: about.draft, ConfidenceScore: new(0.84),
			ModelUsed: models[1].name, TokensUsed: 900, GenerationCost: decimal.New(900*models[1].price, -6),
		})
		// Somebody may have answered, archived or deleted it meanwhile.
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
