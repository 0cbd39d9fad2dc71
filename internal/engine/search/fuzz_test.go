package search_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// FuzzCursor gives every method that takes a cursor arbitrary ones.
func FuzzCursor(f *testing.F) {
	ctx := f.Context()
	st, err := sqlite.OpenMemory(ctx)
	require.NoError(f, err)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser}, {Role: message.RoleUser}}}
	require.NoError(f, mine.Conversations().Create(ctx, c))
	page, err := mine.Messages().List(ctx, c.ID, store.MessageFilter{}, store.PageRequest{Limit: 1})
	require.NoError(f, err)
	f.Add(string(page.Next))
	f.Add("")
	f.Add("AAAA====")
	f.Fuzz(func(t *testing.T, cursor string) {
		p := store.PageRequest{After: store.Cursor(cursor)}
		_, err := mine.Messages().List(ctx, c.ID, store.MessageFilter{}, p)
		if err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("messages: %v", err)
		}
		for name, list := range map[string]func() error{
			"conversations": func() error { _, err := mine.Conversations().NeedsReply(ctx, p); return err },
			"by user":       func() error { _, err := mine.Messages().ListByUser(ctx, store.MessageFilter{}, p); return err },
			"pending":       func() error { _, err := mine.Suggestions().Pending(ctx, p); return err },
			"suggestions":   func() error { _, err := mine.Suggestions().ListByConversation(ctx, c.ID, p); return err },
		} {
			if err := list(); (cursor == "") != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: a cursor of another list gave %v", name, err)
			}
		}
	})
}

// FuzzText compares the search in titles with strings.Contains. The case of letters is ignored
// for ASCII only, which both fold alike.
func FuzzText(f *testing.F) {
	ctx := f.Context()
	st, err := sqlite.OpenMemory(ctx)
	require.NoError(f, err)
	for _, seed := range [][2]string{{"100% wool", "0%"}, {"a_b", "_"}, {`back\slash`, `\`}, {"it's", "'"}, {"Web", "wEB"}, {"x", "%"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, title, term string) {
		if term == "" || !utf8.ValidString(title) || !utf8.ValidString(term) || strings.ContainsRune(title+term, 0) || utf8.RuneCountInString(title) > conversation.MaxTitle {
			t.Skip()
		}
		mine := st.ForUser(uuid.New())
		require.NoError(t, mine.Conversations().Create(ctx, &conversation.Conversation{Title: title}))
		page, err := mine.Conversations().List(ctx, store.ConversationFilter{Text: term}, store.PageRequest{})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Contains(lowerASCII(title), lowerASCII(term))
		if got := len(page.Items) == 1; got != want {
			t.Errorf("%q in %q: %t", term, title, got)
		}
	})
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
