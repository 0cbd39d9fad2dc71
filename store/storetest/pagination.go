package storetest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runPagination reads random lists by cursor while others insert: every row that existed
// throughout must come exactly once and in order. There are so few different times that most
// rows are ties.
func runPagination(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	subtests{
		"Conversations":             walkConversations,
		"MessagesOfConversation":    walkMessages,
		"MessagesOfUser":            walkUserMessages,
		"SuggestionsOfConversation": walkSuggestions,
		"PendingSuggestions":        walkPending,
		"NumberedComplete":          testNumberedComplete,
		"NumberedPages":             testNumberedPages,
		"NumberedEdges":             testNumberedEdges,
		"TenantsComplete":           testTenantsComplete,
		"TenantsListed":             testTenantsListed,
		"TenantsWalked":             testTenantsWalked,
	}.run(t, f, c)
}

// list walked by cursor.
type walked[T any] struct {
	read func(store.PageRequest) (store.Page[T], error)
	id   func(T) uuid.UUID
	// order is negative where a must come before b, and 0 where the contract does not say.
	order func(a, b T) int
	// want are the ids that match and exist throughout, in any order.
	want []uuid.UUID
	// insert adds rows while the walk goes on, until there are no more or it is over.
	insert []func() error
}

func (w walked[T]) check(t *rapid.T) {
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- insertUntil(stop, w.insert) }()
	got, err := list(rapid.IntRange(1, 7).Draw(t, "page size"), w.read)
	close(stop)
	require.NoError(t, <-done)
	require.NoError(t, err)

	seen := map[uuid.UUID]bool{}
	for i, item := range got {
		require.False(t, seen[w.id(item)], "a row came twice")
		seen[w.id(item)] = true
		if i > 0 {
			require.LessOrEqual(t, w.order(got[i-1], item), 0, "rows %d and %d are in the wrong order", i-1, i)
		}
	}
	for _, id := range w.want {
		require.True(t, seen[id], "a row was skipped")
	}
	require.LessOrEqual(t, len(got), len(w.want)+len(w.insert), "rows that do not match")
}

func insertUntil(stop <-chan struct{}, inserts []func() error) error {
	for _, insert := range inserts {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := insert(); err != nil {
			return err
		}
	}
	return nil
}

// few are the different times, a microsecond apart: so few that most rows share one.
func few() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return epoch.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "time")) * time.Microsecond)
	})
}

// sometimes returns the zero value in half of all cases.
func sometimes[T any](g *rapid.Generator[T]) *rapid.Generator[T] {
	return rapid.OneOf(rapid.Just(*new(T)), g)
}

func deletedChoice() *rapid.Generator[store.Deleted] {
	return rapid.SampledFrom([]store.Deleted{store.ExcludeDeleted, store.IncludeDeleted, store.OnlyDeleted})
}

func allows(d store.Deleted, deleted bool) bool {
	return d == store.IncludeDeleted || deleted == (d == store.OnlyDeleted)
}

func within(at, since, before time.Time) bool {
	return (since.IsZero() || !at.Before(since)) && (before.IsZero() || at.Before(before))
}

func anyOf[T comparable](vs []T, v T) bool { return len(vs) == 0 || slices.Contains(vs, v) }

func randomConversation() *rapid.Generator[*conversation.Conversation] {
	return rapid.Custom(func(t *rapid.T) *conversation.Conversation {
		return &conversation.Conversation{
			LeadID:        rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "lead"),
			Title:         rapid.SampledFrom([]string{"", "A%b", "a_B"}).Draw(t, "title"),
			Status:        rapid.SampledFrom(conversation.Statuses()).Draw(t, "status"),
			CreatedAt:     few().Draw(t, "created"),
			LastMessageAt: few().Draw(t, "active"),
		}
	})
}

