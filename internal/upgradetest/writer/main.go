// Writer is a service of one release, for the test of upgrades: it writes to a database and
// reads what it wrote, until its input ends. It calls the public API alone, so that it can be
// built against a release as well as against this code.
//
//	writer sqlite|postgres DSN USER NAME
//
// Each line of its output is JSON of one call that returned without an error. With the first
// error, or the first answer that is wrong, it says so on the standard error and exits with 1.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// Acknowledged is a line of the output.
type Acknowledged struct {
	// Call is "conversation", "message", "title" or "suggestion".
	Call string    `json:"call"`
	ID   uuid.UUID `json:"id"`
	// Key is the idempotency key of a message, Text its content or the title.
	Key  string `json:"key,omitempty"`
	Text string `json:"text,omitempty"`
	Seq  int64  `json:"seq,omitempty"`
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 4 {
		return errors.New("usage: writer sqlite|postgres DSN USER NAME")
	}
	user, err := uuid.Parse(args[2])
	if err != nil {
		return err
	}
	st, err := open(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	w := &writer{scope: st.ForUser(user), name: args[3]}
	if err := w.begin(ctx); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end, also by an error, is the signal
		close(ended)
	}()
	for n := 1; ; n++ {
		select {
		case <-ended:
			return nil
		default:
		}
		if err := w.round(ctx, n); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
}

func open(ctx context.Context, database, dsn string) (store.Store, error) {
	if database == "sqlite" {
		return sqlite.Open(ctx, dsn)
	}
	return postgres.Open(ctx, dsn)
}

// writer writes to one conversation.
type writer struct {
	scope        store.Scope
	name         string
	conversation uuid.UUID
}

func say(a Acknowledged) error { return json.NewEncoder(os.Stdout).Encode(a) }

func (w *writer) begin(ctx context.Context) error {
	c := &conversation.Conversation{ExternalKey: w.name}
	if _, err := w.scope.Conversations().GetOrCreate(ctx, c); err != nil {
		return err
	}
	w.conversation = c.ID
	return say(Acknowledged{Call: "conversation", ID: c.ID, Key: w.name})
}

// round appends a message and does what a service does with it.
func (w *writer) round(ctx context.Context, n int) error {
	m, err := w.append(ctx, n)
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	for name, call := range map[string]func() error{
		"append again":   func() error { return w.appendAgain(ctx, n, m) },
		"read":           func() error { return w.read(ctx, m) },
		"status":         func() error { return w.status(ctx) },
		"title":          func() error { return w.title(ctx, n) },
		"suggestion":     func() error { return w.suggest(ctx, m) },
		"search":         func() error { return w.search(ctx, m) },
		"report, delete": func() error { return w.rest(ctx) },
	} {
		if err := call(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (w *writer) message(n int) *message.Message {
	key := fmt.Sprintf("%s-%d", w.name, n)
	return &message.Message{Role: message.RoleUser, IdempotencyKey: key, Content: "word" + w.name + fmt.Sprint(n) + " 雪 é"}
}

func (w *writer) append(ctx context.Context, n int) (*message.Message, error) {
	m := w.message(n)
	created, err := w.scope.Messages().Append(ctx, w.conversation, m)
	if err != nil {
		return nil, err
	}
	if !created {
		return nil, fmt.Errorf("%s is there already", m.IdempotencyKey)
	}
	return m, say(Acknowledged{Call: "message", ID: m.ID, Key: m.IdempotencyKey, Text: m.Content, Seq: m.Seq})
}

func (w *writer) appendAgain(ctx context.Context, n int, before *message.Message) error {
	m := w.message(n)
	created, err := w.scope.Messages().Append(ctx, w.conversation, m)
	if err == nil && (created || m.ID != before.ID) {
		err = fmt.Errorf("%s was appended twice", m.IdempotencyKey)
	}
	return err
}

func (w *writer) read(ctx context.Context, m *message.Message) error {
	last, err := w.scope.Messages().Around(ctx, w.conversation, m.Seq, 1)
	if err != nil {
		return err
	}
	for _, got := range last {
		if got.ID == m.ID && got.Content == m.Content {
			_, err := w.scope.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{Limit: 10})
			return err
		}
	}
	return fmt.Errorf("seq %d is not the message that was appended", m.Seq)
}

// status archives and reopens, both of which another call of the round may come between.
func (w *writer) status(ctx context.Context) error {
	c, err := w.scope.Conversations().Archive(ctx, w.conversation)
	if err == nil && c.Status != conversation.StatusArchived {
		err = fmt.Errorf("an archived conversation is %s", c.Status)
	}
	if err == nil {
		c, err = w.scope.Conversations().Reopen(ctx, w.conversation)
	}
	if err == nil && c.Status != conversation.StatusActive {
		err = fmt.Errorf("a reopened conversation is %s", c.Status)
	}
	return err
}

func (w *writer) title(ctx context.Context, n int) error {
	title := fmt.Sprintf("Title %d of %s", n, w.name)
	c, err := w.scope.Conversations().SetTitle(ctx, w.conversation, title)
	if err != nil {
		return err
	}
	return say(Acknowledged{Call: "title", ID: c.ID, Text: c.Title})
}

// suggest drafts a reply, approves it and sends it.
func (w *writer) suggest(ctx context.Context, m *message.Message) error {
	s := &suggestion.Suggestion{ConversationID: w.conversation, InReplyToMessageID: &m.ID, SuggestedContent: "Re: " + m.Content}
	if err := w.scope.Suggestions().Create(ctx, s); err != nil {
		return err
	}
	if _, err := w.scope.Suggestions().Approve(ctx, s.ID, suggestion.Review{By: w.name}); err != nil {
		return err
	}
	reply := &message.Message{Content: s.SuggestedContent}
	if _, err := w.scope.Suggestions().Send(ctx, s.ID, reply, store.SendOptions{AllowStale: true}); err != nil {
		return err
	}
	return say(Acknowledged{Call: "suggestion", ID: s.ID, Text: s.SuggestedContent})
}

func (w *writer) search(ctx context.Context, m *message.Message) error {
	word := "word" + m.IdempotencyKey[:len(w.name)] + m.IdempotencyKey[len(w.name)+1:]
	page, err := w.scope.Search().Messages(ctx, word, store.TextOptions{}, store.PageRequest{})
	if err != nil {
		return err
	}
	for _, hit := range page.Items {
		if hit.Message.ID == m.ID {
			return nil
		}
	}
	return fmt.Errorf("%s is not found", word)
}

// rest deletes and restores, and reads a report.
func (w *writer) rest(ctx context.Context) error {
	if _, err := w.scope.Conversations().Delete(ctx, w.conversation); err != nil {
		return err
	}
	if _, err := w.scope.Conversations().Restore(ctx, w.conversation); err != nil {
		return err
	}
	_, err := w.scope.Conversations().NeedsReply(ctx, store.PageRequest{})
	return err
}
