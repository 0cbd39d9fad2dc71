package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func filingTests() subtests {
	return subtests{
		"FileNew":           testFileNew,
		"FileKnown":         testFileKnown,
		"FileCopies":        testFileCopies,
		"FileThreads":       testFileThreads,
		"FileProviders":     testFileProviders,
		"FileJoins":         testFileJoins,
		"FilePeople":        testFilePeople,
		"FileContested":     testFileContested,
		"FileLeads":         testFileLeads,
		"FileDeleted":       testFileDeleted,
		"FileSkipsDeleted":  testFileSkipsDeleted,
		"FileBySubject":     testFileBySubject,
		"FileAppended":      testFileAppended,
		"FileTakenApart":    testFileTakenApart,
		"FileRefused":       testFileRefused,
		"FileInTransaction": testFileInTransaction,
		"FileAnyOrder":      testFileAnyOrder,
	}
}

const ourselves = "me@acme.example"

// email is an inbound mail from an address to ourselves, with an id and headers in pairs.
func email(from, id string, headers ...string) *message.Message {
	m := &message.Message{
		Direction: message.DirectionInbound, Content: "text of " + id, SenderEmail: from, RecipientEmail: ourselves, SentAt: epoch.Add(-time.Hour),
		Headers: message.Headers{"From": {from}, "To": {ourselves}, "Date": {epoch.Add(-time.Hour).Format(time.RFC1123Z)}},
	}
	if id != "" {
		m.Headers["Message-ID"] = []string{"<" + id + ">"}
	}
	for i := 0; i < len(headers); i += 2 {
		m.Headers[headers[i]] = []string{headers[i+1]}
	}
	return m
}

// sentMail is a mail from ourselves to an address.
func sentMail(to, id string, headers ...string) *message.Message {
	m := email(ourselves, id, append([]string{"To", to}, headers...)...)
	m.Direction, m.RecipientEmail = message.DirectionOutbound, to
	return m
}

func (w *world) file(t testing.TB, m *message.Message, o store.FileOptions) store.Filed {
	t.Helper()
	f, err := w.mine.Messages().File(t.Context(), m, o)
	require.NoError(t, err)
	return f
}

// filed files a new mail and returns its conversation.
func (w *world) filed(t testing.TB, m *message.Message) uuid.UUID {
	t.Helper()
	f := w.file(t, m, store.FileOptions{})
	require.True(t, f.Created, "%s is new", m.EmailMessageID)
	return f.Conversation.ID
}

// together requires that the mails with some ids are in one conversation, or each in another.
func (w *world) threads(t testing.TB, want int, ids ...string) {
	t.Helper()
	found := map[uuid.UUID]bool{}
	for _, id := range ids {
		m, err := w.mine.Messages().GetByRef(t.Context(), message.RefEmail, id)
		require.NoError(t, err, id)
		found[m.ConversationID] = true
	}
	require.Len(t, found, want, "conversations of %v", ids)
}

func testFileNew(t *testing.T, w *world) {
	m := email("ann@x.example", "1@x.example", "Subject", "Re: AW: [Ticket #7] re: Hello")
	f := w.file(t, m, store.FileOptions{})
	require.True(t, f.Created)
	require.True(t, f.Begun)
	require.Empty(t, f.Merged)
	require.Same(t, m, f.Message)
	require.Equal(t, "<1@x.example>", m.EmailMessageID)
	require.Equal(t, message.KindMessage, m.Kind)
	require.Equal(t, f.Conversation.ID, m.ConversationID)
	require.Equal(t, int64(1), m.Seq)
	same(t, w.message(t, m.ID), m)
	same(t, w.get(t, f.Conversation.ID), f.Conversation)
	require.Equal(t, "[Ticket #7] Hello", f.Conversation.Subject)
	require.Equal(t, conversation.StatusNeedsReply, f.Conversation.Status)

	template := &conversation.Conversation{
		App: "mail", Title: "title", Subject: "mine", LeadID: "lead", Metadata: message.JSON(`{"a":1}`),
		Labels: []*conversation.Label{{Label: "inbox", CreatedBy: "import"}},
	}
	before := *template
	f = w.file(t, email("bob@x.example", "2@x.example", "Auto-Submitted", "auto-replied"), store.FileOptions{New: template})
	require.Equal(t, before, *template, "the template is not changed")
	require.Equal(t, message.KindAutoReply, f.Message.Kind)
	require.Equal(t, []any{"mail", "title", "mine", "lead"}, []any{f.Conversation.App, f.Conversation.Title, f.Conversation.Subject, f.Conversation.LeadID})
	require.Len(t, w.listed(t, store.ConversationFilter{Labels: []string{"inbox"}}), 1)
	f = w.file(t, email("eve@x.example", "3@x.example"), store.FileOptions{New: template})
	require.True(t, f.Begun, "a template is for any number of conversations")
	// A mail without any name is a new one each time, as an append is.
	for range 2 {
		require.True(t, w.file(t, text("a"), store.FileOptions{}).Begun)
	}
}

