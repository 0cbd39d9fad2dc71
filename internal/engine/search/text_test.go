package search_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// onBothDatabases runs a test on SQLite and on PostgreSQL, both migrated with the options.
func onBothDatabases(t *testing.T, o migrate.Options, test func(t *testing.T, st store.Store)) {
	t.Helper()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) { test(t, d.Store(t, convostore.WithMigrate(o))) })
}

// crowd is more messages than a search reads at once.
const crowd = 4140

// TestTextSearchOfMany searches for words of very many messages. "every" is in each message.
// "old" is in the older half, far from where a walk from the newest on begins. "late" is in
// messages that were created long before the rest but written last.
func TestTextSearchOfMany(t *testing.T) {
	t.Parallel()
	onBothDatabases(t, migrate.Options{}, func(t *testing.T, st store.Store) {
		user := uuid.New()
		mine := st.ForUser(user)
		threads, messages := fillCrowd(t, st, user)
		for _, tt := range []struct {
			word  string
			scope store.Scope
			want  []*message.Message
		}{
			{"every", mine, messages}, {"every", st.AllUsers(), messages}, {"old", mine, messages[crowd/2:]}, {"late", st.AllUsers(), messages[crowd-100:]},
		} {
			checkNewest(t, tt.scope, tt.word, threads, tt.want)
			checkRanked(t, tt.scope, tt.word, len(tt.want))
		}
		page, err := st.ForUser(uuid.New()).Search().Messages(t.Context(), "every", store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, page.Items)
	})
}

// fillCrowd inserts the messages and returns them and their conversations, newest first.
func fillCrowd(t *testing.T, st store.Store, user uuid.UUID) (cs []*conversation.Conversation, ms []*message.Message) {
	t.Helper()
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	const length = 23
	for n := range crowd / length {
		at := start.Add(-time.Duration(n) * time.Hour)
		c := &conversation.Conversation{ID: uuid.New(), UserID: user, Subject: "every subject", Status: conversation.StatusWaiting, CreatedAt: at, LastMessageAt: at, LastSeq: length}
		cs = append(cs, c)
		for i := range length {
			m := &message.Message{
				ID: idAt(at.Add(-time.Duration(i) * time.Second)), UserID: user, ConversationID: c.ID, Seq: int64(length - i), Role: message.RoleUser,
				Content: "every message " + strings.Repeat("every ", i%3), CreatedAt: at.Add(-time.Duration(i) * time.Second),
			}
			if len(ms) >= crowd/2 {
				m.Content += " old"
			}
			if len(ms) >= crowd-100 {
				m.Content += " late"
			}
			ms = append(ms, m)
		}
	}
	written := slices.Clone(ms)
	slices.Reverse(written[:crowd-100])
	require.NoError(t, st.DB(t.Context()).CreateInBatches(cs, 500).Error)
	require.NoError(t, st.DB(t.Context()).CreateInBatches(written, 500).Error)
	return cs, ms
}

// idAt returns a UUID of version 7 that was made at a time, like those of the library.
func idAt(at time.Time) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

func checkNewest(t *testing.T, scope store.Scope, word string, threads []*conversation.Conversation, want []*message.Message) {
	t.Helper()
	o := store.TextOptions{Order: store.Newest}
	got := listed(t, 700, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
		return scope.Search().Messages(t.Context(), word, o, p)
	})
	require.Len(t, got, len(want))
	for i, hit := range got {
		require.Equal(t, want[i].ID, hit.Message.ID)
	}
	counts := map[uuid.UUID]int64{}
	for _, m := range want {
		counts[m.ConversationID]++
	}
	var ids []uuid.UUID
	for _, hit := range listed(t, 90, func(p store.PageRequest) (store.Page[*store.ConversationHit], error) {
		return scope.Search().Conversations(t.Context(), word, o, p)
	}) {
		ids = append(ids, hit.Conversation.ID)
		require.Equal(t, counts[hit.Conversation.ID], hit.Messages)
		first := slices.IndexFunc(want, func(m *message.Message) bool { return m.ConversationID == hit.Conversation.ID })
		require.Equal(t, want[first].ID, hit.Best.ID)
	}
	var wantIDs []uuid.UUID
	for _, c := range threads {
		if counts[c.ID] > 0 {
			wantIDs = append(wantIDs, c.ID)
		}
	}
	require.Equal(t, wantIDs, ids)
}

// checkRanked: a search by rank returns all matches, highest score first.
func checkRanked(t *testing.T, scope store.Scope, word string, matches int) {
	t.Helper()
	got := listed(t, 999, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
		return scope.Search().Messages(t.Context(), word, store.TextOptions{}, p)
	})
	require.Len(t, got, matches)
	seen := map[uuid.UUID]bool{}
	for i, hit := range got {
		require.False(t, seen[hit.Message.ID])
		seen[hit.Message.ID] = true
		if i > 0 {
			require.LessOrEqual(t, hit.Score, got[i-1].Score)
		}
	}
}

