package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Senders who have nothing to do with each other are apart, whatever ids their mails name.
func testFilePeople(t *testing.T, w *world) {
	between := func(from, to, id string, headers ...string) *message.Message {
		m := email(from, id, append([]string{"To", to}, headers...)...)
		m.RecipientEmail = to
		return m
	}
	a := w.filed(t, between("a@a.example", "b@b.example", "1@a.example"))
	require.NotEqual(t, a, w.filed(t, between("c@c.example", "d@d.example", "2@c.example", "In-Reply-To", "<1@a.example>")))
	require.Equal(t, a, w.filed(t, between("e@e.example", "f@f.example", "3@e.example", "In-Reply-To", "<1@a.example>", "Cc", "B <B@b.example>")))
	// Of two mails with one id the one of the same people is meant.
	x := w.filed(t, email("x@x.example", "1@localhost"))
	y := w.filed(t, email("y@y.example", "1@localhost"))
	require.NotEqual(t, x, y)
	for from, want := range map[string]uuid.UUID{"x@x.example": x, "y@y.example": y} {
		m := email(from, "re."+from, "In-Reply-To", "<1@localhost>")
		found, err := w.mine.Messages().FindThread(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, want, found.ID, from)
		require.Equal(t, want, w.filed(t, m), from)
	}
	_, err := w.mine.Messages().FindThread(t.Context(), between("q@q.example", "r@r.example", "4@q.example", "In-Reply-To", "<1@a.example>"))
	require.ErrorIs(t, err, store.ErrNotFound)
}

// Conversations that had nobody in common are joined when a mail brings in who was missing.
func testFileContested(t *testing.T, w *world) {
	between := func(from, to, id string, headers ...string) *message.Message {
		m := email(from, id, append([]string{"To", to}, headers...)...)
		m.RecipientEmail = to
		return m
	}
	a := w.filed(t, between("a@a.example", "b@b.example", "1@a.example"))
	c := w.filed(t, between("c@c.example", "d@d.example", "2@c.example", "In-Reply-To", "<1@a.example>"))
	require.NotEqual(t, a, c)
	w.filed(t, between("a@a.example", "b@b.example", "3@a.example", "In-Reply-To", "<1@a.example>"))
	w.threads(t, 2, "1@a.example", "2@c.example", "3@a.example")
	f := w.file(t, between("b@b.example", "c@c.example", "4@b.example", "In-Reply-To", "<3@a.example>"), store.FileOptions{})
	require.Len(t, f.Merged, 1, "b has taken c in, who had answered")
	w.threads(t, 1, "1@a.example", "2@c.example", "3@a.example", "4@b.example")
}

func testFileLeads(t *testing.T, w *world) {
	of := func(lead string) store.FileOptions {
		return store.FileOptions{New: &conversation.Conversation{LeadID: lead}}
	}
	first := w.file(t, sentMail("all@acme.example", "campaign@acme.example", "Bcc", "a@a.example, b@b.example"), store.FileOptions{})
	a := w.file(t, email("a@a.example", "1@a.example", "In-Reply-To", "<campaign@acme.example>"), of("a"))
	require.Equal(t, first.Conversation.ID, a.Conversation.ID)
	require.Equal(t, "a", a.Conversation.LeadID, "the first lead that answers has the conversation")
	b := w.file(t, email("b@b.example", "1@b.example", "In-Reply-To", "<campaign@acme.example>"), of("b"))
	require.NotEqual(t, a.Conversation.ID, b.Conversation.ID)
	// A mail that answers both goes to the nearer.
	both := w.file(t, email("c@c.example", "1@c.example", "References", "<1@a.example> <1@b.example>"), store.FileOptions{})
	require.Equal(t, b.Conversation.ID, both.Conversation.ID)
	require.Empty(t, both.Merged)
	require.Equal(t, b.Conversation.ID, w.file(t, email("b@b.example", "2@b.example", "References", "<1@a.example> <1@b.example> <1@c.example>"), of("b")).Conversation.ID)
	// A thread of a provider's is no reason either.
	m, n := email("a@a.example", "3@a.example"), email("b@b.example", "3@b.example")
	m.GmailThreadID, n.GmailThreadID = "1842843112218069537", "1842843112218069537"
	require.NotEqual(t, w.file(t, m, of("a")).Conversation.ID, w.file(t, n, of("b")).Conversation.ID)
	// Nor is another app.
	app := store.FileOptions{New: &conversation.Conversation{App: "x"}}
	x := w.file(t, email("a@a.example", "4@a.example"), app)
	app.New.App = "y"
	require.NotEqual(t, x.Conversation.ID, w.file(t, email("a@a.example", "5@a.example", "In-Reply-To", "<4@a.example>"), app).Conversation.ID)
}

