package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// tenantKey is the whole key of a row: ids are unique for one user only.
type tenantKey struct{ id, user uuid.UUID }

func conversationTenant(c *conversation.Conversation) tenantKey { return tenantKey{c.ID, c.UserID} }
func messageTenant(m *message.Message) tenantKey                { return tenantKey{m.ID, m.UserID} }
func suggestionTenant(s *suggestion.Suggestion) tenantKey       { return tenantKey{s.ID, s.UserID} }

// tenantList is a method that gives pages, tenantWalk one that gives everything.
type (
	tenantList func(context.Context, store.Scope, store.PageRequest) ([]tenantKey, store.Cursor, error)
	tenantWalk func(context.Context, store.Scope) ([]tenantKey, error)
)

func tenantPage[T any](page store.Page[T], err error, key func(T) tenantKey) ([]tenantKey, store.Cursor, error) {
	return tenantKeys(page.Items, key), page.Next, err
}

func tenantRows[T any](seq iter.Seq2[T, error], key func(T) tenantKey) ([]tenantKey, error) {
	all, err := collect(seq)
	return tenantKeys(all, key), err
}

func tenantKeys[T any](items []T, key func(T) tenantKey) []tenantKey {
	keys := make([]tenantKey, len(items))
	for i, item := range items {
		keys[i] = key(item)
	}
	return keys
}

// tenantConversation is the id of a conversation that several users have.
var tenantConversation = uuid.MustParse("018f0000-0000-7000-8000-000000000001")

// tenantLists are all methods with pages over several conversations, by role and name. The part
// after a slash distinguishes two ways of calling one method.
func tenantLists() map[string]tenantList {
	lists := map[string]tenantList{
		"Conversations.List/newest activity":        conversationTenants(store.ConversationFilter{}),
		"Conversations.List/newest created":         conversationTenants(store.ConversationFilter{Order: store.NewestCreated}),
		"Conversations.List/by lead":                conversationTenants(store.ConversationFilter{LeadID: "1", Text: "needle"}),
		"Conversations.List/by id":                  conversationTenants(store.ConversationFilter{IDs: []uuid.UUID{tenantConversation}}),
		"Conversations.List/activity, oldest first": conversationTenants(store.ConversationFilter{Order: store.OldestActivity}),
		"Conversations.List/pinned first":           conversationTenants(store.ConversationFilter{PinnedFirst: true, Snoozed: store.ExcludeSnoozed}),
		"Conversations.Overview": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Conversations().Overview(ctx, store.ConversationFilter{}, store.OverviewOptions{LastMessage: true, Labels: true}, p)
			return tenantPage(page, err, func(o *store.ConversationOverview) tenantKey { return conversationTenant(o.Conversation) })
		},
		"Conversations.NeedsReply": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Conversations().NeedsReply(ctx, p)
			return tenantPage(page, err, conversationTenant)
		},
		"Conversations.Unread": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Conversations().Unread(ctx, epoch.Add(-time.Hour), p)
			return tenantPage(page, err, conversationTenant)
		},
		"Messages.ListByUser/newest first": messageTenants(store.MessageFilter{}),
		"Messages.ListByUser/oldest first": messageTenants(store.MessageFilter{Order: store.ThreadOrder, HasAttachments: true}),
		"Suggestions.Pending": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Suggestions().Pending(ctx, p)
			return tenantPage(page, err, func(s *store.PendingSuggestion) tenantKey { return suggestionTenant(s.Suggestion) })
		},
		"Deliveries.List": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Deliveries().List(ctx, store.DeliveryFilter{Channel: "tenant"}, p)
			return tenantPage(page, err, func(e *message.OutboxEntry) tenantKey { return tenantKey{e.ID, e.UserID} })
		},
		"Embeddings.ListSetAside/oldest first": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Embeddings().ListSetAside(ctx, "aside", p)
			return tenantPage(page, err, func(a *store.SetAsideMessage) tenantKey { return tenantKey{a.MessageID, a.UserID} })
		},
		"Reports.Unread": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Reports().Unread(ctx, time.Time{}, p)
			return tenantPage(page, err, func(u *store.UnreadConversation) tenantKey { return tenantKey{u.ConversationID, u.UserID} })
		},
		"Reports.MessagesWithAttachments": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Reports().MessagesWithAttachments(ctx, store.Period{}, p)
			return tenantPage(page, err, func(a *store.AttachedMessage) tenantKey { return tenantKey{a.MessageID, a.UserID} })
		},
		"Reports.HighConfidenceApproved": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Reports().HighConfidenceApproved(ctx, 0.5, store.Period{}, p)
			return tenantPage(page, err, suggestionTenant)
		},
	}
	for name, o := range map[string]store.TextOptions{
		"by rank":         {},
		"any word":        {Match: store.MatchAny},
		"newest":          {Order: store.Newest},
		"part":            {Match: store.MatchSubstring},
		"newest, by lead": {Order: store.Newest, Filter: store.SearchFilter{LeadID: "1"}},
	} {
		lists["Search.Messages/"+name] = func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Search().Messages(ctx, "needle", o, p)
			return tenantPage(page, err, func(h *store.MessageHit) tenantKey { return messageTenant(h.Message) })
		}
		lists["Search.Conversations/"+name] = func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Search().Conversations(ctx, "needle", o, p)
			return tenantPage(page, err, func(h *store.ConversationHit) tenantKey { return conversationTenant(h.Conversation) })
		}
	}
	return lists
}