// A mail is known by each of its names, whatever became of the message.
func testFileKnown(t *testing.T, w *world) {
	known := func(name string, m *message.Message, o store.FileOptions, want *message.Message) {
		t.Helper()
		w.unchanged(t, func() {
			f := w.file(t, m, o)
			require.False(t, f.Created, name)
			require.False(t, f.Begun, name)
			require.Equal(t, want.ID, f.Message.ID, name)
			require.Same(t, m, f.Message)
			require.Equal(t, want.ConversationID, f.Conversation.ID, name)
		})
	}
	byID := email("ann@x.example", "1@x.example")
	w.filed(t, byID)
	byGmail := email("ann@x.example", "", "Subject", "g")
	byGmail.GmailMessageID = "1842843112218069537"
	w.filed(t, byGmail)
	require.Equal(t, "1993180bf8888a21", byGmail.GmailMessageID)
	byRef := email("ann@x.example", "")
	outlook := store.FileOptions{Refs: []message.Ref{{Provider: "outlook", Ref: "AAMk=", Exclusive: true}}}
	require.True(t, w.file(t, byRef, outlook).Created)
	again := func() {
		t.Helper()
		known("Message-ID", email("Ann@X.example", "1@x.example"), store.FileOptions{}, byID)
		withID := text("other")
		withID.ID = byID.ID
		known("id", withID, store.FileOptions{}, byID)
		for _, form := range []string{"1842843112218069537", "1993180bf8888a21", "0x1993180BF8888A21", "msg-f:1842843112218069537"} {
			known(form, &message.Message{Role: message.RoleUser, GmailMessageID: form}, store.FileOptions{}, byGmail)
		}
		known("ref", text("other"), outlook, byRef)
	}
	again()
	w.deleteMessage(t, byID)
	again()
	for _, m := range []*message.Message{byID, byGmail, byRef} {
		w.delete(t, &conversation.Conversation{ID: m.ConversationID})
	}
	again()
	require.Empty(t, w.listed(t, store.ConversationFilter{}), "what is deleted stays deleted")
}