func randomConversationFilter() *rapid.Generator[store.ConversationFilter] {
	return rapid.Custom(func(t *rapid.T) store.ConversationFilter {
		return store.ConversationFilter{
			LeadID:        rapid.SampledFrom([]string{"", "", "1"}).Draw(t, "lead filter"),
			Statuses:      sometimes(rapid.SliceOfN(rapid.SampledFrom(conversation.Statuses()), 1, 3)).Draw(t, "statuses"),
			ActiveSince:   sometimes(few()).Draw(t, "since"),
			CreatedBefore: sometimes(few()).Draw(t, "before"),
			Text:          rapid.SampledFrom([]string{"", "", "B", "%", "_"}).Draw(t, "text"),
			Deleted:       deletedChoice().Draw(t, "deleted"),
			Order:         rapid.SampledFrom([]store.ConversationOrder{store.NewestActivity, store.NewestCreated}).Draw(t, "order"),
		}
	})
}

func conversationMatches(f store.ConversationFilter, c *conversation.Conversation) bool {
	return (f.LeadID == "" || f.LeadID == c.LeadID) && anyOf(f.Statuses, c.Status) &&
		within(c.LastMessageAt, f.ActiveSince, f.ActiveBefore) && within(c.CreatedAt, f.CreatedSince, f.CreatedBefore) &&
		strings.Contains(strings.ToLower(c.Title), strings.ToLower(f.Text)) && allows(f.Deleted, c.Deleted())
}

func conversationOrder(o store.ConversationOrder) func(a, b *conversation.Conversation) int {
	return func(a, b *conversation.Conversation) int {
		if o == store.NewestCreated {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), bytes.Compare(b.ID[:], a.ID[:]))
		}
		return cmp.Or(b.LastMessageAt.Compare(a.LastMessageAt), bytes.Compare(b.ID[:], a.ID[:]))
	}
}

func walkConversations(t *testing.T, w *world) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		cs := w.st.ForUser(uuid.New()).Conversations()
		f := randomConversationFilter().Draw(rt, "filter")
		walk := walked[*conversation.Conversation]{
			read:  func(p store.PageRequest) (store.Page[*conversation.Conversation], error) { return cs.List(ctx, f, p) },
			id:    func(c *conversation.Conversation) uuid.UUID { return c.ID },
			order: conversationOrder(f.Order),
		}
		var want []*conversation.Conversation
		for _, c := range rapid.SliceOfN(randomConversation(), 0, 20).Draw(rt, "rows") {
			require.NoError(rt, cs.Create(ctx, c))
			if rapid.IntRange(0, 4).Draw(rt, "delete") == 0 {
				gone, err := cs.Delete(ctx, c.ID)
				require.NoError(rt, err)
				c = gone
			}
			if conversationMatches(f, c) {
				want = append(want, c)
				walk.want = append(walk.want, c.ID)
			}
		}
		slices.SortFunc(want, walk.order)
		got, err := collect(cs.All(ctx, f))
		require.NoError(rt, err)
		require.Equal(rt, ids(want, walk.id), ids(got, walk.id))
		for _, c := range rapid.SliceOfN(randomConversation(), 0, 8).Draw(rt, "inserts") {
			walk.insert = append(walk.insert, func() error { return cs.Create(ctx, c) })
		}
		walk.check(rt)
	})
}

func ids[T any](items []T, id func(T) uuid.UUID) []uuid.UUID {
	out := make([]uuid.UUID, 0, len(items))
	for _, item := range items {
		out = append(out, id(item))
	}
	return out
}

func randomMessage() *rapid.Generator[*message.Message] {
	return rapid.Custom(func(t *rapid.T) *message.Message {
		m := &message.Message{
			Role:   rapid.SampledFrom(message.Roles()).Draw(t, "role"),
			SentAt: few().Draw(t, "sent"), CreatedAt: few().Draw(t, "created"),
		}
		if rapid.Bool().Draw(t, "tools") {
			m.ToolCalls = message.JSON(rapid.SampledFrom([]string{`[{}]`, `[]`, `{ }`, `""`, `0`}).Draw(t, "tool calls"))
		}
		return m
	})
}

func randomMessageFilter(orders ...store.MessageOrder) *rapid.Generator[store.MessageFilter] {
	return rapid.Custom(func(t *rapid.T) store.MessageFilter {
		return store.MessageFilter{
			Roles:        sometimes(rapid.SliceOfN(rapid.SampledFrom(message.Roles()), 1, 3)).Draw(t, "roles"),
			Direction:    sometimes(rapid.SampledFrom(message.Directions())).Draw(t, "direction"),
			HasToolCalls: rapid.IntRange(0, 3).Draw(t, "with tools") == 0,
			SentSince:    sometimes(few()).Draw(t, "since"),
			SentBefore:   sometimes(few()).Draw(t, "before"),
			Deleted:      deletedChoice().Draw(t, "deleted"),
			Order:        rapid.SampledFrom(orders).Draw(t, "order"),
		}
	})
}

