package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// TestCitusFromAWorker has a service come in by a worker, and read by the coordinator what
// it wrote.
func TestCitusFromAWorker(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dsn := pgtest.Citus(t)
	require.NoError(t, spread(dsn, migrate.Options{}))
	center, err := postgres.Open(ctx, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, center.Close()) })
	for _, at := range pgtest.CitusWorkers(t, dsn) {
		st, err := postgres.Open(ctx, at)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		for range 4 { // on whichever node they lie
			user := uuid.New()
			mine := st.ForUser(user)
			c := &conversation.Conversation{Title: "roof"}
			require.NoError(t, mine.Conversations().Create(ctx, c))
			for _, wrote := range []bool{true, false} {
				created, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a leaking roof", GmailMessageID: "1"})
				require.NoError(t, err)
				require.Equal(t, wrote, created)
			}
			found, err := mine.Search().Messages(ctx, "leaking", store.TextOptions{}, store.PageRequest{})
			require.NoError(t, err)
			require.Len(t, found.Items, 1)
			last, err := center.ForUser(user).Messages().Last(ctx, c.ID, 50)
			require.NoError(t, err)
			require.Len(t, last, 1)
		}
	}
	page, err := center.AllUsers().Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 8)
}

// TestCitusSizes has the sizes of the shards, and not of the empty tables before them.
func TestCitusSizes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := onCitus(t)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	for range 30 {
		c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: "a leaking roof"})
	}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	require.NoError(t, st.AllUsers().Maintenance().Analyze(ctx))
	sizes, err := st.Health().TableSizes(ctx)
	require.NoError(t, err)
	rows := map[string]int64{}
	for _, s := range sizes {
		rows[s.Table] = s.Rows
		require.Positive(t, s.Total)
	}
	require.EqualValues(t, 30, rows["messages"])
	require.EqualValues(t, 1, rows["conversations"])
	_, err = st.Health().IndexUsage(ctx)
	require.ErrorIs(t, err, store.ErrUnsupported)
	require.ErrorContains(t, err, "run_command_on_all_nodes")
}

// TestCitusSizesInATransaction has one that has written to several shards: Citus refuses, and
// the transaction goes on.
func TestCitusSizesInATransaction(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := onCitus(t)
	users := make([]uuid.UUID, 16)
	require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.Health().TableSizes(ctx)
		require.NoError(t, err, "nothing is written yet")
		for i := range users {
			users[i] = uuid.New()
			require.NoError(t, tx.ForUser(users[i]).Conversations().Create(ctx, &conversation.Conversation{}))
		}
		sizes, err := tx.Health().TableSizes(ctx)
		require.ErrorIs(t, err, store.ErrUnsupported)
		require.ErrorContains(t, err, "several shards")
		require.Nil(t, sizes)
		return tx.ForUser(users[0]).Conversations().Create(ctx, &conversation.Conversation{})
	}))
	for i, user := range users {
		page, err := st.ForUser(user).Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, map[bool]int{true: 2, false: 1}[i == 0])
	}
	_, err := st.Health().TableSizes(ctx)
	require.NoError(t, err)
}
