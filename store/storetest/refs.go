package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func refTests() subtests {
	return subtests{
		"Refs":          testRefs,
		"RefsExclusive": testRefsExclusive,
		"GetByRef":      testGetByRef,
		"RefsRefused":   testRefsRefused,
	}
}

func testRefs(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	m := w.append(t, w.conversation(t), &message.Message{Role: message.RoleUser, EmailMessageID: "<1@x>", GmailMessageID: "1842843112218069537"})
	before := w.message(t, m.ID)
	at := w.tick()
	refs := func() []*message.Ref {
		t.Helper()
		all, err := ms.Refs(ctx, m.ID)
		require.NoError(t, err)
		return all
	}
	ref := func(provider, name string, exclusive bool) *message.Ref {
		return &message.Ref{MessageID: m.ID, UserID: w.user, Provider: provider, Ref: name, Exclusive: exclusive, CreatedAt: m.CreatedAt}
	}
	columns := []*message.Ref{ref("gmail", "1993180bf8888a21", true), ref("rfc5322", "<1@x>", false)}
	require.Equal(t, columns, refs())
	names := []message.Ref{
		{Provider: message.RefEmail, Ref: "1@x"}, {Provider: message.RefEmail, Ref: "2@x"}, {Provider: "a", Ref: scripts}, {Provider: "a", Ref: scripts},
	}
	for range 2 {
		require.NoError(t, ms.AddRefs(ctx, m.ID, names...))
		other := ref("a", scripts, false)
		other.CreatedAt = at
		second := ref("rfc5322", "<2@x>", false)
		second.CreatedAt = at
		first := ref("rfc5322", "<1@x>", false)
		first.CreatedAt = at
		require.Equal(t, []*message.Ref{other, columns[0], first, second}, refs())
	}
	same(t, before, w.message(t, m.ID))
	require.NoError(t, w.st.AllUsers().Messages().RemoveRefs(ctx, m.ID, names...))
	require.NoError(t, ms.RemoveRefs(ctx, m.ID, message.Ref{Provider: "never", Ref: "there"}))
	require.Equal(t, columns, refs())
	require.NoError(t, ms.AddRefs(ctx, m.ID))
	w.deleteMessage(t, m)
	require.ErrorIs(t, ms.AddRefs(ctx, m.ID, names...), store.ErrNotFound)
	require.ErrorIs(t, ms.RemoveRefs(ctx, m.ID, names...), store.ErrNotFound)
	missing[[]*message.Ref](t)(ms.Refs(ctx, m.ID))
	require.ErrorIs(t, ms.AddRefs(ctx, uuid.New(), names...), store.ErrNotFound)
	require.ErrorIs(t, ms.AddRefs(ctx, uuid.Nil, names...), store.ErrNotFound)
}

func testRefsExclusive(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	c := w.conversation(t)
	m, other := w.append(t, c, &message.Message{Role: message.RoleUser, PostmarkMessageID: "0a1b"}), w.append(t, c, text("b"))
	name := message.Ref{Provider: "x", Ref: "1", Exclusive: true}
	require.NoError(t, ms.AddRefs(ctx, m.ID, name))
	require.NoError(t, ms.AddRefs(ctx, m.ID, name), "its own")
	for _, taken := range []message.Ref{name, {Provider: message.RefPostmark, Ref: "<0a1b@mtasv.net>", Exclusive: true}} {
		w.unchanged(t, func() {
			err := ms.AddRefs(ctx, other.ID, message.Ref{Provider: "y", Ref: "2"}, taken)
			var is *store.TakenError
			require.ErrorAs(t, err, &is)
			require.ErrorIs(t, err, store.ErrConflict)
			require.Equal(t, "ref", is.Field)
			same(t, w.message(t, m.ID), is.Message)
		})
	}
	name.Exclusive = false
	require.NoError(t, ms.AddRefs(ctx, other.ID, name), "nobody says that it is one message's alone")
	shared := message.Ref{Provider: "x", Ref: "3"}
	require.NoError(t, ms.AddRefs(ctx, other.ID, shared))
	shared.Exclusive = true
	require.NoError(t, ms.AddRefs(ctx, other.ID, shared), "now it is said")
	got, err := ms.GetByRef(ctx, "x", "1")
	require.NoError(t, err)
	require.Equal(t, m.ID, got.ID)
	require.Error(t, ms.AddRefs(ctx, m.ID, shared))
	require.NoError(t, w.mine.Messages().RemoveRefs(ctx, other.ID, shared))
	require.NoError(t, ms.AddRefs(ctx, m.ID, shared))
	stranger := w.other()
	theirs := text("c")
	f, err := stranger.Messages().File(ctx, theirs, store.FileOptions{Refs: []message.Ref{shared}})
	require.NoError(t, err)
	require.True(t, f.Created, "another user's names are another's")
	_, err = w.st.AllUsers().Messages().GetByRef(ctx, "x", "3")
	require.ErrorIs(t, err, store.ErrConflict)
}

