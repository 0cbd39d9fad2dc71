package storetest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func kindTests() subtests {
	return subtests{
		"KindsMoveNothing":        testKindsMoveNothing,
		"KindsInReports":          testKindsInReports,
		"KindsStayArchived":       testKindsStayArchived,
		"StatusOldMail":           testStatusOldMail,
		"StatusDeleteLatest":      testStatusDeleteLatest,
		"StatusDeletedAll":        testStatusDeletedAll,
		"StatusOnBranches":        testStatusOnBranches,
		"StatusRefusedSend":       testStatusRefusedSend,
		"HeadersAreOneLine":       testHeadersAreOneLine,
		"FindThreadBareIDs":       testFindThreadBareIDs,
		"StatusLateFailedMessage": testStatusLateFailedMessage,
	}
}

func had[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// appender is a way in which messages get into a conversation.
type appender func(t testing.TB, c *conversation.Conversation, ms ...*message.Message)

func (w *world) oneByOne(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
	for _, m := range ms {
		w.append(t, c, m)
	}
}

// appenders are all ways in which messages get into a conversation that is there.
func (w *world) appenders() map[string]appender {
	many := func(o store.AppendOptions) appender {
		return func(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
			must[[]bool](t)(w.mine.Messages().AppendMany(t.Context(), c.ID, ms, o))
		}
	}
	plain := func(t testing.TB, ms ...*message.Message) {
		for _, m := range ms {
			w.createPlain(t, m)
		}
	}
	return map[string]appender{
		"Append": w.oneByOne,
		"Append with a key": func(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
			for _, m := range ms {
				m.IdempotencyKey = uuid.NewString()
			}
			w.oneByOne(t, c, ms...)
		},
		"AppendMany":             many(store.AppendOptions{}),
		"AppendMany with states": many(store.AppendOptions{States: store.AppendStates{Conversation: store.StateMap{"a": value("1")}}}),
		"Import": func(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
			rows := func(yield func(*message.Message, error) bool) {
				for _, m := range ms {
					if m.ConversationID = c.ID; !yield(m, nil) {
						return
					}
				}
			}
			must[store.ImportResult](t)(w.mine.Messages().Import(t.Context(), iter.Seq2[*message.Message, error](rows), store.ImportOptions{}))
		},
		"plain GORM": func(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
			for _, m := range ms {
				m.ConversationID, m.UserID = c.ID, w.user
			}
			plain(t, ms...)
		},
		"AddMessage and Save": func(t testing.TB, c *conversation.Conversation, ms ...*message.Message) {
			loaded := w.get(t, c.ID)
			for m, err := range w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{Deleted: store.IncludeDeleted}) {
				require.NoError(t, err)
				loaded.Messages = append(loaded.Messages, m)
			}
			stored := len(loaded.Messages)
			for _, m := range ms {
				require.NoError(t, loaded.AddMessage(m))
			}
			status, at := loaded.Status, loaded.LastMessageAt
			loaded.Messages = slices.Clone(loaded.Messages[stored:])
			require.NoError(t, w.st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Save(loaded).Error })) //nolint:forbidigo // what a host does
			now := w.get(t, c.ID)
			require.Equal(t, now.Status, status, "in memory as in the database")
			require.WithinDuration(t, now.LastMessageAt, at, 0)
		},
	}
}

// sentAt makes a message that was sent so many hours before the clock of the world.
func (w *world) sentAt(hours int, d message.Direction, k message.Kind) *message.Message {
	return &message.Message{Direction: d, Role: d.Role(), Kind: k, Content: "a", SentAt: w.clock.Now().Add(-time.Duration(hours) * time.Hour)}
}

func (w *world) stands(t testing.TB, c *conversation.Conversation, status conversation.Status, at time.Time, about string) {
	t.Helper()
	now := w.get(t, c.ID)
	require.Equal(t, status, now.Status, about)
	require.WithinDuration(t, at, now.LastMessageAt, 0, about)
}

