package erase_test

import (
	"strings"
	"testing"

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
	"github.com/convostore/convostore/store/storetest"
)

// fillTables gives a user a conversation with a message and, unless bare, a row in every table.
func fillTables(t *testing.T, st store.Store, user uuid.UUID, bare bool) *conversation.Conversation {
	t.Helper()
	m := &message.Message{Role: message.RoleUser, Content: "x"}
	c := &conversation.Conversation{Messages: []*message.Message{m}}
	require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
	if bare {
		return c
	}
	vector := make(message.Vector, 1536)
	vector[0] = 1
	require.NoError(t, m.SetEmbedding("m", vector))
	for _, row := range []any{
		m.Embeddings[0],
		&message.Ref{MessageID: m.ID, UserID: user, Provider: "gmail", Ref: "1"},
		&message.Vote{MessageID: m.ID, UserID: user, Voter: "ann", Value: message.VoteUp},
		&message.OutboxEntry{MessageID: m.ID, UserID: user, Channel: "gmail"},
		&conversation.Label{ConversationID: c.ID, UserID: user, Label: "urgent"},
		&conversation.Read{ConversationID: c.ID, UserID: user, Reader: "ann"},
		&conversation.State{ConversationID: c.ID, UserID: user, Key: "key"},
		&conversation.UserState{UserID: user, Key: "key"},
		&conversation.Summary{ConversationID: c.ID, UserID: user, FromSeq: 1, ToSeq: 1, Content: "x"},
	} {
		require.NoError(t, st.DB(t.Context()).Create(row).Error)
	}
	return c
}

// TestStatementsOfAnErasure counts the round trips beside BEGIN and COMMIT: on PostgreSQL one that
// locks and one that removes, however many tables have rows; that of one conversation also looks for
// what was merged into it. A purge also looks for what is due, in
// three tables and once more after a batch. SQLite, which runs in the process, asks which tables
// have rows and takes a statement for each of them.
func TestStatementsOfAnErasure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		open       func() (store.Store, error)
		bare, full map[string]int
	}{
		{
			"postgres", func() (store.Store, error) {
				return postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{}))
			},
			map[string]int{"Erase": 6, "EraseUser": 5, "Purge": 10},
			map[string]int{"Erase": 6, "EraseUser": 5, "Purge": 10},
		},
		{
			"sqlite", func() (store.Store, error) {
				return sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{}))
			},
			map[string]int{"Erase": 7, "EraseUser": 6, "Purge": 10},
			map[string]int{"Erase": 15, "EraseUser": 15, "Purge": 14},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			opened, err := c.open()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, opened.Close()) })
			rec := &storetest.Recorder{}
			st, err := convostore.New(t.Context(), rec.Wrap(opened.DB(t.Context())))
			require.NoError(t, err)
			countErasures(t, st, rec, true) // what is read once of a schema is read
			assert.Equal(t, c.bare, countErasures(t, st, rec, true), "without rows in other tables")
			assert.Equal(t, c.full, countErasures(t, st, rec, false), "with rows in every table")
		})
	}
}

func countErasures(t *testing.T, st store.Store, rec *storetest.Recorder, bare bool) map[string]int {
	t.Helper()
	ctx, statements := t.Context(), map[string]int{}
	for name, erase := range map[string]func(store.Scope, *conversation.Conversation) (store.Counts, error){
		"Erase": func(s store.Scope, c *conversation.Conversation) (store.Counts, error) {
			return s.Conversations().Erase(ctx, c.ID)
		},
		"EraseUser": func(s store.Scope, _ *conversation.Conversation) (store.Counts, error) {
			return s.Maintenance().EraseUser(ctx)
		},
		"Purge": func(s store.Scope, c *conversation.Conversation) (store.Counts, error) {
			_, err := s.Messages().Delete(ctx, c.Messages[0].ID)
			require.NoError(t, err)
			rec.Reset()
			return s.Maintenance().Purge(ctx, message.Now().AddDate(1, 0, 0))
		},
	} {
		user := uuid.New()
		c := fillTables(t, st, user, bare)
		rec.Reset()
		n, err := erase(st.ForUser(user), c)
		require.NoError(t, err)
		require.Positive(t, n.Messages)
		require.Equal(t, bare, n.Refs == 0)
		for _, s := range rec.Statements() {
			if !strings.Contains(s.SQL, "SAVEPOINT") {
				statements[name]++
			}
		}
	}
	return statements
}
