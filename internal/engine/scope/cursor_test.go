package scope

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// goldenFilters are lists by their method and filter, of one user and of all.
func goldenFilters() map[string]fingerprint {
	mine := Scope{User: uuid.MustParse("018f0000-0000-7000-8000-00000000000a")}
	all := Scope{All: true}
	at := time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC)
	queue := store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}, LeadID: "7", ActiveSince: at, Order: store.NewestCreated}
	said := store.MessageFilter{Roles: []message.Role{message.RoleUser}, HasAttachments: true, SentBefore: at}
	return map[string]fingerprint{
		"everything":      mine.fingerprint("conversations", store.ConversationFilter{}),
		"everybody's":     all.fingerprint("conversations", store.ConversationFilter{}),
		"queue":           mine.fingerprint("conversations", queue),
		"everybody's say": all.fingerprint("messages", said),
		"pending":         mine.fingerprint("pending", nil),
	}
}

// TestGoldenCursors: a cursor does not expire, so what was handed out once is accepted for
// good. Whoever has to change one of these refuses the cursors of every client.
func TestGoldenCursors(t *testing.T) {
	t.Parallel()
	at := Place{Key: 1_772_366_400_123_456, ID: uuid.MustParse("018f0000-0000-7000-8000-000000000001")}
	golden := map[string]store.Cursor{
		"everybody's say": "c-ncKxV9EzyIDqCKAAZL9TWw8kABjwAAAABwAIAAAAAAAAABAY8AAAAAcACAAAAAAAAACw",
		"everybody's":     "L8C2-bRx9hRlJkjaAAZL9TWw8kABjwAAAABwAIAAAAAAAAABAY8AAAAAcACAAAAAAAAACw",
		"everything":      "MVuQKBOdCt_mVvL5AAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
		"pending":         "5tomfaBPTaPhuJaGAAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
		"queue":           "XxahgszgQGCSJN4dAAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
	}
	for name, list := range goldenFilters() {
		want := at
		if list.all {
			want.User = uuid.MustParse("018f0000-0000-7000-8000-00000000000b")
		}
		assert.Equal(t, golden[name], list.cursor(want), name)
		got, err := list.parse(golden[name])
		require.NoError(t, err, name)
		require.Equal(t, &want, got, name)
		for other, elsewhere := range goldenFilters() {
			if other != name {
				_, err := elsewhere.parse(golden[name])
				require.ErrorIs(t, err, store.ErrInvalid, "%s as %s", name, other)
			}
		}
	}
}

// TestCanonical: what is not set has no part in a cursor, and what is set cannot look like
// something else.
func TestCanonical(t *testing.T) {
	t.Parallel()
	type before struct {
		Text  string
		Roles []string
		Least *int
		Since time.Time
	}
	type after struct {
		Added string
		Since time.Time
		Roles []string
		Least *int
		Text  string
		More  []string
	}
	at := time.Date(2026, time.March, 1, 12, 0, 0, 1000, time.UTC)
	assert.Equal(t, canonical(before{}), canonical(after{More: []string{}}))
	assert.Equal(t, canonical(before{"a", []string{"b"}, new(0), at}),
		canonical(after{Text: "a", Roles: []string{"b"}, Least: new(0), Since: at.In(time.FixedZone("", 3600))}))
	different := []any{
		nil,
		before{},
		before{Text: "a"},
		before{Text: "a Roles:[b]"},
		before{Text: "a", Roles: []string{"b"}},
		before{Text: "a} {Roles:[b]"},
		before{Roles: []string{"a b"}},
		before{Roles: []string{"a", "b"}},
		before{Roles: []string{"ab"}},
		before{Roles: []string{"", "ab"}},
		before{Least: new(0)},
		before{Least: new(1)},
		before{Since: at},
		before{Since: at.Add(time.Microsecond)},
		after{Added: "a"},
		"", "a", 1, true,
		[]string{"a"},
		uuid.Max, 0.5,
	}
	seen := map[string]any{}
	for _, v := range different {
		named := string(canonical(v))
		assert.NotContains(t, seen, named, "%+v and %+v", v, seen[named])
		seen[named] = v
	}
}

// FuzzParse: a text is refused, or is the one cursor of its place.
func FuzzParse(f *testing.F) {
	lists := goldenFilters()
	for _, list := range lists {
		f.Add(string(list.cursor(Place{Key: -1, ID: uuid.Max, User: uuid.Max})))
	}
	f.Add("AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, list := range lists {
			p, err := list.parse(store.Cursor(text))
			switch {
			case err != nil:
				require.ErrorIs(t, err, store.ErrInvalid, name)
			case p != nil:
				require.Equal(t, store.Cursor(text), list.cursor(*p), name)
			}
		}
	})
}
