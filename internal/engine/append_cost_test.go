package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// The append that is measured: 160 bytes of prose to one of 500 conversations, each of a user of
// its own and with 40 messages, through AllUsers. Packing its words is a part of what it writes.
const (
	costThreads  = 500
	costMessages = 40
	costAppends  = costThreads
	costRound    = 20 // appends between two looks, so that a checkpoint never comes between
)

// costCeiling is the most that one append may write on average: pages of 4 KiB on SQLite,
// bytes of the write-ahead log on PostgreSQL.
type costCeiling struct {
	// steady is for a conversation that is active and waits for a reply already, turn for one
	// whose status changes with each message, and first for the first message in ten minutes.
	steady, turn, first float64
	// merged is steady, and the merges that its words go through until they are in a segment of
	// the largest size. It is 0 without full text.
	merged float64
}

// costMerges is how often a document is written again after it was packed: 256 of them become a
// segment, eight of those one of 2,048, and eight of those one of 16,384.
const costMerges = 2

func TestAppendCostSQLite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options migrate.Options
		most    costCeiling
	}{
		"without full text": {migrate.Options{WithoutFullText: true}, costCeiling{steady: 7, turn: 9, first: 12}},
		"with full text":    {migrate.Options{}, costCeiling{steady: 8, turn: 10, first: 13, merged: 8.5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cost.db")
			w := newCostWorld(t, func(clock convostore.Option) (store.Store, error) {
				return sqlite.Open(t.Context(), path, convostore.WithMigrate(c.options), clock)
			})
			require.NoError(t, w.st.DB(t.Context()).Exec("PRAGMA wal_autocheckpoint = 0").Error)
			w.written = func(appends func()) float64 {
				require.NoError(t, w.st.DB(t.Context()).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error)
				appends()
				const header, frame = 32, 24 + 4096
				info, err := os.Stat(path + "-wal")
				require.NoError(t, err)
				return float64(info.Size()-header) / frame
			}
			w.compare(t, c.most)
		})
	}
}

func TestAppendCostPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.StartServer(t) // the write-ahead log is the whole server's
	for _, c := range []struct {
		name    string
		options migrate.Options
		most    costCeiling
	}{
		{"without full text", migrate.Options{Prefix: "plain_", WithoutFullText: true}, costCeiling{steady: 1000, turn: 1500, first: 1700}},
		{"with full text", migrate.Options{Prefix: "words_"}, costCeiling{steady: 1600, turn: 2100, first: 2300, merged: 1800}},
	} {
		w := newCostWorld(t, func(clock convostore.Option) (store.Store, error) {
			return postgres.Open(t.Context(), server.DSN(), convostore.WithTablePrefix(c.options.Prefix), convostore.WithMigrate(c.options), clock)
		})
		// The first change of a page after a checkpoint logs the whole page.
		for _, sql := range []string{"ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} {
			require.NoError(t, w.st.DB(t.Context()).Exec(sql).Error)
		}
		at := func() (lsn float64) {
			require.NoError(t, w.st.DB(t.Context()).Raw("SELECT pg_current_wal_insert_lsn() - '0/0'").Row().Scan(&lsn))
			return lsn
		}
		w.written = func(appends func()) float64 {
			before := at()
			appends()
			return at() - before
		}
		t.Run(c.name, func(t *testing.T) { w.compare(t, c.most) })
	}
}

type costWorld struct {
	st      store.Store
	threads []uuid.UUID
	now     time.Time
	written func(appends func()) float64
	n       int
}

func newCostWorld(t *testing.T, open func(clock convostore.Option) (store.Store, error)) *costWorld {
	t.Helper()
	w := &costWorld{now: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)}
	var err error
	w.st, err = open(convostore.WithClock(func() time.Time { return w.now }))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.st.Close()) })
	for n := range costThreads {
		c := &conversation.Conversation{Subject: fmt.Sprint("thread ", n)}
		for i := range costMessages {
			c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: costText(n + i)})
		}
		require.NoError(t, w.st.ForUser(uuid.New()).Conversations().Create(t.Context(), c))
		w.threads = append(w.threads, c.ID)
	}
	return w
}

