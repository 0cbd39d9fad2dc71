package maintenance_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// searchWorld is a user with conversations, whose texts it knows.
type searchWorld struct {
	st   store.Store
	mine store.Scope
	all  store.Maintenance
	c    *conversation.Conversation
}

func newSearchWorld(t *testing.T, d bothtest.Database) *searchWorld {
	t.Helper()
	st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
	w := &searchWorld{st: st, mine: st.ForUser(uuid.New()), all: st.AllUsers().Maintenance()}
	w.c = w.thread(t, "the first thread")
	return w
}

func (w *searchWorld) thread(t *testing.T, title string) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{Title: title}
	require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
	return c
}

// say appends n messages, each with its number as a word, and returns them.
func (w *searchWorld) say(t *testing.T, c *conversation.Conversation, n int, text string) []*message.Message {
	t.Helper()
	ms := make([]*message.Message, n)
	for i := range ms {
		ms[i] = &message.Message{Role: message.RoleUser, Content: fmt.Sprintf("%s n%d", text, i)}
	}
	for from := 0; from < n; from += 100 {
		_, err := w.mine.Messages().AppendMany(t.Context(), c.ID, ms[from:min(n, from+100)], store.AppendOptions{})
		require.NoError(t, err)
	}
	return ms
}

// count is called by other goroutines too.
func (w *searchWorld) count(t *testing.T, sc store.Scope, text string) (n int) {
	t.Helper()
	for p := (store.PageRequest{Limit: store.MaxLimit}); ; {
		page, err := sc.Search().Messages(t.Context(), text, store.TextOptions{Order: store.Newest}, p)
		if err != nil {
			t.Error(err)
			return -1
		}
		if n, p.After = n+len(page.Items), page.Next; page.Next == "" {
			return n
		}
	}
}

func (w *searchWorld) state(t *testing.T) store.SearchState {
	t.Helper()
	state, err := w.all.SearchState(t.Context())
	require.NoError(t, err)
	return state
}

// TestAppendsPack: the store packs what it appends, so that a search reads few texts one by one,
// and merges what it packed, so that there are few segments.
func TestAppendsPack(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		w.say(t, w.c, 6000, "alpha")
		state := w.state(t)
		require.Less(t, state.Noted, int64(512))
		require.Equal(t, int64(6001), state.Noted+state.Documents)
		require.Less(t, state.Segments, int64(24))
		require.Positive(t, state.Bytes)
		require.Equal(t, 6000, w.count(t, w.mine, "alpha"))
		require.Equal(t, 1, w.count(t, w.st.AllUsers(), "n4711 alpha"))
		require.Zero(t, w.count(t, w.st.ForUser(uuid.New()), "alpha"))
		require.NoError(t, w.all.PackSearch(t.Context()))
		require.Zero(t, w.state(t).Noted)
		require.Equal(t, 6000, w.count(t, w.mine, "alpha"))
	})
}

// TestSearchesPack: what a host appends in its own transactions alone, or past the store, is packed
// by a search that has read much of it.
func TestSearchesPack(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		for range 7 {
			require.NoError(t, w.st.Transaction(t.Context(), func(tx store.Store) error {
				mine := w.mine
				w.mine = tx.ForUser(w.c.UserID)
				w.say(t, w.c, 100, "alpha")
				w.mine = mine
				return nil
			}))
		}
		require.Equal(t, int64(701), w.state(t).Noted)
		require.Equal(t, 700, w.count(t, w.mine, "alpha"))
		require.Zero(t, w.state(t).Noted)
		require.Equal(t, 700, w.count(t, w.mine, "alpha"))
	})
}

// TestPackedTextsChange: what happens to a packed text is seen at once, and also once that is
// packed.
func TestPackedTextsChange(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ctx, messages := t.Context(), w.mine.Messages()
		ms := w.say(t, w.c, 10, "alpha")
		other := w.thread(t, "another thread")
		require.NoError(t, w.all.PackSearch(ctx))
		check := func(what string, want map[string]int) {
			t.Helper()
			for _, when := range []string{"noted", "packed"} {
				for text, n := range want {
					require.Equal(t, n, w.count(t, w.mine, text), "%s, %s, when %s", what, text, when)
				}
				require.NoError(t, w.all.PackSearch(ctx))
				require.Zero(t, w.state(t).Noted+w.state(t).Void)
			}
		}
		_, err := messages.Update(ctx, ms[0].ID, store.MessageUpdate{Content: new("beta n0")})
		require.NoError(t, err)
		check("edited", map[string]int{"alpha": 9, "beta": 1, "n0": 1})
		_, err = messages.Update(ctx, ms[0].ID, store.MessageUpdate{Content: new("gamma n0")})
		require.NoError(t, err)
		check("edited twice", map[string]int{"alpha": 9, "beta": 0, "gamma": 1})
		_, err = messages.Delete(ctx, ms[1].ID)
		require.NoError(t, err)
		check("deleted", map[string]int{"alpha": 8, "n1": 0})
		_, err = messages.Restore(ctx, ms[1].ID)
		require.NoError(t, err)
		check("restored", map[string]int{"alpha": 9, "n1": 1})
		require.NoError(t, w.st.DB(ctx).Exec("UPDATE messages SET conversation_id = ?, seq = 1 WHERE id = ?", other.ID.String(), ms[2].ID.String()).Error)
		check("moved", map[string]int{"alpha": 9, "n2": 1})
		page, err := w.mine.Search().Messages(ctx, "n2", store.TextOptions{Filter: store.SearchFilter{ConversationID: other.ID}}, store.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		_, err = w.mine.Conversations().SetTitle(ctx, w.c.ID, "delta")
		require.NoError(t, err)
		for range 2 {
			for title, n := range map[string]int{"delta": 1, "first": 0, "another": 1} {
				page, err := w.mine.Search().Conversations(ctx, title, store.TextOptions{}, store.PageRequest{})
				require.NoError(t, err)
				require.Len(t, page.Items, n, title)
			}
			require.NoError(t, w.all.PackSearch(ctx))
		}
		_, err = w.mine.Conversations().Erase(ctx, other.ID)
		require.NoError(t, err)
		check("erased", map[string]int{"alpha": 8, "n2": 0})
		require.NoError(t, w.st.DB(ctx).Exec("DELETE FROM messages WHERE id = ?", ms[3].ID.String()).Error)
		check("deleted by SQL", map[string]int{"alpha": 7, "n3": 0})
	})
}

