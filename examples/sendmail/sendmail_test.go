package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

const from = "ann@acme.example"

// inbox is a store with one user's mail, and a server.
type inbox struct {
	t      *testing.T
	st     store.Store
	user   uuid.UUID
	server *smtpServer
	sender sender
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "mail.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	s := startServer(t, "")
	return &inbox{t, st, uuid.New(), s, sender{st, s.client(""), from}}
}

// receive stores a mail and a suggested answer to it.
func (b *inbox) receive(sender string) *suggestion.Suggestion {
	b.t.Helper()
	raw := "From: " + sender + "@b.example\nTo: " + from + "\nSubject: Grüße\nMessage-ID: <q-" + sender + "@b.example>\nReferences: <0@b.example>\n" +
		"Date: Thu, 26 Nov 2026 08:00:00 +0000\n\nWhat does it cost?\n"
	m, err := mailbox.Parse([]byte(raw), mailbox.Options{Own: []string{from}})
	require.NoError(b.t, err)
	c := &conversation.Conversation{Subject: m.Subject, Messages: []*message.Message{m.Message}}
	mine := b.st.ForUser(b.user)
	require.NoError(b.t, mine.Conversations().Create(b.t.Context(), c))
	s := &suggestion.Suggestion{ConversationID: c.ID, InReplyToMessageID: &m.Message.ID, SuggestedContent: "Zehn € im Monat.\n\n.\nAnn"}
	require.NoError(b.t, mine.Suggestions().Create(b.t.Context(), s))
	return s
}

// answer receives a mail, and approves the answer, which a worker sends until nothing is left to be sent.
func (b *inbox) answer(sender string) *message.Message {
	b.t.Helper()
	s := b.receive(sender)
	e, err := approve(b.t.Context(), b.st, b.user, s.ID, "ann", 0)
	require.NoError(b.t, err)
	b.deliver(e.ID)
	return b.message(e.MessageID)
}

// deliver runs a worker until an entry has ended.
func (b *inbox) deliver(id uuid.UUID) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	ended := make(chan error, 1)
	o := store.RunOptions{Channels: []string{channel}, Backoff: time.Millisecond, MaxBackoff: time.Millisecond, Every: 5 * time.Millisecond}
	go func() { ended <- b.st.AllUsers().Deliveries().Run(ctx, o, b.sender.send) }()
	require.Eventually(b.t, func() bool {
		e, err := b.st.ForUser(b.user).Deliveries().Get(b.t.Context(), id)
		return assert.NoError(b.t, err) && !e.Open()
	}, time.Minute, 5*time.Millisecond)
	cancel()
	require.ErrorIs(b.t, <-ended, context.Canceled)
}

func (b *inbox) message(id uuid.UUID) *message.Message {
	b.t.Helper()
	m, err := b.st.ForUser(b.user).Messages().Get(b.t.Context(), id)
	require.NoError(b.t, err)
	return m
}

func (b *inbox) status(m *message.Message) conversation.Status {
	b.t.Helper()
	c, err := b.st.ForUser(b.user).Conversations().Get(b.t.Context(), m.ConversationID)
	require.NoError(b.t, err)
	return c.Status
}

// report reads a mail that came back and returns what was printed.
func (b *inbox) report(raw string) string {
	b.t.Helper()
	var out bytes.Buffer
	require.NoError(b.t, readReport(b.t.Context(), b.st, strings.NewReader(raw), &out))
	return out.String()
}

func TestSend(t *testing.T) {
	b := newInbox(t)
	m := b.answer("bob")
	assert.Equal(t, message.DeliverySent, m.Delivery)
	assert.Equal(t, conversation.StatusWaiting, b.status(m))
	mails := b.server.to("bob")
	require.Len(t, mails, 1)
	assert.Equal(t, from, mails[0].from)
	assert.Equal(t, m.ID.String(), mails[0].envelope, "what the server names in its reports")
	got, err := mailbox.Parse([]byte(mails[0].raw), mailbox.Options{})
	require.NoError(t, err)
	assert.Empty(t, got.Problems)
	assert.Equal(t, "Re: Grüße", got.Subject)
	assert.Equal(t, "bob@b.example", got.To[0].Address)
	assert.Equal(t, "Zehn € im Monat.\n\n.\nAnn", strings.TrimSpace(got.Message.Content))
	assert.Equal(t, []string{"<q-bob@b.example>", "<0@b.example>"}, got.Parents())
	assert.Equal(t, m.EmailMessageID, got.Message.EmailMessageID)

	reply := &message.Message{Headers: message.Headers{"In-Reply-To": {got.Message.EmailMessageID}}, SenderEmail: "bob@b.example"}
	c, err := b.st.ForUser(b.user).Messages().FindThread(t.Context(), reply)
	require.NoError(t, err, "an answer to it is found")
	assert.Equal(t, m.ConversationID, c.ID)
}