// testKindsMoveNothing: notes, automatic mail, bounces and events, whoever wrote them, change neither
// the status nor the activity, and do not count as the first message.
func testKindsMoveNothing(t *testing.T, w *world) {
	for name, appends := range w.appenders() {
		for _, k := range message.Kinds() {
			if k.Counts() {
				continue
			}
			for _, status := range []conversation.Status{conversation.StatusNeedsReply, conversation.StatusWaiting, conversation.StatusArchived, conversation.StatusActive} {
				c, about := w.conversation(t), fmt.Sprint(name, ", ", k, ", ", status)
				at := c.CreatedAt
				if status != conversation.StatusActive {
					at = w.clock.Now().Add(-time.Hour)
					d := message.DirectionInbound
					if status == conversation.StatusWaiting {
						d = message.DirectionOutbound
					}
					w.append(t, c, w.sentAt(1, d, message.KindMessage))
				}
				if status == conversation.StatusArchived {
					must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), c.ID))
				}
				appends(t, c, w.sentAt(0, message.DirectionInbound, k), w.sentAt(0, message.DirectionOutbound, k))
				w.stands(t, c, status, at, about)
				if status == conversation.StatusActive {
					old := w.sentAt(1000, message.DirectionInbound, message.KindMessage)
					appends(t, c, old)
					w.stands(t, c, conversation.StatusNeedsReply, old.SentAt, about+", then an old mail")
				}
			}
		}
	}
}

// testStatusOldMail: a mail that comes after a later one changes nothing, in a batch of its own or with
// others, and one of the same time as the latest counts as later.
func testStatusOldMail(t *testing.T, w *world) {
	const in, out = message.DirectionInbound, message.DirectionOutbound
	for name, appends := range w.appenders() {
		c := w.conversation(t)
		answer := w.sentAt(1, out, "")
		appends(t, c, answer)
		appends(t, c, w.sentAt(2, in, ""))
		w.stands(t, c, conversation.StatusWaiting, answer.SentAt, name+": the question after its answer")
		appends(t, c, w.sentAt(3, in, ""), w.sentAt(2, out, ""), w.sentAt(4, in, ""))
		w.stands(t, c, conversation.StatusWaiting, answer.SentAt, name)
		appends(t, c, w.sentAt(1, in, ""))
		w.stands(t, c, conversation.StatusNeedsReply, answer.SentAt, name+": at the same time")
		must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), c.ID))
		appends(t, c, w.sentAt(2, in, ""))
		w.stands(t, c, conversation.StatusArchived, answer.SentAt, name+": an old mail wakes nothing")

		// A message without a direction is activity, and nobody's turn.
		c = w.conversation(t)
		system := w.sentAt(1, "", "")
		system.Role = message.RoleSystem
		appends(t, c, system)
		appends(t, c, w.sentAt(2, in, ""))
		w.stands(t, c, conversation.StatusNeedsReply, system.SentAt, name+": the only turn")
		appends(t, c, w.sentAt(3, out, ""))
		w.stands(t, c, conversation.StatusNeedsReply, system.SentAt, name)

		// All in one batch, in any order.
		c = w.conversation(t)
		late := w.sentAt(1, in, "")
		appends(t, c, w.sentAt(3, out, ""), late, w.sentAt(2, out, ""), w.sentAt(0, out, message.KindNote))
		w.stands(t, c, conversation.StatusNeedsReply, late.SentAt, name+": in one batch")

		// A date in the future counts as that of the append, by the clock of the store.
		if strings.HasPrefix(name, "plain") || strings.HasPrefix(name, "AddMessage") {
			continue
		}
		c = w.conversation(t)
		appends(t, c, w.sentAt(-1000, in, ""))
		before := w.get(t, c.ID)
		require.Equal(t, conversation.StatusNeedsReply, before.Status)
		w.tick()
		answer = w.sentAt(0, out, "")
		answer.SentAt = before.LastMessageAt.Add(time.Nanosecond * 1000)
		appends(t, c, answer)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status, "%s: an answer to a mail from the future", name)
	}
}