// costText is prose of about twenty different words, some of them frequent and most of them rare.
func costText(n int) string {
	rng := rand.New(rand.NewPCG(uint64(n), 160))
	zipf := rand.NewZipf(rng, 1.1, 2.7, 20_000)
	var text strings.Builder
	for text.Len() < 160 {
		word := ""
		for rank := zipf.Uint64() + 70; rank > 0; rank /= 70 {
			word += "bdfgklmnprstvz"[rank%70/5:][:1] + "aeiou"[rank%5:][:1]
		}
		text.WriteString(word + " ")
	}
	return text.String()
}

// compare measures the three kinds of appends and compares them with their ceilings.
func (w *costWorld) compare(t *testing.T, most costCeiling) {
	t.Helper()
	inbound := func(int) message.Role { return message.RoleUser }
	w.average(t, inbound) // the first of its ten minutes
	steady := w.average(t, inbound)
	turn := w.average(t, func(n int) message.Role {
		return []message.Role{message.RoleAssistant, message.RoleUser}[n/costThreads%2]
	})
	w.now = w.now.Add(time.Hour)
	first := w.average(t, inbound)
	t.Logf("an append writes %.1f, with a new status %.1f, as the first of ten minutes with a new status %.1f", steady, turn, first)
	assert.LessOrEqual(t, steady, most.steady)
	assert.LessOrEqual(t, turn, most.turn)
	assert.LessOrEqual(t, first, most.first)
	if most.merged > 0 {
		w.compareMerged(t, steady, most.merged)
	}
}

// compareMerged adds to an append what its words cost after they were packed: a segment that is
// made anew from its rows writes and deletes what a merge does.
func (w *costWorld) compareMerged(t *testing.T, steady, most float64) {
	t.Helper()
	m := w.st.AllUsers().Maintenance()
	require.NoError(t, m.PackSearch(t.Context()))
	state, err := m.SearchState(t.Context())
	require.NoError(t, err)
	require.Zero(t, state.Noted)
	require.Greater(t, state.Documents, int64(costThreads*costMessages))
	again := w.written(func() { require.NoError(t, m.ReindexSearch(t.Context(), nil)) }) / float64(state.Documents)
	merged := steady + costMerges*again
	t.Logf("a document is written again for %.3g, so that an append writes %.1f in all; the index has %d bytes a document in %d segments",
		again, merged, state.Bytes/state.Documents, state.Segments)
	assert.LessOrEqual(t, merged, most)
}

// average appends to every conversation in turn, and returns what one append writes: every few
// hundred of them one packs. What merges is left out, see compareMerged.
func (w *costWorld) average(t *testing.T, role func(n int) message.Role) float64 {
	t.Helper()
	total, rounds := 0.0, 0
	for range costAppends / costRound {
		before := w.segments(t)
		written := w.written(func() {
			for range costRound {
				w.append(t.Context(), t, role(w.n))
			}
		})
		if w.segments(t) >= before {
			total, rounds = total+written, rounds+1
		}
	}
	require.GreaterOrEqual(t, rounds, costAppends/costRound-2)
	return total / float64(rounds*costRound)
}

// segments is 0 without full text.
func (w *costWorld) segments(t *testing.T) int64 {
	t.Helper()
	state, err := w.st.AllUsers().Maintenance().SearchState(t.Context())
	if !errors.Is(err, store.ErrUnsupported) {
		require.NoError(t, err)
	}
	return state.Segments
}

func (w *costWorld) append(ctx context.Context, t *testing.T, role message.Role) {
	t.Helper()
	w.now = w.now.Add(time.Millisecond)
	// A step that has no common divisor with the number of conversations visits all of them.
	id := w.threads[w.n*7919%costThreads]
	_, err := w.st.AllUsers().Messages().Append(ctx, id, &message.Message{Role: role, Content: costText(w.n)})
	require.NoError(t, err)
	w.n++
}
