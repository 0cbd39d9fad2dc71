package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// TestDay is a day in an inbox, from the first mail to the report of the evening. Ann and Bob answer,
// Carla and Dora ask; what the list shows and what waits is said after each step.
func TestDay(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, b bothtest.Database) {
		st := b.Store(t, convostore.WithMigrate(migrate.Options{}))
		d := &day{T: t, st: st, mine: st.ForUser(uuid.New())}
		d.mailComesIn()
		d.draftsAreMade()
		d.annTakesOne()
		d.doraWritesAgain()
		d.annAnswersCarla()
		d.doraIsAnswered()
		d.theAnswerBounces()
		d.twoBecomeOne()
		d.theReport()
	})
}

// day is a Thursday. The clock says when things happen; only what has to wait for the machine's own
// clock is relative to now.
type day struct {
	*testing.T
	st             store.Store
	mine           store.Scope
	carla, dora    *conversation.Conversation
	forC, forD     *suggestion.Suggestion
	question, last *message.Message
}

var cet = time.FixedZone("UTC+1", 60*60)

func clock(hour, minute int) time.Time {
	return time.Date(2026, time.March, 12, hour, minute, 0, 0, cet)
}

// arrives files a mail as it came.
func (d *day) arrives(lead, raw string) store.Filed {
	d.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(raw))
	require.NoError(d, err)
	sent, err := parsed.Header.Date()
	require.NoError(d, err)
	from, err := parsed.Header.AddressList("From")
	require.NoError(d, err)
	text, err := io.ReadAll(parsed.Body)
	require.NoError(d, err)
	m := &message.Message{
		Direction: message.DirectionInbound, SenderEmail: from[0].Address, Headers: message.Headers(parsed.Header),
		Content: strings.TrimSpace(string(text)), SentAt: sent,
	}
	filed, err := d.mine.Messages().File(d.Context(), m, store.FileOptions{New: &conversation.Conversation{LeadID: lead, CreatedAt: sent}})
	require.NoError(d, err)
	return filed
}

// queues says how long Ann's queues are.
func (d *day) queues(want string) {
	d.Helper()
	q, err := d.mine.Conversations().Counts(d.Context(), "ann")
	require.NoError(d, err)
	require.Equal(d, want, fmt.Sprintf("%d to answer, %d with a draft, %d mine, %d nobody's, %d snoozed", q.NeedsReply, q.WithDraft, q.Mine, q.Unassigned, q.Snoozed))
}

// list says what Ann sees, the oldest activity first.
func (d *day) list(want ...string) {
	d.Helper()
	page, err := d.mine.Conversations().Overview(d.Context(), store.ConversationFilter{Order: store.OldestActivity},
		store.OverviewOptions{LastMessage: true, Reader: "ann", Labels: true, Draft: true}, store.PageRequest{})
	require.NoError(d, err)
	var got []string
	for _, o := range page.Items {
		line := fmt.Sprintf("%s %s %s: %q %d unread", o.LastMessageAt.In(cet).Format("15:04"), o.Subject, o.Status, o.LastMessage.Content, o.Unread)
		if o.Assignee != "" {
			line += ", " + o.Assignee + "'s"
		}
		if len(o.Labels) > 0 {
			line += ", " + strings.Join(o.Labels, "+")
		}
		if o.Draft != nil {
			line += fmt.Sprintf(", draft %q", o.Draft.Content)
		}
		got = append(got, line)
	}
	require.Equal(d, want, got)
}

func (d *day) draft(c *conversation.Conversation, answers *message.Message, at time.Time, text string) *suggestion.Suggestion {
	d.Helper()
	s := &suggestion.Suggestion{
		ConversationID: c.ID, InReplyToMessageID: &answers.ID, AnswersSeq: answers.Seq, SuggestedContent: text, CreatedAt: at,
	}
	require.NoError(d, d.mine.Suggestions().Create(d.Context(), s))
	return s
}

