package recipes

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// chat is the backend of a chat page. The model is whatever yields the text of an answer.
type chat struct {
	st    store.Store
	model func(ctx context.Context, prompt []*message.Message) iter.Seq2[string, error]
}

// ask stores a question once, however often a client sends it: the key is the client's. Only one that
// is new is answered.
func (c *chat) ask(ctx context.Context, mine store.Scope, id uuid.UUID, key, text string) (m *message.Message, isNew bool, err error) {
	m = &message.Message{Role: message.RoleUser, Content: text, IdempotencyKey: key}
	isNew, err = mine.Messages().Append(ctx, id, m)
	return m, isNew, err
}

// answer lets the model answer the message with the seq parent, and stores what it says while it
// says it. Run it in a goroutine with a context of the server, not of the request: a client that
// goes away must not cost the answer.
func (c *chat) answer(ctx context.Context, mine store.Scope, id uuid.UUID, parent int64) error {
	w, err := mine.Messages().Context(ctx, id, window.Budget{Tokens: 8000}) // the newest that fits, valid for every provider
	if err != nil {
		return err
	}
	s, err := mine.Messages().Stream(ctx, id, &message.Message{Role: message.RoleAssistant, ParentSeq: &parent}, store.StreamOptions{})
	if err != nil {
		return err
	}
	ending := context.WithoutCancel(ctx)
	for token, err := range c.model(ctx, w.Messages()) {
		if err == nil {
			err = s.Write(ctx, token)
		}
		switch {
		case errors.Is(err, store.ErrConflict):
			return err // somebody pressed stop, or another process writes now
		case err != nil && ctx.Err() != nil:
			return errors.Join(err, s.Interrupt(ending)) // the server goes down: what was said stays
		case err != nil:
			return errors.Join(err, s.Fail(ending, err.Error()))
		}
	}
	return s.Finish(ending, store.Usage{Model: "m-1", FinishReason: "stop"})
}

// again answers once more, beside the first answer.
func (c *chat) again(ctx context.Context, mine store.Scope, first *message.Message) error {
	if _, err := mine.Messages().SetHead(ctx, first.ConversationID, first.Parent()); err != nil {
		return err
	}
	return c.answer(ctx, mine, first.ConversationID, first.Parent())
}

// edit asks a question in another way: a branch beside it.
func (c *chat) edit(ctx context.Context, mine store.Scope, asked *message.Message, text string) (*message.Message, error) {
	m := &message.Message{Role: message.RoleUser, Content: text, ParentSeq: new(asked.Parent())}
	_, err := mine.Messages().Append(ctx, asked.ConversationID, m)
	return m, err
}

// events follows a conversation by server-sent events: what is asked and answered, in whichever
// process, and an answer as it grows. A browser that comes back sends the last id that it saw.
func (c *chat) events(mine store.Scope) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		from, err := store.ParsePosition(r.Header.Get("Last-Event-ID"))
		if err != nil {
			http.Error(w, "bad Last-Event-ID", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		for change, err := range mine.Messages().Tail(r.Context(), id, from, store.TailOptions{}) {
			if err != nil {
				return // the browser has gone, or the conversation: it asks again
			}
			line, err := json.Marshal(change.Message) // null if only the head moved
			if err != nil {
				return
			}
			fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", change.Position, change.Kind, line)
			if out.Flush() != nil {
				return
			}
		}
	}
}

func Example_chat() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	st, mine := memory(ctx)
	c := &chat{st, func(_ context.Context, prompt []*message.Message) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, token := range []string{"You said ", prompt[len(prompt)-1].Content, " (", fmt.Sprint(len(prompt)), " messages)"} {
				if !yield(token, nil) {
					return
				}
			}
		}
	}}
	holiday := &conversation.Conversation{Title: "Holiday"}
	must(mine.Conversations().Create(ctx, holiday))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /chats/{id}/events", c.events(mine))
	server := httptest.NewServer(mux)
	defer server.CloseClientConnections() // a tail ends with its client

	var asked *message.Message
	for range 2 { // a client that tries again
		m, isNew, err := c.ask(ctx, mine, holiday.ID, "k1", "warm in March?")
		must(err)
		if isNew {
			must(c.answer(ctx, mine, holiday.ID, m.Seq))
		}
		asked = m
	}
	first, err := mine.Messages().Last(ctx, holiday.ID, 1)
	must(err)
	must(c.again(ctx, mine, first[0]))
	edited, err := c.edit(ctx, mine, asked, "warm in April?")
	must(err)
	must(c.answer(ctx, mine, holiday.ID, edited.Seq))

	thread, err := mine.Conversations().Thread(ctx, holiday.ID)
	must(err)
	for _, m := range thread.Messages {
		fmt.Println(m.Seq, m.Role, m.Content)
	}
	branches, err := mine.Messages().Branches(ctx, holiday.ID, asked.Seq)
	must(err)
	fmt.Println("ways to ask:", len(branches))

	r, err := http.Get(server.URL + "/chats/" + holiday.ID.String() + "/events")
	must(err)
	defer r.Body.Close() //nolint:errcheck // it is only read
	seen := 0
	for lines := bufio.NewScanner(r.Body); seen < 5 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "id: ") {
			seen++
		}
	}
	fmt.Println("events:", seen)
	// Output:
	// 4 user warm in April?
	// 5 assistant You said warm in April? (1 messages)
	// ways to ask: 2
	// events: 5
}