// Mails with one Message-ID are one if sender and date are the same.
func testFileCopies(t *testing.T, w *world) {
	first := email("ann@x.example", "1@x.example")
	first.GmailMessageID, first.GmailThreadID = "1842843112218069001", "1842843112218069001"
	w.filed(t, first)
	second := email("ann@x.example", "1@x.example", "Delivered-To", "sales@acme.example")
	second.GmailMessageID, second.GmailThreadID = "1842843112218069002", "1842843112218069000"
	for range 2 {
		f := w.file(t, second, store.FileOptions{Refs: []message.Ref{{Provider: "imap", Ref: "INBOX/7"}}})
		require.False(t, f.Created)
		require.Equal(t, first.ID, f.Message.ID)
		second = email("ann@x.example", "1@x.example")
		second.GmailMessageID = "1842843112218069002"
	}
	refs, err := w.mine.Messages().Refs(t.Context(), first.ID)
	require.NoError(t, err)
	var names []string
	for _, r := range refs {
		names = append(names, r.Provider+" "+r.Ref)
	}
	require.Equal(t, []string{
		"gmail " + message.NormalizeRef(message.RefGmail, "1842843112218069001"), "gmail " + message.NormalizeRef(message.RefGmail, "1842843112218069002"),
		"gmail-thread " + message.NormalizeRef(message.RefGmail, "1842843112218069000"), "gmail-thread " + message.NormalizeRef(message.RefGmail, "1842843112218069001"),
		"imap INBOX/7", "rfc5322 <1@x.example>",
	}, names)
	// The thread of the second mailbox is this one too.
	answer := email("ann@x.example", "2@x.example")
	answer.GmailThreadID = "1842843112218069000"
	require.Equal(t, first.ConversationID, w.filed(t, answer))

	// A broken program gives one id to all its mails.
	other := email("bob@x.example", "1@x.example")
	require.NotEqual(t, first.ConversationID, w.filed(t, other))
	later := email("ann@x.example", "1@x.example", "Date", epoch.Format(time.RFC1123Z))
	require.True(t, w.file(t, later, store.FileOptions{}).Created, "another date, another mail")
	// mailbox makes the Message-ID the idempotency key, which would take another mail for this one.
	keyed := email("ann@x.example", "1@x.example", "Date", epoch.Add(time.Hour).Format(time.RFC1123Z), "In-Reply-To", "<2@x.example>")
	keyed.IdempotencyKey = "<1@x.example>"
	require.True(t, w.file(t, keyed, store.FileOptions{}).Created)

	// What was sent from here has no Date of its own.
	sent := &message.Message{Direction: message.DirectionOutbound, SenderEmail: ourselves, RecipientEmail: "ann@x.example", EmailMessageID: "<s@acme.example>", SentAt: epoch.Add(-time.Hour)}
	w.append(t, w.conversation(t), sent)
	copied := sentMail("ann@x.example", "s@acme.example", "Date", epoch.Add(-time.Hour+2*time.Second).Format(time.RFC1123Z))
	copied.SentAt = epoch.Add(-time.Hour + 2*time.Second)
	f := w.file(t, copied, store.FileOptions{})
	require.False(t, f.Created)
	require.Equal(t, sent.ID, f.Message.ID)
}

func testFileThreads(t *testing.T, w *world) {
	c := w.filed(t, email("ann@x.example", "1@x.example", "Subject", "Hello"))
	for i, headers := range [][]string{
		{"In-Reply-To", "<1@x.example>"},
		{"References", "<1@x.example>\r\n\t<absent@x.example>"},
		{"In-Reply-To", "<absent@x.example>"}, // which the one before answers too
		{"In-Reply-To", "<gone@x.example>", "References", "<1@x.example>"},
		{"References", "<gone@x.example>"},
	} {
		for i := range headers {
			headers[i] = strings.ReplaceAll(headers[i], "\r\n\t", " ")
		}
		require.Equal(t, c, w.filed(t, email("ann@x.example", "", append(headers, "Message-ID", "<r"+string(rune('a'+i))+"@x.example>")...)), "%v", headers)
	}
	alone := map[uuid.UUID]bool{c: true}
	for i, m := range []*message.Message{
		email("ann@x.example", "a1@x.example", "Subject", "Hello"),
		email("ann@x.example", "a2@x.example", "Subject", "Re: Hello"),
		// Three leads answer one campaign, whose mails are not here.
		email("l1@a.example", "l1@a.example", "Subject", "Re: Quick question", "In-Reply-To", "<c1@acme.example>"),
		email("l2@b.example", "l2@b.example", "Subject", "Re: Quick question", "In-Reply-To", "<c2@acme.example>"),
		email("l3@c.example", "l3@c.example", "Subject", "Re: Quick question"),
		email("shop@s.example", "t7@s.example", "Subject", "[Ticket #7] Your order"),
		email("shop@s.example", "t8@s.example", "Subject", "[Ticket #8] Your order"),
	} {
		id := w.filed(t, m)
		require.False(t, alone[id], "mail %d", i)
		alone[id] = true
	}
	// Two answers to one mail that is not here.
	w.filed(t, email("ann@x.example", "s1@x.example", "References", "<root@x.example> <p@x.example>", "Subject", "one"))
	w.filed(t, email("ben@x.example", "s2@x.example", "References", "<root@x.example>", "Subject", "another"))
	w.threads(t, 1, "s1@x.example", "s2@x.example")
	w.filed(t, email("ann@x.example", "p@x.example"))
	w.threads(t, 1, "s1@x.example", "p@x.example")
}