func TestRefusedForATime(t *testing.T) {
	b := newInbox(t)
	m := b.answer("busy")
	assert.Equal(t, message.DeliverySent, m.Delivery)
	assert.Len(t, b.server.to("busy"), 1)
	assert.Equal(t, 4, b.server.try("busy"), "two refusals and the mail, before this")
}

func TestRefusedForGood(t *testing.T) {
	b := newInbox(t)
	for name, reason := range map[string]string{"gone": "550 5.1.1 no such user", "full": "552 5.2.2 the mailbox is full"} {
		m := b.answer(name)
		assert.Equal(t, message.DeliveryFailed, m.Delivery, name)
		assert.Equal(t, reason, m.DeliveryError)
		assert.Equal(t, conversation.StatusNeedsReply, b.status(m), name)
		assert.Equal(t, 2, b.server.try(name), "it was tried once, before this")
	}
}

// TestLostAnswer: the server has the mail and nobody knows. It is sent again, under the same
// Message-ID, by which the recipient's program shows it once.
func TestLostAnswer(t *testing.T) {
	b := newInbox(t)
	m := b.answer("lost")
	assert.Equal(t, message.DeliverySent, m.Delivery)
	mails := b.server.to("lost")
	require.Len(t, mails, 2)
	for _, one := range mails {
		assert.Contains(t, one.raw, "Message-Id: "+m.EmailMessageID)
	}
}

// TestTheServersFault: what is wrong with the login or the network is no fault of the message.
func TestTheServersFault(t *testing.T) {
	b := newInbox(t)
	for name, broken := range map[string]server{
		"a wrong password": startServer(t, "secret").client("wrong"),
		"no password":      startServer(t, "secret").client(""),
		"nobody there":     {address: "127.0.0.1:1", tls: "none", timeout: time.Second},
		"no TLS":           {address: b.server.address, tls: "none", user: "ann", password: "secret", timeout: time.Second},
	} {
		e, err := approve(t.Context(), b.st, b.user, b.receive("bob").ID, "ann", 0)
		require.NoError(t, err, name)
		s := sender{b.st, broken, from}
		require.NoError(t, b.st.AllUsers().Deliveries().Run(t.Context(), store.RunOptions{Once: true}, s.send))
		e, err = b.st.ForUser(b.user).Deliveries().Get(t.Context(), e.ID)
		require.NoError(t, err)
		assert.True(t, e.Open(), "%s: %s", name, e.LastError)
		assert.NotEmpty(t, e.LastError, name)
		b.sender = sender{b.st, startServer(t, "secret").client("secret"), from}
		_, err = b.st.ForUser(b.user).Deliveries().Reschedule(t.Context(), e.ID, time.Now())
		require.NoError(t, err)
		b.deliver(e.ID)
		assert.Equal(t, message.DeliverySent, b.message(e.MessageID).Delivery, name)
	}
}

func TestUndo(t *testing.T) {
	b := newInbox(t)
	e, err := approve(t.Context(), b.st, b.user, b.receive("bob").ID, "bea", time.Hour)
	require.NoError(t, err)
	require.NoError(t, b.st.AllUsers().Deliveries().Run(t.Context(), store.RunOptions{Once: true}, b.sender.send))
	assert.Empty(t, b.server.to("bob"))
	m := b.message(e.MessageID)
	assert.Equal(t, conversation.StatusWaiting, b.status(m))
	_, err = b.st.ForUser(b.user).Deliveries().Cancel(t.Context(), e.ID)
	require.NoError(t, err)
	assert.Equal(t, conversation.StatusNeedsReply, b.status(m))
}

// deliveryReport is what a server writes about a mail that it took.
func deliveryReport(m taken, action, status string) string {
	header, _, _ := strings.Cut(m.raw, "\r\n\r\n")
	return "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.b.example\r\nTo: " + m.from + "\r\nSubject: Delivery Status\r\n" +
		"Message-ID: <" + action + "@mx.b.example>\r\nDate: Thu, 26 Nov 2026 09:00:00 +0000\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\r\nAbout your mail.\r\n" +
		"--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.b.example\r\nOriginal-Envelope-Id: " + m.envelope + "\r\n\r\n" +
		"Final-Recipient: rfc822; " + m.to + "\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; 550 the user has left\r\n\r\n" +
		"--x\r\nContent-Type: text/rfc822-headers\r\n\r\n" + header + "\r\n\r\n--x--\r\n"
}

