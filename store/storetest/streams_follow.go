package storetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func streamFollowTests() subtests {
	return subtests{
		"followed from any byte":       streamFollowed,
		"followed while it is written": streamFollowedLive,
		"followed until it is gone":    streamFollowedAway,
		"followed badly":               streamFollowedBadly,
	}
}

const often = time.Millisecond

// follow joins the parts from a byte on, and returns the state in which the message ended.
func (w *world) follow(ctx context.Context, id uuid.UUID, from int64) (text string, state message.State, err error) {
	end := from
	for part, err := range w.mine.Messages().FollowStream(ctx, id, from, store.FollowOptions{PollEvery: often}) {
		if err != nil {
			return text, state, err
		}
		text += part.Text
		state = part.State
		if end += int64(len(part.Text)); end != part.End {
			return text, state, assert.AnError
		}
	}
	return text, state, nil
}

func streamFollowed(t *testing.T, w *world) {
	const all = "naïve 漢字 😀"
	s := w.stream(t, w.thread(t, 1))
	w.wrote(t, s, all)
	require.NoError(t, s.Interrupt(t.Context()))
	for from := range len(all) + 1 {
		text, state, err := w.follow(t.Context(), s.ID(), int64(from))
		require.NoError(t, err)
		require.Equal(t, all[from:], text)
		require.Equal(t, message.StateInterrupted, state)
	}
	parts, err := collect(w.mine.Messages().FollowStream(t.Context(), s.ID(), 0, store.FollowOptions{}))
	require.NoError(t, err)
	require.Equal(t, []store.StreamPart{{Text: all, End: int64(len(all)), State: message.StateInterrupted}}, parts)
	empty := w.append(t, w.thread(t, 1), &message.Message{Role: message.RoleAssistant})
	parts, err = collect(w.mine.Messages().FollowStream(t.Context(), empty.ID, 0, store.FollowOptions{}))
	require.NoError(t, err)
	require.Equal(t, []store.StreamPart{{State: message.StateComplete}}, parts, "a message that was not streamed")
}

// streamFollowedLive has readers join, leave and come back while two writers write.
func streamFollowedLive(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	var wg sync.WaitGroup
	texts := make([]string, 3)
	for i := range texts {
		wg.Go(func() {
			for state := message.StateStreaming; !state.Ended(); {
				for part, err := range w.mine.Messages().FollowStream(t.Context(), s.ID(), int64(len(texts[i])), store.FollowOptions{PollEvery: often}) {
					if !assert.NoError(t, err) {
						return
					}
					texts[i] += part.Text
					if state = part.State; i == 1 {
						break // and come back
					}
				}
			}
		})
	}
	for i := range 20 {
		w.wrote(t, s, strings.Repeat("é", i))
		if i == 10 {
			var err error
			s, err = w.mine.Messages().ResumeStream(t.Context(), s.ID(), store.StreamOptions{})
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.Write(t.Context(), "."))
	require.NoError(t, s.Finish(t.Context(), store.Usage{}))
	wg.Wait()
	for _, text := range texts {
		require.Equal(t, s.Text(), text)
	}
}

func streamFollowedAway(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	w.wrote(t, s, "a")
	steps := 0
	for part, err := range w.mine.Messages().FollowStream(t.Context(), s.ID(), 0, store.FollowOptions{PollEvery: often}) {
		if steps++; steps > 1 {
			require.ErrorIs(t, err, store.ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, store.StreamPart{Text: "a", End: 1, State: message.StateStreaming}, part)
		w.deleteMessage(t, w.message(t, s.ID()))
	}
	require.Equal(t, 2, steps)
	s = w.stream(t, w.thread(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.wrote(t, s, "a")
	for _, err := range w.mine.Messages().FollowStream(ctx, s.ID(), 0, store.FollowOptions{PollEvery: time.Hour}) {
		if ctx.Err() != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		cancel()
	}
	require.Error(t, ctx.Err())
}

func streamFollowedBadly(t *testing.T, w *world) {
	ms, s := w.mine.Messages(), w.stream(t, w.thread(t, 1))
	w.wrote(t, s, "abc")
	bad := func(from int64, o store.FollowOptions) error {
		parts, err := collect(ms.FollowStream(t.Context(), s.ID(), from, o))
		require.Empty(t, parts)
		return err
	}
	invalid(t, bad(-1, store.FollowOptions{}), "from_byte")
	invalid(t, bad(0, store.FollowOptions{PollEvery: -1}), "poll_every")
	require.NoError(t, s.Finish(t.Context(), store.Usage{}))
	for _, from := range []int64{4, 1 << 31, 1<<63 - 1} {
		invalid(t, bad(from, store.FollowOptions{}), "from_byte")
	}
	_, err := collect(ms.FollowStream(t.Context(), uuid.New(), 0, store.FollowOptions{}))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = collect(w.other().Messages().FollowStream(t.Context(), s.ID(), 0, store.FollowOptions{}))
	require.ErrorIs(t, err, store.ErrNotFound)
}