// The ids that a provider gives tell a thread as well as Message-IDs do.
func testFileProviders(t *testing.T, w *world) {
	sent := sentMail("ann@x.example", "")
	sent.PostmarkMessageID = "0a1b-2c3d"
	c := w.filed(t, sent)
	require.Equal(t, c, w.filed(t, email("ann@x.example", "1@x.example", "In-Reply-To", "<0a1b-2c3d@mtasv.net>")))
	learned := message.Ref{Provider: message.RefEmail, Ref: "learned@acme.example"}
	require.NoError(t, w.mine.Messages().AddRefs(t.Context(), sent.ID, learned, message.Ref{Provider: message.RefPostmark, Ref: "4e5f"}))
	require.Equal(t, c, w.filed(t, email("ann@x.example", "2@x.example", "In-Reply-To", "<learned@acme.example>")))
	require.Equal(t, c, w.filed(t, email("ann@x.example", "3@x.example", "In-Reply-To", "<4e5f@mtasv.net>")))
	for i, form := range []string{"1842843112218069537", "1993180bf8888a21", "thread-f:1842843112218069537"} {
		m := email("someone@y.example", "", "Message-ID", "<g"+form+"@y.example>")
		m.GmailThreadID = form
		f := w.file(t, m, store.FileOptions{})
		require.Equal(t, i == 0, f.Begun, form)
	}
	ticket := store.FileOptions{Threads: []message.Ref{{Provider: "helpdesk", Ref: "T-7"}}}
	first := w.file(t, email("x@x.example", "t1@x.example"), ticket)
	second := w.file(t, email("y@y.example", "t2@y.example"), ticket)
	require.Equal(t, first.Conversation.ID, second.Conversation.ID, "whoever wrote them")
	require.False(t, second.Begun)
}

