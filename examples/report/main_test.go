package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

func TestRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mail.db")
	now := time.Date(2026, 3, 27, 15, 30, 0, 0, time.UTC)
	st, err := sqlite.Open(t.Context(), file, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	mine, at := st.ForUser(store.TenantID("ann")), now.Add(-time.Hour)
	c := &conversation.Conversation{Subject: "Boots", CreatedAt: at, Messages: []*message.Message{
		{Direction: message.DirectionInbound, Content: "Hi", SentAt: at, CreatedAt: at},
		{Direction: message.DirectionOutbound, Content: "Ho", SentAt: at.Add(10 * time.Minute), CreatedAt: at},
	}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	require.NoError(t, mine.Suggestions().Create(t.Context(), &suggestion.Suggestion{
		ConversationID: c.ID, SuggestedContent: "Hey", ModelUsed: "m1", CreatedAt: at, GenerationCost: decimal.RequireFromString("0.25"), TokensUsed: 700,
	}))
	require.NoError(t, st.Close())

	var out strings.Builder
	require.NoError(t, run(t.Context(), file, lastDays(now, 30), &out))
	require.Equal(t, `conversations begun  1, of which 0 need a reply now
  2026-03-27  1 in, 1 out
answers              1, 0 questions open
response time        half within 10m0s, nine of ten within 10m0s
model                m1: 1 drafts, 0 % approved as they stood
cost                 0.2500 for 700 tokens: "Boots"
`, out.String())

	absent := filepath.Join(t.TempDir(), "absent.db")
	require.Error(t, run(t.Context(), absent, lastDays(now, 30), &out))
	require.NoFileExists(t, absent)
}
