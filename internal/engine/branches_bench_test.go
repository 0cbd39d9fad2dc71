package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// pathWorld has a linear conversation and one whose path is as long and takes turns, among others.
type pathWorld struct {
	user             uuid.UUID
	mine             store.Scope
	linear, branched uuid.UUID
	// head is the seq of the end of the path.
	head int64
}

const (
	pathLength = 200
	pathTurns  = 20
)

// fillPaths makes a world in which each turn leaves aside three messages.
func fillPaths(tb testing.TB, st store.Store, others int) *pathWorld {
	tb.Helper()
	w := &pathWorld{user: uuid.New()}
	w.mine = st.ForUser(w.user)
	for range others {
		w.thread(tb, 3, 0)
	}
	w.linear = w.thread(tb, pathLength, 0).ID
	c := w.thread(tb, pathLength, pathTurns)
	w.branched, w.head = c.ID, c.LastSeq
	require.NoError(tb, st.DB(tb.Context()).Exec("ANALYZE").Error)
	return w
}

// thread creates a conversation whose path has n messages and takes turns.
func (w *pathWorld) thread(tb testing.TB, n, turns int) *conversation.Conversation {
	tb.Helper()
	c := &conversation.Conversation{}
	add := func(parent *int64) {
		c.Messages = append(c.Messages, &message.Message{
			Role: message.RoleUser, ParentSeq: parent, Content: "Could you tell us what a redesign of the front page would cost, and how long it takes?",
			Metadata: message.JSON(`{"tokens":451,"model":"large"}`),
		})
	}
	for i := range n {
		var parent *int64
		if turns > 0 && i%(n/turns) == n/turns/2 {
			parent = new(int64(len(c.Messages)))
			for range 3 {
				add(nil)
			}
		}
		add(parent)
	}
	require.NoError(tb, w.mine.Conversations().Create(tb.Context(), c))
	return c
}

// pathReads are the reads of a conversation that follow its head, or a path to it.
var pathReads = []struct {
	name string
	read func(ctx context.Context, w *pathWorld, id uuid.UUID) (int, error)
	rows int
}{
	{"Path", func(ctx context.Context, w *pathWorld, id uuid.UUID) (int, error) {
		if id == w.linear {
			page, err := w.mine.Messages().List(ctx, id, store.MessageFilter{}, store.PageRequest{Limit: pathLength})
			return len(page.Items), err
		}
		page, err := w.mine.Messages().Path(ctx, id, w.head, store.PageRequest{Limit: pathLength})
		return len(page.Items), err
	}, pathLength},
	{"Last50", func(ctx context.Context, w *pathWorld, id uuid.UUID) (int, error) {
		ms, err := w.mine.Messages().Last(ctx, id, 50)
		return len(ms), err
	}, 50},
	{"Thread", func(ctx context.Context, w *pathWorld, id uuid.UUID) (int, error) {
		c, err := w.mine.Conversations().Thread(ctx, id)
		if err != nil {
			return 0, err
		}
		return len(c.Messages), nil
	}, pathLength},
	{"All", func(ctx context.Context, w *pathWorld, id uuid.UUID) (n int, err error) {
		for _, err := range w.mine.Messages().All(ctx, id, store.MessageFilter{}) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}, pathLength},
	{"List50", func(ctx context.Context, w *pathWorld, id uuid.UUID) (int, error) {
		page, err := w.mine.Messages().List(ctx, id, store.MessageFilter{}, store.PageRequest{Limit: 50})
		return len(page.Items), err
	}, 50},
}

// BenchmarkPath reads a path of 200 messages with 20 turns and a linear conversation of 200, one
// after the other in turns. The ratio is that of the medians.
func BenchmarkPath(b *testing.B) {
	bothtest.Bench(b, func(b *testing.B, d bothtest.Database) {
		w := fillPaths(b, d.Store(b, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), 300)
		for _, c := range pathReads {
			b.Run(c.name, func(b *testing.B) {
				sides := []uuid.UUID{w.linear, w.branched}
				medians := bothtest.Medians(b, len(sides), func(side int) error {
					n, err := c.read(b.Context(), w, sides[side])
					if err == nil && n != c.rows {
						err = fmt.Errorf("%d messages and not %d", n, c.rows)
					}
					return err
				})
				b.ReportMetric(medians[0], "linear-ns")
				b.ReportMetric(medians[1], "path-ns")
				b.ReportMetric(medians[1]/medians[0], "ratio")
			})
		}
	})
}
