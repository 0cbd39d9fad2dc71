package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// statements is a log of what a store runs.
type statements struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *statements) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// copies is how many of the statements were COPY.
func (s *statements) copies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), "COPY ")
}

func (s *statements) option() convostore.Option {
	return convostore.WithLogger(slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})), time.Hour)
}

// laden are n messages with something in every column and with texts that COPY must escape.
func laden(n int) []*message.Message {
	all := make([]*message.Message, n)
	for i := range all {
		all[i] = &message.Message{
			Role: message.RoleAssistant, Direction: message.DirectionOutbound,
			Content:     fmt.Sprintf("line %d\n\ttab \\ back\\nslash \\N \r\n\\.\n", i),
			SenderEmail: "a@example.com", RecipientEmail: `"o\"dd"@example.com`,
			PostmarkMessageID: fmt.Sprint("p", i), GmailMessageID: fmt.Sprint("g", i), GmailThreadID: "t\\1",
			EmailMessageID: fmt.Sprintf("<%d@example.com>", i), IdempotencyKey: fmt.Sprint("k\t", i),
			Headers:     message.Headers{"X-\\": {"a\tb", `"`}},
			Attachments: message.Attachments{{Filename: "a\\b\n.pdf", ContentType: "application/pdf", Size: 3}},
			ToolCalls:   message.JSON(`[{"a":"\\\n\"\t"}]`), ToolResults: message.JSON(`[1e3]`), Metadata: message.JSON(`{"ü":"\u2028"}`),
			SentAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC).Add(time.Duration(i) * time.Hour),
		}
		if i%3 == 0 {
			all[i] = &message.Message{Role: message.RoleUser, Content: `\N`}
		}
	}
	return all
}

func each(ms []*message.Message, conversationID uuid.UUID) iter.Seq2[*message.Message, error] {
	return func(yield func(*message.Message, error) bool) {
		for _, m := range ms {
			m.ConversationID = conversationID
			if !yield(m, nil) {
				return
			}
		}
	}
}

func begun(t *testing.T, s store.Scope) uuid.UUID {
	t.Helper()
	c := &conversation.Conversation{}
	require.NoError(t, s.Conversations().Create(t.Context(), c))
	return c.ID
}

// TestCopy imports in every way to open a store: what is stored is the same by COPY as by
// INSERT, and which of the two it is.
func TestCopy(t *testing.T) {
	t.Parallel()
	const many = 120
	for _, way := range []struct {
		name   string
		open   storetest.Factory
		copies int
	}{
		{"prepared", open, 2},
		{"simple protocol", simple, 2},
		{"prefix and schema", elsewhere, 2},
		{"a host's pool", host, 2},
		{"a host's plugins see all statements", func(tb testing.TB, opts ...convostore.Option) store.Store {
			return fresh(tb, "host", openPlugged, append(opts, withoutIndex)...)
		}, 0},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			ctx, log := t.Context(), new(statements)
			st := way.open(t, log.option())
			mine := st.ForUser(uuid.New())
			copied := begun(t, mine)
			result, err := mine.Messages().Import(ctx, each(laden(many), copied), store.ImportOptions{BatchSize: 70})
			require.NoError(t, err)
			require.Equal(t, store.ImportResult{Imported: many}, result)
			// The last batch is of 50, and the second one of AppendMany of none that are new.
			require.Equal(t, way.copies, log.copies())
			result, err = mine.Messages().Import(ctx, each(keyed(laden(many)), copied), store.ImportOptions{})
			require.NoError(t, err)
			require.Equal(t, store.ImportResult{Duplicates: many / 3 * 2}, result)
			require.Equal(t, way.copies, log.copies())

			other := st.ForUser(uuid.New())
			inserted := begun(t, other)
			tx := st.DB(ctx).Begin()
			require.NoError(t, tx.Error)
			_, err = st.WithTx(tx).ForUser(scopeOf(t, other, inserted)).Messages().Import(ctx, each(laden(many), inserted), store.ImportOptions{})
			require.NoError(t, err)
			require.NoError(t, tx.Commit().Error)
			require.Equal(t, way.copies, log.copies(), "in a transaction of the host's")

			assert.Equal(t, plain(t, other, inserted), plain(t, mine, copied))
		})
	}
}

func keyed(ms []*message.Message) []*message.Message {
	return slices.DeleteFunc(ms, func(m *message.Message) bool { return m.IdempotencyKey == "" })
}

// unkeyed are n messages that nothing is looked up for before they are written.
func unkeyed(n int) []*message.Message {
	return slices.DeleteFunc(laden(3*n), func(m *message.Message) bool { return m.IdempotencyKey != "" })
}

func scopeOf(t *testing.T, s store.Scope, id uuid.UUID) uuid.UUID {
	t.Helper()
	c, err := s.Conversations().Get(t.Context(), id)
	require.NoError(t, err)
	return c.UserID
}

