package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// checkRetentionPlans asks for the plans of a run that has rows for each of its steps:
// what picks a batch reads an index in its order, and what carries it out finds its rows
// by id, however many the user has.
func checkRetentionPlans(t *testing.T, st store.Store, w *planWorld, explain string, check func(t *testing.T, plan []string, sorts, everybody bool)) {
	t.Helper()
	ctx := t.Context()
	rec := &storetest.Recorder{}
	now := w.conversation.LastMessageAt.AddDate(1, 0, 0)
	recorded, err := convostore.New(ctx, rec.Wrap(st.DB(ctx)), convostore.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	_, err = recorded.ForUser(w.user).Conversations().Get(ctx, w.conversation.ID)
	require.NoError(t, err) // the schema has been checked
	deletePlans(t, st, w, now)
	// One user's first: everybody's run leaves nothing of it.
	for _, name := range []string{"one", "all"} {
		scope := map[string]store.Scope{"one": recorded.ForUser(w.user), "all": recorded.AllUsers()}[name]
		t.Run("retention/"+name, func(t *testing.T) {
			rec.Reset()
			runRetention(t, scope)
			picks, seen := 0, map[string]bool{}
			for _, s := range rec.Statements() {
				if seen[s.SQL] {
					continue
				}
				seen[s.SQL] = true
				// No vector is there, and to read an empty table is right.
				if !strings.Contains(s.SQL, "user_id") && !strings.Contains(s.SQL, "LIMIT") || strings.Contains(s.SQL, "message_embeddings") ||
					strings.Contains(s.SQL, "search_") { // the index of words, whose tables are small or read by their keys

					continue
				}
				index := pickedBy(s.SQL, name)
				if index != "" {
					picks++
				}
				plan := slices.DeleteFunc(explainPlan(t, st, explain, s), func(step string) bool {
					return strings.Contains(step, "SCAN json_each")
				})
				check(t, plan, index == "", false)
				assert.Contains(t, strings.Join(plan, "\n"), index)
				if explain != "EXPLAIN " && strings.HasPrefix(s.SQL, `UPDATE "conversations"`) {
					assert.Regexp(t, `\((merged_into_)?id=\?`, strings.Join(plan, "\n"), "found by an id")
				}
				if t.Failed() {
					t.Log(s.SQL, s.Args)
					t.Log(strings.Join(plan, "\n"))
					return
				}
			}
			assert.GreaterOrEqual(t, picks, 5, "each step picks")
		})
	}
}

// pickedBy is the index that a picking statement must read.
func pickedBy(sql, scope string) string {
	switch {
	case !strings.Contains(sql, "LIMIT"):
		return ""
	case strings.Contains(sql, "ORDER BY deleted_at"):
		return "deleted_idx"
	case scope == "one":
		return "conversations_activity_idx"
	}
	return "conversations_all_activity_idx"
}

// deletePlans deletes some of everything long ago.
func deletePlans(t *testing.T, st store.Store, w *planWorld, now time.Time) {
	t.Helper()
	db := st.DB(t.Context())
	old := now.AddDate(-2, 0, 0)
	require.NoError(t, db.Model(&conversation.Conversation{}).Where("title IS NULL AND last_seq = ? AND external_key LIKE '%07'", planMessages).
		UpdateColumn("deleted_at", old).Error)
	require.NoError(t, db.Model(&message.Message{}).Where("gmail_thread_id LIKE '%33'").UpdateColumn("deleted_at", old).Error)
	_, err := st.ForUser(w.user).Suggestions().Delete(t.Context(), w.suggestion.ID)
	require.NoError(t, err)
	require.NoError(t, db.Exec("ANALYZE").Error)
}

// runRetention ends the steps that have much to do after their first batch.
func runRetention(t *testing.T, s store.Scope) {
	t.Helper()
	for _, p := range []store.RetentionPolicy{{ArchiveAfter: time.Hour}, {DeleteAfter: time.Hour}} {
		ctx, cancel := context.WithCancel(t.Context())
		p.BatchSize, p.Progress = 5, func(store.RetentionResult) { cancel() }
		_, err := s.Maintenance().Retain(ctx, p)
		require.ErrorIs(t, err, context.Canceled)
		cancel()
	}
	res, err := s.Maintenance().Retain(t.Context(), store.RetentionPolicy{PurgeAfter: time.Hour, BatchSize: 5})
	require.NoError(t, err)
	require.Greater(t, res.Purged.Messages, res.Purged.Conversations*planMessages)
}
