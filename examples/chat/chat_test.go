package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// gated is a model that says a word whenever the test sends one, and ends when the test closes it.
type gated struct {
	words chan string
	turns chan turn
}

func (*gated) name() string { return "gated" }

func (g *gated) answer(ctx context.Context, t turn, write func(string) error) (store.Usage, error) {
	g.turns <- t
	for {
		select {
		case <-ctx.Done():
			return store.Usage{}, ctx.Err()
		case word, more := <-g.words:
			if !more {
				return store.Usage{FinishReason: "stop", TokensOut: 3}, nil
			}
			if err := write(word); err != nil {
				return store.Usage{}, err
			}
		}
	}
}

// site is a server with a browser.
type site struct {
	t       *testing.T
	server  *server
	url     string
	browser *http.Client
	model   *gated
	leave   context.CancelFunc
}

func newSite(t *testing.T, st store.Store, change ...func(*options)) *site {
	t.Helper()
	o, err := parseFlags([]string{"-delay", "0"}, io.Discard)
	require.NoError(t, err)
	for _, c := range change {
		c(o)
	}
	ctx, leave := context.WithCancel(context.Background())
	s := newServer(ctx, st, o)
	g := &gated{words: make(chan string), turns: make(chan turn, 10)}
	s.replies.model = g
	web := httptest.NewServer(s.handler())
	t.Cleanup(func() {
		leave()
		web.Close()
		s.replies.wait()
	})
	return &site{t, s, web.URL, newBrowser(t), g, leave}
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar}
}

func openFile(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

// call answers with the status and decodes the body into to, if there is one.
func (s *site) call(method, path string, body, to any) int {
	s.t.Helper()
	sent, err := json.Marshal(body)
	require.NoError(s.t, err)
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/"+path, bytes.NewReader(sent))
	require.NoError(s.t, err)
	response, err := s.browser.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close() //nolint:errcheck // it was read
	got, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	if to != nil {
		require.NoErrorf(s.t, json.Unmarshal(got, to), "%s", got)
	}
	return response.StatusCode
}

func (s *site) read(chat uuid.UUID) (v chatView) {
	s.t.Helper()
	require.Equal(s.t, http.StatusOK, s.call("GET", "chats/"+chat.String(), nil, &v))
	return v
}

func (s *site) create(text string) (to sent) {
	s.t.Helper()
	require.Equal(s.t, http.StatusOK, s.call("POST", "chats", map[string]any{"text": text, "key": "key of " + text}, &to))
	return to
}

// text follows the reply with this id to its end.
func (s *site) text(id uuid.UUID) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+"/api/messages/"+id.String()+"/text", nil)
	require.NoError(s.t, err)
	response, err := s.browser.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return string(text)
}

// say has the model answer the words, and waits for the end of the reply.
func (s *site) say(chat uuid.UUID, words ...string) {
	s.t.Helper()
	for _, word := range words {
		s.model.words <- word
	}
	close(s.model.words)
	ms := s.read(chat).Messages
	s.text(ms[len(ms)-1].ID)
	s.model.words = make(chan string)
}

type seen struct{ id, name, data string }

// listen reads events until the test ends. Those of the list are left out.
func (s *site) listen(path, last string) <-chan seen {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+"/api/"+path, nil)
	require.NoError(s.t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := s.browser.Do(r) //nolint:bodyclose // the context of the test ends it
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	events := make(chan seen, 100)
	go func() {
		defer close(events)
		var e seen
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" && e.name != "list" {
					events <- e
				}
				e = seen{}
			}
		}
	}()
	return events
}

func next(t *testing.T, events <-chan seen) seen {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
		return seen{}
	}
}

var databases = map[string]func(*testing.T) store.Store{
	"sqlite": openFile,
	"postgres": func(t *testing.T) store.Store {
		t.Helper()
		st, err := (&options{postgres: pgtest.Database(t)}).open(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, st.Close()) })
		return st
	},
}

