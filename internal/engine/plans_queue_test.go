package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// queueOf is a queue of an inbox, with the index that has its order on SQLite.
type queueOf struct {
	filter store.ConversationFilter
	index  string
}

func plannedQueues() map[string]queueOf {
	queue := []conversation.Status{conversation.StatusNeedsReply}
	return map[string]queueOf{
		"needs reply":   {store.ConversationFilter{Statuses: queue}, "conversations_queue_idx"},
		"oldest":        {store.ConversationFilter{Statuses: queue, Order: store.OldestActivity}, "conversations_queue_idx"},
		"mine":          {store.ConversationFilter{Statuses: queue, Assignee: "ann"}, "conversations_queue_assignee_idx"},
		"unassigned":    {store.ConversationFilter{Statuses: queue, Unassigned: true}, "conversations_queue_idx"},
		"with drafts":   {store.ConversationFilter{Statuses: queue, HasDraft: true}, "ai_suggestions_conversation_idx"},
		"pinned first":  {store.ConversationFilter{Statuses: queue, PinnedFirst: true}, "conversations_pinned_idx"},
		"pinned":        {store.ConversationFilter{Pinned: true}, "conversations_pinned_idx"},
		"pinned of all": {store.ConversationFilter{PinnedFirst: true}, "conversations_pinned_idx"},
		"given":         {store.ConversationFilter{IDs: givenOfQueue()}, `sqlite_autoindex_conversations_1 (id=?`},
		"given, queued": {store.ConversationFilter{IDs: givenOfQueue(), Statuses: queue, HasDraft: true}, `sqlite_autoindex_conversations_1 (id=?`},
		"snoozed":       {store.ConversationFilter{Snoozed: store.OnlySnoozed}, "conversations_snoozed_list_idx"},
	}
}

// givenOfQueue are the ids of a hundred conversations of fillQueues.
func givenOfQueue() []uuid.UUID {
	ids := make([]uuid.UUID, 100)
	for i := range ids {
		ids[i] = uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012x", i*100+2))
	}
	return ids
}

// TestPlansOfQueues has one user whose inbox is full, in a way that is bad for whoever walks through all
// of it: what is newest somebody has, and the newest of that is snoozed. No queue's page reads more
// than a few pages' rows, with and without statistics, however the statement is planned; nor do the counts
// read more than they count.
func TestPlansOfQueues(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, heavy := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), uuid.New()
		fillQueues(t, st, heavy)
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		check := func(name string) {
			t.Run(name, func(t *testing.T) {
				checkQueues(t, st, rec, recorded.ForUser(heavy), d.SQLite)
				checkQueueCounts(t, st, rec, recorded.ForUser(heavy), d.SQLite)
			})
		}
		check("no statistics")
		require.NoError(t, st.DB(t.Context()).Exec("ANALYZE").Error)
		check("statistics")
		few := "DELETE FROM ai_suggestions WHERE created_at > (SELECT min(created_at) FROM ai_suggestions)"
		require.NoError(t, st.DB(t.Context()).Exec(few).Error)
		check("few drafts")
	})
}

func checkQueues(t *testing.T, st store.Store, rec *storetest.Recorder, mine store.Scope, sqlite bool) {
	t.Helper()
	o := store.OverviewOptions{LastMessage: true, Reader: "ann", Labels: true, Draft: true}
	for name, q := range plannedQueues() {
		t.Run(name, func(t *testing.T) {
			p := store.PageRequest{Limit: 20}
			_, err := mine.Conversations().Get(t.Context(), uuid.New()) // asks for the schema
			require.ErrorIs(t, err, store.ErrNotFound)
			for n := range 2 {
				rec.Reset()
				if n > 0 && q.filter.PinnedFirst {
					q.index = "conversations" // the pinned ones are read
				}
				page, err := mine.Conversations().Overview(t.Context(), q.filter, o, p)
				require.NoError(t, err)
				require.Len(t, rec.Statements(), 1)
				checkReads(t, st, rec.Statements()[0], sqlite, 500, q.index)
				if p.After = page.Next; p.After == "" {
					break
				}
			}
		})
	}
}

func checkQueueCounts(t *testing.T, st store.Store, rec *storetest.Recorder, mine store.Scope, sqlite bool) {
	t.Helper()
	t.Run("counts", func(t *testing.T) {
		rec.Reset()
		counts, err := mine.Conversations().Counts(t.Context(), "ann")
		require.NoError(t, err)
		require.EqualValues(t, store.MaxQueueCount, counts.NeedsReply)
		require.Positive(t, counts.WithDraft)
		require.Len(t, rec.Statements(), 1)
		for _, index := range []string{"conversations_queue_idx", "conversations_queue_assignee_idx", "conversations_snoozed_idx", "ai_suggestions_pending_idx"} {
			checkReads(t, st, rec.Statements()[0], sqlite, 2*store.MaxQueueCount, index)
		}
	})
}

// checkReads requires that no step of a plan reads more than so many rows on PostgreSQL, and on SQLite,
// which does not count them, that the steps go through the index and no other than those of queues.
func checkReads(t *testing.T, st store.Store, s storetest.Statement, sqlite bool, most int, index string) {
	t.Helper()
	if sqlite {
		plan := planOf(t, st, s)
		require.Contains(t, plan, index, s.SQL)
		require.NotRegexp(t, `SCAN (c|d|s|x|m|conversations)\b|conversations_(created|all_\w+)_idx`, plan, s.SQL)
		return
	}
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		plan := analyzed(t.Context(), t, st, s, mode)
		for i, line := range plan {
			if read := rowsRead(plan, i); !assert.LessOrEqual(t, read, most, "%s: %s", mode, line) {
				t.Log(s.SQL, s.Args)
				t.Fatal(strings.Join(plan, "\n"))
			}
		}
	}
}