// testStatusDeleteLatest: deleting the latest message brings back what the one before said, and
// restoring it what it said itself. Other messages change nothing.
func testStatusDeleteLatest(t *testing.T, w *world) {
	const in, out = message.DirectionInbound, message.DirectionOutbound
	ctx, c := t.Context(), w.conversation(t)
	question, answer := w.sentAt(5, in, ""), w.sentAt(3, out, "")
	w.oneByOne(t, c, answer, question, w.sentAt(1, in, message.KindAutoReply))
	w.stands(t, c, conversation.StatusWaiting, answer.SentAt, "")
	w.deleteMessage(t, answer)
	w.stands(t, c, conversation.StatusNeedsReply, question.SentAt, "a deleted answer")
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, answer.ID))
	w.stands(t, c, conversation.StatusWaiting, answer.SentAt, "a restored answer")
	w.deleteMessage(t, question)
	w.stands(t, c, conversation.StatusWaiting, answer.SentAt, "a message before the latest")
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, question.ID))
	w.stands(t, c, conversation.StatusWaiting, answer.SentAt, "and back")
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(ctx, c.ID))
	w.deleteMessage(t, answer)
	w.stands(t, c, conversation.StatusArchived, question.SentAt, "what is archived stays so")
	must[int64](t)(w.mine.Messages().RestoreAll(ctx, c.ID))
	w.stands(t, c, conversation.StatusArchived, answer.SentAt, "also by RestoreAll")
	must[*conversation.Conversation](t)(w.mine.Conversations().Reopen(ctx, c.ID))
	w.deleteMessage(t, question)
	w.stands(t, c, conversation.StatusActive, answer.SentAt, "nor does a reopened one need a reply for it")
}

// testStatusDeletedAll: without a message that counts the conversation is as if it had just begun.
func testStatusDeletedAll(t *testing.T, w *world) {
	c := w.conversation(t)
	m := w.sentAt(1, message.DirectionInbound, "")
	w.oneByOne(t, c, w.sentAt(0, message.DirectionInbound, message.KindNote), m)
	w.deleteMessage(t, m)
	w.stands(t, c, conversation.StatusActive, c.CreatedAt, "")
	old := w.sentAt(1000, message.DirectionOutbound, "")
	w.append(t, c, old)
	w.stands(t, c, conversation.StatusWaiting, old.SentAt, "the first that counts")
	must[int64](t)(w.mine.Messages().RestoreAll(t.Context(), c.ID))
	w.stands(t, c, conversation.StatusNeedsReply, m.SentAt, "all of them")
	must[int64](t)(w.mine.Messages().TruncateAfter(t.Context(), c.ID, 1, store.TruncateOptions{}))
	w.stands(t, c, conversation.StatusActive, c.CreatedAt, "a note is left")
}

// testStatusOnBranches: the path of the head decides.
func testStatusOnBranches(t *testing.T, w *world) {
	const in, out = message.DirectionInbound, message.DirectionOutbound
	for name, appends := range w.appenders() {
		if name == "AddMessage and Save" {
			continue // which has loaded one path alone
		}
		c := w.conversation(t)
		question, answer := w.sentAt(5, in, ""), w.sentAt(1, out, "")
		appends(t, c, question, answer)
		other := w.sentAt(4, in, "")
		other.ParentSeq = new(int64(1))
		appends(t, c, other)
		w.stands(t, c, conversation.StatusNeedsReply, other.SentAt, name+": the answer is on another branch")
		late := w.sentAt(6, out, "")
		appends(t, c, late)
		w.stands(t, c, conversation.StatusNeedsReply, other.SentAt, name+": an old one at the end of the branch")
		w.deleteMessage(t, other)
		w.stands(t, c, conversation.StatusNeedsReply, question.SentAt, name)
		must[*message.Message](t)(w.mine.Messages().Restore(t.Context(), other.ID))
		w.stands(t, c, conversation.StatusNeedsReply, other.SentAt, name)
		w.deleteMessage(t, answer)
		w.stands(t, c, conversation.StatusNeedsReply, other.SentAt, name+": what is not on the path")
		forked := had[*conversation.Conversation](t)(w.mine.Conversations().Fork(t.Context(), c.ID, store.ForkOptions{}))
		w.stands(t, forked, conversation.StatusNeedsReply, other.SentAt, name+": the fork")
	}
}