func TestReports(t *testing.T) {
	b := newInbox(t)
	m := b.answer("bob")
	mail := b.server.to("bob")[0]
	assert.Equal(t, m.ID.String()+": auto_reply \n", b.report(deliveryReport(mail, "delayed", "4.4.1")))
	assert.Equal(t, message.DeliverySent, b.message(m.ID).Delivery, "delayed is not failed")
	b.report(deliveryReport(mail, "delivered", "2.0.0"))
	assert.Equal(t, message.DeliveryDelivered, b.message(m.ID).Delivery)
	assert.Equal(t, conversation.StatusWaiting, b.status(m))

	failed := deliveryReport(mail, "failed", "5.1.1")
	for range 2 { // it comes twice
		assert.Equal(t, m.ID.String()+": bounce bob@b.example 5.1.1 550 the user has left\n", b.report(failed))
	}
	m = b.message(m.ID)
	assert.Equal(t, message.DeliveryBounced, m.Delivery)
	assert.Equal(t, "bob@b.example 5.1.1 550 the user has left", m.DeliveryError)
	assert.Equal(t, conversation.StatusNeedsReply, b.status(m))
	b.report(strings.Replace(deliveryReport(mail, "delivered", "2.0.0"), "<delivered@", "<late@", 1))
	assert.Equal(t, message.DeliveryBounced, b.message(m.ID).Delivery, "the other recipient's, or late")
	thread, err := b.st.ForUser(b.user).Conversations().Thread(t.Context(), m.ConversationID)
	require.NoError(t, err)
	var kinds []message.Kind
	for _, one := range thread.Messages {
		kinds = append(kinds, one.Kind)
	}
	auto := message.KindAutoReply
	assert.Equal(t, []message.Kind{message.KindMessage, message.KindMessage, auto, auto, message.KindBounce, auto}, kinds)
}

// TestReportsThatNameTheMail: each by the Message-ID or the envelope alone.
func TestReportsThatNameTheMail(t *testing.T) {
	b := newInbox(t)
	for name, change := range map[string]func(mail taken) string{
		"the envelope": func(mail taken) string {
			return strings.Replace(deliveryReport(mail, "failed", "5.0.0"), "\r\nMessage-Id: ", "\r\nX-Id: ", 1)
		},
		"the Message-ID": func(mail taken) string {
			mail.envelope = "another"
			return deliveryReport(mail, "failed", "5.0.0")
		},
		"words": func(mail taken) string {
			return "From: MAILER-DAEMON@b.example\nSubject: failure notice\nMessage-ID: <w@b.example>\n\nHi. This is the qmail-send program.\n\n" +
				"<" + mail.to + ">:\nI couldn't find any host named b.example. (#5.1.2)\n\n--- Below this line is a copy of the message.\n\n" + mail.raw
		},
	} {
		to := strings.ReplaceAll(name, " ", "-")
		m := b.answer(to)
		b.report(change(b.server.to(to)[0]))
		assert.Equal(t, message.DeliveryBounced, b.message(m.ID).Delivery, name)
	}
}

func TestReportsAboutNothingHere(t *testing.T) {
	b := newInbox(t)
	m := b.answer("bob")
	mail := b.server.to("bob")[0]
	first, err := b.st.ForUser(b.user).Messages().Last(t.Context(), m.ConversationID, 2)
	require.NoError(t, err)
	for name, id := range map[string]string{
		"unknown": uuid.NewString(), "inbound": first[0].ID.String(), "no id of ours": "x",
	} {
		forged := strings.ReplaceAll(deliveryReport(mail, "failed", "5.0.0"), m.ID.String(), id)
		assert.Contains(t, b.report(forged), "about no message here", name)
	}
	assert.Equal(t, "no report: Hello\n", b.report("From: bob@b.example\nSubject: Hello\n\nHi"))
	assert.Equal(t, message.DeliverySent, b.message(m.ID).Delivery)
	require.Error(t, readReport(t.Context(), b.st, strings.NewReader(""), &bytes.Buffer{}))
}

// TestCommand runs the whole program, twice.
func TestCommand(t *testing.T) {
	b := newInbox(t)
	file := filepath.Join(t.TempDir(), "other.db")
	st, err := sqlite.Open(t.Context(), file, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	b.st = st
	e, err := approve(t.Context(), st, b.user, b.receive("bob").ID, "ann", 0)
	require.NoError(t, err)
	o, err := parseFlags([]string{"-db", file, "-smtp", b.server.address, "-tls", "none", "-from", "Ann <" + from + ">", "-once"})
	require.NoError(t, err)
	require.NoError(t, run(t.Context(), o, nil, &bytes.Buffer{}))
	require.Len(t, b.server.to("bob"), 1)
	assert.Equal(t, message.DeliverySent, b.message(e.MessageID).Delivery)

	o, err = parseFlags([]string{"-db", file, "-report"})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), o, strings.NewReader(deliveryReport(b.server.to("bob")[0], "failed", "5.0.0")), &out))
	assert.Contains(t, out.String(), e.MessageID.String())
	assert.Equal(t, message.DeliveryBounced, b.message(e.MessageID).Delivery)
	require.NoError(t, st.Close())

	for _, args := range [][]string{{"-from", "nobody"}, {}, {"-from", from, "x"}, {"-unknown"}} {
		_, err := parseFlags(args)
		require.Error(t, err, fmt.Sprint(args))
	}
}
