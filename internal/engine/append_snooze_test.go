package engine_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestAppendStatementsOfSnoozed: to end a snooze takes no statement more, but for SQLite where the status
// stays what it is. What does not end it takes none anywhere.
func TestAppendStatementsOfSnoozed(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, func(t *testing.T, st store.Store, b *logbook) {
		ctx, mine := t.Context(), st.ForUser(uuid.New())
		c := &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		add := func(key string, role message.Role) {
			t.Helper()
			_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: role, Content: "a", IdempotencyKey: key})
			require.NoError(t, err)
		}
		snooze := func() {
			t.Helper()
			_, err := mine.Conversations().Snooze(ctx, c.ID, time.Now().Add(time.Hour))
			require.NoError(t, err)
			b.take(t)
		}
		took := func(postgres, sqlite int, what string) {
			t.Helper()
			require.Len(t, b.take(t), map[string]int{"postgres": postgres, "sqlite": sqlite}[st.DB(ctx).Name()], what)
		}
		add("", message.RoleAssistant) // reads what the schema can do
		for _, key := range []string{"", uuid.NewString()} {
			snooze()
			add(key, message.RoleUser)
			took(1, 3, "ends it, with a new status")
			add(suffix(key, "b"), message.RoleUser)
			took(1, 2, "there is none")
			snooze()
			add(suffix(key, "c"), message.RoleUser)
			took(1, 3, "ends it, with the same status")
			add(suffix(key, "d"), message.RoleAssistant)
			b.take(t)
			snooze()
			add(suffix(key, "e"), message.RoleAssistant)
			took(1, 2, "leaves it")
		}
	})
}

// suffix is another key, or none again.
func suffix(key, more string) string {
	if key == "" {
		return ""
	}
	return key + more
}
