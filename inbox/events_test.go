package inbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// stream is an open stream of events.
type stream struct {
	t      *testing.T
	events chan map[string]string
}

func (w *world) serve() *httptest.Server {
	w.t.Helper()
	server := httptest.NewServer(w.inbox)
	w.t.Cleanup(server.Close)
	w.t.Cleanup(w.inbox.Close)
	return server
}

func (w *world) listen(server *httptest.Server, as, path, last string) *stream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	require.NoError(w.t, err)
	r.Header.Set("X-Operator", as)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := server.Client().Do(r)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(w.t, http.StatusOK, res.StatusCode)
	require.Equal(w.t, "text/event-stream", res.Header.Get("Content-Type"))
	s := &stream{w.t, make(chan map[string]string, 100)}
	go func() {
		defer close(s.events)
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		event := map[string]string{}
		for lines.Scan() {
			name, value, ok := strings.Cut(lines.Text(), ": ")
			if ok {
				event[name] = value
			}
			if lines.Text() == "" && event["event"] != "" {
				s.events <- event
				event = map[string]string{}
			}
		}
	}()
	return s
}

// next waits for an event with a name whose data has a text.
func (s *stream) next(name, data string) map[string]string {
	s.t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case e, open := <-s.events:
			require.True(s.t, open, "the stream ended before %s", name)
			if e["event"] == name && strings.Contains(e["data"], data) {
				return e
			}
		case <-late:
			s.t.Fatalf("no event %s with %s", name, data)
		}
	}
}

func TestThreadEvents(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	server := w.serve()
	page := w.get("ann", path(c.ID))
	from := page.byID("thread").attr("data-position")
	ann := w.listen(server, "ann", path(c.ID)+"/events?from="+from, "")
	ann.next("presence", "[]")

	bob := w.listen(server, "bob", path(c.ID)+"/events?from="+from, "")
	bob.next("presence", "Ann")
	ann.next("presence", "Bob")

	_, err := w.mine.Suggestions().SaveDraft(t.Context(), s.ID, "80 euros.", store.SaveOptions{By: "bob"})
	require.NoError(t, err)
	ann.next("draft", `"By":"bob"`)

	second := w.arrives(c.ID, "And in <b>blue</b>?")
	e := ann.next("message", "blue")
	var got struct {
		HTML   string
		Seq    int64
		Theirs bool
	}
	require.NoError(t, json.Unmarshal([]byte(e["data"]), &got))
	require.Equal(t, second.Seq, got.Seq)
	require.True(t, got.Theirs)
	require.Contains(t, got.HTML, "And in &lt;b&gt;blue&lt;/b&gt;?")
	ann.next("draft", string(suggestion.StatusSuperseded))

	// Who comes back with the last id gets what came since, and nothing twice.
	w.arrives(c.ID, "Or in red?")
	again := w.listen(server, "ann", path(c.ID)+"/events?from="+from, e["id"])
	first := again.next("message", "")
	require.Contains(t, first["data"], "Or in red?")

	_, err = w.mine.Messages().Delete(t.Context(), second.ID)
	require.NoError(t, err)
	ann.next("deleted", "2")
	_, err = w.mine.Conversations().Delete(t.Context(), c.ID)
	require.NoError(t, err)
	ann.next("gone", "")
}

// A reply that is being written grows on the page.
func TestStreamedReply(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("A chat", "Hello")
	server := w.serve()
	ann := w.listen(server, "ann", path(c.ID)+"/events?from="+w.get("ann", path(c.ID)).byID("thread").attr("data-position"), "")
	writer, err := w.mine.Messages().Stream(t.Context(), c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	require.NoError(t, err)
	require.NoError(t, writer.Write(t.Context(), "Dear **Ann**, "))
	require.NoError(t, writer.Flush(t.Context()))
	ann.next("message", "being written")
	require.NoError(t, writer.Write(t.Context(), "this is all."))
	require.NoError(t, writer.Finish(t.Context(), store.Usage{}))
	e := ann.next("message", "this is all.")
	require.Contains(t, e["data"], "Dear")
}

func TestQueueEvents(t *testing.T) {
	w := newWorld(t)
	server := w.serve()
	ann, bob := w.listen(server, "ann", "/events", ""), w.listen(server, "bob", "/events", "")
	other := w.listen(server, "other", "/events", "")
	// A watch tells what changes after it began to look, which nobody hears of.
	deadline := time.Now().Add(30 * time.Second)
	for heard := false; !heard && time.Now().Before(deadline); {
		w.mail("An offer", "How much are ten?")
		select {
		case e := <-ann.events:
			require.Equal(t, "queue", e["event"])
			heard = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	bob.next("queue", "changed")
	require.Empty(t, other.events, "another user's rows")

	w.inbox.Close()
	_, open := <-other.events
	require.False(t, open, "streams end when the inbox is closed")
}

func TestEventsRefused(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	require.Equal(t, http.StatusBadRequest, w.get("ann", path(c.ID)+"/events?from=nothing").code)
	require.Equal(t, http.StatusNotFound, w.get("ann", path(uuid.New())+"/events").code)
	require.Equal(t, http.StatusNotFound, w.get("other", path(c.ID)+"/events").code)
}

// Somebody counts as looking for half a minute after their page was last heard of.
func TestPresence(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	require.Empty(t, strings.TrimSpace(w.get("ann", path(c.ID)).byID("presence").text()))
	require.Contains(t, w.get("bob", path(c.ID)).byID("presence").text(), "Ann is here too")
	w.clock.advance(31 * time.Second)
	require.Empty(t, strings.TrimSpace(w.get("bob", path(c.ID)).byID("presence").text()))
}