func conversationTenants(f store.ConversationFilter) tenantList {
	return func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
		page, err := s.Conversations().List(ctx, f, p)
		return tenantPage(page, err, conversationTenant)
	}
}

func messageTenants(f store.MessageFilter) tenantList {
	return func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
		page, err := s.Messages().ListByUser(ctx, f, p)
		return tenantPage(page, err, messageTenant)
	}
}

// oneTenant are the methods on one conversation. The scope of all users refuses them if
// several users have its id.
func oneTenant() map[string]tenantList {
	return map[string]tenantList{
		"Messages.List": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Messages().List(ctx, tenantConversation, store.MessageFilter{}, p)
			return tenantPage(page, err, messageTenant)
		},
		"Messages.All": func(ctx context.Context, s store.Scope, _ store.PageRequest) ([]tenantKey, store.Cursor, error) {
			keys, err := tenantRows(s.Messages().All(ctx, tenantConversation, store.MessageFilter{}), messageTenant)
			return keys, "", err
		},
		"Messages.Path": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Messages().Path(ctx, tenantConversation, 1, p)
			return tenantPage(page, err, messageTenant)
		},
		"Messages.Tail": func(ctx context.Context, s store.Scope, _ store.PageRequest) ([]tenantKey, store.Cursor, error) {
			keys, err := tenantRows(s.Messages().Tail(ctx, tenantConversation, store.Position{}, store.TailOptions{Once: true}),
				func(c store.Change) tenantKey { return messageTenant(c.Message) })
			return keys, "", err
		},
		"Suggestions.ListByConversation": func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
			page, err := s.Suggestions().ListByConversation(ctx, tenantConversation, p)
			return tenantPage(page, err, suggestionTenant)
		},
	}
}

func tenantWalks() map[string]tenantWalk {
	return map[string]tenantWalk{
		"Conversations.All/newest activity": func(ctx context.Context, s store.Scope) ([]tenantKey, error) {
			return tenantRows(s.Conversations().All(ctx, store.ConversationFilter{}), conversationTenant)
		},
		"Conversations.All/newest created": func(ctx context.Context, s store.Scope) ([]tenantKey, error) {
			return tenantRows(s.Conversations().All(ctx, store.ConversationFilter{Order: store.NewestCreated}), conversationTenant)
		},
		"Messages.AllByUser/newest first": func(ctx context.Context, s store.Scope) ([]tenantKey, error) {
			return tenantRows(s.Messages().AllByUser(ctx, store.MessageFilter{}), messageTenant)
		},
		"Messages.AllByUser/oldest first": func(ctx context.Context, s store.Scope) ([]tenantKey, error) {
			return tenantRows(s.Messages().AllByUser(ctx, store.MessageFilter{Order: store.ThreadOrder}), messageTenant)
		},
		"Embeddings.Missing": func(ctx context.Context, s store.Scope) ([]tenantKey, error) {
			return tenantRows(s.Embeddings().Missing(ctx, "m", store.EmbedFilter{}), messageTenant)
		},
	}
}

