package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func delta(text string) string {
	return fmt.Sprintf("data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", text)
}

const (
	stopped = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	counted = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n"
	over    = "data: [DONE]\n\n"
)

func TestAnswersOfAService(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, text string
		err        error
		usage      store.Usage
	}{
		"whole":       {": hello\n\n" + delta("Grüß") + delta(" Gott 😀") + stopped + counted + over, "Grüß Gott 😀", nil, store.Usage{Model: "m-1", TokensIn: 7, TokensOut: 2, FinishReason: "stop"}},
		"no done":     {delta("a") + stopped, "a", nil, store.Usage{Model: "m-1", FinishReason: "stop"}},
		"broken off":  {delta("a") + delta("b"), "ab", errBroken, store.Usage{Model: "m-1"}},
		"no event":    {delta("a") + "data: nonsense\n" + delta("b"), "a", errEvent, store.Usage{Model: "m-1"}},
		"half a line": {delta("a") + `data: {"choices":[{"del`, "a", errBroken, store.Usage{Model: "m-1"}},
		"error":       {delta("a") + "data: {\"error\":{\"message\":\"sk-secret\"}}\n\n" + delta("b"), "a", errInside, store.Usage{Model: "m-1"}},
		"too long":    {delta("a") + "data: " + strings.Repeat("x", maxEvent+1), "a", errBroken, store.Usage{Model: "m-1"}},
		"CRLF":        {strings.ReplaceAll(delta("a")+stopped+over, "\n", "\r\n"), "a", nil, store.Usage{Model: "m-1", FinishReason: "stop"}},
		"empty":       {"", "", errBroken, store.Usage{}},
	} {
		for reading, read := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r },
			// Each byte by itself, so that every character comes in parts.
			"by byte": iotest.OneByteReader,
		} {
			t.Run(name+" "+reading, func(t *testing.T) {
				t.Parallel()
				var text strings.Builder
				usage, err := readChunks(read(strings.NewReader(c.body)), func(part string) error {
					text.WriteString(part)
					return nil
				})
				require.ErrorIs(t, err, c.err)
				assert.Equal(t, c.text, text.String())
				assert.Equal(t, c.usage, usage)
				if err != nil {
					assert.NotContains(t, err.Error(), "secret")
				}
			})
		}
	}
}

// service answers as a slow service does: step by step, when the test says so.
func service(t *testing.T, answer http.HandlerFunc) *openAI {
	t.Helper()
	web := httptest.NewServer(answer)
	t.Cleanup(web.Close)
	return &openAI{url: web.URL + "/v1/", model: "m-1", key: "sk-secret"}
}

// TestASlowService has a character come in two parts with a pause between them, and then an error.
func TestASlowService(t *testing.T) {
	t.Parallel()
	steps := make(chan string)
	var body, authorization, path string
	m := service(t, func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		body, authorization, path = string(sent), r.Header.Get("Authorization"), r.URL.Path
		for step := range steps {
			_, _ = io.WriteString(w, step)
			_ = http.NewResponseController(w).Flush()
		}
	})
	s := newSite(t, openFile(t))
	s.server.replies.model = m
	chat := s.create("Hello?").Chat
	event := delta("Grüß dich")
	at := strings.Index(event, "ü") + 1
	steps <- event[:at]
	steps <- event[at:]
	steps <- "data: {\"error\":{\"message\":\"overloaded sk-secret\"}}\n\n"
	close(steps)
	reply := s.read(chat).Messages[1]
	assert.Equal(t, "Grüß dich", s.text(reply.ID))
	reply = s.read(chat).Messages[1]
	assert.Equal(t, message.StateFailed, reply.State)
	assert.Equal(t, errInside.Error(), reply.Finish)
	assert.JSONEq(t, `{"model":"m-1","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hello?"}]}`, body)
	assert.Equal(t, "Bearer sk-secret", authorization)
	assert.Equal(t, "/v1/chat/completions", path)
}

func TestAServiceThatRefuses(t *testing.T) {
	t.Parallel()
	m := service(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "your key sk-secret is wrong", http.StatusUnauthorized)
	})
	_, err := m.answer(t.Context(), turn{messages: []*message.Message{{Role: message.RoleUser, Content: "a"}}}, nil)
	require.ErrorContains(t, err, "401")
	assert.NotContains(t, err.Error(), "secret")
}

func TestTheMadeUpModelGoesOn(t *testing.T) {
	t.Parallel()
	say := func(asked turn) (text string) {
		_, _ = (&madeUp{}).answer(t.Context(), asked, func(part string) error { text += part; return nil })
		return text
	}
	question := []*message.Message{{Role: message.RoleUser, Content: "Why?"}}
	whole := say(turn{messages: question, seed: 2})
	assert.Equal(t, whole, say(turn{messages: question, seed: 2}))
	assert.NotEqual(t, whole, say(turn{messages: question, seed: 3}))
	assert.Equal(t, whole[100:], say(turn{messages: question, seed: 2, said: whole[:100]}))
}
