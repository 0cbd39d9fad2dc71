package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func streamOwnerTests() subtests {
	return subtests{
		"taken over":                 streamTakenOver,
		"taken over if quiet":        streamQuiet,
		"one of many takes over":     streamOneOfMany,
		"two writers at once":        streamTwoWriters,
		"each statement fails once":  streamFaults,
		"swept":                      streamSwept,
		"swept in transactions":      streamSweptInside,
		"swept beside a live writer": streamSweptBesides,
		"a flush is seen":            streamFlushSeen,
	}
}

func streamTakenOver(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	first := w.stream(t, c)
	w.wrote(t, first, "flushed")
	require.NoError(t, first.Write(ctx, ", and not"))
	second, err := w.st.AllUsers().Messages().ResumeStream(ctx, first.ID(), store.StreamOptions{})
	require.NoError(t, err)
	require.Equal(t, []any{first.ID(), first.Seq(), "flushed", int64(7)}, []any{second.ID(), second.Seq(), second.Text(), second.Flushed()})
	before := w.message(t, first.ID())
	require.Equal(t, int64(2), before.Fence)
	require.Equal(t, message.StateStreaming, lost(t, first.Finish(ctx, store.Usage{}), store.StreamTakenOver).State)
	for _, call := range streamMethods(t, first) {
		lost(t, call(), store.StreamTakenOver)
	}
	same(t, before, w.message(t, first.ID()))
	w.wrote(t, second, " and on")
	require.NoError(t, second.Finish(ctx, store.Usage{}))
	require.Equal(t, "flushed and on", w.message(t, first.ID()).Content)

	late := w.stream(t, c)
	next, err := w.mine.Messages().ResumeStream(ctx, late.ID(), store.StreamOptions{})
	require.NoError(t, err)
	require.NoError(t, next.Finish(ctx, store.Usage{}))
	require.NoError(t, late.Write(ctx, "x"))
	require.Equal(t, message.StateComplete, lost(t, late.Flush(ctx), store.StreamTakenOver).State, "by one that has finished since")
}

func streamQuiet(t *testing.T, w *world) {
	ctx, o := t.Context(), store.StreamOptions{Quiet: time.Minute}
	s := w.stream(t, w.thread(t, 1))
	seen := w.tick()
	w.wrote(t, s, "a")
	w.clock.add(time.Minute - time.Microsecond)
	_, err := w.mine.Messages().ResumeStream(ctx, s.ID(), o)
	require.True(t, seen.Equal(*lost(t, err, store.StreamActive).HeartbeatAt))
	w.wrote(t, s, "b")
	w.tick()
	next, err := w.mine.Messages().ResumeStream(ctx, s.ID(), o)
	require.NoError(t, err)
	_, err = w.mine.Messages().ResumeStream(ctx, s.ID(), o)
	lost(t, err, store.StreamActive)
	w.wrote(t, next, "c")
}

// streamOneOfMany has many take over a dead stream. Exactly one gets it.
func streamOneOfMany(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	w.wrote(t, s, "a")
	w.tick()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		wins []store.MessageStream
	)
	for range 8 {
		wg.Go(func() {
			next, err := w.mine.Messages().ResumeStream(t.Context(), s.ID(), store.StreamOptions{Quiet: time.Minute})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins = append(wins, next)
				return
			}
			var e *store.StreamError
			if assert.ErrorAs(t, err, &e) {
				assert.Equal(t, store.StreamActive, e.Reason)
			}
		})
	}
	wg.Wait()
	require.Len(t, wins, 1)
	w.wrote(t, wins[0], "b")
}

