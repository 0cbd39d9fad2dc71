package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
	"github.com/convostore/convostore/suggestion"
)

// planWorld is what the reads ask for: among 1,500 conversations, of which one user has a
// tenth, a long one of that user's with its message and its suggestion.
type planWorld struct {
	user         uuid.UUID
	conversation *conversation.Conversation
	message      *message.Message
	suggestion   *suggestion.Suggestion
	given        []uuid.UUID // some conversations of the user
}

const (
	planThreads  = 1500
	planOfUser   = planThreads / 10
	planTarget   = planOfUser / 2
	planMessages = 3
	planLong     = 400 // messages of the target
)

func TestPlansSQLite(t *testing.T) {
	t.Parallel()
	st, w := plansInSQLite(t)
	checkPlans(t, st, w, "EXPLAIN QUERY PLAN ", sqlitePlan)
	checkListPlans(t, st, w, "EXPLAIN QUERY PLAN ", sqliteListPlan)
	checkReportPlans(t, st, w, "EXPLAIN QUERY PLAN ", regexp.MustCompile(`^SCAN (c|m|s|conversations|messages|ai_suggestions)$`))
	checkRetentionPlans(t, st, w, "EXPLAIN QUERY PLAN ", sqlitePlan)
}

func TestPlansPostgres(t *testing.T) {
	t.Parallel()
	st, w := plansInPostgres(t)
	checkPlans(t, st, w, "EXPLAIN ", postgresPlan)
	checkListPlans(t, st, w, "EXPLAIN ", postgresListPlan)
	checkReportPlans(t, st, w, "EXPLAIN ", regexp.MustCompile(`Seq Scan`))
	checkRetentionPlans(t, st, w, "EXPLAIN ", postgresPlan)
}

// plansInSQLite fills a database, which takes a while and serves all plans. Those of
// retention come last, since they change the rows.
func plansInSQLite(t *testing.T) (store.Store, *planWorld) {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st, fillPlans(t, st.DB(t.Context()))
}

func plansInPostgres(t *testing.T) (store.Store, *planWorld) {
	t.Helper()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st, fillPlans(t, st.DB(t.Context()))
}

// planned is a read and what its plan may do.
type planned struct {
	name string
	call func(ctx context.Context, s store.Scope, w *planWorld) error
	// sorts says that no index has the order: a few rows are sorted.
	sorts bool
	// userOnly leaves out the scope of all users, which has no index for it.
	userOnly bool
}

