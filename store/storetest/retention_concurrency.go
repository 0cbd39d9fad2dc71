package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// quiet makes conversations whose only message is that old.
func quiet(tb testing.TB, s store.Scope, n int, age time.Duration) (ids []uuid.UUID) {
	tb.Helper()
	for range n {
		m := inbound("old")
		m.SentAt = time.Now().Add(-age)
		c := &conversation.Conversation{Messages: []*message.Message{m}}
		require.NoError(tb, s.Conversations().Create(tb.Context(), c))
		ids = append(ids, c.ID)
	}
	return ids
}

// retainAtOnce has several runs for the same rows: each is done, and counted, once.
func retainAtOnce(t *testing.T, st store.Store) {
	const users, each, runs = 2, 8, 4
	for range users {
		s := st.ForUser(uuid.New())
		quiet(t, s, each, 11*day)
		quiet(t, s, each, 31*day)
		gone := quiet(t, s, each, 31*day)
		require.NoError(t, st.DB(t.Context()).Model(&conversation.Conversation{}).Where("id IN ?", gone).
			UpdateColumn("deleted_at", time.Now().Add(-21*day)).Error)
	}
	p := everyStep
	p.BatchSize = 3
	var results [runs]store.RetentionResult
	errs := together(runs, func(i int) (err error) {
		results[i], err = st.AllUsers().Maintenance().Retain(t.Context(), p)
		return err
	})
	require.NoError(t, errors.Join(errs...))
	var sum store.RetentionResult
	for _, r := range results {
		sum.Archived += r.Archived
		sum.Deleted += r.Deleted
		sum.Purged = sum.Purged.Add(r.Purged)
	}
	const all = users * each
	assert.Equal(t, store.RetentionResult{
		Archived: all, Deleted: all, Purged: store.Counts{Conversations: all, Messages: all},
	}, sum)
	noOrphans(t, st)
	res, err := st.AllUsers().Maintenance().Retain(t.Context(), p)
	require.NoError(t, err)
	assert.Zero(t, res, "nothing is left")
}

// appendsAgainstRetain has every conversation either get its message and live, or be
// deleted and refuse it.
func appendsAgainstRetain(t *testing.T, st store.Store) {
	const writers, each = 4, 15
	mine := st.ForUser(uuid.New())
	ids := quiet(t, mine, writers*each, 31*day)
	var refused, deleted atomic.Int64
	errs := together(writers+1, func(i int) error {
		if i == writers {
			res, err := mine.Maintenance().Retain(t.Context(), store.RetentionPolicy{DeleteAfter: 30 * day, BatchSize: 2})
			deleted.Add(res.Deleted)
			return err
		}
		// From the end, which Retain comes to last.
		for n := each - 1; n >= 0; n-- {
			id := ids[n*writers+i]
			_, err := mine.Messages().Append(t.Context(), id, inbound("new"))
			_, getErr := mine.Conversations().Get(t.Context(), id)
			switch {
			case errors.Is(err, store.ErrNotFound) && errors.Is(getErr, store.ErrNotFound):
				refused.Add(1)
			case err != nil || getErr != nil:
				return errors.Join(err, getErr)
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	assert.Equal(t, deleted.Load(), refused.Load(), "a message was lost, or a conversation in spite of its message")
}