var (
	scannedRows = regexp.MustCompile(`Scan.*actual rows=([\d.]+) loops=(\d+)`)
	removedRows = regexp.MustCompile(`Rows Removed by [A-Za-z ]+: (\d+)`)
)

// rowsRead is how many rows the scan in a line of a plan has read, 0 for any other line.
func rowsRead(plan []string, i int) int {
	m := scannedRows.FindStringSubmatch(plan[i])
	if m == nil {
		return 0
	}
	number := func(s string) float64 {
		n, _ := strconv.ParseFloat(s, 64)
		return n
	}
	rows, loops := number(m[1]), number(m[2])
	for _, line := range plan[i+1:] {
		if strings.Contains(line, "->") {
			break
		}
		if r := removedRows.FindStringSubmatch(line); r != nil {
			rows += number(r[1])
		}
	}
	return int(rows * loops)
}

// analyzed runs a statement as one that is planned in a way, and returns its plan with what was read.
func analyzed(ctx context.Context, t *testing.T, st store.Store, s storetest.Statement, mode string) (plan []string) {
	t.Helper()
	args := make([]string, len(s.Args))
	for i, a := range s.Args {
		args[i] = fmt.Sprintf("'%v'", a)
		if at, ok := a.(interface{ Format(layout string) string }); ok {
			args[i] = "'" + at.Format("2006-01-02 15:04:05.999999-07:00") + "'"
		}
	}
	require.NoError(t, st.DB(ctx).Transaction(func(tx *gorm.DB) error {
		for _, statement := range []string{"SET LOCAL plan_cache_mode = " + mode, "PREPARE queue AS " + s.SQL} {
			if _, err := tx.Statement.ConnPool.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		execute := "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE queue"
		if len(args) > 0 {
			execute += "(" + strings.Join(args, ", ") + ")"
		}
		err := tx.Raw(execute).Scan(&plan).Error
		if err == nil {
			err = tx.Exec("DEALLOCATE queue").Error
		}
		return err
	}))
	return plan
}

// fillQueues writes the inbox of one user, and a few conversations of many others.
func fillQueues(t *testing.T, st store.Store, heavy uuid.UUID) {
	t.Helper()
	db, n := st.DB(t.Context()), 12_000
	if testrun.Full() {
		n = 100_000
	}
	postgres := db.Name() == "postgres"
	id := func(prefix string) string {
		if postgres {
			return "CAST('" + prefix + "' || lpad(to_hex(i), 12, '0') AS uuid)"
		}
		return "printf('" + prefix + "%012x', i)"
	}
	at := "strftime('%Y-%m-%d %H:%M:%S', 1700000000 + i * 60, 'unixepoch') || '+00:00'"
	if postgres {
		at = "to_timestamp(1700000000 + i * 60)"
	}
	when := func(sql string, args ...any) string { return fmt.Sprintf("CASE WHEN "+sql+" END", args...) }
	const c, s = "00000000-0000-4000-8000-", "00000001-0000-4000-8000-"
	moment := func(text string) string {
		if postgres {
			return "CAST('" + text + "' AS timestamptz)"
		}
		return "'" + text + "'"
	}
	numbers := func(n int) string {
		return fmt.Sprintf(" FROM (WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < %d) SELECT i FROM r) numbers", n)
	}
	owner := "'" + heavy.String() + "'"
	if postgres {
		owner = "CAST(" + owner + " AS uuid)"
	}
	statements := []string{
		"INSERT INTO conversations (id, user_id, status, last_seq, last_message_at, created_at, assignee, snoozed_until, pinned_at) SELECT " +
			id(c) + ", " + owner + ", " + when("i %% 2 = 0 THEN 'needs_reply' ELSE 'waiting'") + ", 1, " + at + ", " + at + ", " +
			when("i > %d THEN 'bea' WHEN i %% 3 = 0 THEN 'ann' WHEN i %% 3 = 1 THEN 'bea'", n*6/10) + ", " +
			when("i > %d THEN "+moment("2100-01-01 00:00:00+00:00")+" WHEN i %% 500 = 0 THEN "+moment("2001-01-01 00:00:00+00:00"), n*8/10) + ", " +
			when("i %% 1000 = 8 THEN "+moment("2001-01-01 00:00:00+00:00")) + numbers(n),
		"INSERT INTO messages (id, user_id, conversation_id, seq, role, content, sent_at, created_at) SELECT " +
			id(s) + ", " + owner + ", " + id(c) + ", 1, 'user', 'hello', " + at + ", " + at + numbers(n),
		"INSERT INTO ai_suggestions (id, user_id, conversation_id, suggested_content, created_at) SELECT " +
			id(s) + ", " + owner + ", " + id(c) + ", 'draft', " + at + numbers(n*8/10) + " WHERE i % 10 = 2",
		"INSERT INTO conversations (id, user_id, status, last_seq, last_message_at) SELECT " +
			id("00000002-0000-4000-8000-") + ", " + id(c) + ", 'needs_reply', 1, " + at + numbers(300),
	}
	if postgres {
		for _, table := range []string{"conversations", "messages", "ai_suggestions"} {
			statements = append([]string{"ALTER TABLE " + table + " SET (autovacuum_enabled = false)"}, statements...)
		}
	}
	for _, sql := range statements {
		_, err := db.Statement.ConnPool.ExecContext(t.Context(), sql)
		require.NoError(t, err, sql)
	}
}