func plannedReads() []planned {
	second := func(list func(store.PageRequest) (store.Cursor, error)) error {
		next, err := list(store.PageRequest{Limit: 5})
		if err == nil && next != "" {
			_, err = list(store.PageRequest{Limit: 5, After: next})
		}
		return err
	}
	conversations := func(f func(w *planWorld) store.ConversationFilter) func(context.Context, store.Scope, *planWorld) error {
		return func(ctx context.Context, s store.Scope, w *planWorld) error {
			return second(func(p store.PageRequest) (store.Cursor, error) {
				page, err := s.Conversations().List(ctx, f(w), p)
				return page.Next, err
			})
		}
	}
	thread := func(f store.MessageFilter) func(context.Context, store.Scope, *planWorld) error {
		return func(ctx context.Context, s store.Scope, w *planWorld) error {
			return second(func(p store.PageRequest) (store.Cursor, error) {
				page, err := s.Messages().List(ctx, w.conversation.ID, f, p)
				return page.Next, err
			})
		}
	}
	byUser := func(f store.MessageFilter) func(context.Context, store.Scope, *planWorld) error {
		return func(ctx context.Context, s store.Scope, _ *planWorld) error {
			return second(func(p store.PageRequest) (store.Cursor, error) {
				page, err := s.Messages().ListByUser(ctx, f, p)
				return page.Next, err
			})
		}
	}
	return []planned{
		{name: "conversation", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Conversations().Get(ctx, w.conversation.ID)
			return err
		}},
		{name: "external key", userOnly: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Conversations().GetByExternalKey(ctx, w.conversation.ExternalKey)
			return err
		}},
		{name: "thread", sorts: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Conversations().Thread(ctx, w.conversation.ID)
			return err
		}},
		{name: "by activity", call: conversations(func(*planWorld) store.ConversationFilter {
			return store.ConversationFilter{}
		})},
		{name: "by creation", call: conversations(func(*planWorld) store.ConversationFilter {
			return store.ConversationFilter{Order: store.NewestCreated}
		})},
		{name: "lead", sorts: true, call: conversations(func(w *planWorld) store.ConversationFilter {
			return store.ConversationFilter{LeadID: w.conversation.LeadID}
		})},
		{name: "active since", call: conversations(func(w *planWorld) store.ConversationFilter {
			return store.ConversationFilter{ActiveSince: w.conversation.LastMessageAt}
		})},
		{name: "numbered", userOnly: true, call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			_, err := s.Conversations().ListNumbered(ctx, store.ConversationFilter{}, store.NumberRequest{Number: 2, Size: 5})
			return err
		}},
		{name: "queue", call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			return second(func(p store.PageRequest) (store.Cursor, error) {
				page, err := s.Conversations().NeedsReply(ctx, p)
				return page.Next, err
			})
		}},
		{name: "unread", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Conversations().Unread(ctx, w.conversation.LastMessageAt, store.PageRequest{Limit: 5})
			return err
		}},
		{name: "message", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Messages().Get(ctx, w.message.ID)
			return err
		}},
		{name: "messages", call: thread(store.MessageFilter{})},
		{name: "messages, newest first", call: thread(store.MessageFilter{Order: store.ReverseThreadOrder})},
		{name: "messages after", call: thread(store.MessageFilter{AfterSeq: 3})},
		{name: "messages, numbered", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Messages().ListNumbered(ctx, w.conversation.ID, store.MessageFilter{}, store.NumberRequest{Number: 2, Size: 5})
			return err
		}},
		{name: "last", sorts: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Messages().Last(ctx, w.conversation.ID, 5)
			return err
		}},
		{name: "around", sorts: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Messages().Around(ctx, w.conversation.ID, 5, 2)
			return err
		}},
		{name: "messages of a user", call: byUser(store.MessageFilter{})},
		{name: "messages of a user, oldest first", call: byUser(store.MessageFilter{Order: store.ThreadOrder})},
		{name: "messages of a user, numbered", userOnly: true, call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			_, err := s.Messages().ListByUserNumbered(ctx, store.MessageFilter{}, store.NumberRequest{Number: 2, Size: 5})
			return err
		}},
		{name: "attachments", userOnly: true, call: byUser(store.MessageFilter{HasAttachments: true})},
		{name: "provider id", userOnly: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Messages().FindByProviderID(ctx, message.ProviderGmail, w.message.GmailMessageID)
			return err
		}},
		{name: "mail's thread", userOnly: true, sorts: true, call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			m := &message.Message{GmailThreadID: "none", Headers: message.Headers{"In-Reply-To": {w.message.EmailMessageID}}}
			_, err := s.Messages().FindThread(ctx, m)
			return err
		}},
		{name: "dead streams", call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			_, err := s.Maintenance().DeadStreams(ctx, time.Minute)
			return err
		}},
		{name: "streams to sweep", call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			_, err := s.Maintenance().SweepStreams(ctx, time.Minute)
			return err
		}},
		{name: "suggestion", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Suggestions().Get(ctx, w.suggestion.ID)
			return err
		}},
		{name: "pending", call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			return second(func(p store.PageRequest) (store.Cursor, error) {
				page, err := s.Suggestions().Pending(ctx, p)
				return page.Next, err
			})
		}},
		{name: "pending, numbered", userOnly: true, call: func(ctx context.Context, s store.Scope, _ *planWorld) error {
			_, err := s.Suggestions().PendingNumbered(ctx, store.NumberRequest{Number: 2, Size: 5})
			return err
		}},
		{name: "suggestions of a conversation, numbered", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Suggestions().ListByConversationNumbered(ctx, w.conversation.ID, store.NumberRequest{Size: 5})
			return err
		}},
		{name: "suggestions of a conversation", call: func(ctx context.Context, s store.Scope, w *planWorld) error {
			_, err := s.Suggestions().ListByConversation(ctx, w.conversation.ID, store.PageRequest{})
			return err
		}},
	}
}