// streamTwoWriters has the old and the new writer of a message flush as fast as they can.
func streamTwoWriters(t *testing.T, w *world) {
	first := w.stream(t, w.thread(t, 1))
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			err := errors.Join(first.Write(t.Context(), "a"), first.Flush(t.Context()))
			if n == 3 {
				close(begun)
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	<-begun
	second, err := w.mine.Messages().ResumeStream(t.Context(), first.ID(), store.StreamOptions{})
	require.NoError(t, err)
	for range 5 {
		w.wrote(t, second, "b")
	}
	lost(t, <-done, store.StreamTakenOver)
	require.NoError(t, second.Finish(t.Context(), store.Usage{}))
	text := w.message(t, first.ID()).Content
	require.Equal(t, second.Text(), text)
	require.Regexp(t, "^a{4,}b{5}$", text)
	require.GreaterOrEqual(t, int64(strings.Count(text, "a")), first.Flushed(), "what was flushed is there")
}

func streamSwept(t *testing.T, w *world) {
	ctx, c, all := t.Context(), w.thread(t, 1), w.st.AllUsers().Maintenance()
	dead, gone := w.stream(t, c), w.stream(t, w.thread(t, 1))
	hidden := w.stream(t, c)
	for _, s := range []store.MessageStream{dead, gone, hidden} {
		w.wrote(t, s, "half")
	}
	w.deleteMessage(t, w.message(t, hidden.ID()))
	w.delete(t, w.get(t, w.message(t, gone.ID()).ConversationID))
	w.clock.add(time.Minute - time.Second)
	alive := w.stream(t, c)
	n, err := all.SweepStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Zero(t, n)
	w.clock.add(time.Second)
	n, err = w.other().Maintenance().SweepStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Zero(t, n, "another user's")
	counted, err := all.DeadStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Equal(t, int64(3), counted)
	n, err = all.SweepStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Equal(t, int64(3), n)
	counted, err = all.DeadStreams(ctx, time.Minute)
	require.NoError(t, err)
	require.Zero(t, counted)
	m := w.message(t, dead.ID())
	require.Equal(t, []any{message.StateInterrupted, "half", store.FinishAbandoned}, []any{m.State, m.Content, m.FinishReason})
	require.Nil(t, m.EditedAt)
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, hidden.ID()))
	require.Equal(t, message.StateInterrupted, w.message(t, hidden.ID()).State)
	lost(t, dead.Write(ctx, "late"), store.StreamSwept)
	w.wrote(t, alive, "on")
	n, err = w.mine.Maintenance().SweepStreams(ctx, 0)
	require.NoError(t, err)
	require.Equal(t, int64(1), n, "all that are streaming now")
	_, err = all.SweepStreams(ctx, -1)
	invalid(t, err, "older_than")
	_, err = all.DeadStreams(ctx, -1)
	invalid(t, err, "older_than")
	var streaming int64
	require.NoError(t, w.st.DB(ctx).Unscoped().Model(&message.Message{}).Where("state = 'streaming'").Count(&streaming).Error)
	require.Zero(t, streaming)
}

func streamSweptInside(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	w.tick()
	require.ErrorIs(t, w.st.Transaction(t.Context(), func(tx store.Store) error {
		n, err := tx.AllUsers().Maintenance().SweepStreams(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
		return errUndo
	}), errUndo)
	w.wrote(t, s, "goes on")
}

// streamSweptBesides sweeps while a writer writes, whose heartbeats keep it alive.
func streamSweptBesides(t *testing.T, w *world) {
	s := w.stream(t, w.thread(t, 1))
	for range 5 {
		w.clock.add(30 * time.Second)
		require.NoError(t, s.Beat(t.Context()))
		w.clock.add(30 * time.Second)
		n, err := w.mine.Maintenance().SweepStreams(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Zero(t, n)
	}
	w.wrote(t, s, "alive")
}

// streamFlushSeen has a writer flush oftener than it writes heartbeats: for a sweep, the count of dead
// streams and one who would take over, it lives until it was not seen since its last flush.
func streamFlushSeen(t *testing.T, w *world) {
	ctx, all, o := t.Context(), w.st.AllUsers().Maintenance(), store.StreamOptions{Quiet: 2 * time.Second}
	s := w.stream(t, w.thread(t, 1))
	var seen time.Time
	for range 40 {
		seen = w.clock.add(200 * time.Millisecond)
		w.wrote(t, s, "a")
		n, err := all.DeadStreams(ctx, o.Quiet)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = all.SweepStreams(ctx, o.Quiet)
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = w.mine.Messages().ResumeStream(ctx, s.ID(), o)
		require.True(t, seen.Equal(*lost(t, err, store.StreamActive).HeartbeatAt))
	}
	require.True(t, w.message(t, s.ID()).HeartbeatAt.Before(seen.Add(-o.Quiet)), "the heartbeat alone would not tell")
	w.clock.add(o.Quiet)
	n, err := all.DeadStreams(ctx, o.Quiet)
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
	n, err = all.SweepStreams(ctx, o.Quiet)
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
	_, err = w.mine.Messages().ResumeStream(ctx, s.ID(), o)
	lost(t, err, store.StreamSwept)
	require.ErrorContains(t, err, "StreamOptions.Reopen")
	next, err := w.mine.Messages().ResumeStream(ctx, s.ID(), store.StreamOptions{Reopen: true})
	require.NoError(t, err)
	w.wrote(t, next, "b")
}
