package window_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/window"
)

func numbered(ms ...*message.Message) []*message.Message {
	for i, m := range ms {
		m.Seq = int64(i + 1)
	}
	return ms
}

func user(s string) *message.Message { return &message.Message{Role: message.RoleUser, Content: s} }

func assistant(s string, calls ...string) *message.Message {
	m := &message.Message{Role: message.RoleAssistant, Content: s}
	var all []payload.Call
	for _, id := range calls {
		all = append(all, payload.Call{ID: id, Name: "f"})
	}
	if len(all) > 0 {
		m.ToolCalls = message.MustJSON(all)
	}
	return m
}

func results(ids ...string) *message.Message {
	var all []payload.Result
	for _, id := range ids {
		all = append(all, payload.Result{CallID: id, Content: "x"})
	}
	return &message.Message{Role: message.RoleTool, ToolResults: message.MustJSON(all)}
}

func shown(w window.Window) string {
	var s []string
	for _, e := range w.Entries {
		switch {
		case e.Summary != nil:
			s = append(s, fmt.Sprintf("[%d-%d]", e.Summary.FromSeq, e.Summary.ToSeq))
		case e.Synthetic:
			s = append(s, "none")
		case e.Altered:
			s = append(s, fmt.Sprintf("%d'", e.Message.Seq))
		default:
			s = append(s, fmt.Sprint(e.Message.Seq))
		}
	}
	return strings.Join(s, " ")
}

func TestBuild(t *testing.T) {
	spoken := results("a")
	spoken.Role, spoken.Content = message.RoleUser, "And?"
	both := func() *message.Message { m := *spoken; return &m }
	for _, c := range []struct {
		name     string
		messages []*message.Message
		budget   int
		missing  window.Missing
		want     string
	}{
		{"all", numbered(user("q"), assistant("a"), user("q")), 9, 0, "1 2 3"},
		{"newest", numbered(user("q"), assistant("a"), user("q"), assistant("a"), user("q")), 3, 0, "3 4 5"},
		{"a user first", numbered(user("q"), assistant("a"), user("q"), assistant("a"), user("q")), 2, 0, "5"},
		{"pinned", numbered(&message.Message{Role: message.RoleSystem, Content: "s"}, user("q"), assistant("a"), assistant("b"), assistant("c")), 3, 0, "1 2 5"},
		{"a greeting", numbered(assistant("Hello!"), user("q")), 9, 0, "2"},
		{"a step", numbered(user("q"), assistant("", "a", "b"), results("a"), results("b"), assistant("done")), 9, 0, "1 2 3 4 5"},
		{"half a step", numbered(user("q"), assistant("", "a", "b"), results("a"), results("b"), assistant("done")), 4, 0, "1 5"},
		{"parallel messages", numbered(user("q"), assistant("", "a"), assistant("", "b"), results("b"), results("a")), 9, 0, "1 2 3 4 5"},
		{"said in between", numbered(user("q"), assistant("", "a"), user("hurry"), results("a")), 9, 0, "1 2 4 3"},
		{"no result", numbered(user("q"), assistant("", "a", "b"), results("a"), user("hm")), 9, 0, "1 4"},
		{"a result is added", numbered(user("q"), assistant("", "a", "b"), results("a"), user("hm")), 9, window.AddResult, "1 2 3 none 4"},
		{"no call", numbered(user("q"), results("a"), assistant("x")), 9, 0, "1 3"},
		{"twice", numbered(user("q"), assistant("", "a"), results("a"), results("a"), assistant("x")), 9, 0, "1 2 3 5"},
		{"text in a result without a call", numbered(user("q"), assistant("a"), both()), 9, 0, "1 2 3'"},
		{"the last user's text in half a step", numbered(user("q"), assistant("", "a", "b"), both()), 9, 0, "1 2 none 3"},
		{"the last user's step needs a beginning", numbered(assistant("", "a"), both()), 9, 0, "2'"},
		{"blank", numbered(user("q"), assistant(" "), user("q")), 9, 0, "1 3"},
		{"nobody asked", numbered(assistant("a"), assistant("b")), 9, 0, ""},
	} {
		w, err := window.Build(c.messages, nil, window.Budget{Messages: c.budget, Missing: c.missing})
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, shown(w), c.name)
	}
}