// A mail that comes after the answers to it makes their conversations one.
func testFileJoins(t *testing.T, w *world) {
	a := w.filed(t, email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>"))
	b := w.filed(t, email("ben@x.example", "3@x.example", "In-Reply-To", "<0@x.example>"))
	require.NotEqual(t, a, b)
	early := email("ann@x.example", "1@x.example", "In-Reply-To", "<0@x.example>")
	f := w.file(t, early, store.FileOptions{})
	require.True(t, f.Created)
	require.False(t, f.Begun)
	require.Len(t, f.Merged, 1)
	w.threads(t, 1, "1@x.example", "2@x.example", "3@x.example")
	merged := map[uuid.UUID]uuid.UUID{a: b, b: a}[f.Conversation.ID]
	require.Equal(t, merged, f.Merged[0])
	missing[*conversation.Conversation](t)(w.mine.Conversations().Get(t.Context(), merged))
	require.Equal(t, int64(3), w.get(t, f.Conversation.ID).LastSeq)
	require.Equal(t, f.Conversation.ID, w.filed(t, email("ann@x.example", "0@x.example")), "what both waited for")
	// The conversation with the oldest message takes over the others.
	old := email("ann@x.example", "old@x.example")
	old.SentAt = epoch.Add(-48 * time.Hour)
	newer := w.filed(t, email("ann@x.example", "new@x.example"))
	older := w.filed(t, old)
	f = w.file(t, email("ann@x.example", "both@x.example", "References", "<old@x.example> <new@x.example>"), store.FileOptions{})
	require.Equal(t, older, f.Conversation.ID)
	require.Equal(t, []uuid.UUID{newer}, f.Merged)
}

// Messages that were appended and not filed are known and have threads as well.
func testFileAppended(t *testing.T, w *world) {
	c := w.conversation(t)
	m := email("ann@x.example", "1@x.example")
	w.append(t, c, m)
	require.False(t, w.file(t, email("ann@x.example", "1@x.example"), store.FileOptions{}).Created)
	require.Equal(t, c.ID, w.filed(t, email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")))
	// Of a message without any address nobody knows whose it is.
	reply := &message.Message{Role: message.RoleAssistant, EmailMessageID: "<given@acme.example>"}
	w.append(t, c, reply)
	require.Equal(t, c.ID, w.filed(t, email("ann@x.example", "3@x.example", "In-Reply-To", "<given@acme.example>")))
	note := &message.Message{Role: message.RoleAssistant, Kind: message.KindNote, Content: "a note"}
	require.True(t, w.file(t, note, store.FileOptions{}).Begun)
	require.Equal(t, message.KindNote, note.Kind, "a kind that is given stays")
}

// What somebody has moved to another conversation stays there, and answers to it follow.
func testFileTakenApart(t *testing.T, w *world) {
	first, second := email("ann@x.example", "1@x.example"), email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")
	c := w.filed(t, first)
	w.filed(t, second)
	apart := w.conversation(t)
	must[int64](t)(w.mine.Messages().Move(t.Context(), []uuid.UUID{second.ID}, apart.ID, store.MoveOptions{}))
	f := w.file(t, email("ann@x.example", "3@x.example", "References", "<1@x.example> <2@x.example>"), store.FileOptions{})
	require.Equal(t, apart.ID, f.Conversation.ID)
	require.Empty(t, f.Merged)
	require.Equal(t, c, w.filed(t, email("ann@x.example", "4@x.example", "In-Reply-To", "<1@x.example>")))
}

func testFileRefused(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	refused := func(m *message.Message, o store.FileOptions, fields ...string) {
		t.Helper()
		w.unchanged(t, func() {
			_, err := ms.File(ctx, m, o)
			invalid(t, err, fields...)
		})
	}
	refused(nil, store.FileOptions{}, "message")
	refused(&message.Message{Role: "x"}, store.FileOptions{}, "role")
	refused(&message.Message{Role: message.RoleUser, ParentSeq: new(int64)}, store.FileOptions{}, "parent_seq")
	refused(&message.Message{Role: message.RoleUser, UserID: uuid.New()}, store.FileOptions{}, "user_id")
	refused(text("a"), store.FileOptions{Refs: []message.Ref{{Provider: "x"}}}, "ref")
	refused(text("a"), store.FileOptions{Refs: []message.Ref{{Provider: "convostore:answers", Ref: "x"}}}, "provider")
	refused(text("a"), store.FileOptions{Threads: make([]message.Ref, store.MaxRefs+1)}, "threads")
	refused(text("a"), store.FileOptions{New: &conversation.Conversation{Title: strings.Repeat("a", 256)}}, "title")
	refused(text("a"), store.FileOptions{New: &conversation.Conversation{Messages: []*message.Message{text("b")}}}, "messages")
	refused(text("a"), store.FileOptions{New: &conversation.Conversation{Labels: []*conversation.Label{nil}}}, "label")
	_, err := w.st.AllUsers().Messages().File(ctx, text("a"), store.FileOptions{})
	invalid(t, err, "user_id")
	m := text("a")
	m.UserID = w.user
	f, err := w.st.AllUsers().Messages().File(ctx, m, store.FileOptions{})
	require.NoError(t, err)
	require.Equal(t, w.user, f.Conversation.UserID)
	// The host's own key of a deleted message is a conflict, as for Append.
	c := w.filed(t, email("ann@x.example", "1@x.example"))
	keyed := email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")
	keyed.IdempotencyKey = "key"
	require.Equal(t, c, w.filed(t, keyed))
	w.deleteMessage(t, keyed)
	other := email("ann@x.example", "3@x.example", "In-Reply-To", "<1@x.example>")
	other.IdempotencyKey = "key"
	_, err = ms.File(ctx, other, store.FileOptions{})
	var taken *store.TakenError
	require.ErrorAs(t, err, &taken)
}

func testFileInTransaction(t *testing.T, w *world) {
	err := w.st.Transaction(t.Context(), func(tx store.Store) error {
		ms := tx.ForUser(w.user).Messages()
		for _, m := range []*message.Message{email("ann@x.example", "1@x.example"), email("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")} {
			if _, err := ms.File(t.Context(), m, store.FileOptions{}); err != nil {
				return err
			}
		}
		return context.Canceled
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, w.listed(t, store.ConversationFilter{}))
	require.Zero(t, w.counts(t).Refs)
}

func testFileAnyOrder(t *testing.T, w *world) {
	for seed := range uint64(3) {
		threads := CheckFilingOrder(t, w.st, seed, 30, 3)
		require.Less(t, threads, 30)
		require.Greater(t, threads, 1)
	}
}