// A thread that was deleted stays deleted when its folder is imported again.
func testFileDeleted(t *testing.T, w *world) {
	folder := func() []*message.Message {
		return []*message.Message{
			email("ann@x.example", "1@x.example", "Subject", "Hello"),
			email("ann@x.example", "2@x.example", "Subject", "Another subject", "In-Reply-To", "<1@x.example>"),
			sentMail("ann@x.example", "3@acme.example", "Subject", "Re: Hello", "In-Reply-To", "<2@x.example>"),
		}
	}
	var c uuid.UUID
	for _, m := range folder() {
		c = w.filed(t, m)
	}
	w.delete(t, &conversation.Conversation{ID: c})
	w.unchanged(t, func() {
		for _, m := range folder() {
			f := w.file(t, m, store.FileOptions{})
			require.False(t, f.Created)
			require.NotNil(t, f.Conversation.DeletedAt)
		}
	})
	require.Empty(t, w.listed(t, store.ConversationFilter{}))
	stranger := w.file(t, email("eve@y.example", "9@y.example", "Subject", "Hello"), store.FileOptions{})
	require.True(t, stranger.Begun)
	// What is new is not lost, and does not bring the deleted ones back.
	answer := w.file(t, email("ann@x.example", "4@x.example", "In-Reply-To", "<3@acme.example>", "References", "<1@x.example> <2@x.example> <3@acme.example>"), store.FileOptions{})
	require.True(t, answer.Begun)
	require.Equal(t, answer.Conversation.ID, w.filed(t, email("ann@x.example", "5@x.example", "In-Reply-To", "<3@acme.example>")))
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(t.Context(), c))
	require.Equal(t, c, w.filed(t, email("ann@x.example", "6@x.example", "In-Reply-To", "<2@x.example>")))
}

func testFileSkipsDeleted(t *testing.T, w *world) {
	c := w.filed(t, email("ann@x.example", "1@x.example"))
	w.delete(t, &conversation.Conversation{ID: c})
	skip := store.FileOptions{SkipDeleted: true}
	w.unchanged(t, func() {
		m := email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")
		before := *m
		f := w.file(t, m, skip)
		require.Nil(t, f.Message)
		require.Equal(t, c, f.Conversation.ID)
		require.False(t, f.Created)
		require.Equal(t, before, *m)
	})
	require.True(t, w.file(t, email("eve@y.example", "3@y.example"), skip).Created, "a stranger's")
}

func testFileBySubject(t *testing.T, w *world) {
	by := store.FileOptions{BySubject: true}
	file := func(from, id, subject string) uuid.UUID {
		t.Helper()
		return w.file(t, email(from, id, "Subject", subject), by).Conversation.ID
	}
	a := file("ann@x.example", "1@x.example", "Quick question")
	require.Equal(t, a, file("ann@x.example", "2@x.example", "RE: quick  question"))
	require.NotEqual(t, a, file("ann@x.example", "3@x.example", "Quick question"), "no answer")
	require.NotEqual(t, a, file("ben@y.example", "4@y.example", "Re: Quick question"), "somebody else")
	require.NotEqual(t, a, w.filed(t, email("ann@x.example", "5@x.example", "Subject", "Re: Quick question")), "unless asked")
	seven := file("shop@s.example", "7@s.example", "[Ticket #7] Order")
	require.NotEqual(t, seven, file("shop@s.example", "8@s.example", "Re: [Ticket #8] Order"))
	require.Equal(t, seven, file("shop@s.example", "9@s.example", "Re: [Ticket #7] Order"))
	require.NotEqual(t, file("ann@x.example", "e1@x.example", "Re: "), file("ann@x.example", "e2@x.example", "Re: "))
	out := w.file(t, sentMail("kim@z.example", "o@acme.example", "Subject", "Offer"), by)
	require.Equal(t, out.Conversation.ID, file("kim@z.example", "k@z.example", "AW: Offer"))
	w.delete(t, &conversation.Conversation{ID: a})
	require.NotEqual(t, a, file("ann@x.example", "a@x.example", "Re: Quick question"))
}