func messageMatches(f store.MessageFilter, m *message.Message) bool {
	return anyOf(f.Roles, m.Role) && (f.Direction == "" || f.Direction == m.Direction) &&
		(!f.HasToolCalls || !m.ToolCalls.IsEmpty()) && within(m.SentAt, f.SentSince, f.SentBefore) &&
		(f.AfterSeq == 0 || m.Seq > f.AfterSeq) && (f.BeforeSeq == 0 || m.Seq < f.BeforeSeq) && allows(f.Deleted, m.Deleted())
}

func messageOrder(o store.MessageOrder) func(a, b *message.Message) int {
	return func(a, b *message.Message) int {
		switch o {
		case store.ReverseThreadOrder:
			return cmp.Compare(b.Seq, a.Seq)
		case store.SentOrder:
			return cmp.Or(a.SentAt.Compare(b.SentAt), cmp.Compare(a.Seq, b.Seq))
		case store.ReverseSentOrder:
			return cmp.Or(b.SentAt.Compare(a.SentAt), cmp.Compare(b.Seq, a.Seq))
		case store.DefaultOrder, store.ThreadOrder:
		}
		return cmp.Compare(a.Seq, b.Seq)
	}
}

// fill appends random messages, deletes some, and returns them as they are then.
func fill(t *rapid.T, tb testing.TB, s store.Scope, c *conversation.Conversation) []*message.Message {
	ms := rapid.SliceOfN(randomMessage(), 0, 25).Draw(t, "rows")
	_, err := s.Messages().AppendMany(tb.Context(), c.ID, ms, store.AppendOptions{})
	require.NoError(t, err)
	for i, m := range ms {
		if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
			ms[i], err = s.Messages().Delete(tb.Context(), m.ID)
			require.NoError(t, err)
		}
	}
	return ms
}

// appends are random messages for later.
func appends(t *rapid.T, tb testing.TB, s store.Scope, cs ...*conversation.Conversation) []func() error {
	var out []func() error
	for i, m := range rapid.SliceOfN(randomMessage(), 0, 8).Draw(t, "inserts") {
		out = append(out, func() error {
			_, err := s.Messages().Append(tb.Context(), cs[i%len(cs)].ID, m)
			return err
		})
	}
	return out
}

func messageID(m *message.Message) uuid.UUID { return m.ID }

func walkMessages(t *testing.T, w *world) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		s := w.st.ForUser(uuid.New())
		c := &conversation.Conversation{}
		require.NoError(rt, s.Conversations().Create(ctx, c))
		f := randomMessageFilter(store.DefaultOrder, store.ThreadOrder, store.ReverseThreadOrder, store.SentOrder, store.ReverseSentOrder).Draw(rt, "filter")
		f.AfterSeq = rapid.Int64Range(0, 3).Draw(rt, "after")
		f.BeforeSeq = sometimes(rapid.Int64Range(1, 30)).Draw(rt, "before seq")
		walk := walked[*message.Message]{
			read: func(p store.PageRequest) (store.Page[*message.Message], error) {
				return s.Messages().List(ctx, c.ID, f, p)
			},
			id: messageID, order: messageOrder(f.Order),
		}
		var want []*message.Message
		for _, m := range fill(rt, t, s, c) {
			if messageMatches(f, m) {
				want = append(want, m)
			}
		}
		slices.SortFunc(want, walk.order)
		walk.want = ids(want, messageID)
		got, err := collect(s.Messages().All(ctx, c.ID, f))
		require.NoError(rt, err)
		require.Equal(rt, walk.want, ids(got, messageID))
		walk.insert = appends(rt, t, s, c)
		walk.check(rt)
	})
}