// checkPlans runs each read through a recorder and asks the database how it would run
// the statements that came of it.
func checkPlans(t *testing.T, st store.Store, w *planWorld, explain string, check func(t *testing.T, plan []string, sorts, everybody bool)) {
	t.Helper()
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
	require.NoError(t, err)
	// What is asked once, of the schema, is asked here.
	_, err = recorded.ForUser(w.user).Conversations().List(t.Context(), store.ConversationFilter{LeadID: "1"}, store.PageRequest{})
	require.NoError(t, err)
	for _, read := range plannedReads() {
		for name, scope := range map[string]store.Scope{"one": recorded.ForUser(w.user), "all": recorded.AllUsers()} {
			if name == "all" && read.userOnly {
				continue
			}
			t.Run("reads/"+read.name+"/"+name, func(t *testing.T) {
				rec.Reset()
				require.NoError(t, read.call(t.Context(), scope, w))
				statements := rec.Statements()
				require.NotEmpty(t, statements)
				for _, s := range statements {
					plan := explainPlan(t, st, explain, s)
					check(t, plan, read.sorts, name == "all")
					if rowAfter.MatchString(s.SQL) && !read.sorts {
						assert.Regexp(t, boundedByRow, strings.Join(plan, "\n"), "an index finds the place")
					}
					if t.Failed() {
						t.Log(s.SQL, s.Args)
						t.Log(strings.Join(plan, "\n"))
						return
					}
				}
			})
		}
	}
}

// explainPlan returns the lines of the plan: the last column of both databases.
func explainPlan(t *testing.T, st store.Store, explain string, s storetest.Statement) (plan []string) {
	t.Helper()
	rows, err := st.DB(t.Context()).Statement.ConnPool.QueryContext(t.Context(), explain+s.SQL, s.Args...)
	require.NoError(t, err, s.SQL)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = new(any)
		}
		require.NoError(t, rows.Scan(row...))
		plan = append(plan, fmt.Sprint(*row[len(row)-1].(*any)))
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, plan)
	return plan
}

// rowAfter is what a page adds that follows another, and boundedByRow what becomes of it
// in the plan of either database.
var (
	rowAfter     = regexp.MustCompile(`\([^()]*\bid(, user_id)?\) [<>] \(`)
	boundedByRow = regexp.MustCompile(`Index Cond: .*(ROW\(|activity_bucket( \+ 0\))? <)|SEARCH .*[<>]\?\)|SEARCH .*[<>]\(\?`)
)

// An index is read from its start only for the order of everybody's lists.
var (
	sqliteScan      = regexp.MustCompile(`^SCAN (\w+)( USING (COVERING )?INDEX )?`)
	sqlitePresorted = regexp.MustCompile(`TEMP B-TREE FOR (LAST|RIGHT PART|[0-9]+)`)
	sqliteByRowID   = regexp.MustCompile(`^SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid=\?\)$`)
)

// sqliteOfParts is what SQLite does to put the parts of a queue together, each of a page at most, or
// those of what a mail's names lead to.
var sqliteOfParts = regexp.MustCompile(`^(COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL|CO-ROUTINE (p|q|h\d+)|SCAN (p|q|h\d+))$`)

// sqliteTogether leaves out of a plan what puts the parts of a queue together. What was snoozed is
// sorted, since its index has the order of the times.
func sqliteTogether(plan []string) []string {
	if !slices.Contains(plan, "COMPOUND QUERY") {
		return plan
	}
	var steps []string
	for i, step := range plan {
		sorted := step == sqliteSort && (strings.Contains(plan[i-1], "conversations_queue_snoozed_idx") || plan[i-1] == "SCAN p")
		if !sorted && !sqliteOfParts.MatchString(step) {
			steps = append(steps, step)
		}
	}
	return steps
}

const sqliteSort = "USE TEMP B-TREE FOR ORDER BY"

func sqlitePlan(t *testing.T, plan []string, sorts, everybody bool) {
	t.Helper()
	plan = sqliteTogether(plan)
	if n := len(plan); n > 3 && sqliteByRowID.MatchString(plan[0]) && strings.HasPrefix(plan[1], "LIST SUBQUERY") && plan[n-1] == sqliteSort {
		plan = plan[:n-1] // the rows of a page, whose keys the subquery has found
	}
	for _, step := range plan {
		if m := sqliteScan.FindStringSubmatch(step); m != nil && !strings.HasPrefix(step, "SCAN CONSTANT ROW") && !strings.HasPrefix(step, "SCAN json_each") {
			assert.True(t, everybody && m[2] != "", "a scan: %s", step)
		}
		// The index has the order of the buckets: the rows of each are left to be sorted.
		if !sorts && !sqlitePresorted.MatchString(step) {
			assert.NotContains(t, step, "TEMP B-TREE")
		}
	}
}