func TestBuildSummaries(t *testing.T) {
	ms := numbered(&message.Message{Role: message.RoleSystem, Content: "s"}, user("1"), assistant("2"), user("3"), assistant("4", "c"), results("c"), user("5"))
	sum := func(from, to int64) *conversation.Summary {
		return &conversation.Summary{FromSeq: from, ToSeq: to, Content: "summed up"}
	}
	void := sum(2, 6)
	void.VoidAt = new(ms[0].CreatedAt)
	for _, c := range []struct {
		summaries []*conversation.Summary
		want      string
	}{
		{[]*conversation.Summary{sum(1, 3)}, "[1-3] 1 4 5 6 7"},
		{[]*conversation.Summary{sum(2, 3), sum(2, 4), sum(4, 4)}, "1 [2-4] 5 6 7"},
		{[]*conversation.Summary{sum(2, 5)}, "1 [2-5] 7"},
		{[]*conversation.Summary{sum(2, 7)}, "1 2 3 4 5 6 7"},
		{[]*conversation.Summary{void}, "1 2 3 4 5 6 7"},
	} {
		w, err := window.Build(ms, c.summaries, window.Budget{Messages: 9})
		require.NoError(t, err)
		assert.Equal(t, c.want, shown(w))
		assert.Equal(t, message.RoleUser, window.Window{Entries: []window.Entry{{Summary: sum(1, 2)}}}.Messages()[0].Role)
	}
}

func TestBuildRefuses(t *testing.T) {
	ms := numbered(user(strings.Repeat("word ", 100)))
	for field, b := range map[string]window.Budget{
		"budget": {}, "budget.tokens": {Tokens: -1}, "budget.bytes": {Bytes: -1}, "budget.messages": {Messages: -1},
		"budget.media_tokens": {Messages: 1, MediaTokens: -1}, "budget.missing": {Messages: 1, Missing: 2},
		"budget.kinds": {Messages: 1, Kinds: []message.Kind{"x"}}, "budget.states": {Messages: 1, States: []message.State{"x"}},
	} {
		_, err := window.Build(ms, nil, b)
		var bad *rule.InvalidError
		require.ErrorAs(t, err, &bad, field)
		assert.Equal(t, field, bad.Field)
	}
	_, err := window.Build([]*message.Message{nil}, nil, window.Budget{Messages: 1})
	require.ErrorIs(t, err, rule.ErrInvalid)
	_, err = window.Build(ms, nil, window.Budget{Tokens: 10})
	var small *window.TooSmallError
	require.ErrorAs(t, err, &small)
	require.ErrorIs(t, err, rule.ErrInvalid)
	assert.Equal(t, 500, small.Bytes)
	w, err := window.Build(ms, nil, window.Budget{Tokens: small.Tokens, Bytes: small.Bytes, Messages: small.Messages})
	require.NoError(t, err)
	assert.Equal(t, small.Tokens, w.Tokens)
}

func TestMediaTokens(t *testing.T) {
	image := user("")
	image.PayloadFormat = string(payload.ChatCompletions)
	image.Payload = message.Payload(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("iVBORw0K", 10_000) + `"}}]}`)
	w, err := window.Build(numbered(image), nil, window.Budget{Tokens: 2000, MediaTokens: 1500})
	require.NoError(t, err)
	assert.Greater(t, w.Tokens, 1500)
	_, err = window.Build(numbered(image), nil, window.Budget{Tokens: 20_000})
	require.ErrorIs(t, err, rule.ErrInvalid)
}

func TestBound(t *testing.T) {
	for text, most := range map[string]int{"": 0, "a": 1, "hello world": 6, "        x": 4, "12345": 5, "é": 2, "日本": 6, `{"a":1}`: 7} {
		assert.Equal(t, most, window.Bound{}.Count(text), text)
	}
}
