package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// emptyDocuments are documents with nothing in them, as a host's own SQL may write them. The
// library keeps those of tool calls as they are, so that a call may be answered with them.
var emptyDocuments = []string{`[]`, ` [ ]`, `{}`, "{\n}", `""`, `null`}

// testMessageEmptyDocuments: a message whose tool calls or attachments are empty documents has
// none, for every filter, report and scope.
func testMessageEmptyDocuments(t *testing.T, w *world) {
	c := w.conversation(t)
	m := w.append(t, c, &message.Message{
		Role: message.RoleAssistant, ToolCalls: message.JSON(`[1]`), Attachments: message.Attachments{{Filename: "a"}},
	})
	require.Equal(t, [2]int{1, 1}, w.withSomething(t, w.mine, m), "with something")
	for _, empty := range append(emptyDocuments, `"x"`, `1`, `{"filename":"a"}`) {
		db := w.st.DB(t.Context()).Model(&message.Message{}).Where("user_id = ? AND id = ?", w.user, m.ID)
		require.NoError(t, db.UpdateColumn("attachments", empty).Error)
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			require.Equal(t, 0, w.withSomething(t, s, m)[1], "attachments %s", empty)
		}
	}
	for _, empty := range emptyDocuments {
		db := w.st.DB(t.Context()).Model(&message.Message{}).Where("user_id = ? AND id = ?", w.user, m.ID)
		require.NoError(t, db.UpdateColumn("tool_calls", empty).Error)
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			require.Equal(t, 0, w.withSomething(t, s, m)[0], "tool calls %s", empty)
		}
		require.True(t, w.message(t, m.ID).ToolCalls.IsEmpty())
	}
}

// withSomething returns how often m is found as a message with tool calls and with attachments,
// which is the same in every way to ask.
func (w *world) withSomething(t *testing.T, s store.Scope, m *message.Message) [2]int {
	t.Helper()
	ctx := t.Context()
	count := func(rows []*message.Message) (n int) {
		for _, row := range rows {
			if row.ID == m.ID {
				n++
			}
		}
		return n
	}
	var found [2]int
	for i, f := range []store.MessageFilter{{HasToolCalls: true}, {HasAttachments: true}} {
		page, err := s.Messages().List(ctx, m.ConversationID, f, store.PageRequest{})
		require.NoError(t, err)
		all, err := collect(s.Messages().AllByUser(ctx, f))
		require.NoError(t, err)
		found[i] = count(page.Items)
		require.Equal(t, found[i], count(all))
	}
	calls, files := w.scoped(t)
	ofScopes := [2]int{count(calls), count(files)}
	require.Equal(t, found, ofScopes, "the scopes of the model")
	attached, err := s.Reports().MessagesWithAttachments(ctx, store.Period{}, store.PageRequest{Limit: store.MaxLimit})
	require.NoError(t, err)
	n := 0
	for _, row := range attached.Items {
		if row.MessageID == m.ID {
			n++
		}
	}
	require.Equal(t, found[1], n)
	counts, err := s.Reports().AttachmentCounts(ctx, store.Top{Limit: store.MaxLimit})
	require.NoError(t, err)
	n = 0
	for _, row := range counts {
		if row.ConversationID == m.ConversationID {
			n = int(row.Messages)
		}
	}
	require.Equal(t, found[1], n)
	return found
}

// scoped reads the messages of the world's user through the scopes of the model.
func (w *world) scoped(t *testing.T) (calls, files []*message.Message) {
	t.Helper()
	require.NoError(t, w.st.DB(t.Context()).Scopes(message.OwnedBy(w.user), message.WithToolCalls).Find(&calls).Error)
	require.NoError(t, w.st.DB(t.Context()).Scopes(message.OwnedBy(w.user), message.WithAttachments).Find(&files).Error)
	return calls, files
}
