package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// event is a server-sent event. The browser sends the last id that it saw when it comes back.
type event struct {
	id, name string
	data     any
}

// events sends what happens: in the chat of the path, if there is one, from a position on, and in
// the list. The page has one such stream open, because browsers allow a server few connections.
func (s *server) events(r *request) (any, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.FormValue("from")
	}
	from, err := store.ParsePosition(last)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.untilLeaving(r.Context())
	defer cancel()
	out := make(chan event)
	go watchList(ctx, r.mine, out)
	if r.id != uuid.Nil {
		go (&follower{person: r.person, sent: map[uuid.UUID]int{}, out: out}).follow(ctx, r.mine, r.id, from)
	}
	sendEvents(ctx, r.w, out)
	return written{}, nil
}

// sendEvents writes events until ctx ends or the browser has gone.
func sendEvents(ctx context.Context, w http.ResponseWriter, in <-chan event) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	alive := time.NewTicker(20 * time.Second)
	defer alive.Stop()
	text := "retry: 500\n\n"
	for {
		_ = control.SetWriteDeadline(time.Now().Add(20 * time.Second))
		if _, err := fmt.Fprint(w, text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			text = ": alive\n\n"
		case e := <-in:
			text = e.String()
		}
	}
}

// String writes the event as the browser reads it. JSON has no line breaks.
func (e event) String() string {
	data, err := json.Marshal(e.data)
	if err != nil {
		panic(err) // it is made of our own types
	}
	text := fmt.Sprintf("event: %s\ndata: %s\n\n", e.name, data)
	if e.id != "" {
		text = "id: " + e.id + "\n" + text
	}
	return text
}

func send(ctx context.Context, out chan<- event, e event) {
	select {
	case out <- e:
	case <-ctx.Done():
	}
}

// watchList says that the list has changed. The page reads it again.
func watchList(ctx context.Context, mine store.Scope, out chan<- event) {
	for change, err := range mine.Conversations().Watch(ctx, store.WatchOptions{}) {
		if err != nil {
			send(ctx, out, event{name: "lost"})
			return
		}
		send(ctx, out, event{name: "list", data: map[string]any{"id": change.ID}})
	}
}

// follower sends what happens in a chat. Of a message that is being written it sends what was added
// since: sent has how many bytes of each the browser has.
type follower struct {
	person string
	sent   map[uuid.UUID]int
	out    chan<- event
}

func (f *follower) follow(ctx context.Context, mine store.Scope, chat uuid.UUID, from store.Position) {
	for change, err := range mine.Messages().Tail(ctx, chat, from, store.TailOptions{}) {
		switch {
		case errors.Is(err, store.ErrNotFound):
			send(ctx, f.out, event{name: "gone"})
		case err != nil:
			// The page reads the chat again: the position may be one that the database forgot.
			send(ctx, f.out, event{name: "lost"})
		default:
			e := f.event(change)
			e.id = change.Position.String()
			send(ctx, f.out, e)
		}
	}
}

func (f *follower) event(c store.Change) event {
	switch c.Kind {
	case store.ChangeHeadMoved:
		return event{name: "head", data: c.Head}
	case store.ChangeDeleted:
		return event{name: "deleted", data: c.Message.ID}
	}
	m := c.Message
	from, known := f.sent[m.ID]
	if m.State != message.StateStreaming {
		delete(f.sent, m.ID)
		return event{name: string(c.Kind), data: viewOf(m, f.person)}
	}
	f.sent[m.ID] = len(m.Content)
	if !known {
		return event{name: string(c.Kind), data: viewOf(m, f.person)}
	}
	return event{name: "text", data: textView{ID: m.ID, Revision: m.Revision, From: units(m.Content[:from]), Text: m.Content[from:]}}
}