// testTenantsComplete fails for a method with pages or rows that the tables above do not
// have.
func testTenantsComplete(t *testing.T, _ *world) {
	// These yield what changes, in tests of their own: Watch, and the text of one message.
	known := map[string]bool{"Conversations.Watch": true, "Messages.FollowStream": true}
	for _, names := range [][]string{keysOf(tenantLists()), keysOf(oneTenant()), keysOf(tenantWalks())} {
		for _, name := range names {
			name, _, _ = strings.Cut(name, "/")
			known[name] = true
		}
	}
	scope := reflect.TypeFor[store.Scope]()
	for i := range scope.NumMethod() {
		role := scope.Method(i)
		for j := range role.Type.Out(0).NumMethod() {
			method := role.Type.Out(0).Method(j)
			if name := role.Name + "." + method.Name; lists(method.Type) {
				assert.True(t, known[name], "%s is not among the lists of several tenants", name)
				delete(known, name)
			}
		}
	}
	assert.Empty(t, known, "no such methods")
}

// lists tells whether a method takes the request for a page or returns an iterator.
func lists(method reflect.Type) bool {
	for i := range method.NumIn() {
		if method.In(i) == reflect.TypeFor[store.PageRequest]() {
			return true
		}
	}
	return method.NumOut() == 1 && method.Out(0).CanSeq2()
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for name := range m {
		keys = append(keys, name)
	}
	return keys
}

const tenants = 5

// tenant writes the same seeded rows for a user: the same ids, the same times.
func tenant(t testing.TB, st store.Store, user uuid.UUID) {
	t.Helper()
	ctx, s := t.Context(), st.ForUser(user)
	id := func(n byte) uuid.UUID { i := tenantConversation; i[15] = n; return i }
	require.NoError(t, s.Conversations().Create(ctx, &conversation.Conversation{
		ID: tenantConversation, Title: "a needle", LeadID: "1", CreatedAt: epoch,
		Messages: []*message.Message{{
			ID: id(2), Role: message.RoleUser, Direction: message.DirectionInbound, Content: "the needle", SentAt: epoch, CreatedAt: epoch,
			Attachments: message.Attachments{{Filename: "a.txt"}},
		}},
	}))
	for _, n := range []byte{3, 4} {
		require.NoError(t, s.Suggestions().Create(ctx, &suggestion.Suggestion{
			ID: id(n), ConversationID: tenantConversation, SuggestedContent: "draft", ConfidenceScore: new(0.75), CreatedAt: epoch,
		}))
	}
	_, err := s.Suggestions().Approve(ctx, id(4), suggestion.Review{})
	require.NoError(t, err)
	require.NoError(t, st.DB(ctx).Create(&message.OutboxEntry{ID: id(5), UserID: user, MessageID: id(2), Channel: "tenant", CreatedAt: epoch}).Error)
	setAside(t, st.DB(ctx), &message.Message{ID: id(2), UserID: user, CreatedAt: epoch})
}

// testTenantsListed lists rows that differ only in their users: pages must repeat and skip
// none, in one order, and a list of one user must have only that user's rows.
func testTenantsListed(t *testing.T, w *world) {
	ctx, all := t.Context(), w.st.AllUsers()
	var users []uuid.UUID
	for range tenants {
		users = append(users, uuid.New())
		tenant(t, w.st, users[len(users)-1])
	}
	for name, list := range tenantLists() {
		t.Run(name, func(t *testing.T) {
			got, cursor := tenantPages(t, tenants, func(p store.PageRequest) ([]tenantKey, store.Cursor, error) { return list(ctx, all, p) })
			var theirs []uuid.UUID
			for _, key := range got {
				theirs = append(theirs, key.user)
				require.Equal(t, got[0].id, key.id)
			}
			require.ElementsMatch(t, users, theirs)
			byUser := func(a, b tenantKey) int { return bytes.Compare(a.user[:], b.user[:]) }
			if strings.HasSuffix(name, "oldest first") {
				require.True(t, slices.IsSortedFunc(got, byUser), "ties of the id go by the user")
			} else {
				require.True(t, slices.IsSortedFunc(got, func(a, b tenantKey) int { return byUser(b, a) }), "ties of the id go by the user")
			}
			mine, next, err := list(ctx, w.st.ForUser(users[0]), store.PageRequest{Limit: 1})
			require.NoError(t, err)
			require.Empty(t, next)
			require.Equal(t, []tenantKey{{got[0].id, users[0]}}, mine)
			_, _, err = list(ctx, w.st.ForUser(users[0]), store.PageRequest{Limit: 1, After: cursor})
			invalid(t, err, "cursor")
		})
	}
	for name, list := range oneTenant() {
		t.Run(name, func(t *testing.T) {
			_, _, err := list(ctx, all, store.PageRequest{Limit: 1})
			require.ErrorIs(t, err, store.ErrConflict)
			mine, _, err := list(ctx, w.st.ForUser(users[0]), store.PageRequest{Limit: 1})
			require.NoError(t, err)
			require.Len(t, mine, 1)
			require.Equal(t, users[0], mine[0].user)
		})
	}
}

// tenantPages reads pages of one row, at most so many, and returns a cursor of them.
func tenantPages(t testing.TB, most int, read func(store.PageRequest) ([]tenantKey, store.Cursor, error)) (all []tenantKey, cursor store.Cursor) {
	t.Helper()
	p := store.PageRequest{Limit: 1}
	for range most {
		page, next, err := read(p)
		require.NoError(t, err)
		if all = append(all, page...); next == "" {
			break
		}
		cursor, p.After = next, next
	}
	return all, cursor
}

// testTenantsWalked: a walk reads pages of MaxLimit. Seven rows share each id, so that
// every page ends among them.
func testTenantsWalked(t *testing.T, w *world) {
	const sharing, each = 7, 300
	ctx, all := t.Context(), w.st.AllUsers()
	var cs []*conversation.Conversation
	var ms []*message.Message
	for range sharing {
		user := uuid.New()
		for n := range each {
			id := uuid.NewSHA1(tenantConversation, []byte(fmt.Sprint(n)))
			cs = append(cs, &conversation.Conversation{
				ID: id, UserID: user, Title: "needle", Status: conversation.StatusNeedsReply, LastSeq: 1, CreatedAt: epoch, LastMessageAt: epoch,
			})
			ms = append(ms, &message.Message{
				ID: id, UserID: user, ConversationID: id, Seq: 1, Role: message.RoleUser, Content: "needle", SentAt: epoch, CreatedAt: epoch,
			})
		}
	}
	require.NoError(t, w.st.DB(ctx).CreateInBatches(cs, each).Error)
	require.NoError(t, w.st.DB(ctx).CreateInBatches(ms, each).Error)
	want := tenantKeys(cs, conversationTenant)
	slices.SortFunc(want, compareTenants)
	require.Greater(t, len(want), 2*store.MaxLimit)
	for name, walk := range tenantWalks() {
		got, err := walk(ctx, all)
		require.NoError(t, err, name)
		requireTenants(t, want, got, name)
	}
	// So many matches are walked, not sorted.
	for name, list := range tenantLists() {
		if o, found := strings.CutPrefix(name, "Search."); found && !strings.HasSuffix(name, "by rank") && !strings.HasSuffix(name, "any word") && !strings.HasSuffix(name, "lead") {
			requireTenants(t, want, tenantPagesOf(t, 301, func(p store.PageRequest) ([]tenantKey, store.Cursor, error) { return list(ctx, all, p) }), o)
		}
	}
	embedded, err := all.Embeddings().EmbedMissing(ctx, embedtest.New(dimensions), store.EmbedOptions{Workers: 2})
	require.NoError(t, err)
	require.EqualValues(t, len(want), embedded.Embedded)
}

func requireTenants(t testing.TB, want, got []tenantKey, name string) {
	t.Helper()
	got = slices.SortedFunc(slices.Values(got), compareTenants)
	require.True(t, slices.Equal(want, got), "%s gives %d of %d rows, %d of them once", name, len(got), len(want), len(slices.Compact(got)))
}

func compareTenants(a, b tenantKey) int {
	return cmp.Or(bytes.Compare(a.id[:], b.id[:]), bytes.Compare(a.user[:], b.user[:]))
}

func tenantPagesOf(t testing.TB, size int, read func(store.PageRequest) ([]tenantKey, store.Cursor, error)) (all []tenantKey) {
	t.Helper()
	for p := (store.PageRequest{Limit: size}); ; {
		page, next, err := read(p)
		require.NoError(t, err)
		if all = append(all, page...); next == "" {
			return all
		}
		p.After = next
	}
}