// TestReindexSearch makes the index anew while others search, append and edit.
func TestReindexSearch(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ms := w.say(t, w.c, 3000, "alpha")
		require.NoError(t, w.all.PackSearch(t.Context()))
		done := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				assert.Equal(t, 3000, w.count(t, w.mine, "alpha"))
			}
		})
		group.Go(func() {
			for i := range 50 {
				_, err := w.mine.Messages().Update(t.Context(), ms[i].ID, store.MessageUpdate{Content: new(fmt.Sprintf("alpha edited n%d", i))})
				if err != nil {
					t.Error(err)
					return
				}
				assert.Equal(t, i+1, w.count(t, w.mine, "edited"))
			}
		})
		var last store.SearchProgress
		require.NoError(t, w.all.ReindexSearch(t.Context(), func(p store.SearchProgress) { last = p }))
		close(done)
		group.Wait()
		require.Equal(t, last.Total, last.Done)
		require.GreaterOrEqual(t, last.Done, int64(3001))
		require.Zero(t, w.state(t).Outdated)
		require.Equal(t, 50, w.count(t, w.mine, "edited"))
		require.Equal(t, 3000, w.count(t, w.mine, "alpha"))
	})
}

// TestSearchCareRefuses what it cannot do.
func TestSearchCareRefuses(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		ctx := t.Context()
		require.ErrorIs(t, w.mine.Maintenance().PackSearch(ctx), store.ErrInvalid)
		require.ErrorIs(t, w.mine.Maintenance().ReindexSearch(ctx, nil), store.ErrInvalid)
		_, err := w.mine.Maintenance().SearchState(ctx)
		require.ErrorIs(t, err, store.ErrInvalid)
		require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
			require.ErrorIs(t, tx.AllUsers().Maintenance().PackSearch(ctx), store.ErrInvalid)
			return nil
		}))
		require.NoError(t, w.all.ReindexSearch(ctx, nil))
	})
}

// TestQueryBounds: a query with too many words is refused, and says so.
func TestQueryBounds(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		var many strings.Builder
		for i := range 1025 {
			fmt.Fprintf(&many, "w%d ", i)
		}
		var invalid *store.InvalidError
		_, err := w.mine.Search().Messages(t.Context(), many.String(), store.TextOptions{Match: store.MatchAny}, store.PageRequest{})
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, "text", invalid.Field)
	})
}

// TestAppendsPackByBytes: long texts are packed too, however few they are, in steps of some bytes.
func TestAppendsPackByBytes(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newSearchWorld(t, d)
		long := strings.Repeat("a long text ", 40_000)
		for i := range 6 {
			w.say(t, w.c, 1, fmt.Sprintf("%s alpha%d", long, i))
		}
		require.Less(t, w.state(t).Noted, int64(4), "of texts of half a megabyte")
		insert := "INSERT INTO messages (id, user_id, conversation_id, seq, role, content) SELECT ?, user_id, conversation_id, ?, role, content FROM messages WHERE seq = 1"
		for i := range 20 { // more than a step takes
			require.NoError(t, w.st.DB(t.Context()).Exec(insert, uuid.NewString(), 100+i).Error)
		}
		require.GreaterOrEqual(t, w.state(t).Noted, int64(20))
		require.Equal(t, 21, w.count(t, w.mine, "alpha0"), "read in pieces")
		require.NoError(t, w.all.PackSearch(t.Context()))
		require.Zero(t, w.state(t).Noted)
		for i, n := range []int{21, 1, 1, 1, 1, 1} {
			require.Equal(t, n, w.count(t, w.mine, fmt.Sprintf("alpha%d", i)))
		}
		require.NoError(t, w.all.ReindexSearch(t.Context(), nil))
		require.Equal(t, 21, w.count(t, w.mine, "alpha0"))
	})
}