// plain are the messages of a conversation without what differs between two imports.
func plain(t *testing.T, s store.Scope, id uuid.UUID) []message.Message {
	t.Helper()
	var all []message.Message
	for _, m := range storetest.CheckConversation(t, s, id) {
		c := *m
		c.ID, c.UserID, c.ConversationID, c.CreatedAt, c.UpdatedAt = uuid.Nil, uuid.Nil, uuid.Nil, time.Time{}, time.Time{}
		if c.Content == `\N` {
			c.SentAt = time.Time{}
		}
		all = append(all, c)
	}
	return all
}

// plugin is one that does nothing.
type plugin struct{}

func (plugin) Name() string              { return "nothing" }
func (plugin) Initialize(*gorm.DB) error { return nil }

func openPlugged(ctx context.Context, dsn string, opts ...convostore.Option) (store.Store, error) {
	db, err := gorm.Open(driver.Open(dsn), &gorm.Config{Plugins: map[string]gorm.Plugin{"nothing": plugin{}}})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	st, err := convostore.New(ctx, db, opts...)
	return hosted{st, pool}, err
}

// TestCopyInTransaction copies in a transaction that the store began, and rolls it back.
func TestCopyInTransaction(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), new(statements)
	st := open(t, log.option())
	user := uuid.New()
	id := begun(t, st.ForUser(user))
	err := st.Transaction(ctx, func(tx store.Store) error {
		created, err := tx.ForUser(user).Messages().AppendMany(ctx, id, keyed(laden(90)), store.AppendOptions{})
		require.NoError(t, err)
		require.Len(t, created, 60)
		return assert.AnError
	})
	require.ErrorIs(t, err, assert.AnError)
	require.Equal(t, 1, log.copies())
	require.Empty(t, storetest.CheckConversation(t, st.ForUser(user), id))
	c := &conversation.Conversation{Messages: laden(60)}
	require.NoError(t, st.ForUser(user).Conversations().Create(ctx, c))
	require.Equal(t, 2, log.copies())
	require.Len(t, storetest.CheckConversation(t, st.ForUser(user), c.ID), 60)
}

// TestCopyMeetsDuplicate has another transaction of the user put the same mail into another
// conversation while the copy waits for it: then the batch goes again without that mail.
func TestCopyMeetsDuplicate(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), new(statements)
	st := open(t, log.option(), postgres.WithMaxConns(4))
	user := uuid.New()
	mine := st.ForUser(user)
	here, there := begun(t, mine), begun(t, mine)
	tx := st.DB(ctx).Begin()
	require.NoError(t, tx.Error)
	_, err := st.WithTx(tx).ForUser(user).Messages().Append(ctx, there, &message.Message{Role: message.RoleUser, Content: "first", GmailMessageID: "g1"})
	require.NoError(t, err)
	type ended struct {
		store.ImportResult
		error
	}
	done := make(chan ended, 1)
	go func() {
		result, err := mine.Messages().Import(ctx, each(laden(60), here), store.ImportOptions{})
		done <- ended{result, err}
	}()
	require.Eventually(t, func() bool {
		var waits bool
		err := st.DB(ctx).Raw(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
			AND query LIKE 'COPY %' AND wait_event_type = 'Lock')`).Scan(&waits).Error
		return err == nil && waits
	}, time.Minute, time.Millisecond)
	require.NoError(t, tx.Commit().Error)
	end := <-done
	require.NoError(t, end.error)
	require.Equal(t, store.ImportResult{Imported: 59, Duplicates: 1}, end.ImportResult)
	require.Equal(t, 2, log.copies())
	require.Len(t, storetest.CheckConversation(t, mine, here), 59)
}

// TestCopyRefused imports as a role under a policy of row-level security, which PostgreSQL
// takes no COPY for.
func TestCopyRefused(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), new(statements)
	owner := fresh(t, "simple", postgres.Open, withoutIndex)
	role := "tenant_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	for _, statement := range []string{
		"CREATE ROLE " + role,
		"GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role,
		"ALTER TABLE messages ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY everything ON messages USING (true)",
	} {
		require.NoError(t, owner.DB(ctx).Exec(statement).Error)
	}
	t.Cleanup(func() {
		db := owner.DB(context.WithoutCancel(t.Context()))
		assert.NoError(t, db.Exec("DROP OWNED BY "+role).Error)
		assert.NoError(t, db.Exec("DROP ROLE "+role).Error)
	})
	st, err := postgres.Open(ctx, dsnOf(t, owner)+" options='-c role="+role+"'", log.option())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	user := uuid.New()
	mine := st.ForUser(user)
	id := begun(t, mine)
	require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.ForUser(user).Messages().Import(ctx, each(laden(60), id), store.ImportOptions{})
		return err
	}))
	require.Equal(t, 1, log.copies())
	result, err := mine.Messages().Import(ctx, each(laden(60), begun(t, mine)), store.ImportOptions{})
	require.NoError(t, err)
	require.Equal(t, store.ImportResult{Imported: 20, Duplicates: 40}, result)
	require.Equal(t, 1, log.copies(), "it is not tried again")
	require.Len(t, storetest.CheckConversation(t, mine, id), 60)
}
