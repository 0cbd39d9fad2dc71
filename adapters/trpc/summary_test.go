package trpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"
	"trpc.group/trpc-go/trpc-agent-go/session/inmemory"

	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/store"
)

// summarizer names what it sums up.
type summarizer struct {
	mu    sync.Mutex
	calls int
	fails error
}

func (s *summarizer) ShouldSummarize(*session.Session) bool { return true }
func (s *summarizer) SetPrompt(string)                      {}
func (s *summarizer) SetModel(model.Model)                  {}
func (s *summarizer) Metadata() map[string]any              { return nil }

func (s *summarizer) Summarize(_ context.Context, sess *session.Session) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	var text string
	for _, e := range sess.Events {
		text += "[" + e.Choices[0].Message.Content + "]"
	}
	return text, s.fails
}

// TestSummaries sums up with both services and wants the same summaries, and as many calls of the
// model.
func TestSummaries(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		for name, o := range map[string]trpc.SummaryOptions{
			"background": {}, "inline": {Workers: -1}, "branch": {BranchOnly: true, Queue: 1, Workers: 1},
			"allowed": {FilterAllowlist: []string{"a/b"}}, "none allowed": {FilterAllowlist: []string{}, BranchOnly: true},
		} {
			t.Run(name, func(t *testing.T) { sumUp(t, st, o) })
		}
	})
}

// sumUp does not run beside another one: they have one session.
func sumUp(t *testing.T, st store.Store, o trpc.SummaryOptions) {
	t.Helper()
	var models [2]*summarizer
	var got [2][]map[string]string
	for side := range 2 {
		models[side] = &summarizer{}
		o.Summarizer = models[side]
		options := []inmemory.ServiceOpt{inmemory.WithSummarizer(o.Summarizer), inmemory.WithCascadeFullSessionSummary(!o.BranchOnly)}
		if o.FilterAllowlist != nil {
			options = append(options, inmemory.WithSummaryFilterAllowlist(o.FilterAllowlist...))
		}
		var s session.Service = inmemory.NewSessionService(options...)
		if side == 1 {
			s = trpc.New(st, trpc.Options{Summaries: o})
		}
		sess := create(t, s, nil)
		for i, filter := range []string{"a/b", "a/b/c", "", "d"} {
			e := said(i, nil)
			e.FilterKey, e.Timestamp = filter, time.Now().Add(time.Hour).Truncate(time.Second)
			require.NoError(t, s.AppendEvent(t.Context(), sess, e))
			require.NoError(t, s.EnqueueSummaryJob(t.Context(), sess, filter, i%2 == 0))
			require.NoError(t, s.CreateSessionSummary(t.Context(), sess, "a", true))
			require.NoError(t, s.Close()) // waits; later jobs are done at once
			seen := map[string]string{}
			for k, sum := range get(t, s).Summaries {
				seen[k] = fmt.Sprint(sum.Summary, " ", sum.Boundary.LastEventID)
			}
			for _, k := range []string{"", "a/b", "zzz"} {
				text, ok := s.GetSessionSummaryText(t.Context(), get(t, s), session.WithSummaryFilterKey(k))
				seen["text "+k] = fmt.Sprint(ok, text)
			}
			got[side] = append(got[side], seen)
		}
		if side == 1 && len(get(t, s).Summaries) > 0 {
			text, ok := s.GetSessionSummaryText(t.Context(), get(t, s))
			stored, found := s.GetSessionSummaryText(t.Context(), session.NewSession(key.AppName, key.UserID, key.SessionID))
			require.Equal(t, []any{ok, text}, []any{found, stored}, "a handle without summaries asks the database")
		}
		require.NoError(t, s.DeleteSession(t.Context(), key))
	}
	require.Equal(t, got[0], got[1])
	require.Equal(t, models[0].calls, models[1].calls)
	require.Positive(t, models[1].calls)
}

// TestSummaryFails has summaries that nobody can make or store.
func TestSummaryFails(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		none := trpc.New(st, trpc.Options{})
		sess := create(t, none, nil)
		require.NoError(t, none.CreateSessionSummary(ctx, nil, "", true), "without a summarizer there is nothing to do")
		require.NoError(t, none.EnqueueSummaryJob(ctx, sess, "", true))
		_, ok := none.GetSessionSummaryText(ctx, sess)
		require.False(t, ok)
		_, ok = none.GetSessionSummaryText(ctx, nil)
		require.False(t, ok)

		broken := &summarizer{fails: errors.New("no model")}
		s := trpc.New(st, trpc.Options{Summaries: trpc.SummaryOptions{Summarizer: broken, Workers: -1}})
		require.ErrorIs(t, s.CreateSessionSummary(ctx, nil, "", true), session.ErrNilSession)
		require.ErrorIs(t, s.EnqueueSummaryJob(ctx, session.NewSession("", "u", "s"), "", true), session.ErrAppNameRequired)
		require.NoError(t, s.AppendEvent(ctx, sess, said(1, nil)))
		require.ErrorIs(t, s.CreateSessionSummary(ctx, sess, "", true), broken.fails)
		require.ErrorIs(t, s.EnqueueSummaryJob(ctx, sess, "", true), broken.fails)
		require.Empty(t, get(t, s).Summaries)

		broken.fails = nil
		lost := session.NewSession("no", "such", "session", session.WithSessionEvents([]event.Event{*said(1, nil)}))
		require.ErrorIs(t, s.CreateSessionSummary(ctx, lost, "", true), store.ErrNotFound)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	})
}
