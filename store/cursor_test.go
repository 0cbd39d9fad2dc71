package store

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// goldenFilters are lists by their method and filter, of one user and of all.
func goldenFilters() map[string]fingerprint {
	mine := scope{user: uuid.MustParse("018f0000-0000-7000-8000-00000000000a")}
	all := scope{all: true}
	at := time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC)
	queue := ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}, LeadID: "7", ActiveSince: at, Order: NewestCreated}
	said := MessageFilter{Roles: []message.Role{message.RoleUser}, HasAttachments: true, SentBefore: at}
	return map[string]fingerprint{
		"everything":      mine.fingerprint("conversations", ConversationFilter{}),
		"everybody's":     all.fingerprint("conversations", ConversationFilter{}),
		"queue":           mine.fingerprint("conversations", queue),
		"everybody's say": all.fingerprint("messages", said),
		"pending":         mine.fingerprint("pending", nil),
	}
}

// TestGoldenCursors: a cursor does not expire, so what was handed out once is accepted for
// good. Whoever has to change one of these refuses the cursors of every client.
func TestGoldenCursors(t *testing.T) {
	t.Parallel()
	at := place{key: 1_772_366_400_123_456, id: uuid.MustParse("018f0000-0000-7000-8000-000000000001")}
	golden := map[string]Cursor{
		"everybody's say": "c-ncKxV9EzyIDqCKAAZL9TWw8kABjwAAAABwAIAAAAAAAAABAY8AAAAAcACAAAAAAAAACw",
		"everybody's":     "L8C2-bRx9hRlJkjaAAZL9TWw8kABjwAAAABwAIAAAAAAAAABAY8AAAAAcACAAAAAAAAACw",
		"everything":      "MVuQKBOdCt_mVvL5AAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
		"pending":         "5tomfaBPTaPhuJaGAAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
		"queue":           "XxahgszgQGCSJN4dAAZL9TWw8kABjwAAAABwAIAAAAAAAAAB",
	}
	for name, list := range goldenFilters() {
		want := at
		if list.all {
			want.user = uuid.MustParse("018f0000-0000-7000-8000-00000000000b")
		}
		assert.Equal(t, golden[name], list.cursor(want), name)
		got, err := list.parse(golden[name])
		require.NoError(t, err, name)
		require.Equal(t, &want, got, name)
		for other, elsewhere := range goldenFilters() {
			if other != name {
				_, err := elsewhere.parse(golden[name])
				require.ErrorIs(t, err, ErrInvalid, "%s as %s", name, other)
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
		nil, before{}, before{Text: "a"}, before{Text: "a Roles:[b]"}, before{Text: "a", Roles: []string{"b"}},
		before{Text: "a} {Roles:[b]"}, before{Roles: []string{"a b"}}, before{Roles: []string{"a", "b"}}, before{Roles: []string{"ab"}},
		before{Roles: []string{"", "ab"}}, before{Least: new(0)}, before{Least: new(1)}, before{Since: at}, before{Since: at.Add(time.Microsecond)},
		after{Added: "a"}, "", "a", 1, true, []string{"a"}, uuid.Max, 0.5,
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
		f.Add(string(list.cursor(place{key: -1, id: uuid.Max, user: uuid.Max})))
	}
	f.Add("AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, list := range lists {
			p, err := list.parse(Cursor(text))
			switch {
			case err != nil:
				require.ErrorIs(t, err, ErrInvalid, name)
			case p != nil:
				require.Equal(t, Cursor(text), list.cursor(*p), name)
			}
		}
	})
}
