package storetest

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func streamTextTests() subtests {
	return subtests{
		"characters that are split":   streamSplitCharacters,
		"text that breaks a rule":     streamRefusesText,
		"text that is cleaned":        streamCleansText,
		"a message that grows large":  streamStopsAtTheBound,
		"a text that begins with one": streamBeginsWithText,
	}
}

// streamSplitCharacters cuts a text at every byte, and into single bytes.
func streamSplitCharacters(t *testing.T, w *world) {
	const text = "naïve 漢字 😀e\u0301\r\n"
	c := w.thread(t, 1)
	for i := range len(text) {
		s := w.stream(t, c)
		require.NoError(t, s.Write(t.Context(), text[:i]))
		require.NoError(t, s.Flush(t.Context()))
		require.True(t, strings.HasPrefix(text, w.message(t, s.ID()).Content))
		require.NoError(t, s.Write(t.Context(), text[i:]))
		require.NoError(t, s.Finish(t.Context(), store.Usage{}))
		require.Equal(t, text, w.message(t, s.ID()).Content)
	}
	s := w.stream(t, c)
	for i := range len(text) {
		require.NoError(t, s.Write(t.Context(), text[i:i+1]))
	}
	w.wrote(t, s, "")
	require.Equal(t, text, s.Text())
}

func streamRefusesText(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	s := w.stream(t, c)
	require.NoError(t, s.Write(ctx, "a"))
	for _, bad := range []string{"\x00", "b\x00c", "\xff", "b\xffc", "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\x80"} {
		invalid(t, s.Write(ctx, bad), "content")
		require.Equal(t, "a", s.Text(), "%q is not taken", bad)
	}
	require.NoError(t, s.Write(ctx, "\xe2\x82"), "it may be the beginning of a character")
	invalid(t, s.Write(ctx, "b"), "content")
	require.NoError(t, s.Write(ctx, "b"), "the beginning is dropped")
	require.NoError(t, s.Write(ctx, "\xf0\x9f\x98"))
	require.Equal(t, "ab", s.Text())
	for name, end := range map[string]func(store.MessageStream) error{
		"finish":    func(s store.MessageStream) error { return s.Finish(ctx, store.Usage{}) },
		"interrupt": func(s store.MessageStream) error { return s.Interrupt(ctx) },
		"fail":      func(s store.MessageStream) error { return s.Fail(ctx, strings.Repeat("é", 600)+"\x00\xff") },
	} {
		s := w.stream(t, c)
		require.NoError(t, s.Write(ctx, "a\xf0\x9f\x98"))
		require.NoError(t, end(s))
		require.Equal(t, "a\uFFFD", w.message(t, s.ID()).Content, "%s ends in the middle of a character", name)
		if name == "fail" {
			require.Equal(t, strings.Repeat("é", 512), w.message(t, s.ID()).FinishReason)
		}
	}
}

func streamCleansText(t *testing.T, w *world) {
	w = newWorld(t, w.factory, convostore.WithNULStripped(), convostore.WithInvalidTextReplaced())
	s := w.stream(t, w.thread(t, 1))
	require.NoError(t, s.SetToolCalls(t.Context(), message.JSON(`["a\u0000"]`)))
	require.NoError(t, s.SetUsage(t.Context(), store.Usage{Model: "m\x00"}))
	for _, part := range []string{"\x00a", "\xe2\x82", "\xacb\xff", "\xe2", "c\x00"} {
		require.NoError(t, s.Write(t.Context(), part))
	}
	require.NoError(t, s.Fail(t.Context(), "\x00out of luck\xff"))
	m := w.message(t, s.ID())
	require.Equal(t, []string{"a€b\uFFFD\uFFFDc", "m", "out of luck\uFFFD"}, []string{m.Content, m.Model, m.FinishReason})
	sameJSON(t, `["a"]`, m.ToolCalls)
}

// streamStopsAtTheBound fills messages of a hundred bytes.
func streamStopsAtTheBound(t *testing.T, w *world) {
	w = newWorld(t, w.factory, convostore.WithMaxMessageBytes(100))
	ctx, c := t.Context(), w.thread(t, 1)
	s := w.stream(t, c)
	require.NoError(t, s.Write(ctx, strings.Repeat("a", 90)))
	invalid(t, s.Write(ctx, "1234567éé"), "message")
	require.Equal(t, strings.Repeat("a", 90)+"1234567é", s.Text())
	invalid(t, s.Write(ctx, "éé"), "message")
	require.Equal(t, strings.Repeat("a", 90)+"1234567é", s.Text(), "half a character is not taken")
	require.NoError(t, s.Write(ctx, "!"))
	invalid(t, s.Write(ctx, "!"), "message")
	invalid(t, s.Write(ctx, "\xf0"), "message")
	invalid(t, s.SetToolCalls(ctx, message.JSON(`[1]`)), "message")
	invalid(t, s.SetPayload(ctx, "json", message.Payload("1")), "message")
	require.NoError(t, s.Finish(ctx, store.Usage{Model: "model", FinishReason: "length"}), "what fits stays")
	m := w.message(t, s.ID())
	require.Equal(t, strings.Repeat("a", 90)+"1234567é!", m.Content)
	require.Equal(t, message.StateComplete, m.State)

	s = w.stream(t, c)
	require.NoError(t, s.SetToolCalls(ctx, message.JSON(`"`+strings.Repeat("x", 88)+`"`)))
	invalid(t, s.Write(ctx, strings.Repeat("b", 1000)), "message")
	require.Equal(t, strings.Repeat("b", 10), s.Text(), "documents count as well")
}

func streamBeginsWithText(t *testing.T, w *world) {
	m := reply()
	m.ID, m.Content, m.Metadata = uuid.New(), "Sure: é", message.JSON(`{"a":1}`)
	s, err := w.mine.Messages().Stream(t.Context(), w.thread(t, 1).ID, m, store.StreamOptions{})
	require.NoError(t, err)
	require.Equal(t, m.ID, s.ID())
	require.Equal(t, int64(8), s.Flushed())
	w.wrote(t, s, ", and more")
	require.Equal(t, "Sure: é, and more", s.Text())
	sameJSON(t, `{"a":1}`, w.message(t, s.ID()).Metadata)
}