// send sends a suggestion and queues it for a time.
func (d *day) send(s *suggestion.Suggestion, by, to string, at, due time.Time) *message.Message {
	d.Helper()
	m := &message.Message{RecipientEmail: to, Author: by, SentAt: at}
	created, err := d.mine.Suggestions().Send(d.Context(), s.ID, m, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail", DueAt: due}})
	require.NoError(d, err)
	require.True(d, created)
	require.Equal(d, message.DeliveryQueued, m.Delivery)
	return m
}

// provide runs a worker whose provider takes what is due at a time, or refuses it, and returns what
// it was given.
func (d *day) provide(at time.Time, refuses error) (given []string) {
	d.Helper()
	err := d.mine.Deliveries().Run(d.Context(), store.RunOptions{Once: true, Workers: 1}, func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
		given = append(given, c.Message.RecipientEmail+": "+c.Message.Content)
		return store.DeliveryResult{EmailMessageID: "<" + c.Key + "@provider.example>", SentAt: at}, refuses
	})
	require.NoError(d, err)
	return given
}

func (d *day) message(id uuid.UUID) *message.Message {
	d.Helper()
	m, err := d.mine.Messages().Get(d.Context(), id)
	require.NoError(d, err)
	return m
}

const (
	carlaAsks = "From: Carla <carla@acme.example>\r\nTo: sales@us.example\r\nMessage-ID: <1@acme.example>\r\n" +
		"Date: Thu, 12 Mar 2026 08:30:00 +0100\r\nSubject: An offer\r\n\r\nHow much are ten?\r\n"
	doraAsks = "From: dora@globex.example\r\nTo: sales@us.example\r\nMessage-ID: <1@globex.example>\r\n" +
		"Date: Thu, 12 Mar 2026 08:40:00 +0100\r\nSubject: A delivery\r\n\r\nWhen does it come?\r\n"
)

func (d *day) mailComesIn() {
	filed := d.arrives("acme", carlaAsks)
	require.True(d, filed.Created && filed.Begun)
	d.carla, d.question = filed.Conversation, filed.Message
	filed = d.arrives("globex", doraAsks)
	require.True(d, filed.Created && filed.Begun)
	d.dora, d.last = filed.Conversation, filed.Message

	again := d.arrives("globex", doraAsks)
	require.False(d, again.Created || again.Begun, "a second copy")
	require.Equal(d, d.last.ID, again.Message.ID)

	away := d.arrives("globex", "From: dora@globex.example\r\nTo: sales@us.example\r\nMessage-ID: <2@globex.example>\r\nAuto-Submitted: auto-replied\r\n"+
		"In-Reply-To: <1@globex.example>\r\nDate: Thu, 12 Mar 2026 08:41:00 +0100\r\nSubject: Away\r\n\r\nI am away.\r\n")
	require.Equal(d, message.KindAutoReply, away.Message.Kind)
	require.Equal(d, d.dora.ID, away.Conversation.ID)
	d.queues("2 to answer, 0 with a draft, 0 mine, 2 nobody's, 0 snoozed")
	d.list(
		`08:30 An offer needs_reply: "How much are ten?" 1 unread`,
		`08:40 A delivery needs_reply: "When does it come?" 2 unread`,
	)
}

func (d *day) draftsAreMade() {
	d.forC = d.draft(d.carla, d.question, clock(8, 50), "90 euros.")
	d.forD = d.draft(d.dora, d.last, clock(8, 51), "On Monday.")
	d.queues("2 to answer, 2 with a draft, 0 mine, 2 nobody's, 0 snoozed")
}

func (d *day) annTakesOne() {
	ctx, inbox, nobody := d.Context(), d.mine.Conversations(), ""
	_, err := inbox.Assign(ctx, d.carla.ID, "ann", store.AssignOptions{From: &nobody})
	require.NoError(d, err)
	_, err = inbox.Assign(ctx, d.carla.ID, "bob", store.AssignOptions{From: &nobody})
	var taken *store.AssignedError
	require.ErrorAs(d, err, &taken)
	require.Equal(d, "ann", taken.Assignee)
	_, err = d.mine.Messages().Append(ctx, d.carla.ID, &message.Message{
		Kind: message.KindNote, Role: message.RoleAssistant, Author: "bob", Content: "She had ten last year.", SentAt: clock(9, 5),
	})
	require.NoError(d, err)
	_, err = inbox.AddLabels(ctx, d.carla.ID, "ann", []string{"sales"})
	require.NoError(d, err)
	d.queues("2 to answer, 2 with a draft, 1 mine, 1 nobody's, 0 snoozed")
	_, err = inbox.Snooze(ctx, d.dora.ID, time.Now().Add(24*time.Hour))
	require.NoError(d, err)
	d.queues("1 to answer, 1 with a draft, 1 mine, 0 nobody's, 1 snoozed")
	d.list(
		`08:30 An offer needs_reply: "How much are ten?" 2 unread, ann's, sales, draft "90 euros."`,
		`08:40 A delivery needs_reply: "When does it come?" 2 unread, draft "On Monday."`,
	)
	read, err := inbox.MarkRead(ctx, d.carla.ID, "ann", 2)
	require.NoError(d, err)
	require.EqualValues(d, 2, read.Seq)
}

