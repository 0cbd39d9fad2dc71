package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

const (
	// aliveEvery is how often a stream of events says that it lives: proxies end what is silent.
	aliveEvery = 20 * time.Second
	// lookEvery is how often a page that is open looks who else is there and what became of the
	// draft, which no tail tells.
	lookEvery = 2 * time.Second
	// growEvery is how often a message that is being written is shown anew at most.
	growEvery = 250 * time.Millisecond
)

// event is a server-sent event. The browser sends the last id that it saw when it comes back.
type event struct {
	id, name string
	data     any
}

// queueEvents says that something in the queue has changed. The page then reads itself again.
func (r *request) queueEvents() error {
	bell, leave := r.in.watches.listen(r.op)
	defer leave()
	ctx, cancel := r.untilClosed()
	defer cancel()
	out := make(chan event)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-bell:
				send(ctx, out, event{name: "queue", data: "changed"})
			}
		}
	}()
	r.stream(ctx, out)
	return nil
}

// threadEvents sends what happens in a conversation from a position on: its messages as the page
// shows them, who else looks, and that something about the draft has changed.
func (r *request) threadEvents() error {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.FormValue("from")
	}
	from, err := store.ParsePosition(last)
	if err != nil {
		return err
	}
	c, err := r.mine().Conversations().Get(r.Context(), r.id)
	if err != nil {
		return err
	}
	place, err := readPlace(r.URL.Query())
	if err != nil {
		return err
	}
	ctx, cancel := r.untilClosed()
	defer cancel()
	defer r.in.presence.leave(r.user, r.id, r.op)
	out := make(chan event)
	f := &follower{request: r, page: r.threadPage(c, place), out: out}
	f.page.Root = strings.TrimPrefix(r.root, "../") // the page is one step nearer to the root
	go f.follow(ctx, from)
	go f.look(ctx)
	r.stream(ctx, out)
	return nil
}

// untilClosed is the context of a stream: it ends with the request, and when the inbox is closed.
func (r *request) untilClosed() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(r.in.open, cancel)
	return ctx, func() { stop(); cancel() }
}

// stream writes events until ctx ends or the browser has gone.
func (r *request) stream(ctx context.Context, in <-chan event) {
	r.w.Header().Set("Content-Type", "text/event-stream")
	r.w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(r.w)
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	text := "retry: 2000\n\n"
	for {
		_ = control.SetWriteDeadline(time.Now().Add(aliveEvery)) // a server without deadlines has none to set
		if _, err := fmt.Fprint(r.w, text); err != nil || control.Flush() != nil {
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

// follower sends what happens in a conversation.
type follower struct {
	*request
	page *threadPage
	out  chan<- event
}

// messageEvent is a message as the page shows it: HTML of the page's own template, for its place by
// seq.
type messageEvent struct {
	Seq  int64  `json:"seq"`
	HTML string `json:"html"`
	// New says that it was appended, and Theirs that it came in.
	New    bool `json:"new"`
	Theirs bool `json:"theirs"`
}

func (f *follower) follow(ctx context.Context, from store.Position) {
	for c, err := range f.mine().Messages().Tail(ctx, f.id, from, store.TailOptions{}) {
		switch {
		case errors.Is(err, store.ErrNotFound):
			send(ctx, f.out, event{name: "gone", data: "gone"})
		case err != nil:
			send(ctx, f.out, event{name: "reload", data: "lost"}) // the position may be one that the database forgot
		default:
			f.tell(ctx, c)
		}
	}
}

func (f *follower) tell(ctx context.Context, c store.Change) {
	id := c.Position.String()
	switch c.Kind {
	case store.ChangeHeadMoved:
		send(ctx, f.out, event{id, "head", c.Head})
		return
	case store.ChangeDeleted:
		send(ctx, f.out, event{id, "deleted", c.Message.Seq})
		return
	}
	html, err := f.html(ctx, c.Message)
	if err != nil {
		send(ctx, f.out, event{name: "reload", data: "lost"})
		return
	}
	send(ctx, f.out, event{id, "message", messageEvent{c.Message.Seq, html, c.Kind == store.ChangeAppended, c.Message.Direction == message.DirectionInbound}})
	if c.Message.State == message.StateStreaming {
		pause(ctx, growEvery) // what is added meanwhile comes as one
	}
}

// html is a message as the page has it.
func (f *follower) html(ctx context.Context, m *message.Message) (string, error) {
	r := *f.request
	r.now = r.in.options.Clock() // the stream has been open for a while
	v := r.messageView(f.page, m, false)
	if m.Delivery == message.DeliveryQueued {
		draft, err := f.sentAs(ctx, m.ID)
		if err != nil {
			return "", err
		}
		if err := r.fillEntry(ctx, v, m, draft); err != nil {
			return "", err
		}
	}
	var b bytes.Buffer
	err := f.in.pages["thread"].ExecuteTemplate(&b, "message", v)
	return b.String(), err
}

// sentAs is the suggestion that was sent as a message, uuid.Nil if none was.
func (f *follower) sentAs(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	all, err := f.suggestions(ctx)
	for _, s := range all {
		if s.SentMessageID != nil && *s.SentMessageID == id {
			return s.ID, err
		}
	}
	return uuid.Nil, err
}

// look tells who else is there and that the draft changed, when either does.
func (f *follower) look(ctx context.Context) {
	var people, draft string
	for first := true; ctx.Err() == nil; first = false {
		others := f.in.presence.see(f.user, f.id, f.op)
		if now := strings.Join(others, "\n"); now != people || first {
			people = now
			if others == nil {
				others = []string{}
			}
			send(ctx, f.out, event{name: "presence", data: others})
		}
		all, err := f.suggestions(ctx)
		if now := mark(all); err == nil && now != draft {
			if !first {
				send(ctx, f.out, event{name: "draft", data: draftEvent(all)})
			}
			draft = now
		}
		pause(ctx, lookEvery)
	}
}

// draftState is the latest draft as an event has it.
type draftState struct {
	ID, Status, By, Expected string
}

func draftEvent(all []*suggestion.Suggestion) draftState {
	if len(all) == 0 {
		return draftState{}
	}
	s := all[len(all)-1]
	by := s.ReviewedBy
	if s.Status == suggestion.StatusPending {
		by = s.DraftBy
	}
	return draftState{s.ID.String(), s.Status.String(), oneLine(by), expectedOf(s)}
}

// mark is another text whenever something about the drafts is.
func mark(all []*suggestion.Suggestion) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%s %s %s %v\n", s.ID, s.Status, expectedOf(s), s.Sent())
	}
	return b.String()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