// postgresSort catches the rows that a sort takes. Of a handful PostgreSQL rather sorts
// what a bitmap finds, and is right; of more than the pages here it must not.
// Nor does a sort matter that finds the rows in the order of time and id, or of the buckets,
// already.
var (
	postgresSort      = regexp.MustCompile(`\bSort  \(cost=\S+ rows=(\d+)`)
	postgresPresorted = regexp.MustCompile(`^ *Presorted Key: (\S+\.)?(activity_bucket|\S+, \S+)$`)
)

const planFewRows = 20

func postgresPlan(t *testing.T, plan []string, sorts, _ bool) {
	t.Helper()
	for i, step := range plan {
		assert.NotContains(t, step, "Seq Scan")
		if i+2 < len(plan) && strings.Contains(step, "Incremental Sort") && postgresPresorted.MatchString(plan[i+2]) {
			continue
		}
		if m := postgresSort.FindStringSubmatch(step); m != nil && !sorts {
			n, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			assert.LessOrEqual(t, n, planFewRows, "a sort of many rows: %s", step)
		}
	}
}

// fillPlans writes the rows with the models alone. Every twentieth conversation waits
// for a reply, and every twentieth suggestion for a decision.
func fillPlans(t *testing.T, db *gorm.DB) *planWorld {
	t.Helper()
	var cs []*conversation.Conversation
	var ms []*message.Message
	var ss []*suggestion.Suggestion
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	user := uuid.New()
	for n := range planThreads {
		if n >= planOfUser && n%50 == 0 {
			user = uuid.New()
		}
		at := start.Add(time.Duration(n*7919%10_000) * time.Minute)
		length := planMessages
		if n == planTarget {
			length = planLong
		}
		c := planThread(user, n, length, at)
		cs, ms = append(cs, c), append(ms, c.Messages...)
		ss = append(ss, planSuggestion(c, n, at))
		c.Messages = nil
	}
	require.NoError(t, db.CreateInBatches(cs, 500).Error)
	require.NoError(t, db.CreateInBatches(ms, 500).Error)
	require.NoError(t, db.CreateInBatches(ss, 500).Error)
	// Of an empty table PostgreSQL has no index read.
	require.NoError(t, db.Exec("INSERT INTO message_refs (message_id, user_id, provider, ref) SELECT id, user_id, 'crm', email_message_id FROM messages").Error)
	markPlans(t, db, cs)
	require.NoError(t, db.Exec("ANALYZE").Error)
	var given []uuid.UUID
	for n := 0; n < planOfUser; n += 10 {
		given = append(given, cs[n].ID)
	}
	return &planWorld{cs[planTarget].UserID, cs[planTarget], ms[planTarget*planMessages+5], ss[planTarget], given}
}

func planThread(user uuid.UUID, n, length int, at time.Time) *conversation.Conversation {
	c := &conversation.Conversation{
		ID: uuid.New(), UserID: user, LeadID: fmt.Sprint("lead", n%500), ExternalKey: fmt.Sprint("key", n),
		Status: conversation.StatusWaiting, LastSeq: int64(length), CreatedAt: at, LastMessageAt: at.Add(time.Hour),
	}
	if n%20 == 0 {
		c.Status = conversation.StatusNeedsReply
	}
	if n%10 == 0 {
		c.App, c.Assignee = "app", "bea"
		c.Metadata = message.JSON(`{"state":"open","tags":["open"]}`)
	}
	for i := range length {
		m := &message.Message{
			ID: uuid.New(), UserID: user, ConversationID: c.ID, Seq: int64(i + 1), Role: message.RoleUser,
			Content: "content", CreatedAt: at.Add(time.Duration(i) * time.Minute),
			GmailMessageID: uuid.NewString(), GmailThreadID: fmt.Sprint("thread", n),
			EmailMessageID: "<" + uuid.NewString() + "@example.com>",
		}
		if n%20 == 0 && i == 0 {
			m.Attachments = message.Attachments{{Filename: "a.txt"}}
		}
		c.Messages = append(c.Messages, m)
	}
	return c
}

func planSuggestion(c *conversation.Conversation, n int, at time.Time) *suggestion.Suggestion {
	s := &suggestion.Suggestion{
		ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, SuggestedContent: "draft", CreatedAt: at,
		InReplyToMessageID: &c.Messages[0].ID,
	}
	if n%20 != 0 {
		s.Status, s.ReviewedAt = suggestion.StatusApproved, &at
	}
	return s
}