// testStatusRefusedSend: a message that failed is no answer, whatever is deleted around it.
func testStatusRefusedSend(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	w.tick()
	reply := w.reply(t, c)
	e := w.enqueue(t, reply)
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(w.mine.Deliveries().Fail(ctx, e.ID, "a", store.Failure{Error: "no", Final: true}))
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	w.tick()
	again := w.reply(t, c)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	w.deleteMessage(t, again)
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status, "the failed one is the latest again")
	w.deleteMessage(t, reply)
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status, "only the question is left")
}

// testStatusLateFailedMessage: a message that fails is compared by when it was sent.
func testStatusLateFailedMessage(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	later := w.sentAt(1, message.DirectionOutbound, "")
	w.append(t, c, later)
	earlier := w.sentAt(2, message.DirectionOutbound, "")
	w.append(t, c, earlier)
	must[*message.Message](t)(w.mine.Deliveries().Bounce(ctx, earlier.ID, "no"))
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status, "the later one, stored before, has arrived")
	must[*message.Message](t)(w.mine.Deliveries().Bounce(ctx, later.ID, "no"))
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
}

// testKindsStayArchived: what a machine sends wakes no conversation, and what a person sends does.
func testKindsStayArchived(t *testing.T, w *world) {
	for value, want := range map[string]conversation.Status{"auto-replied": conversation.StatusArchived, "no": conversation.StatusNeedsReply} {
		c := w.asked(t)
		must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), c.ID))
		w.tick()
		h := message.Headers{"Auto-Submitted": {value}}
		w.append(t, c, &message.Message{Direction: message.DirectionInbound, Kind: message.Classify(h), Headers: h, Content: "a"})
		require.Equal(t, want, w.get(t, c.ID).Status, value)
	}
}

// testKindsInReports: notes and automatic mail are no messages, no answers and no questions.
func testKindsInReports(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	asked := w.clock.Now()
	w.tick()
	for _, k := range message.Kinds() {
		if !k.Counts() {
			w.oneByOne(t, c, w.sentAt(0, message.DirectionInbound, k), w.sentAt(0, message.DirectionOutbound, k))
		}
	}
	r := w.mine.Reports()
	unread := had[store.Page[*store.UnreadConversation]](t)(r.Unread(ctx, time.Time{}, store.PageRequest{}))
	require.Len(t, unread.Items, 1, "an automatic mail is no answer")
	require.EqualValues(t, 1, unread.Items[0].Unanswered)
	require.WithinDuration(t, asked, *unread.Items[0].WaitingSince, 0)
	w.tick()
	w.reply(t, c)
	times := had[store.ResponseTimes](t)(r.ResponseTimes(ctx, store.Period{}))
	require.EqualValues(t, 1, times.Answered)
	require.Equal(t, 2*time.Minute, times.Mean)
	active := had[[]store.ConversationActivity](t)(r.MostActive(ctx, store.Top{}))
	require.Len(t, active, 1)
	require.Equal(t, [3]int64{2, 1, 1}, [3]int64{active[0].Messages, active[0].Inbound, active[0].Outbound})
	day := had[store.Daily](t)(r.Daily(ctx, w.clock.Now()))
	require.Equal(t, [3]int64{1, 0, 1}, [3]int64{day.Messages, day.Inbound, day.Outbound})
	// What it cost is counted, though it is no activity.
	w.clock.add(1000 * time.Hour)
	w.append(t, c, &message.Message{Role: message.RoleAssistant, Kind: message.KindNote, Content: "a summary", Model: "m", TokensIn: 7})
	used := had[[]store.ModelUsage](t)(r.UsageByModel(ctx, store.Top{Period: store.Period{Since: w.clock.Now().Add(-time.Minute)}}))
	require.Len(t, used, 1)
	require.EqualValues(t, 7, used[0].TokensIn)
}