func walkUserMessages(t *testing.T, w *world) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		s := w.st.ForUser(uuid.New())
		f := randomMessageFilter(store.DefaultOrder, store.ThreadOrder, store.ReverseThreadOrder).Draw(rt, "filter")
		walk := walked[*message.Message]{
			read: func(p store.PageRequest) (store.Page[*message.Message], error) {
				return s.Messages().ListByUser(ctx, f, p)
			},
			id: messageID,
			order: func(a, b *message.Message) int {
				if f.Order == store.ThreadOrder {
					return a.CreatedAt.Compare(b.CreatedAt)
				}
				return b.CreatedAt.Compare(a.CreatedAt)
			},
		}
		var live []*conversation.Conversation
		for i := range 3 {
			c := &conversation.Conversation{}
			require.NoError(rt, s.Conversations().Create(ctx, c))
			ms := fill(rt, t, s, c)
			if i == 2 { // nothing of a deleted conversation is there
				_, err := s.Conversations().Delete(ctx, c.ID)
				require.NoError(rt, err)
				break
			}
			live = append(live, c)
			for _, m := range ms {
				if messageMatches(f, m) {
					walk.want = append(walk.want, m.ID)
				}
			}
		}
		got, err := collect(s.Messages().AllByUser(ctx, f))
		require.NoError(rt, err)
		require.ElementsMatch(rt, walk.want, ids(got, messageID))
		walk.insert = appends(rt, t, s, live...)
		walk.check(rt)
	})
}

// draft creates a suggestion now, or at the end of the walk.
func draft(tb testing.TB, s store.Scope, c *conversation.Conversation, at time.Time) (*suggestion.Suggestion, func() error) {
	d := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: fmt.Sprint(at), CreatedAt: at}
	return d, func() error { return s.Suggestions().Create(tb.Context(), d) }
}

// drafted creates random suggestions, decides and deletes some, and returns what is
// pending and what is live, and inserts for later.
func drafted(t *rapid.T, tb testing.TB, s store.Scope, c *conversation.Conversation) (pending, live []uuid.UUID, inserts []func() error) {
	ctx := tb.Context()
	for _, at := range rapid.SliceOfN(few(), 0, 20).Draw(t, "rows") {
		d, create := draft(tb, s, c, at)
		require.NoError(t, create())
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "fate") {
		case 0:
			_, err = s.Suggestions().Delete(ctx, d.ID)
		case 1:
			_, err = s.Suggestions().Reject(ctx, d.ID, suggestion.Review{})
			live = append(live, d.ID)
		default:
			pending, live = append(pending, d.ID), append(live, d.ID)
		}
		require.NoError(t, err)
	}
	for _, at := range rapid.SliceOfN(few(), 0, 8).Draw(t, "inserts") {
		_, create := draft(tb, s, c, at)
		inserts = append(inserts, create)
	}
	return pending, live, inserts
}

func walkSuggestions(t *testing.T, w *world) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		s := w.st.ForUser(uuid.New())
		c := &conversation.Conversation{}
		require.NoError(rt, s.Conversations().Create(ctx, c))
		_, live, inserts := drafted(rt, t, s, c)
		walked[*suggestion.Suggestion]{
			read: func(p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
				return s.Suggestions().ListByConversation(ctx, c.ID, p)
			},
			id:    func(s *suggestion.Suggestion) uuid.UUID { return s.ID },
			order: func(a, b *suggestion.Suggestion) int { return a.CreatedAt.Compare(b.CreatedAt) },
			want:  live, insert: inserts,
		}.check(rt)
	})
}

func walkPending(t *testing.T, w *world) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		s := w.st.ForUser(uuid.New())
		a, gone := &conversation.Conversation{}, &conversation.Conversation{}
		require.NoError(rt, s.Conversations().Create(ctx, a))
		require.NoError(rt, s.Conversations().Create(ctx, gone))
		pending, _, inserts := drafted(rt, t, s, a)
		drafted(rt, t, s, gone)
		_, err := s.Conversations().Delete(ctx, gone.ID)
		require.NoError(rt, err)
		walked[*store.PendingSuggestion]{
			read: func(p store.PageRequest) (store.Page[*store.PendingSuggestion], error) {
				return s.Suggestions().Pending(ctx, p)
			},
			id:    func(p *store.PendingSuggestion) uuid.UUID { return p.ID },
			order: func(a, b *store.PendingSuggestion) int { return b.CreatedAt.Compare(a.CreatedAt) },
			want:  pending, insert: inserts,
		}.check(rt)
	})
}
