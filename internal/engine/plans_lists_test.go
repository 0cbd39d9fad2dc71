package engine_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// plannedList is a filter and the index that serves its list.
type plannedList struct {
	name   string
	filter store.ConversationFilter
	// index is a pattern of its name.
	index string
	// sorts says that what matches is sorted, since the index does not have the order.
	sorts bool
}

func plannedLists(w *planWorld) []plannedList {
	open := message.JSON(`"open"`)
	return []plannedList{
		{"all", store.ConversationFilter{}, "conversations_activity_idx", false},
		// The keys of both databases.
		{"by id", store.ConversationFilter{IDs: w.given}, `conversations_pkey|sqlite_autoindex_conversations_\d \(id=\?`, true},
		{"by creation", store.ConversationFilter{Order: store.NewestCreated}, "conversations_created_idx", false},
		{"app", store.ConversationFilter{App: "app"}, "conversations_app_idx", false},
		{"assignee", store.ConversationFilter{Assignee: "bea"}, "conversations_assignee_idx", false},
		{"label", store.ConversationFilter{Labels: []string{"urgent"}}, "conversation_labels", true},
		{"unread", store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}}, "conversations_queue_idx", false},
		{"metadata equal", store.ConversationFilter{Metadata: []store.MetadataCondition{{Key: "state", Value: open}}}, "conversations_activity_idx", false},
		{"metadata contain", store.ConversationFilter{Metadata: []store.MetadataCondition{{Key: "tags", Value: open, Contains: true}}}, "conversations_activity_idx", false},
	}
}

// checkListPlans asks for Overview with all that it has, in one statement a page: an index finds
// the rows of each filter, no more than a page is sorted, and what else is asked for is sought for
// the rows of the page.
func checkListPlans(t *testing.T, st store.Store, w *planWorld, explain string, check func(t *testing.T, l plannedList, plan []string)) {
	t.Helper()
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
	require.NoError(t, err)
	list := recorded.ForUser(w.user).Conversations()
	o := store.OverviewOptions{LastMessage: true, Reader: "ann", Labels: true, StateKeys: []string{"step"}}
	for _, l := range plannedLists(w) {
		t.Run("lists/"+l.name, func(t *testing.T) {
			first, err := list.Overview(t.Context(), l.filter, o, store.PageRequest{Limit: 5})
			require.NoError(t, err)
			require.Len(t, first.Items, 5)
			rec.Reset()
			_, err = list.Overview(t.Context(), l.filter, o, store.PageRequest{Limit: 5, After: first.Next})
			require.NoError(t, err)
			require.Len(t, rec.Statements(), 1)
			s := rec.Statements()[0]
			check(t, l, explainPlan(t, st, explain, s))
			if t.Failed() {
				t.Log(s.SQL, s.Args)
			}
		})
	}
}

// sqliteOfPage is what SQLite does with each row of a page: it reads the row and documents of it, counts
// a few messages and sorts the labels.
var sqliteOfPage = regexp.MustCompile(`^(SCAN (p|n)|SCAN \w+ (EXISTS )?VIRTUAL TABLE INDEX .*|USE TEMP B-TREE FOR json_group_array\(ORDER BY\)|CO-ROUTINE (p|n))$`)

func sqliteListPlan(t *testing.T, l plannedList, plan []string) {
	t.Helper()
	steps := slices.DeleteFunc(slices.Clone(sqliteTogether(plan)), sqliteOfPage.MatchString)
	require.Regexp(t, l.index, strings.Join(steps, "\n"), "%q", plan)
	if n := len(steps); steps[n-1] == sqliteSort || strings.HasPrefix(steps[n-1], "USE TEMP B-TREE FOR LAST TERM") {
		steps = steps[:n-1] // the rows of the page
	}
	sqlitePlan(t, steps, l.sorts, false)
}

func postgresListPlan(t *testing.T, l plannedList, plan []string) {
	t.Helper()
	require.Regexp(t, l.index, strings.Join(plan, "\n"), "%q", plan)
	postgresPlan(t, plan, l.sorts, false)
}

// markPlans notes what plannedLists ask for, on all conversations.
func markPlans(t *testing.T, db *gorm.DB, cs []*conversation.Conversation) {
	t.Helper()
	var reads []*conversation.Read
	var states []*conversation.State
	var labels []*conversation.Label
	for n, c := range cs {
		for _, reader := range []string{"ann", "bea", "cleo", "dora"} {
			reads = append(reads, &conversation.Read{ConversationID: c.ID, UserID: c.UserID, Reader: reader, Seq: 1, ReadAt: c.CreatedAt})
		}
		states = append(states, &conversation.State{ConversationID: c.ID, UserID: c.UserID, Key: "step", Value: conversation.Value("1"), Version: 1, UpdatedAt: c.CreatedAt})
		labels = append(labels, &conversation.Label{ConversationID: c.ID, UserID: c.UserID, Label: fmt.Sprint("label", n%7), CreatedAt: c.CreatedAt})
		if n%10 == 0 {
			labels = append(labels, &conversation.Label{ConversationID: c.ID, UserID: c.UserID, Label: "urgent", CreatedAt: c.CreatedAt})
		}
	}
	require.NoError(t, db.CreateInBatches(reads, 500).Error)
	require.NoError(t, db.CreateInBatches(states, 500).Error)
	require.NoError(t, db.CreateInBatches(labels, 500).Error)
}