func TestAConversation(t *testing.T) {
	t.Parallel()
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, database(t))
			chat := s.create("What is a fence?").Chat
			assert.Equal(t, "What is a fence?", (<-s.model.turns).question())
			s.say(chat, "A ", "number.")
			v := s.read(chat)
			require.Len(t, v.Messages, 2)
			assert.Equal(t, "What is a fence?", v.Title)
			assert.True(t, v.Messages[0].Mine)
			answer := v.Messages[1]
			assert.Equal(t, "A number.", answer.Text)
			assert.Equal(t, message.StateComplete, answer.State)
			assert.Equal(t, "gated", answer.Model)
			assert.Equal(t, int64(1), answer.Parent)

			// The reply again is a sibling, and so is an edited message.
			require.Equal(t, http.StatusNoContent, s.call("POST", "messages/"+answer.ID.String()+"/again", map[string]string{"key": "2"}, nil))
			assert.Len(t, (<-s.model.turns).messages, 1, "the first answer is on another branch")
			s.say(chat, "Wood.")
			v = s.read(chat)
			assert.Equal(t, "Wood.", v.Messages[1].Text)
			assert.Equal(t, []int64{2, 3}, v.Messages[1].Branches)
			require.Equal(t, http.StatusOK, s.call("POST", "chats/"+chat.String()+"/messages", map[string]any{"text": "What is a gate?", "key": "3", "parent": 0}, &sent{}))
			s.say(chat, "Open.")
			v = s.read(chat)
			assert.Equal(t, []int64{1, 4}, v.Messages[0].Branches)
			require.Equal(t, http.StatusNoContent, s.call("POST", "chats/"+chat.String()+"/branch", map[string]any{"seq": 2}, nil))
			assert.Equal(t, "A number.", s.read(chat).Messages[1].Text)

			var found store.Page[lineView]
			s.call("GET", "chats?q=gat", nil, &found)
			require.Len(t, found.Items, 1)
			assert.Equal(t, int64(4), found.Items[0].Hit)
		})
	}
}

func TestARequestThatComesAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	first := s.create("Twice")
	assert.Equal(t, first, s.create("Twice"))
	s.say(first.Chat, "Once.")
	assert.Equal(t, first, s.create("Twice"), "also after the reply")
	v := s.read(first.Chat)
	assert.Len(t, v.Messages, 2)
	for range 2 {
		s.call("POST", "messages/"+v.Messages[1].ID.String()+"/again", map[string]string{"key": "again"}, nil)
	}
	s.say(first.Chat, "Once more.")
	assert.Equal(t, []int64{2, 3}, s.read(first.Chat).Messages[1].Branches)
	assert.Len(t, s.model.turns, 2)
}

// TestAReplyIsToItsOwnBranch asks what a model is sent for a branch that is not shown any more,
// because somebody was quick to switch.
func TestAReplyIsToItsOwnBranch(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	chat := s.create("Left").Chat
	s.say(chat, "L")
	s.call("POST", "chats/"+chat.String()+"/messages", map[string]any{"text": "Right", "key": "2", "parent": 0}, nil)
	s.say(chat, "R")
	mine := s.server.store.ForUser(s.server.owner(""))
	for parent, want := range map[int64]string{1: "Left", 3: "Right"} {
		for _, shown := range []int64{2, 4} {
			_, err := mine.Messages().SetHead(t.Context(), chat, shown)
			require.NoError(t, err)
			ms, err := s.server.replies.context(t.Context(), mine, chat, parent)
			require.NoError(t, err)
			require.Len(t, ms, 1)
			assert.Equal(t, want, ms[0].Content)
		}
	}
}

func TestEventsGoOnWhereTheyWereLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	chat := s.create("Tell me").Chat
	s.model.words <- "€ 😀 "
	path := "chats/" + chat.String() + "/events?from=" + s.read(chat).Position.String()
	events := s.listen(path, "")
	e := next(t, events)
	if e.name == "appended" || e.data == "" { // the reply, if it came after the position
		e = next(t, events)
	}
	assert.Equal(t, "updated", e.name)
	assert.Contains(t, e.data, "€ 😀 ")
	s.model.words <- "and on"
	e = next(t, events)
	assert.Equal(t, "text", e.name, "only what was added comes")
	var added textView
	require.NoError(t, json.Unmarshal([]byte(e.data), &added))
	assert.Equal(t, 5, added.From, "counted as a browser does")
	assert.Equal(t, "and on", added.Text)

	// Another browser comes back with the last id, and gets the whole message first.
	back := s.listen(path, e.id)
	s.model.words <- ", to the end"
	e = next(t, back)
	assert.Equal(t, "updated", e.name)
	assert.Contains(t, e.data, "€ 😀 and on, to the end")
	s.call("POST", "messages/"+added.ID.String()+"/stop", nil, nil)
	for e.name != "updated" || !strings.Contains(e.data, `"interrupted"`) {
		e = next(t, events)
	}
	assert.Contains(t, e.data, `"finish":"stopped"`)
	assert.Equal(t, http.StatusNoContent, s.call("POST", "messages/"+added.ID.String()+"/stop", nil, nil), "a moment late")
	assert.Equal(t, http.StatusBadRequest, s.call("GET", "chats/"+chat.String()+"/events?from=x", nil, nil))
	assert.Equal(t, "gone", next(t, s.listen("chats/"+uuid.NewString()+"/events", "")).name)
	assert.Equal(t, "lost", next(t, s.listen("chats/"+chat.String()+"/events", "900.900")).name)
}

func TestALeavingServerKeepsWhatWasSaid(t *testing.T) {
	t.Parallel()
	st := openFile(t)
	s := newSite(t, st)
	chat := s.create("Say much").Chat
	s.model.words <- "As far as "
	s.leave()
	s.server.replies.wait()
	s = newSite(t, st)
	reply := s.read(chat).Messages[1]
	assert.Equal(t, "As far as ", reply.Text)
	assert.Equal(t, message.StateInterrupted, reply.State)

	// It goes on where it was left, and once.
	goOn := "messages/" + reply.ID.String() + "/goon"
	require.Equal(t, http.StatusNoContent, s.call("POST", goOn, nil, nil))
	require.Equal(t, http.StatusConflict, s.call("POST", goOn, nil, nil))
	again := <-s.model.turns
	assert.Equal(t, "As far as ", again.said)
	require.Len(t, again.prompt(), 3)
	s.say(chat, "this.")
	assert.Equal(t, "As far as this.", s.read(chat).Messages[1].Text)
}

func TestMarksAndVotesAreOfPersons(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	chat := s.create("Who reads this?").Chat
	s.say(chat, "Everybody.")
	unread := func() int64 {
		var list store.Page[lineView]
		s.call("GET", "chats", nil, &list)
		require.Len(t, list.Items, 1)
		return list.Items[0].Unread
	}
	reply := s.read(chat).Messages[1]
	assert.Equal(t, int64(1), unread(), "one's own message is no news")
	s.call("POST", "chats/"+chat.String()+"/read", map[string]any{"seq": 2}, nil)
	s.call("POST", "messages/"+reply.ID.String()+"/vote", map[string]any{"value": -1}, nil)
	assert.Zero(t, unread())
	assert.Equal(t, -1, s.read(chat).Messages[1].Vote)
	first := s.browser
	s.browser = newBrowser(t)
	assert.Equal(t, int64(2), unread())
	assert.Zero(t, s.read(chat).Messages[1].Vote)
	s.browser = first
	for range 2 {
		require.Equal(t, http.StatusNoContent, s.call("POST", "messages/"+reply.ID.String()+"/vote", map[string]any{"value": 0}, nil))
	}
	assert.Zero(t, s.read(chat).Messages[1].Vote)

	require.Equal(t, http.StatusNoContent, s.call("PATCH", "chats/"+chat.String(), map[string]any{"title": " A\nname "}, nil))
	assert.Equal(t, "A name", s.read(chat).Title)
	require.Equal(t, http.StatusNoContent, s.call("DELETE", "chats/"+chat.String(), nil, nil))
	assert.Equal(t, http.StatusNotFound, s.call("GET", "chats/"+chat.String(), nil, nil))
	require.Equal(t, http.StatusNoContent, s.call("POST", "chats/"+chat.String()+"/restore", nil, nil))
	assert.Len(t, s.read(chat).Messages, 2)
}

