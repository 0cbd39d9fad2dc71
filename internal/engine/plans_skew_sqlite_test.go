package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// TestPlansOfSkewedUsersSQLite has many users with one conversation each, and one whose conversations
// alone have branches, edits, labels and attachments, and wait. SQLite plans for the average, for which
// an index of all rows looks better than that of the few: reads go through the latter all the same.
func TestPlansOfSkewedUsersSQLite(t *testing.T) {
	t.Parallel()
	ctx, heavy := t.Context(), uuid.New()
	st := bothtest.Database{SQLite: true, DSN: t.TempDir() + "/chat.db"}.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
	id := fillSkewed(t, st, heavy)
	require.NoError(t, st.DB(ctx).Exec("ANALYZE").Error)
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(ctx, rec.Wrap(st.DB(ctx)))
	require.NoError(t, err)
	mine, page := recorded.ForUser(heavy), store.PageRequest{Limit: 5}
	list := func(f store.ConversationFilter) error { _, err := mine.Conversations().List(ctx, f, page); return err }
	for name, read := range map[string]struct {
		index string // the plan of each statement with the marker has it
		of    string
		read  func() error
	}{
		"path": {"messages_parent_idx", "parent_seq IS NOT NULL", func() error { _, err := mine.Messages().Path(ctx, id, 30, page); return err }},
		"filtered path": {"messages_parent_idx", "parent_seq IS NOT NULL", func() error {
			_, err := mine.Messages().List(ctx, id, store.MessageFilter{Roles: []message.Role{message.RoleUser}}, page)
			return err
		}},
		"branches": {"messages_parent_idx", "LEFT JOIN", func() error { _, err := mine.Messages().Branches(ctx, id, 30); return err }},
		"changes": {"messages_change_key", "change_seq >", func() error {
			for _, err := range mine.Messages().Tail(ctx, id, store.Position{Seq: 60}, store.TailOptions{Once: true}) {
				return err
			}
			return nil
		}},
		"queue": {"conversations_queue_idx", "needs_reply", func() error {
			return list(store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}})
		}},
		"assignee": {"conversations_assignee_idx", "assignee = ", func() error { return list(store.ConversationFilter{Assignee: "ann"}) }},
		"app":      {"conversations_app_idx", "app = ", func() error { return list(store.ConversationFilter{App: "app"}) }},
		"idempotency keys": {"messages_idempotency_key", "idempotency_key IN", func() error {
			_, err := mine.Messages().AppendMany(ctx, id, []*message.Message{
				{Role: message.RoleUser, Content: "k", IdempotencyKey: "one"}, {Role: message.RoleUser, Content: "k", IdempotencyKey: "two"},
			}, store.AppendOptions{})
			return err
		}},
		"provider's ids": {"messages_postmark_key", "postmark_message_id IN", func() error {
			_, err := mine.Messages().AppendMany(ctx, id, []*message.Message{
				{Role: message.RoleUser, Content: "k", PostmarkMessageID: "one"}, {Role: message.RoleUser, Content: "k", PostmarkMessageID: "two"},
			}, store.AppendOptions{})
			return err
		}},
		"mail": {"messages_email_id_idx", "email_message_id IN", func() error {
			_, err := mine.Messages().FindThread(ctx, &message.Message{Headers: message.Headers{
				"References": {"<a@x> <b@x> <c@x> <d@x> <e@x> <f@x> <g@x> <h@x>"}, "In-Reply-To": {"<" + id.String() + "@x>"},
			}})
			return err
		}},
		"labels": {"conversation_labels_label_idx", "conversation_labels", func() error { return list(store.ConversationFilter{Labels: []string{"urgent"}}) }},
		"attachments": {"messages_attachments_idx", "attachments IS NOT NULL", func() error {
			_, err := mine.Messages().ListByUser(ctx, store.MessageFilter{HasAttachments: true}, page)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rec.Reset()
			require.NoError(t, read.read())
			checked := 0
			for _, s := range rec.Statements() {
				if !strings.Contains(s.SQL, read.of) {
					continue
				}
				checked++
				plan := planOf(t, st, s)
				require.Contains(t, plan, read.index, s.SQL)
				require.NotRegexp(t, `SEARCH s USING INDEX sqlite_autoindex|conversations_(all_)?activity_idx`, plan, s.SQL)
			}
			require.Positive(t, checked)
		})
	}
}

func planOf(t *testing.T, st store.Store, s storetest.Statement) string {
	t.Helper()
	rows, err := st.DB(t.Context()).Statement.ConnPool.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.SQL, s.Args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n")
}

// fillSkewed stores the conversations and returns the one with branches.
func fillSkewed(t *testing.T, st store.Store, heavy uuid.UUID) uuid.UUID {
	t.Helper()
	ctx := t.Context()
	said := func(n int) (ms []*message.Message) {
		for i := range n {
			ms = append(ms, &message.Message{Role: message.RoleUser, Content: fmt.Sprint(i)}, &message.Message{Role: message.RoleAssistant, Content: fmt.Sprint(i)})
		}
		return ms
	}
	for range 150 {
		require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(ctx, &conversation.Conversation{Messages: said(1)}))
	}
	mine, id := st.ForUser(heavy), uuid.Nil
	for i := range 60 {
		c := &conversation.Conversation{Messages: said(1)}
		if i == 0 {
			c.Messages = said(40)
		}
		for _, m := range c.Messages {
			key := uuid.NewString()
			m.Attachments = message.Attachments{{Filename: "x"}}
			m.IdempotencyKey, m.PostmarkMessageID, m.EmailMessageID = key, key, "<"+key+"@x>"
		}
		if c.App, c.Assignee = "app", "ann"; i == 0 {
			c.ID = uuid.New()
			c.Messages[0].EmailMessageID = "<" + c.ID.String() + "@x>"
		}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		_, err := mine.Conversations().AddLabels(ctx, c.ID, "ann", []string{"urgent", "a", "b", "c", "d", "e", "f", "g", "h", "i"})
		require.NoError(t, err)
		if i > 0 {
			_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "waits"})
			require.NoError(t, err)
			continue
		}
		id = c.ID
		for j, m := range c.Messages {
			_, err := mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("edited")})
			require.NoError(t, err)
			_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "again", ParentSeq: new(int64(j))})
			require.NoError(t, err)
		}
	}
	return id
}