func testGetByRef(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	c := w.conversation(t)
	m := w.append(t, c, &message.Message{
		Role: message.RoleUser, EmailMessageID: "<1@x>", GmailMessageID: "1842843112218069537", PostmarkMessageID: "0a1b", GmailThreadID: "1993180bf8888a21",
	})
	require.NoError(t, ms.AddRefs(ctx, m.ID, message.Ref{Provider: message.RefEmail, Ref: "<2@x>"}, message.Ref{Provider: message.RefGmail, Ref: "1842843112218069001"}))
	names := [][2]string{
		{message.RefEmail, "<1@x>"},
		{message.RefEmail, "1@x"},
		{message.RefEmail, "2@x"},
		{message.RefPostmark, "0a1b"},
		{message.RefPostmark, "<0a1b@mtasv.net>"},
		{message.RefGmail, "1842843112218069537"},
		{message.RefGmail, "1993180BF8888A21"},
		{message.RefGmail, message.NormalizeRef(message.RefGmail, "1842843112218069001")},
		{message.RefGmailThread, "thread-f:1842843112218069537"},
	}
	for _, name := range names {
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			got, err := s.Messages().GetByRef(ctx, name[0], name[1])
			require.NoError(t, err, name)
			same(t, w.message(t, m.ID), got)
		}
		missing[*message.Message](t)(w.other().Messages().GetByRef(ctx, name[0], name[1]))
	}
	missing[*message.Message](t)(ms.GetByRef(ctx, message.RefEmail, "3@x"))
	missing[*message.Message](t)(ms.GetByRef(ctx, "x", "<1@x>"))
	second := w.append(t, c, &message.Message{Role: message.RoleUser, EmailMessageID: "<1@x>", CreatedAt: epoch.Add(time.Hour)})
	got, err := ms.GetByRef(ctx, message.RefEmail, "<1@x>")
	require.NoError(t, err)
	require.Equal(t, m.ID, got.ID, "the first")
	w.deleteMessage(t, m)
	got, err = ms.GetByRef(ctx, message.RefEmail, "<1@x>")
	require.NoError(t, err)
	require.Equal(t, second.ID, got.ID)
	w.delete(t, c)
	for _, name := range names {
		missing[*message.Message](t)(ms.GetByRef(ctx, name[0], name[1]))
	}
}

func testRefsRefused(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	m := w.append(t, w.conversation(t), text("a"))
	for field, refs := range map[string][]message.Ref{
		"provider": {{Ref: "x"}},
		"ref":      {{Provider: "x"}},
		"refs":     {{Provider: "x", Ref: "y", UserID: w.user}},
	} {
		w.unchanged(t, func() {
			invalid(t, ms.AddRefs(ctx, m.ID, append([]message.Ref{{Provider: "a", Ref: "b"}}, refs...)...), field)
			invalid(t, ms.RemoveRefs(ctx, m.ID, refs...), field)
		})
	}
	invalid(t, ms.AddRefs(ctx, m.ID, make([]message.Ref, store.MaxRefs+1)...), "refs")
	invalid(t, ms.AddRefs(ctx, m.ID, message.Ref{Provider: "convostore:answers", Ref: "x"}), "provider")
	_, err := ms.GetByRef(ctx, "", "x")
	invalid(t, err, "provider")
	_, err = ms.GetByRef(ctx, "x", "")
	invalid(t, err, "ref")
}
