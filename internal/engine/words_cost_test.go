package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// rowsSeen sums up the rows of statements: of those that read the index, and of all others.
type rowsSeen struct{ index, others atomic.Int64 }

func (*rowsSeen) Enabled(context.Context, slog.Level) bool { return true }
func (c *rowsSeen) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c *rowsSeen) WithGroup(string) slog.Handler          { return c }

func (c *rowsSeen) Handle(_ context.Context, r slog.Record) error {
	to, rows := &c.others, int64(0)
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "rows":
			rows = a.Value.Int64()
		case a.Key == "sql" && strings.Contains(a.Value.String(), "search_blocks"):
			to = &c.index
		}
		return true
	})
	to.Add(rows)
	return nil
}

// TestFrequentWordReadsAPage: a page of what a word finds that all conversations have reads the
// rows of that page and not those of all conversations, though all of them tie.
func TestFrequentWordReadsAPage(t *testing.T) {
	t.Parallel()
	const threads, limit = 600, 10
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		user, seen := uuid.New(), &rowsSeen{}
		writer := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		at := time.Now().Add(-time.Hour)
		for i := range threads {
			c := &conversation.Conversation{Subject: fmt.Sprintf("Offer %d", i), Messages: []*message.Message{{
				Role: message.RoleUser, Content: fmt.Sprintf("How much are %d chairs?", i), SentAt: at.Add(time.Duration(i) * time.Second),
			}}}
			require.NoError(t, writer.ForUser(user).Conversations().Create(t.Context(), c))
		}
		require.NoError(t, writer.AllUsers().Maintenance().PackSearch(t.Context()))
		reader := d.Store(t, convostore.WithLogger(slog.New(seen), 0))
		for _, sc := range []store.Scope{reader.ForUser(user), reader.AllUsers()} {
			for _, ask := range []string{"chairs", "offer", "how chairs"} {
				for _, order := range []store.TextOrder{store.ByRank, store.Newest} {
					o, p := store.TextOptions{Order: order}, store.PageRequest{Limit: limit}
					for range 3 {
						index, others := seen.index.Load(), seen.others.Load()
						page, err := sc.Search().Conversations(t.Context(), ask, o, p)
						require.NoError(t, err)
						require.Len(t, page.Items, limit)
						index, others = seen.index.Load()-index, seen.others.Load()-others
						require.Positive(t, others, "nothing was counted")
						// Each conversation is read when it is tried and, as its message, for the page; newest
						// first, twice as many are tried. The rest is what the index is made of.
						require.Less(t, others, int64(100), "rows of %q in order %d", ask, order)
						require.Less(t, index, int64(100), "blocks for %q in order %d", ask, order)
						t.Logf("%q in order %d: %d rows, %d blocks", ask, order, others, index)
						p.After = page.Next
					}
				}
			}
		}
	})
}
