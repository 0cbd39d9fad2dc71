package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// TestFilingWithoutStatistics files a mail among 6,000 of one user on a database that was never
// analyzed: what it reads must not grow with them.
func TestFilingWithoutStatistics(t *testing.T) {
	t.Parallel()
	st, user := unanalyzed(t)
	db := st.DB(t.Context())
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(db))
	require.NoError(t, err)
	mine := recorded.ForUser(user)
	mail := func(id, thread string, answers ...string) *message.Message {
		return &message.Message{
			Direction: message.DirectionInbound, SenderEmail: "ann@x.example", GmailThreadID: thread, Headers: message.Headers{
				"From": {"ann@x.example"}, "Message-ID": {id}, "References": {strings.Join(answers, " ")},
			},
		}
	}
	_, err = mine.Messages().File(t.Context(), mail("<warm@x.example>", ""), store.FileOptions{})
	require.NoError(t, err)
	for name, call := range map[string]func() error{
		"find": func() error {
			_, err := mine.Messages().FindThread(t.Context(), mail("<new@x.example>", "t17", "<12.1@x.example>", "<12.2@x.example>", "gone<12.3@x.example>"))
			return err
		},
		"find nothing": func() error {
			_, err := mine.Messages().FindThread(t.Context(), mail("<new@x.example>", "none", "<none@x.example>"))
			require.ErrorIs(t, err, store.ErrNotFound)
			return nil
		},
		"file": func() error {
			f, err := mine.Messages().File(t.Context(), mail("<filed@x.example>", "t17", "<18.1@x.example>", "<18.2@x.example>"), store.FileOptions{BySubject: true})
			require.Len(t, f.Merged, 1)
			return err
		},
		"file what is known": func() error {
			f, err := mine.Messages().File(t.Context(), mail("<20.1@x.example>", ""), store.FileOptions{})
			require.False(t, f.Created)
			return err
		},
		"by ref": func() error {
			_, err := mine.Messages().GetByRef(t.Context(), message.RefEmail, "<12.1@x.example>")
			return err
		},
	} {
		rec.Reset()
		require.NoError(t, call(), name)
		statements, read := rec.Statements(), 0
		for _, s := range statements {
			if !strings.HasPrefix(s.SQL, "SELECT") || strings.Contains(s.SQL, "advisory") {
				continue
			}
			var lines []string
			require.NoError(t, db.Raw("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) "+s.SQL, s.Args...).Scan(&lines).Error, s.SQL)
			rows := allRead(lines)
			assert.Less(t, rows, 100, "%s: %s\n%s", name, s.SQL, strings.Join(lines, "\n"))
			read += rows
		}
		assert.Positive(t, read, fmt.Sprint(name, " reads something"))
		assert.Less(t, len(statements), 60, name)
		t.Logf("%s: %d statements, %d rows", name, len(statements), read)
	}
}

// unanalyzed is a database that was never analyzed, and a user who has 6,000 mails there, in threads
// of four.
func unanalyzed(t *testing.T) (store.Store, uuid.UUID) {
	t.Helper()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	db, user := st.DB(t.Context()), uuid.New()
	for _, sql := range []string{
		"ALTER TABLE conversations SET (autovacuum_enabled = false)",
		"ALTER TABLE messages SET (autovacuum_enabled = false)",
		"ALTER TABLE message_refs SET (autovacuum_enabled = false)",
	} {
		require.NoError(t, db.Exec(sql).Error)
	}
	const mails = 6000
	require.NoError(t, db.Exec("INSERT INTO conversations (id, user_id, last_seq) SELECT gen_random_uuid(), ?, 4 FROM generate_series(1, ?)", user, mails/4).Error)
	require.NoError(t, db.Exec(`INSERT INTO messages (id, user_id, conversation_id, seq, role, direction, content, sender_email, email_message_id, gmail_thread_id, headers)
		SELECT gen_random_uuid(), c.user_id, c.id, s, 'user', 'inbound', 'text', 'ann@x.example', '<' || c.n || '.' || s || '@x.example>', 't' || c.n, '{"From": "ann@x.example"}'
		FROM (SELECT *, row_number() OVER () AS n FROM conversations) c CROSS JOIN generate_series(1, 4) s`).Error)
	require.NoError(t, db.Exec(`INSERT INTO message_refs (message_id, user_id, provider, ref) SELECT id, user_id, 'convostore:answers', 'gone' || email_message_id FROM messages`).Error)
	return st, user
}

// allRead is how many rows the scans of a plan have read together.
func allRead(plan []string) (n int) {
	for i := range plan {
		n += rowsRead(plan, i)
	}
	return n
}