// listed returns the items of all pages.
func listed[T any](t *testing.T, size int, read func(store.PageRequest) (store.Page[T], error)) (all []T) {
	t.Helper()
	for p := (store.PageRequest{Limit: size}); ; {
		page, err := read(p)
		require.NoError(t, err)
		all = append(all, page.Items...)
		if p.After = page.Next; p.After == "" {
			return all
		}
	}
}

// tell writes messages and returns a search: it returns the snippet of each hit, with the
// matches in brackets.
func tell(t *testing.T, st store.Store, contents ...string) func(text string, o store.TextOptions) []string {
	t.Helper()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Subject: "A Subject"}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	for _, content := range contents {
		_, err := mine.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleUser, Content: content})
		require.NoError(t, err)
	}
	return func(text string, o store.TextOptions) (found []string) {
		for size := 1; size <= 3; size++ {
			var got []string
			for _, hit := range listed(t, size, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
				return mine.Search().Messages(t.Context(), text, o, p)
			}) {
				require.Equal(t, c.Subject, hit.Conversation.Subject)
				got = append(got, hit.Snippet.Mark("[", "]"))
			}
			require.True(t, size == 1 || slices.Equal(found, got), "pages of %d: %q and %q", size, got, found)
			found = got
		}
		return found
	}
}

func TestTextSearchWords(t *testing.T) {
	t.Parallel()
	onBothDatabases(t, migrate.Options{}, func(t *testing.T, st store.Store) {
		find := tell(t, st, "The unpaid invoice", "Invoice: paid!", "a bill of 5% a_b", "我们在北京大学", "Crème brûlée", "東京タワーと 서울역")
		newest := func(text string, m store.Match) string {
			return strings.Join(find(text, store.TextOptions{Match: m, Order: store.Newest}), " / ")
		}
		for text, want := range map[string]string{
			"invoice":            "[Invoice]: paid! / The unpaid [invoice]",
			"invoice -paid":      "The unpaid [invoice]",
			`"unpaid invoice"`:   "The [unpaid invoice]",
			"bill OR inv* un*":   "The [unpaid] [invoice]",
			"BILL OR paid":       "a [bill] of 5% a_b / Invoice: [paid]!",
			"crème":              "[Crème] brûlée",
			"我们在北京大学":            "[我们在北京大学]",
			"北京":                 "我们在[北京]大学",
			"creme brulee":       "[Crème] [brûlée]",
			`the -invoice`:       "",
			`' \ % " ) invoice'`: "[Invoice]: paid! / The unpaid [invoice]",
		} {
			assert.Equal(t, want, newest(text, store.MatchAll), text)
		}
		assert.Equal(t, "a [bill] of 5% a_b / The [unpaid] invoice", newest("unpaid bill", store.MatchAny))
		for text, want := range map[string]string{
			"北京": "我们在[北京]大学", "タワー": "東京[タワー]と 서울역", "서울": "東京タワーと [서울]역", "% A_B": "a bill of 5[% a_b]",
			"_": "a bill of 5% a[_]b", "aid": "Invoice: p[aid]! / The unp[aid] invoice", `\`: "", "'": "", " ": "",
		} {
			assert.Equal(t, want, newest(text, store.MatchSubstring), text)
		}
		ranked := find("paid OR bill OR invoice", store.TextOptions{})
		require.Len(t, ranked, 3)
		assert.Equal(t, "[Invoice]: [paid]!", ranked[0])
	})
}

// TestTextSearchWithoutFullText: without an index the texts themselves are read.
func TestTextSearchWithoutFullText(t *testing.T) {
	t.Parallel()
	onBothDatabases(t, migrate.Options{WithoutFullText: true}, func(t *testing.T, st store.Store) {
		find := tell(t, st, "one", fmt.Sprint("two", strings.Repeat(" filler", 100), " one"))
		assert.Len(t, find("ON", store.TextOptions{Match: store.MatchSubstring}), 2)
		assert.Len(t, find("one", store.TextOptions{}), 2)
		assert.Equal(t, []string{"[one]"}, find("one -filler", store.TextOptions{}))
		page, err := st.AllUsers().Search().Conversations(t.Context(), "subject", store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
	})
}

// TestReplacedRows: OR REPLACE of SQLite removes a row without a trigger. No hit shows a text that
// has none of the words.
func TestReplacedRows(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	find := tell(t, st, "the old roof")
	require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
	require.NoError(t, st.DB(t.Context()).Exec(`INSERT OR REPLACE INTO messages (id, user_id, conversation_id, seq, role, content)
		SELECT id, user_id, conversation_id, seq, role, 'a new floor' FROM messages`).Error)
	for range 2 {
		for _, o := range []store.TextOptions{{}, {Order: store.Newest}, {Match: store.MatchAny}} {
			require.Empty(t, find("roof", o))
		}
		require.Contains(t, find("floor", store.TextOptions{}), "a new [floor]")
		require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
	}
}