func TestPrivateChats(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t), func(o *options) { o.private = true })
	chat := s.create("Mine").Chat
	s.say(chat, "Yours.")
	s.browser = newBrowser(t)
	assert.Equal(t, http.StatusNotFound, s.call("GET", "chats/"+chat.String(), nil, nil))
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	chat := s.create("Good").Chat
	s.say(chat, "Fine.")
	v := s.read(chat)
	question, reply := v.Messages[0].ID.String(), v.Messages[1].ID.String()
	for _, c := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"POST", "chats", map[string]any{"text": " ", "key": "k"}, http.StatusBadRequest},
		{"POST", "chats", map[string]any{"text": "a"}, http.StatusBadRequest},
		{"POST", "chats", "no object", http.StatusBadRequest},
		{"POST", "chats", map[string]any{"text": strings.Repeat("a", maxBody), "key": "k"}, http.StatusBadRequest},
		{"POST", "chats/" + chat.String() + "/messages", map[string]any{"text": "a", "key": "k", "parent": 77}, http.StatusBadRequest},
		{"POST", "chats/" + chat.String() + "/branch", map[string]any{"seq": 77}, http.StatusNotFound},
		{"POST", "chats/" + uuid.NewString() + "/messages", map[string]any{"text": "a", "key": "k"}, http.StatusNotFound},
		{"POST", "messages/" + question + "/again", map[string]any{"key": "k"}, http.StatusBadRequest},
		{"POST", "messages/" + reply + "/again", map[string]any{}, http.StatusBadRequest},
		{"POST", "messages/" + reply + "/goon", nil, http.StatusConflict},
		{"POST", "messages/" + reply + "/vote", map[string]any{"value": 2}, http.StatusBadRequest},
		{"GET", "chats/seven", nil, http.StatusNotFound},
		{"GET", "messages/" + uuid.NewString() + "/text", nil, http.StatusNotFound},
		{"GET", "chats?after=x", nil, http.StatusBadRequest},
		{"GET", "nothing", nil, http.StatusNotFound},
	} {
		var refused struct{ Error string }
		assert.Equal(t, c.status, s.call(c.method, c.path, c.body, &refused), c.path)
		assert.NotEmpty(t, refused.Error, c.path)
	}
	assert.Len(t, s.read(chat).Messages, 2, "nothing was stored")
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, openFile(t))
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/chats", strings.NewReader(`{"text": "a", "key": "b"}`))
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := s.browser.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")

	// A name that somebody gave this machine in the DNS.
	r, err = http.NewRequestWithContext(t.Context(), "GET", s.url+"/api/chats", nil)
	require.NoError(t, err)
	r.Host = "elsewhere.example:8080"
	response, err = s.browser.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusMisdirectedRequest, response.StatusCode)
	for host, is := range map[string]bool{"localhost:8080": true, "127.0.0.1:8080": true, "[::1]:8080": true, "[::1]": true, "127.0.0.1": true, "localhost.example": false, "": false} {
		assert.Equal(t, is, local(host), host)
	}
}

// TestFlags: what is wrong is said once, whoever finds it.
func TestFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		says string
		code int
	}{
		{[]string{"x"}, `chat: bad usage: "x" is no flag`, 2},
		{[]string{"-openai", "http://localhost"}, "chat: bad usage: -openai and -model belong together", 2},
		{[]string{"-model", "m"}, "chat: bad usage: -openai and -model belong together", 2},
		{[]string{"-user", ""}, "chat: bad usage: -user is empty", 2},
		{[]string{"-delay", "-1s"}, "chat: bad usage: -delay, -budget or -dead-after is too small", 2},
		{[]string{"-nothing"}, "flag provided but not defined: -nothing", 2},
		{[]string{"-budget", "x"}, `invalid value "x" for flag -budget`, 2},
		{[]string{"-db", t.TempDir()}, "chat: ", 1},
		{[]string{"-h"}, "Usage of chat:", 0},
	} {
		var out bytes.Buffer
		code := leave(run(t.Context(), test.args, &out), &out)
		assert.Equal(t, test.code, code, test.args)
		assert.True(t, strings.HasPrefix(out.String(), test.says), out.String())
		if test.code == 2 {
			assert.Equal(t, 1, strings.Count(out.String(), test.says), out.String())
			assert.Less(t, strings.Count(out.String(), "bad usage"), 2, out.String())
		}
	}
}
