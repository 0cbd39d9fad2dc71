package engine_test

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// watcher is a plugin as tracing libraries have them.
type watcher struct{ statements *atomic.Int64 }

func (watcher) Name() string { return "watcher" }

func (w watcher) Initialize(db *gorm.DB) error {
	count := func(*gorm.DB) { w.statements.Add(1) }
	if err := db.Callback().Row().After("gorm:row").Register("watch:row", count); err != nil {
		return err
	}
	return db.Callback().Raw().After("gorm:raw").Register("watch:raw", count)
}

// hostFile is a host's own handle on a new SQLite file.
func hostFile(tb testing.TB, config *gorm.Config) *gorm.DB {
	tb.Helper()
	db, err := gorm.Open(sqlite.Dialector("file:"+filepath.Join(tb.TempDir(), "host.db")+
		"?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite"), config)
	require.NoError(tb, err)
	pool, err := db.DB()
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, pool.Close()) })
	return db
}

// TestPluginsSeeEveryStatement: with a plugin, statements go through GORM, on which TestHostTransactions
// of store/sqlite runs a part of the contract.
func TestPluginsSeeEveryStatement(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var seen atomic.Int64
	db := hostFile(t, &gorm.Config{Logger: logger.Discard, Plugins: map[string]gorm.Plugin{"watcher": watcher{&seen}}})
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(ctx, c))

	before := seen.Load()
	_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser})
	require.NoError(t, err)
	assert.EqualValues(t, 3, seen.Load()-before, "the counter, the new status and the row")
	before = seen.Load()
	_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser})
	require.NoError(t, err)
	assert.EqualValues(t, 2, seen.Load()-before, "the counter and the row")
	before = seen.Load()
	_, err = mine.Messages().Last(ctx, c.ID, 1)
	require.NoError(t, err)
	assert.EqualValues(t, 1, seen.Load()-before)
}

// hostLog is a host's logger.
type hostLog struct {
	logger.Interface
	lines []string
	rows  []int64
	took  []time.Duration
}

func (l *hostLog) Trace(_ context.Context, begin time.Time, fc func() (string, int64), _ error) {
	line, n := fc()
	l.lines, l.rows, l.took = append(l.lines, line), append(l.rows, n), append(l.took, time.Since(begin))
}

// privateLog does not want values.
type privateLog struct{ hostLog }

func (*privateLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

func TestHostsLoggerIsTold(t *testing.T) {
	t.Parallel()
	open := &hostLog{Interface: logger.Discard}
	private := &privateLog{hostLog{Interface: logger.Discard}}
	for _, l := range []struct {
		logger.Interface
		*hostLog
		shows bool
	}{{open, open, true}, {private, &private.hostLog, false}} {
		ctx := t.Context()
		st, err := convostore.New(t.Context(), hostFile(t, &gorm.Config{Logger: l.Interface}), convostore.WithMigrate(migrate.Options{}))
		require.NoError(t, err)
		mine := st.ForUser(uuid.New())
		c := &conversation.Conversation{Subject: "Offer"}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		insert := l.lines[slices.IndexFunc(l.lines, func(line string) bool { return strings.Contains(line, `INSERT INTO "conversations"`) })]
		assert.Contains(t, insert, `INSERT INTO "conversations"`)
		assert.Equal(t, l.shows, strings.Contains(insert, "Offer"), insert)
		_, err = mine.Conversations().Get(ctx, c.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 1, l.rows[len(l.rows)-1])
		assert.Positive(t, l.took[len(l.took)-1])
	}
}

func TestHostsTimeoutHolds(t *testing.T) {
	t.Parallel()
	st, err := convostore.New(t.Context(), hostFile(t, &gorm.Config{Logger: logger.Discard}), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	mine := st.ForUser(uuid.New())
	require.NoError(t, mine.Conversations().Create(t.Context(), &conversation.Conversation{}))

	db := st.DB(t.Context())
	config := *db.Config
	config.DefaultContextTimeout = time.Nanosecond
	hurried, err := convostore.New(t.Context(), &gorm.DB{Config: &config, Statement: db.Statement})
	require.NoError(t, err)
	_, err = hurried.ForUser(uuid.New()).Conversations().Get(t.Context(), uuid.New())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// faulty is a plugin that panics with the third write.
type faulty struct{ writes *atomic.Int64 }

func (faulty) Name() string { return "faulty" }

func (f faulty) Initialize(db *gorm.DB) error {
	return db.Callback().Raw().Before("gorm:raw").Register("fault:raw", func(db *gorm.DB) {
		if strings.HasPrefix(db.Statement.SQL.String(), "INSERT") && f.writes.Add(1) == 3 {
			panic("the plugin")
		}
	})
}

// TestImportPanics sees that what panics while a batch is written reaches the caller, whose
// program would end otherwise.
func TestImportPanics(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := hostFile(t, &gorm.Config{Logger: logger.Discard, Plugins: map[string]gorm.Plugin{"faulty": faulty{new(atomic.Int64)}}})
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	require.PanicsWithValue(t, "the plugin", func() {
		_, _ = mine.Messages().Import(ctx, func(yield func(*message.Message, error) bool) {
			for i := range 100 {
				if !yield(&message.Message{ConversationID: c.ID, Role: message.RoleUser, Content: strconv.Itoa(i)}, nil) {
					return
				}
			}
		}, store.ImportOptions{BatchSize: 10})
	})
	ms, err := mine.Messages().Last(ctx, c.ID, 100)
	require.NoError(t, err)
	require.Len(t, ms, 20, "two whole batches")
}