func (d *day) doraWritesAgain() {
	filed := d.arrives("globex", "From: dora@globex.example\r\nTo: sales@us.example\r\nMessage-ID: <3@globex.example>\r\nReferences: <1@globex.example>\r\n"+
		"Date: Thu, 12 Mar 2026 09:30:00 +0100\r\nSubject: Re: A delivery\r\n\r\nAnd can it be blue?\r\n")
	require.True(d, filed.Created && !filed.Begun)
	require.Nil(d, filed.Conversation.SnoozedUntil)
	d.last = filed.Message
	d.queues("2 to answer, 1 with a draft, 1 mine, 1 nobody's, 0 snoozed")

	_, err := d.mine.Suggestions().Approve(d.Context(), d.forD.ID, suggestion.Review{By: "bob"})
	var late *store.TransitionError
	require.ErrorAs(d, err, &late, "nobody approves what does not answer the last question")
	require.EqualValues(d, suggestion.StatusSuperseded, late.From)
	d.forD = d.draft(d.dora, d.last, clock(9, 31), "On Monday, and it is blue.")
	d.list(
		`08:30 An offer needs_reply: "How much are ten?" 0 unread, ann's, sales, draft "90 euros."`,
		`09:30 A delivery needs_reply: "And can it be blue?" 3 unread, draft "On Monday, and it is blue."`,
	)
}

// annAnswersCarla, regrets it, writes something else and has it sent later.
func (d *day) annAnswersCarla() {
	ctx, drafts := d.Context(), d.mine.Suggestions()
	_, err := drafts.Approve(ctx, d.forC.ID, suggestion.Review{By: "ann", At: clock(9, 40)})
	require.NoError(d, err)
	regretted := d.send(d.forC, "ann", "carla@acme.example", clock(9, 40), time.Now().Add(time.Hour))
	d.queues("1 to answer, 1 with a draft, 0 mine, 1 nobody's, 0 snoozed")
	require.Empty(d, d.provide(clock(9, 41), nil), "it is not due")

	s, err := drafts.Unsend(ctx, d.forC.ID)
	require.NoError(d, err)
	require.Equal(d, suggestion.StatusApproved, s.Status)
	_, err = d.mine.Messages().Get(ctx, regretted.ID)
	require.ErrorIs(d, err, store.ErrNotFound)
	d.queues("2 to answer, 1 with a draft, 1 mine, 1 nobody's, 0 snoozed")

	_, err = drafts.Reopen(ctx, d.forC.ID, store.ReopenOptions{})
	require.NoError(d, err)
	d.queues("2 to answer, 2 with a draft, 1 mine, 1 nobody's, 0 snoozed")
	s, err = drafts.SaveDraft(ctx, d.forC.ID, "85 euros,", store.SaveOptions{By: "ann", Expected: new(time.Time)})
	require.NoError(d, err)
	_, err = drafts.SaveDraft(ctx, d.forC.ID, "95 euros", store.SaveOptions{By: "bob", Expected: new(time.Time)})
	var conflict *store.DraftConflictError
	require.ErrorAs(d, err, &conflict)
	require.Equal(d, "85 euros,", conflict.Suggestion.DraftContent)
	require.Equal(d, s.DraftAt, conflict.Suggestion.DraftAt)

	s, err = drafts.Edit(ctx, d.forC.ID, "85 euros, for you.", suggestion.Review{By: "ann", At: clock(9, 50)})
	require.NoError(d, err)
	require.False(d, s.Drafted())
	m := d.send(d.forC, "ann", "carla@acme.example", clock(9, 50), time.Now().Add(8*time.Hour))
	d.list(
		`09:30 A delivery needs_reply: "And can it be blue?" 3 unread, draft "On Monday, and it is blue."`,
		`09:50 An offer waiting: "85 euros, for you." 0 unread, ann's, sales`,
	)
	open, err := d.mine.Deliveries().List(ctx, store.DeliveryFilter{MessageID: m.ID, State: store.DeliveryOpen}, store.PageRequest{})
	require.NoError(d, err)
	require.Len(d, open.Items, 1)
	_, err = d.mine.Deliveries().Reschedule(ctx, open.Items[0].ID, time.Now())
	require.NoError(d, err)
	require.Equal(d, []string{"carla@acme.example: 85 euros, for you."}, d.provide(clock(10, 0), nil))
	sent := d.message(m.ID)
	require.Equal(d, message.DeliverySent, sent.Delivery)
	require.True(d, sent.SentAt.Equal(clock(10, 0)))
	_, err = drafts.Unsend(ctx, d.forC.ID)
	var late *store.TransitionError
	require.ErrorAs(d, err, &late, "it has left")
}

