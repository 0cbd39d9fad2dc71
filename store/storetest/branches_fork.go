package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func testBranchFork(t *testing.T, w *world) {
	ctx := t.Context()
	c := &conversation.Conversation{Title: "chat", App: "app", LeadID: uuid.NewString(), Metadata: message.JSON(`{"a":1}`), ExternalKey: "origin"}
	w.create(t, c)
	w.append(t, c, text("hidden"))
	full := everything(epoch)
	full.ParentSeq = nil
	w.append(t, c, full)
	w.embed(t, full, "m")
	hidden, err := collect(w.mine.Messages().All(ctx, c.ID, store.MessageFilter{}))
	require.NoError(t, err)
	w.deleteMessage(t, hidden[0])
	w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "half", State: message.StateStreaming, Fence: 2})
	w.under(t, c, 2, "other")
	state := &conversation.State{ConversationID: c.ID, UserID: full.UserID, Key: "mood", Value: conversation.Value("\x00good"), Version: 3, UpdatedAt: epoch}
	require.NoError(t, w.st.DB(ctx).Create(state).Error)
	w.tick()

	id := uuid.New()
	forked, err := w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{AtSeq: 3, ID: id, ExternalKey: "fork", Title: "copy"})
	require.NoError(t, err)
	same(t, w.get(t, id), forked)
	require.Equal(t, []any{c.ID, int64(3), "copy", "fork", c.App, c.LeadID, int64(2), false},
		[]any{*forked.ForkedFromID, *forked.ForkedFromSeq, forked.Title, forked.ExternalKey, forked.App, forked.LeadID, forked.LastSeq, forked.Branched})
	sameJSON(t, `{"a":1}`, forked.Metadata)
	got, err := collect(w.mine.Messages().All(ctx, id, store.MessageFilter{}))
	require.NoError(t, err)
	require.Equal(t, []string{full.Content, "half"}, contents(got))
	require.Equal(t, message.StateInterrupted, got[1].State, "nobody streams into the copy")
	want := *full
	want.ID, want.ConversationID, want.Seq, want.ParentSeq, want.Revision, want.ChangeSeq = got[0].ID, id, 1, nil, 0, 0
	want.GmailMessageID, want.GmailThreadID, want.PostmarkMessageID, want.EmailMessageID = "", "", "", ""
	want.Fence, want.HeartbeatAt, want.Delivery = 0, nil, got[0].Delivery
	same(t, want, got[0])
	require.NotEqual(t, full.ID, got[0].ID)
	vectors, err := w.mine.Embeddings().Get(ctx, got[0].ID, "m")
	require.NoError(t, err)
	require.NotEmpty(t, vectors.Vector)
	var states []*conversation.State
	require.NoError(t, w.st.DB(ctx).Where("conversation_id = ?", id).Find(&states).Error)
	require.Len(t, states, 1)
	require.Equal(t, []any{"mood", conversation.Value("\x00good"), int64(3)}, []any{states[0].Key, states[0].Value, states[0].Version})

	// A fork of a fork, and of what is left when both origins are gone.
	again, err := w.mine.Conversations().Fork(ctx, id, store.ForkOptions{})
	require.NoError(t, err)
	require.Equal(t, id, *again.ForkedFromID)
	require.Equal(t, []string{full.Content, "half"}, w.messages(t, again))
	must[store.Counts](t)(w.mine.Conversations().Erase(ctx, id))
	require.Equal(t, []string{full.Content, "half"}, w.messages(t, again))
	head, err := w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{full.Content, "other"}, w.messages(t, head))
	deleted, err := w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{AtSeq: 1})
	require.NoError(t, err)
	require.Empty(t, w.messages(t, deleted), "a path that ends with a deleted message does not show it")
}

func testBranchForkOther(t *testing.T, w *world) {
	ctx, c := t.Context(), w.tree(t)
	w.unchanged(t, func() {
		missing[*conversation.Conversation](t)(w.other().Conversations().Fork(ctx, c.ID, store.ForkOptions{}))
		missing[*conversation.Conversation](t)(w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{AtSeq: 6}))
		missing[*conversation.Conversation](t)(w.mine.Conversations().Fork(ctx, uuid.New(), store.ForkOptions{}))
		_, err := w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{AtSeq: -1})
		invalid(t, err, "at_seq")
		_, err = w.mine.Conversations().Fork(ctx, c.ID, store.ForkOptions{ID: c.ID})
		require.ErrorIs(t, err, store.ErrConflict)
	})
	everybody, err := w.st.AllUsers().Conversations().Fork(ctx, c.ID, store.ForkOptions{})
	require.NoError(t, err)
	require.Equal(t, c.UserID, everybody.UserID)
}

// testBranchPurge: what is removed for good leaves its children with its parent.
func testBranchPurge(t *testing.T, w *world) {
	ctx, c := t.Context(), w.tree(t)
	w.append(t, c, text("4b"))
	w.under(t, c, 4, "3c")
	all, err := collect(w.mine.Messages().All(ctx, c.ID, store.MessageFilter{Branches: store.AllBranches}))
	require.NoError(t, err)
	for _, m := range all {
		if m.Content == "2b" || m.Content == "3b" || m.Content == "1" {
			w.deleteMessage(t, m)
		}
	}
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 5))
	counts, err := w.mine.Maintenance().Purge(ctx, message.Now().AddDate(1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 3, counts.Messages)
	require.Equal(t, []string{"4b"}, w.path(t, c, 6))
	require.Equal(t, []string{"3c"}, w.path(t, c, 7))
	require.Equal(t, []string{"2", "3"}, w.path(t, c, 3))
	require.Empty(t, w.messages(t, c), "the head moved to the parent that stays, the beginning")
	w.append(t, c, text("new"))
	require.Equal(t, []string{"new"}, w.messages(t, c))
	branches, err := w.mine.Messages().Branches(ctx, c.ID, 2)
	require.NoError(t, err)
	require.Len(t, branches, 4)
}

func testBranchImport(t *testing.T, w *world) {
	ctx, from, to := t.Context(), w.tree(t), w.conversation(t)
	all, err := collect(w.mine.Messages().All(ctx, from.ID, store.MessageFilter{Branches: store.AllBranches}))
	require.NoError(t, err)
	for _, m := range all {
		m.ID, m.ConversationID, m.IdempotencyKey = uuid.Nil, to.ID, m.Content
	}
	for _, want := range []store.ImportResult{{Imported: 5}, {Duplicates: 5}} {
		got, err := w.mine.Messages().Import(ctx, rowsOf(all...), store.ImportOptions{BatchSize: 2})
		require.NoError(t, err)
		require.Equal(t, want, got)
		for seq := range int64(5) {
			require.Equal(t, w.path(t, from, seq+1), w.path(t, to, seq+1))
		}
	}
}

func testBranchGetByKey(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	m := w.append(t, c, &message.Message{Role: message.RoleUser, IdempotencyKey: "k"})
	w.under(t, c, 0, "another branch")
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		got, err := s.Messages().GetByKey(ctx, c.ID, "k")
		require.NoError(t, err)
		same(t, m, got)
		missing[*message.Message](t)(s.Messages().GetByKey(ctx, c.ID, "other"))
		missing[*message.Message](t)(s.Messages().GetByKey(ctx, uuid.New(), "k"))
		_, err = s.Messages().GetByKey(ctx, c.ID, "")
		invalid(t, err, "idempotency_key")
	}
	w.deleteMessage(t, m)
	missing[*message.Message](t)(w.mine.Messages().GetByKey(ctx, c.ID, "k"))
}
