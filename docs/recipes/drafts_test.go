package recipes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// desk is what an inbox does: mail comes in, a model drafts, a person decides, a worker sends.
type desk struct {
	st    store.Store
	model func(ctx context.Context, thread []*message.Message) (string, error)
}

// postmark is what of Postmark's inbound webhook is kept.
type postmark struct {
	MessageID, From, To, Subject, TextBody string
	Headers                                []struct{ Name, Value string }
}

func (p postmark) message() *message.Message {
	h := message.Headers{"From": {p.From}, "To": {p.To}, "Subject": {p.Subject}}
	for _, header := range p.Headers {
		h[header.Name] = append(h[header.Name], header.Value)
	}
	return &message.Message{
		Direction: message.DirectionInbound, SenderEmail: p.From, RecipientEmail: p.To, Content: p.TextBody,
		PostmarkMessageID: p.MessageID, Headers: h,
	}
}

// webhook files a mail. A provider delivers at least once: only a mail that is new is drafted for.
func (d *desk) webhook(mine store.Scope) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var p postmark
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<20)).Decode(&p); err != nil {
			http.Error(w, "no mail", http.StatusBadRequest)
			return
		}
		filed, err := mine.Messages().File(r.Context(), p.message(), store.FileOptions{
			New: &conversation.Conversation{LeadID: p.From},
		})
		if err == nil && filed.Created && filed.Message.Kind == message.KindMessage { // no bounce, no "out of office"
			err = d.draft(r.Context(), mine, filed.Message)
		}
		if err != nil {
			http.Error(w, "try again", http.StatusInternalServerError) // and the provider does
			return
		}
	}
}

// draft asks the model. If the lead writes meanwhile, the suggestion is superseded from the start.
func (d *desk) draft(ctx context.Context, mine store.Scope, question *message.Message) error {
	thread, err := mine.Messages().Last(ctx, question.ConversationID, 20)
	if err != nil {
		return err
	}
	text, err := d.model(ctx, thread)
	if err != nil {
		return err
	}
	return mine.Suggestions().Create(ctx, &suggestion.Suggestion{
		ConversationID: question.ConversationID, InReplyToMessageID: &question.ID,
		AnswersSeq: thread[len(thread)-1].Seq, SuggestedContent: text, ModelUsed: "m-1",
	})
}

// approve decides, writes the outbound message and puts it into the outbox, in one transaction.
// Nobody sends it for the next 30 seconds.
func (d *desk) approve(ctx context.Context, user, id uuid.UUID, by, edited string) error {
	return d.st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(user).Suggestions()
		review := suggestion.Review{By: by}
		var err error
		if edited == "" {
			_, err = mine.Approve(ctx, id, review)
		} else {
			_, err = mine.Edit(ctx, id, edited, review)
		}
		if err != nil {
			return err // a *store.TransitionError: somebody else has decided
		}
		_, err = mine.Send(ctx, id, &message.Message{Author: by}, store.SendOptions{
			Deliver: &message.OutboxEntry{Channel: "mail", DueAt: time.Now().Add(30 * time.Second)},
		})
		return err // a *store.StaleDraftError: a newer mail has arrived
	})
}

// undo takes it back, until a worker has it.
func (d *desk) undo(ctx context.Context, user, id uuid.UUID) error {
	return d.st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(user).Suggestions()
		if _, err := mine.Unsend(ctx, id); err != nil {
			return err
		}
		_, err := mine.Reopen(ctx, id, store.ReopenOptions{})
		return err
	})
}

// deliver hands what is due to the mail service, in as many processes as you like, until ctx ends.
func (d *desk) deliver(ctx context.Context, send func(key string, m *message.Message) (id string, err error)) error {
	return d.st.AllUsers().Deliveries().Run(ctx, store.RunOptions{Channels: []string{"mail"}},
		func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
			id, err := send(c.Key, c.Message) // give the key to the provider: a second try is no second mail
			if errors.Is(err, errRefused) {
				return store.DeliveryResult{}, &store.PermanentError{Err: err} // the conversation needs a reply again
			}
			return store.DeliveryResult{PostmarkMessageID: id}, err // any other error is tried again
		})
}

var errRefused = errors.New("550 no such user")

func Example_drafts() {
	ctx := context.Background()
	st, _ := memory(ctx)
	user := uuid.New()
	mine := st.ForUser(user)
	d := &desk{st, func(context.Context, []*message.Message) (string, error) { return "Absolutely.", nil }}

	hook := httptest.NewServer(d.webhook(mine))
	defer hook.Close()
	for range 2 { // delivered twice
		r, err := http.Post(hook.URL, "application/json", strings.NewReader(`{"MessageID": "pm-1", "From": "john@example.net",
			"To": "ann@example.com", "Subject": "Offer", "TextBody": "Can you show me examples?",
			"Headers": [{"Name": "Message-ID", "Value": "<1@example.net>"}]}`))
		must(err)
		must(r.Body.Close())
	}
	queue, err := mine.Suggestions().Pending(ctx, store.PageRequest{})
	must(err)
	fmt.Println(len(queue.Items), "draft for", queue.Items[0].InReplyTo.Content)

	s := queue.Items[0]
	must(d.approve(ctx, user, s.ID, "ann", ""))
	must(d.undo(ctx, user, s.ID))
	must(d.approve(ctx, user, s.ID, "ann", "Absolutely: here are three."))
	fmt.Println("decided twice:", d.approve(ctx, user, s.ID, "bob", ""))

	open, err := mine.Deliveries().List(ctx, store.DeliveryFilter{}, store.PageRequest{})
	must(err)
	for _, e := range open.Items { // not 30 seconds later, for this example
		if e.CancelledAt == nil {
			_, err := mine.Deliveries().Reschedule(ctx, e.ID, time.Now())
			must(err)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	err = d.deliver(ctx, func(_ string, m *message.Message) (string, error) {
		fmt.Println("sent:", m.Content)
		stop()
		return "pm-2", nil
	})
	fmt.Println("the worker ended with its context:", errors.Is(err, context.Canceled))
	// Output:
	// 1 draft for Can you show me examples?
	// decided twice: convostore: a suggestion that is edited cannot become approved
	// sent: Absolutely: here are three.
	// the worker ended with its context: true
}