// doraIsAnswered at the second attempt: the provider was closed at first.
func (d *day) doraIsAnswered() {
	ctx := d.Context()
	_, err := d.mine.Suggestions().Approve(ctx, d.forD.ID, suggestion.Review{By: "bob", At: clock(10, 31)})
	require.NoError(d, err)
	m := d.send(d.forD, "bob", "dora@globex.example", clock(10, 31), time.Time{})
	d.queues("0 to answer, 0 with a draft, 0 mine, 0 nobody's, 0 snoozed")
	d.provide(clock(10, 31), &store.PermanentError{Err: errors.New("account closed")})
	m = d.message(m.ID)
	require.Equal(d, message.DeliveryFailed, m.Delivery)
	require.Contains(d, m.DeliveryError, "account closed")
	d.queues("1 to answer, 0 with a draft, 0 mine, 1 nobody's, 0 snoozed")

	_, err = d.mine.Deliveries().Retry(ctx, m.ID)
	require.NoError(d, err)
	d.queues("0 to answer, 0 with a draft, 0 mine, 0 nobody's, 0 snoozed")
	require.Len(d, d.provide(clock(11, 0), nil), 1)
	m = d.message(m.ID)
	require.Equal(d, message.DeliverySent, m.Delivery)
	require.Empty(d, m.DeliveryError)
}

// theAnswerBounces: the report is filed where the answer is, which is then sent to another address.
func (d *day) theAnswerBounces() {
	ctx := d.Context()
	s, err := d.mine.Suggestions().Get(ctx, d.forC.ID)
	require.NoError(d, err)
	bounced := d.message(*s.SentMessageID)
	report := d.arrives("acme", "From: mailer-daemon@acme.example\r\nTo: sales@us.example\r\nMessage-ID: <b@acme.example>\r\nIn-Reply-To: "+bounced.EmailMessageID+
		"\r\nDate: Thu, 12 Mar 2026 11:10:00 +0100\r\nSubject: Undelivered\r\n\r\n550 no such user\r\n")
	require.Equal(d, message.KindBounce, report.Message.Kind)
	require.Equal(d, d.carla.ID, report.Conversation.ID)
	d.queues("0 to answer, 0 with a draft, 0 mine, 0 nobody's, 0 snoozed")
	bounced, err = d.mine.Deliveries().Bounce(ctx, bounced.ID, "550 no such user")
	require.NoError(d, err)
	require.Equal(d, message.DeliveryBounced, bounced.Delivery)
	d.queues("1 to answer, 0 with a draft, 1 mine, 0 nobody's, 0 snoozed")

	d.send(d.forC, "ann", "carla.c@acme.example", clock(11, 20), time.Time{})
	require.Equal(d, []string{"carla.c@acme.example: 85 euros, for you."}, d.provide(clock(11, 30), nil))
	d.list(
		`11:00 A delivery waiting: "On Monday, and it is blue." 4 unread`,
		`11:30 An offer waiting: "85 euros, for you." 1 unread, ann's, sales`,
	)
}

