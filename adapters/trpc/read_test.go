package trpc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestPaging reads more events than a page of the store has.
func TestPaging(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		const n = 2000
		st := open(t, d)
		s := trpc.New(st, trpc.Options{EventLimit: -1})
		create(t, s, nil)
		mine, id := conversationOf(t, st)
		ms := make([]*message.Message, n)
		for i := range ms {
			ms[i] = &message.Message{Role: message.RoleUser, Content: fmt.Sprint(i)}
			if i%500 == 499 {
				ms[i].Kind = message.KindNote
			}
		}
		_, err := mine.Messages().AppendMany(t.Context(), id, ms, store.AppendOptions{})
		require.NoError(t, err)
		text := func(s *session.Session, i int) string { return s.Events[i].Choices[0].Message.Content }
		all := get(t, s)
		require.Len(t, all.Events, n-4)
		require.Equal(t, "0", text(all, 0))
		require.Equal(t, "1998", text(all, n-5))
		most := get(t, s, session.WithEventNum(1500))
		require.Len(t, most.Events, 1500)
		require.Equal(t, "496", text(most, 0), "three notes are not counted")
		last := get(t, s, session.WithEventNum(3))
		require.Equal(t, []string{"1996", "1997", "1998"}, []string{text(last, 0), text(last, 1), text(last, 2)})
		page := get(t, s, session.WithGetSessionEventPage(1990, 10))
		require.Len(t, page.Events, 6)
		require.Equal(t, "5", text(page, 5))
		require.Len(t, get(t, trpc.New(st, trpc.Options{})).Events, trpc.DefaultEventLimit)
		_, err = s.GetSession(t.Context(), key, session.WithGetSessionEventPage(0, 0))
		require.ErrorIs(t, err, session.ErrInvalidEventPage)
	})
}

// TestUserFirst has a user who said nothing for long, among messages that no agent wrote.
func TestUserFirst(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		s, ctx := trpc.New(st, trpc.Options{EventLimit: 8}), t.Context()
		sess := create(t, s, nil)
		mine, id := conversationOf(t, st)
		for i := range 12 {
			e := said(i, nil)
			if i != 1 {
				e.Choices[0].Message.Role = model.RoleAssistant
			}
			require.NoError(t, s.AppendEvent(ctx, sess, e))
			if i == 2 {
				_, err := mine.Messages().Append(ctx, id, &message.Message{Kind: message.KindNote, Role: message.RoleUser, Content: "a note"})
				require.NoError(t, err)
			}
		}
		require.Equal(t, []string{"e1", "e10", "e11"}, ids(get(t, s, session.WithEventNum(2))))
		require.Equal(t, []string{"e1", "e4", "e5", "e6", "e7", "e8", "e9", "e10", "e11"}, ids(get(t, s)))
		require.Equal(t, ids(get(t, s)), ids(get(t, s, session.WithEventTime(time.Unix(0, 0)))))
		require.Equal(t, []string{"e1"}, ids(get(t, s, session.WithEventTime(time.Now()))))
		require.Len(t, get(t, trpc.New(st, trpc.Options{EventLimit: -1})).Events, 11)
		require.Equal(t, []string{"e10", "e11"}, ids(get(t, s, session.WithGetSessionEventPage(0, 2))), "a page is as it is")
		_, err := mine.Messages().TruncateAfter(ctx, id, 1, store.TruncateOptions{})
		require.NoError(t, err)
		require.Empty(t, get(t, s).Events, "the user said nothing")
	})
}

// TestLargeEvents has fewer events on a page than were asked for.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	testrun.OnlyFull(t)
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := trpc.New(open(t, d), trpc.Options{})
		sess := create(t, s, nil)
		var want []string
		for i := range 4 {
			e := said(i, nil)
			e.Choices[0].Message.Content = strings.Repeat("x", store.MaxPageBytes/4)
			require.NoError(t, s.AppendEvent(t.Context(), sess, e))
			want = append(want, e.ID)
		}
		require.Equal(t, want, ids(get(t, s)))
		require.Equal(t, want[1:], ids(get(t, s, session.WithEventNum(3))))
	})
}

func TestWindow(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		sess := create(t, s, nil)
		for i := range 10 {
			e := said(i, nil)
			if i%2 == 0 {
				e.Choices[0].Message.Role = model.RoleAssistant
			}
			require.NoError(t, s.AppendEvent(ctx, sess, e))
		}
		window := func(req session.EventWindowRequest) []string {
			req.Key = key
			got, err := s.GetEventWindow(ctx, req)
			require.NoError(t, err)
			all := []string{}
			for _, e := range got.Entries {
				all = append(all, e.Event.ID)
			}
			return all
		}
		require.Equal(t, []string{"e2", "e3", "e4", "e5", "e6", "e7"}, window(session.EventWindowRequest{AnchorEventID: "e5", Before: 3, After: 2}))
		require.Equal(t, []string{"e1", "e3", "e5", "e7", "e9"}, window(session.EventWindowRequest{AnchorEventID: "e5", Before: 2, After: 9, Roles: []model.Role{model.RoleUser}}))
		require.Equal(t, []string{"e0"}, window(session.EventWindowRequest{AnchorEventID: "e0", Before: 5}))
		_, err := s.GetEventWindow(ctx, session.EventWindowRequest{Key: key, AnchorEventID: "e4", Roles: []model.Role{model.RoleUser}})
		require.ErrorIs(t, err, session.ErrEventWindowAnchorNotFound)
	})
}

// TestTrackTimes has two events of a track in one microsecond, which is the unit of the rows.
func TestTrackTimes(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s, ctx := trpc.New(open(t, d), trpc.Options{}), t.Context()
		sess := create(t, s, nil)
		at := time.Date(2026, 1, 1, 0, 0, 0, 1100, time.UTC)
		for _, after := range []time.Duration{0, 300, 600} {
			require.NoError(t, s.AppendTrackEvent(ctx, sess, &session.TrackEvent{Track: "agui", Timestamp: at.Add(after)}))
		}
		require.Len(t, get(t, s, session.WithEventTime(at)).Tracks["agui"].Events, 3)
		require.Len(t, get(t, s, session.WithEventTime(at.Add(300))).Tracks["agui"].Events, 2)
		require.Empty(t, get(t, s, session.WithEventTime(at.Add(601))).Tracks["agui"].Events)
		got, err := s.GetTrackEvents(ctx, key, "agui", session.WithEventTime(at), session.WithEventNum(1))
		require.NoError(t, err)
		require.Len(t, got.Events, 1)
		require.Equal(t, at.Add(600), got.Events[0].Timestamp)
	})
}
