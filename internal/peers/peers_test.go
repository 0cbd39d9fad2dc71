package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

// TestSidesAgree keeps the program at work: all sides find the same.
func TestSidesAgree(t *testing.T) {
	const dimensions = 64
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "peers.db")
	st, err := sqlite.Open(ctx, path, convostore.WithMigrate(migrate.Options{Dimensions: dimensions}))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	embedder := embedtest.New(dimensions)
	c := &conversation.Conversation{}
	for _, text := range []string{"an invoice", "a website", "a parcel", "a meeting", "a password", "a refund"} {
		c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: text})
	}
	scope := st.ForUser(uuid.New())
	require.NoError(t, scope.Conversations().Create(ctx, c))
	for _, m := range c.Messages {
		require.NoError(t, scope.Embeddings().Set(ctx, m.ID, embedder.Model(), embedder.Vector(m.Content)))
	}
	o := options{db: path, model: embedder.Model(), limit: 2, rounds: 3}
	all, err := compare(ctx, o, [][]float32{embedder.Vector("my invoice"), embedder.Vector("the website")})
	require.NoError(t, err)
	require.Len(t, all, len(sides))
	for _, m := range all {
		require.InDelta(t, 1, m.Recall, 0, m.Name)
		require.Len(t, m.Times, o.rounds)
	}
}