// twoBecomeOne: Carla answers in a mail of its own, and then to the one that the provider had named.
func (d *day) twoBecomeOne() {
	ctx := d.Context()
	stray := d.arrives("acme", "From: Carla <carla@home.example>\r\nTo: sales@us.example\r\nMessage-ID: <1@home.example>\r\n"+
		"Date: Thu, 12 Mar 2026 17:55:00 +0100\r\nSubject: From home\r\n\r\nI take them.\r\n")
	require.True(d, stray.Begun)
	forgotten := d.draft(stray.Conversation, stray.Message, clock(17, 56), "What?")
	d.queues("1 to answer, 1 with a draft, 0 mine, 1 nobody's, 0 snoozed")
	heir, err := d.mine.Conversations().Merge(ctx, stray.Conversation.ID, d.carla.ID, store.MoveOptions{})
	require.NoError(d, err)
	require.Equal(d, conversation.StatusNeedsReply, heir.Status)
	s, err := d.mine.Suggestions().Get(ctx, forgotten.ID)
	require.NoError(d, err)
	require.Equal(d, heir.ID, s.ConversationID)
	require.Equal(d, heir.LastSeq, s.AnswersSeq)
	d.queues("1 to answer, 1 with a draft, 1 mine, 0 nobody's, 0 snoozed")
	_, err = d.mine.Conversations().MarkRead(ctx, stray.Conversation.ID, "ann", 1)
	var merged *store.MergedError
	require.ErrorAs(d, err, &merged)
	_, err = d.mine.Conversations().MarkRead(ctx, merged.Into, "ann", heir.LastSeq)
	require.NoError(d, err)

	s, err = d.mine.Suggestions().Get(ctx, d.forC.ID)
	require.NoError(d, err)
	answer := d.arrives("acme", "From: Carla <carla.c@acme.example>\r\nTo: sales@us.example\r\nMessage-ID: <2@acme.example>\r\nIn-Reply-To: "+
		d.message(*s.SentMessageID).EmailMessageID+"\r\nDate: Thu, 12 Mar 2026 17:58:00 +0100\r\nSubject: Re: An offer\r\n\r\nAll ten.\r\n")
	require.Equal(d, heir.ID, answer.Conversation.ID)
	d.queues("1 to answer, 0 with a draft, 1 mine, 0 nobody's, 0 snoozed")
	d.list(
		`11:00 A delivery waiting: "On Monday, and it is blue." 4 unread`,
		`17:58 An offer needs_reply: "All ten." 1 unread, ann's, sales`,
	)
}

// theReport of a business that is open from nine to six.
func (d *day) theReport() {
	ctx, reports := d.Context(), d.mine.Reports()
	open, err := store.NewCalendar(store.BusinessHours{Zone: cet, Week: store.Workdays(store.Span{From: 9 * time.Hour, To: 18 * time.Hour})})
	require.NoError(d, err)
	today := store.Period{Since: clock(0, 0), Before: clock(24, 0), Zone: cet, Calendar: open}

	daily, err := reports.Daily(ctx, clock(12, 0))
	require.NoError(d, err)
	require.Equal(d, []int64{2, 1}, []int64{daily.NewConversations, daily.NeedsReply}, "what became one is one")
	require.Equal(d, []int64{8, 5, 3}, []int64{daily.Messages, daily.Inbound, daily.Outbound}, "no notes, nothing automatic, nothing taken back")
	made := daily.Suggestions
	require.Equal(d, []int64{4, 1, 1, 2}, []int64{made.Made, made.Approved, made.Edited, made.Superseded})

	times, err := reports.ResponseTimesByAssignee(ctx, store.Top{Period: today})
	require.NoError(d, err)
	require.Len(d, times, 2)
	ann, nobody := times[0], times[1]
	require.Equal(d, []string{"ann", ""}, []string{ann.Assignee, nobody.Assignee})
	require.Equal(d, 150*time.Minute, ann.Mean, "from nine to the answer that did not bounce")
	require.EqualValues(d, 1, ann.Open)
	require.True(d, ann.OldestOpen.Equal(clock(17, 55)))
	require.Equal(d, 2*time.Hour, nobody.Mean, "from nine to the second attempt")
	require.Zero(d, nobody.Open)

	decisions, err := reports.DecisionTimes(ctx, today)
	require.NoError(d, err)
	require.EqualValues(d, 2, decisions.Decided)
	require.Equal(d, 55*time.Minute, decisions.Mean, "from nine to 9:50, and from 9:31 to 10:31")
	unread, err := reports.Unread(ctx, clock(0, 0), store.PageRequest{})
	require.NoError(d, err)
	require.Len(d, unread.Items, 1)
	require.EqualValues(d, 2, unread.Items[0].Unanswered)
	require.True(d, unread.Items[0].WaitingSince.Equal(clock(17, 55)))
	health, err := d.st.Health().Deliveries(ctx)
	require.NoError(d, err)
	require.Zero(d, health, "nothing is left in the outbox")
}