// testHeadersAreOneLine: a line break would be a header of its own once the mail is sent.
func testHeadersAreOneLine(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	for _, bad := range []string{"a\nBcc: b@c", "a\r\nBcc: b@c", "a\rb", "\n", "a\r\n b"} {
		for field, m := range map[string]*message.Message{
			"headers":         {Headers: message.Headers{"Subject": {"ok", bad}}},
			"sender_email":    {SenderEmail: bad},
			"recipient_email": {RecipientEmail: bad},
		} {
			m.Role = message.RoleUser
			for name, appends := range w.refusals() {
				copied := *m
				invalid(t, appends(c, &copied), field)
				require.Zero(t, w.get(t, c.ID).LastSeq, name)
			}
		}
		named := &message.Message{Role: message.RoleUser, Headers: message.Headers{bad: {"ok"}}}
		_, err := w.mine.Messages().Append(ctx, c.ID, named)
		invalid(t, err, "headers")
		invalid(t, w.mine.Conversations().Create(ctx, &conversation.Conversation{Subject: bad}), "subject")
		_, err = w.mine.Conversations().SetSubject(ctx, c.ID, bad)
		invalid(t, err, "subject")
		db := w.st.DB(ctx)
		invalid(t, db.Create(&conversation.Conversation{UserID: w.user, Subject: bad}).Error, "subject")
		invalid(t, db.Model(&conversation.Conversation{ID: c.ID, UserID: w.user}).Updates(map[string]any{"subject": bad}).Error, "subject")
	}
	w.append(t, c, &message.Message{Role: message.RoleUser, Content: "two\r\nlines"})
}

// refusals are the ways in which a message is appended that return their error.
func (w *world) refusals() map[string]func(c *conversation.Conversation, m *message.Message) error {
	return map[string]func(c *conversation.Conversation, m *message.Message) error{
		"AddMessage": func(_ *conversation.Conversation, m *message.Message) error {
			return (&conversation.Conversation{ID: uuid.New(), UserID: w.user}).AddMessage(m)
		},
		"plain GORM": func(c *conversation.Conversation, m *message.Message) error {
			m.ConversationID, m.UserID = c.ID, w.user
			return m.BeforeCreate(nil)
		},
	}
}

// testFindThreadBareIDs: some programs write ids without brackets.
func testFindThreadBareIDs(t *testing.T, w *world) {
	c := w.conversation(t)
	w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Headers: message.Headers{"Message-ID": {"1@x"}}})
	w.append(t, c, &message.Message{Direction: message.DirectionOutbound, EmailMessageID: "<2@x>"})
	for _, h := range []message.Headers{
		{"In-Reply-To": {"1@x"}}, {"In-Reply-To": {"<1@x>"}}, {"In-Reply-To": {" 2@x "}}, {"References": {"9@x 2@x"}}, {"References": {"1@x, <9@x>", "2@x"}},
	} {
		found, err := w.mine.Messages().FindThread(t.Context(), &message.Message{Direction: message.DirectionInbound, Headers: h})
		require.NoError(t, err, h)
		require.Equal(t, c.ID, found.ID, h)
	}
	_, err := w.mine.Messages().FindThread(t.Context(), &message.Message{Direction: message.DirectionInbound, Headers: message.Headers{"In-Reply-To": {"1@x of Monday"}}})
	require.ErrorIs(t, err, store.ErrNotFound)
}

// oneLine is a text that a header may have.
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }
