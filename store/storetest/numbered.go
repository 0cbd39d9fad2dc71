package storetest

import (
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// numberedList is a method with numbered pages, and the method with cursors that lists the same.
type numberedList struct {
	numbered func(context.Context, store.Scope, store.NumberRequest) (store.NumberedPage[tenantKey], error)
	list     tenantList
	// ofThread says that the method lists one conversation.
	ofThread bool
}

// numberedLists are all methods with numbered pages, by role and name. Some are about one
// conversation.
func numberedLists(thread uuid.UUID) map[string]numberedList {
	return map[string]numberedList{
		"Conversations.ListNumbered": {
			numbered: func(ctx context.Context, s store.Scope, n store.NumberRequest) (store.NumberedPage[tenantKey], error) {
				page, err := s.Conversations().ListNumbered(ctx, store.ConversationFilter{}, n)
				return numberedKeys(page, err, conversationTenant)
			},
			list: conversationTenants(store.ConversationFilter{}),
		},
		"Messages.ListNumbered": {
			ofThread: true,
			numbered: func(ctx context.Context, s store.Scope, n store.NumberRequest) (store.NumberedPage[tenantKey], error) {
				page, err := s.Messages().ListNumbered(ctx, thread, store.MessageFilter{Order: store.ReverseSentOrder}, n)
				return numberedKeys(page, err, messageTenant)
			},
			list: func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
				page, err := s.Messages().List(ctx, thread, store.MessageFilter{Order: store.ReverseSentOrder}, p)
				return tenantPage(page, err, messageTenant)
			},
		},
		"Messages.ListByUserNumbered": {
			numbered: func(ctx context.Context, s store.Scope, n store.NumberRequest) (store.NumberedPage[tenantKey], error) {
				page, err := s.Messages().ListByUserNumbered(ctx, store.MessageFilter{Order: store.ThreadOrder}, n)
				return numberedKeys(page, err, messageTenant)
			},
			list: messageTenants(store.MessageFilter{Order: store.ThreadOrder}),
		},
		"Suggestions.PendingNumbered": {
			numbered: func(ctx context.Context, s store.Scope, n store.NumberRequest) (store.NumberedPage[tenantKey], error) {
				page, err := s.Suggestions().PendingNumbered(ctx, n)
				return numberedKeys(page, err, pendingTenant)
			},
			list: func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
				page, err := s.Suggestions().Pending(ctx, p)
				return tenantPage(page, err, pendingTenant)
			},
		},
		"Suggestions.ListByConversationNumbered": {
			ofThread: true,
			numbered: func(ctx context.Context, s store.Scope, n store.NumberRequest) (store.NumberedPage[tenantKey], error) {
				page, err := s.Suggestions().ListByConversationNumbered(ctx, thread, n)
				return numberedKeys(page, err, suggestionTenant)
			},
			list: func(ctx context.Context, s store.Scope, p store.PageRequest) ([]tenantKey, store.Cursor, error) {
				page, err := s.Suggestions().ListByConversation(ctx, thread, p)
				return tenantPage(page, err, suggestionTenant)
			},
		},
	}
}

func pendingTenant(s *store.PendingSuggestion) tenantKey { return suggestionTenant(s.Suggestion) }

func numberedKeys[T any](page store.NumberedPage[T], err error, key func(T) tenantKey) (store.NumberedPage[tenantKey], error) {
	return store.NumberedPage[tenantKey]{
		Items: tenantKeys(page.Items, key), Number: page.Number, Size: page.Size, Total: page.Total, Pages: page.Pages,
	}, err
}

// testNumberedComplete fails for a method with numbered pages that numberedLists does not have.
func testNumberedComplete(t *testing.T, _ *world) {
	known := numberedLists(uuid.Nil)
	scope := reflect.TypeFor[store.Scope]()
	for i := range scope.NumMethod() {
		role := scope.Method(i)
		for j := range role.Type.Out(0).NumMethod() {
			method := role.Type.Out(0).Method(j)
			for k := range method.Type.NumIn() {
				if name := role.Name + "." + method.Name; method.Type.In(k) == reflect.TypeFor[store.NumberRequest]() {
					require.Contains(t, known, name)
					delete(known, name)
				}
			}
		}
	}
	require.Empty(t, known, "no such methods")
}

// testNumberedPages: numbered pages, one after the other, are the list of the method with
// cursors, for one user and for all of them, whose rows have the same ids. What is deleted is
// neither on a page nor in the total.
func testNumberedPages(t *testing.T, w *world) {
	ctx := t.Context()
	for range 3 {
		tenant(t, w.st, uuid.New())
	}
	c := w.thread(t, 5)
	w.delete(t, w.thread(t, 1))
	w.deleteMessage(t, c.Messages[2])
	var hidden *suggestion.Suggestion
	for range 4 {
		hidden = w.suggest(t, c, c.Messages[0])
	}
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, hidden.ID))
	for name, l := range numberedLists(c.ID) {
		for of, s := range map[string]store.Scope{"one user": w.mine, "all users": w.st.AllUsers()} {
			all := tenantPagesOf(t, 2, func(p store.PageRequest) ([]tenantKey, store.Cursor, error) { return l.list(ctx, s, p) })
			require.NotEmpty(t, all, name)
			for size := 1; size <= len(all)+1; size++ {
				var got []tenantKey
				pages := (len(all) + size - 1) / size
				for number := 1; number <= pages; number++ {
					page, err := l.numbered(ctx, s, store.NumberRequest{Number: number, Size: size})
					require.NoError(t, err, "%s of %s", name, of)
					require.Equal(t, []any{number, size, int64(len(all)), int64(pages)}, []any{page.Number, page.Size, page.Total, page.Pages}, name)
					require.LessOrEqual(t, len(page.Items), size)
					got = append(got, page.Items...)
				}
				require.Equal(t, all, got, "%s of %s, pages of %d", name, of, size)
			}
		}
	}
}

// testNumberedEdges: a page beyond the last one is empty and has the total, the zero request is
// the first page, and requests out of range are refused.
func testNumberedEdges(t *testing.T, w *world) {
	ctx := t.Context()
	c, gone, none := w.thread(t, 3), w.thread(t, 1), w.create(t, &conversation.Conversation{})
	w.suggest(t, c, nil)
	w.delete(t, gone)
	for name, l := range numberedLists(c.ID) {
		page, err := l.numbered(ctx, w.mine, store.NumberRequest{})
		require.NoError(t, err, name)
		require.Equal(t, []any{1, store.DefaultLimit, int64(1)}, []any{page.Number, page.Size, page.Pages}, name)
		for _, number := range []int{2, 1 << 30} {
			beyond, err := l.numbered(ctx, w.mine, store.NumberRequest{Number: number})
			require.NoError(t, err, name)
			require.Empty(t, beyond.Items, name)
			require.Equal(t, page.Total, beyond.Total, name)
		}
		for _, size := range []int{-1, store.MaxLimit + 1, math.MinInt, math.MaxInt} {
			_, err := l.numbered(ctx, w.mine, store.NumberRequest{Size: size})
			require.ErrorIs(t, err, store.ErrInvalid, name)
			invalid(t, err, "size")
		}
		for _, number := range []int{-1, math.MinInt, math.MaxInt} {
			_, err := l.numbered(ctx, w.mine, store.NumberRequest{Number: number})
			require.ErrorIs(t, err, store.ErrInvalid, name)
			invalid(t, err, "number")
		}
		empty, err := l.numbered(ctx, w.other(), store.NumberRequest{})
		if l.ofThread {
			require.ErrorIs(t, err, store.ErrNotFound, name)
			continue
		}
		require.NoError(t, err, name)
		require.Empty(t, empty.Items, name)
		require.Zero(t, empty.Total+empty.Pages, name)
	}
	for _, absent := range []uuid.UUID{gone.ID, uuid.New()} {
		for name, l := range numberedLists(absent) {
			if l.ofThread {
				_, err := l.numbered(ctx, w.mine, store.NumberRequest{})
				require.ErrorIs(t, err, store.ErrNotFound, name)
			}
		}
	}
	for name, l := range numberedLists(none.ID) {
		if l.ofThread {
			page, err := l.numbered(ctx, w.mine, store.NumberRequest{})
			require.NoError(t, err, name)
			require.Zero(t, page.Total+page.Pages, name)
		}
	}
	pending, err := w.mine.Suggestions().PendingNumbered(ctx, store.NumberRequest{})
	require.NoError(t, err)
	require.Equal(t, c.ID, pending.Items[0].Conversation.ID, "with its conversation")
}
