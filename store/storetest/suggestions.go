package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func suggestionTests() subtests {
	return subtests{
		"SuggestionCreateFillsIn":        testSuggestionCreateFillsIn,
		"SuggestionKeepsEveryColumn":     testSuggestionKeepsEveryColumn,
		"SuggestionKeepsNumbers":         testSuggestionKeepsNumbers,
		"SuggestionCreateNeedsParents":   testSuggestionCreateNeedsParents,
		"SuggestionCreateConflicts":      testSuggestionCreateConflicts,
		"SuggestionGet":                  testSuggestionGet,
		"SuggestionDecisions":            testSuggestionDecisions,
		"SuggestionDecidedOnce":          testSuggestionDecidedOnce,
		"SuggestionDecisionNeedsARow":    testSuggestionDecisionNeedsARow,
		"SuggestionPending":              testSuggestionPending,
		"SuggestionPendingParents":       testSuggestionPendingParents,
		"SuggestionListByConversation":   testSuggestionListByConversation,
		"SuggestionDeleteAndRestore":     testSuggestionDeleteAndRestore,
		"SendAppends":                    testSendAppends,
		"SendKeepsWhatIsGiven":           testSendKeepsWhatIsGiven,
		"SendOnce":                       testSendOnce,
		"SendNeedsADecision":             testSendNeedsADecision,
		"SendLinksWhatIsStored":          testSendLinksWhatIsStored,
		"SendRefusesWhatWasNotSent":      testSendRefusesWhatWasNotSent,
		"SendRefusesAnotherConversation": testSendRefusesAnotherConversation,
		"SendBadMessage":                 testSendBadMessage,
	}
}

func testSuggestionCreateFillsIn(t *testing.T, w *world) {
	c := w.conversation(t)
	in := w.inbound(t, c)
	before := w.get(t, c.ID)
	now := w.tick()
	s := w.suggest(t, c, in)
	require.Equal(t, uuid.Version(7), s.ID.Version())
	require.Equal(t, w.user, s.UserID)
	require.Equal(t, suggestion.StatusPending, s.Status)
	require.Nil(t, s.ConfidenceScore)
	require.Nil(t, s.ReviewedAt)
	require.True(t, s.CreatedAt.Equal(now))
	require.True(t, s.UpdatedAt.Equal(now))
	same(t, s, w.suggestion(t, s.ID))
	same(t, before, w.get(t, c.ID))
}

func testSuggestionKeepsEveryColumn(t *testing.T, w *world) {
	c := w.conversation(t)
	in := w.inbound(t, c)
	at := time.Date(2020, 5, 5, 5, 5, 5, 555555999, time.FixedZone("east", 4*3600+1800))
	s := &suggestion.Suggestion{
		ID: uuid.New(), ConversationID: c.ID, InReplyToMessageID: &in.ID,
		SuggestedContent: scripts, EditedContent: "edited " + scripts, ConfidenceScore: new(0.92),
		SentimentAnalysis: message.JSON(digits), ContextUsed: message.JSON(`[` + digits + `]`),
		ModelUsed: "gpt-4", TokensUsed: suggestion.MaxTokens, GenerationCost: decimal.RequireFromString("12345678.0123456789"),
		Status: suggestion.StatusEdited, ReviewedBy: "Jö", ReviewedAt: new(at), Feedback: scripts,
		AnswersSeq: 1, DraftContent: "half " + scripts, DraftBy: "Jö", DraftAt: new(at),
		CreatedAt: at.Add(-time.Hour), UpdatedAt: at,
	}
	want := *s
	require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
	got := w.suggestion(t, s.ID)
	same(t, s, got)
	want.UserID = w.user
	want.CreatedAt, want.UpdatedAt, want.ReviewedAt = message.Instant(at.Add(-time.Hour)), message.Instant(at), new(message.Instant(at))
	want.DraftAt = want.ReviewedAt
	same(t, want, got)

	w.tick()
	must[bool](t)(w.mine.Suggestions().Send(t.Context(), s.ID, &message.Message{}, store.SendOptions{}))
	gone, err := w.mine.Suggestions().Delete(t.Context(), s.ID)
	require.NoError(t, err)
	filled(t, gone, "InReplyTo", "Conversation")
	isUTC(t, gone.CreatedAt, gone.UpdatedAt, *gone.ReviewedAt, gone.DeletedAt.Time)
	want.SentMessageID, want.UpdatedAt, want.DeletedAt = gone.SentMessageID, gone.UpdatedAt, gone.DeletedAt
	same(t, want, gone)
}

func testSuggestionKeepsNumbers(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, score := range []float64{0, 1, 0.1, 0.30000000000000004, 5e-324} {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", ConfidenceScore: &score}
		require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
		got := w.suggestion(t, s.ID).ConfidenceScore
		require.NotNil(t, got)
		require.Equal(t, score, *got) //nolint:testifylint // not about nearness: the very same float
	}
	for _, cost := range []string{"0", "0.0000000001", "0.0135", "99999999.9999999999", "123456789012345678"} {
		want := decimal.RequireFromString(cost)
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x", GenerationCost: want}
		require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
		require.Equal(t, want.String(), w.suggestion(t, s.ID).GenerationCost.String())
	}
}

func testSuggestionCreateNeedsParents(t *testing.T, w *world) {
	ctx := t.Context()
	c, gone := w.conversation(t), w.conversation(t)
	in := w.inbound(t, c)
	elsewhere := w.inbound(t, w.conversation(t))
	deleted := w.inbound(t, c)
	w.deleteMessage(t, deleted)
	w.delete(t, gone)
	draft := func(id uuid.UUID, replyTo *uuid.UUID) *suggestion.Suggestion {
		return &suggestion.Suggestion{ConversationID: id, InReplyToMessageID: replyTo, SuggestedContent: "x"}
	}
	w.unchanged(t, func() {
		for _, id := range []uuid.UUID{uuid.New(), uuid.Nil, gone.ID} {
			require.ErrorIs(t, w.mine.Suggestions().Create(ctx, draft(id, nil)), store.ErrNotFound)
			require.ErrorIs(t, w.st.AllUsers().Suggestions().Create(ctx, draft(id, nil)), store.ErrNotFound)
		}
		require.ErrorIs(t, w.other().Suggestions().Create(ctx, draft(c.ID, nil)), store.ErrNotFound)
		for _, id := range []uuid.UUID{uuid.New(), elsewhere.ID, deleted.ID} {
			invalid(t, w.mine.Suggestions().Create(ctx, draft(c.ID, &id)), "in_reply_to_message_id")
		}
		sent := draft(c.ID, nil)
		sent.SentMessageID, sent.Status, sent.ReviewedAt = &in.ID, suggestion.StatusApproved, new(epoch)
		invalid(t, w.mine.Suggestions().Create(ctx, sent), "sent_message_id")
	})
	s := draft(c.ID, &in.ID)
	s.UserID = w.user
	require.NoError(t, w.st.AllUsers().Suggestions().Create(ctx, s))
	same(t, s, w.suggestion(t, s.ID))
}

func testSuggestionCreateConflicts(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	live, gone := w.suggest(t, c, nil), w.suggest(t, c, nil)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, gone.ID))
	w.unchanged(t, func() {
		for _, id := range []uuid.UUID{live.ID, gone.ID} {
			err := w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{ID: id, ConversationID: c.ID, SuggestedContent: "twin"})
			require.ErrorIs(t, err, store.ErrConflict)
		}
	})
	same(t, live, w.suggestion(t, live.ID))
}

func testSuggestionGet(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	s := w.suggest(t, c, w.inbound(t, c))
	require.Nil(t, w.suggestion(t, s.ID).InReplyTo)
	got, err := w.st.AllUsers().Suggestions().Get(ctx, s.ID)
	require.NoError(t, err)
	same(t, s, got)
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Get(ctx, uuid.New()))
	missing[*suggestion.Suggestion](t)(w.other().Suggestions().Get(ctx, s.ID))
}

// decisions are the three ways to decide, by the status that they lead to.
func decisions(s store.Scope) map[suggestion.Status]func(context.Context, uuid.UUID, suggestion.Review) (*suggestion.Suggestion, error) {
	ss := s.Suggestions()
	return map[suggestion.Status]func(context.Context, uuid.UUID, suggestion.Review) (*suggestion.Suggestion, error){
		suggestion.StatusApproved: ss.Approve,
		suggestion.StatusRejected: ss.Reject,
		suggestion.StatusEdited: func(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
			return ss.Edit(ctx, id, "better", r)
		},
	}
}

func testSuggestionDecisions(t *testing.T, w *world) {
	c := w.conversation(t)
	at := time.Date(2021, 1, 1, 1, 1, 1, 999999999, time.FixedZone("west", -3600))
	for to, decide := range decisions(w.mine) {
		for _, r := range []suggestion.Review{{}, {By: "Ann", Feedback: scripts, At: at}} {
			s := w.suggest(t, c, nil)
			now := w.tick()
			got, err := decide(t.Context(), s.ID, r)
			require.NoError(t, err)
			want := *s
			want.Status, want.ReviewedBy, want.Feedback, want.UpdatedAt = to, r.By, r.Feedback, now
			want.ReviewedAt = &now
			if !r.At.IsZero() {
				want.ReviewedAt = new(message.Instant(at))
			}
			if to == suggestion.StatusEdited {
				want.EditedContent = "better"
			}
			same(t, want, got)
			same(t, want, w.suggestion(t, s.ID))
			isUTC(t, *got.ReviewedAt)
		}
	}
	same(t, c, w.get(t, c.ID))
}

func testSuggestionDecidedOnce(t *testing.T, w *world) {
	c := w.conversation(t)
	for first, decide := range decisions(w.mine) {
		s := w.suggest(t, c, nil)
		decided, err := decide(t.Context(), s.ID, suggestion.Review{By: "first"})
		require.NoError(t, err)
		w.tick()
		for second, again := range decisions(w.mine) {
			_, err := again(t.Context(), s.ID, suggestion.Review{By: "second"})
			var late *store.TransitionError
			require.ErrorAs(t, err, &late)
			require.ErrorIs(t, err, store.ErrConflict)
			require.Equal(t, store.TransitionError{Of: "suggestion", From: first.String(), To: second.String()}, *late)
			same(t, decided, w.suggestion(t, s.ID))
		}
	}
}

func testSuggestionDecisionNeedsARow(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	live, gone := w.suggest(t, c, nil), w.suggest(t, c, nil)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, gone.ID))
	for _, decide := range decisions(w.mine) {
		missing[*suggestion.Suggestion](t)(decide(ctx, uuid.New(), suggestion.Review{}))
		missing[*suggestion.Suggestion](t)(decide(ctx, gone.ID, suggestion.Review{}))
	}
	for _, decide := range decisions(w.st.AllUsers()) {
		missing[*suggestion.Suggestion](t)(decide(ctx, uuid.New(), suggestion.Review{}))
		missing[*suggestion.Suggestion](t)(decide(ctx, gone.ID, suggestion.Review{}))
	}
	for _, decide := range decisions(w.other()) {
		missing[*suggestion.Suggestion](t)(decide(ctx, live.ID, suggestion.Review{}))
	}
	same(t, live, w.suggestion(t, live.ID))
	got, err := w.st.AllUsers().Suggestions().Approve(ctx, live.ID, suggestion.Review{})
	require.NoError(t, err)
	require.Equal(t, w.user, got.UserID)
}

func (w *world) pending(t testing.TB, s store.Scope, size int) []*store.PendingSuggestion {
	t.Helper()
	ps, err := list(size, func(p store.PageRequest) (store.Page[*store.PendingSuggestion], error) {
		return s.Suggestions().Pending(t.Context(), p)
	})
	require.NoError(t, err)
	return ps
}

func testSuggestionPending(t *testing.T, w *world) {
	ctx := t.Context()
	require.Empty(t, w.pending(t, w.mine, 10))
	c := w.conversation(t)
	var ss []*suggestion.Suggestion
	for range 6 {
		w.tick()
		ss = append(ss, w.suggest(t, c, nil))
	}
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Reject(ctx, ss[1].ID, suggestion.Review{}))
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, ss[3].ID))
	want := []uuid.UUID{ss[5].ID, ss[4].ID, ss[2].ID, ss[0].ID}
	for size := 1; size <= 5; size++ {
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			var got []uuid.UUID
			for _, p := range w.pending(t, s, size) {
				got = append(got, p.ID)
			}
			require.Equal(t, want, got, "pages of %d", size)
		}
	}
	require.Empty(t, w.pending(t, w.other(), 10))
}

func testSuggestionPendingParents(t *testing.T, w *world) {
	a, b := w.create(t, &conversation.Conversation{Title: "a"}), w.create(t, &conversation.Conversation{Title: "b"})
	inA, inB := w.inbound(t, a), w.inbound(t, b)
	gone := w.inbound(t, b)
	for _, tt := range []struct {
		c       *conversation.Conversation
		replyTo *message.Message
	}{{a, inA}, {b, inB}, {b, inB}, {a, nil}, {b, gone}} {
		w.tick()
		w.suggest(t, tt.c, tt.replyTo)
	}
	w.deleteMessage(t, gone)
	ps := w.pending(t, w.mine, 100)
	require.Len(t, ps, 5)
	for i, want := range []struct {
		c       *conversation.Conversation
		replyTo *message.Message
	}{{b, nil}, {a, nil}, {b, inB}, {b, inB}, {a, inA}} {
		same(t, w.get(t, want.c.ID), ps[i].Conversation)
		if want.replyTo == nil {
			require.Nil(t, ps[i].InReplyTo)
			continue
		}
		same(t, want.replyTo, ps[i].InReplyTo)
	}
	require.Equal(t, gone.ID, *ps[0].InReplyToMessageID)
}

func testSuggestionListByConversation(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	for i, content := range []string{"a", "b", "c", "d", "e"} {
		w.tick()
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: content}
		require.NoError(t, w.mine.Suggestions().Create(ctx, s))
		switch i {
		case 1:
			must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, s.ID))
		case 2:
			must[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{}))
		}
	}
	w.suggest(t, w.conversation(t), nil)
	for size := 1; size <= 5; size++ {
		ss, err := list(size, func(p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
			return w.mine.Suggestions().ListByConversation(ctx, c.ID, p)
		})
		require.NoError(t, err)
		require.Equal(t, "acde", strings.Join(drafts(ss), ""))
	}
	empty, err := w.mine.Suggestions().ListByConversation(ctx, w.conversation(t).ID, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, empty.Items)
	missing[store.Page[*suggestion.Suggestion]](t)(w.mine.Suggestions().ListByConversation(ctx, uuid.New(), store.PageRequest{}))
	missing[store.Page[*suggestion.Suggestion]](t)(w.other().Suggestions().ListByConversation(ctx, c.ID, store.PageRequest{}))
}

func testSuggestionDeleteAndRestore(t *testing.T, w *world) {
	ctx := t.Context()
	ss := w.mine.Suggestions()
	s := w.suggest(t, w.conversation(t), nil)
	missing[*suggestion.Suggestion](t)(w.other().Suggestions().Delete(ctx, s.ID))
	now := w.tick()
	gone, err := ss.Delete(ctx, s.ID)
	require.NoError(t, err)
	require.True(t, gone.DeletedAt.Time.Equal(now))
	missing[*suggestion.Suggestion](t)(ss.Delete(ctx, s.ID))
	missing[*suggestion.Suggestion](t)(ss.Delete(ctx, uuid.New()))
	missing[*suggestion.Suggestion](t)(ss.Get(ctx, s.ID))
	missing[*suggestion.Suggestion](t)(w.other().Suggestions().Restore(ctx, s.ID))
	var first *suggestion.Suggestion
	for range 2 {
		w.tick()
		back, err := ss.Restore(ctx, s.ID)
		require.NoError(t, err)
		require.False(t, back.Deleted())
		if first == nil {
			first = back
		}
		same(t, first, back)
		same(t, first, w.suggestion(t, s.ID))
	}
	missing[*suggestion.Suggestion](t)(ss.Restore(ctx, uuid.New()))
}

// decided makes a suggestion that may be sent.
func (w *world) decided(t testing.TB, c *conversation.Conversation, edited string) *suggestion.Suggestion {
	t.Helper()
	s := w.suggest(t, c, nil)
	var err error
	if edited == "" {
		s, err = w.mine.Suggestions().Approve(t.Context(), s.ID, suggestion.Review{By: "ann"})
	} else {
		s, err = w.mine.Suggestions().Edit(t.Context(), s.ID, edited, suggestion.Review{By: "ann"})
	}
	require.NoError(t, err)
	return s
}

func testSendAppends(t *testing.T, w *world) {
	for _, edited := range []string{"", "better"} {
		c := w.conversation(t)
		w.inbound(t, c)
		s := w.decided(t, c, edited)
		now := w.tick()
		m := &message.Message{RecipientEmail: "b@example.com"}
		created, err := w.mine.Suggestions().Send(t.Context(), s.ID, m, store.SendOptions{})
		require.NoError(t, err)
		require.True(t, created)
		require.Equal(t, s.FinalContent(), m.Content)
		require.Equal(t, message.RoleAssistant, m.Role)
		require.Equal(t, message.DirectionOutbound, m.Direction)
		require.Equal(t, "ann", m.Author, "who approved it")
		require.EqualValues(t, 2, m.Seq)
		require.Equal(t, c.ID, m.ConversationID)
		same(t, m, w.message(t, m.ID))

		want := *s
		want.SentMessageID, want.UpdatedAt = &m.ID, now
		same(t, want, w.suggestion(t, s.ID))
		got := w.get(t, c.ID)
		require.Equal(t, conversation.StatusWaiting, got.Status)
		require.True(t, got.LastMessageAt.Equal(now))
		require.EqualValues(t, 2, got.LastSeq)
	}
}

func testSendKeepsWhatIsGiven(t *testing.T, w *world) {
	c := w.conversation(t)
	s := w.decided(t, c, "")
	m := everything(epoch)
	m.Kind = message.KindMessage
	want := *m
	created, err := w.st.AllUsers().Suggestions().Send(t.Context(), s.ID, m, store.SendOptions{})
	require.NoError(t, err)
	require.True(t, created)
	want.UserID, want.ConversationID, want.Seq, want.ParentSeq = w.user, c.ID, 1, nil // a first message has no other parent
	same(t, want, m)
	same(t, want, w.message(t, m.ID))
}

func testSendOnce(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	s := w.decided(t, c, "")
	m := &message.Message{PostmarkMessageID: "p"}
	must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{}))
	before, conv := w.suggestion(t, s.ID), w.get(t, c.ID)
	w.tick()
	for _, again := range []*message.Message{{}, {PostmarkMessageID: "p"}, {PostmarkMessageID: "another"}, {Content: "another"}} {
		w.unchanged(t, func() {
			created, err := w.mine.Suggestions().Send(ctx, s.ID, again, store.SendOptions{})
			require.NoError(t, err)
			require.False(t, created)
			same(t, m, again)
		})
	}
	same(t, before, w.suggestion(t, s.ID))
	same(t, conv, w.get(t, c.ID))
}

func testSendNeedsADecision(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	pending, rejected, gone := w.suggest(t, c, nil), w.suggest(t, c, nil), w.decided(t, c, "")
	rejected, err := w.mine.Suggestions().Reject(ctx, rejected.ID, suggestion.Review{})
	require.NoError(t, err)
	approved := w.decided(t, c, "")
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, gone.ID))
	w.unchanged(t, func() {
		for _, s := range []*suggestion.Suggestion{pending, rejected} {
			_, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
			var wrong *store.TransitionError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, s.Status.String(), wrong.From)
			same(t, s, w.suggestion(t, s.ID))
		}
		missing[bool](t)(w.mine.Suggestions().Send(ctx, uuid.New(), &message.Message{}, store.SendOptions{}))
		missing[bool](t)(w.mine.Suggestions().Send(ctx, gone.ID, &message.Message{}, store.SendOptions{}))
		missing[bool](t)(w.other().Suggestions().Send(ctx, approved.ID, &message.Message{}, store.SendOptions{}))
	})
	same(t, c, w.get(t, c.ID))
}

// testSendLinksWhatIsStored is about mail whose copy in the outbox was seen first.
func testSendLinksWhatIsStored(t *testing.T, w *world) {
	for _, key := range []func() *message.Message{
		func() *message.Message { return &message.Message{GmailMessageID: "g"} },
		func() *message.Message { return &message.Message{PostmarkMessageID: "p"} },
		func() *message.Message { return &message.Message{IdempotencyKey: "k"} },
	} {
		c := w.conversation(t)
		stored := key()
		stored.Role, stored.Content = message.RoleAssistant, "seen in the outbox"
		w.append(t, c, stored)
		s := w.decided(t, c, "")
		before := w.get(t, c.ID)
		w.tick()
		w.unchanged(t, func() {
			for range 2 {
				m := key()
				created, err := w.mine.Suggestions().Send(t.Context(), s.ID, m, store.SendOptions{})
				require.NoError(t, err)
				require.False(t, created)
				same(t, stored, m)
			}
		})
		require.Equal(t, stored.ID, *w.suggestion(t, s.ID).SentMessageID)
		same(t, before, w.get(t, c.ID))
	}
}

func testSendRefusesAnotherConversation(t *testing.T, w *world) {
	ctx := t.Context()
	there, here := w.conversation(t), w.conversation(t)
	taken := w.append(t, there, &message.Message{Role: message.RoleAssistant, GmailMessageID: "g", PostmarkMessageID: "p", IdempotencyKey: "k"})
	s := w.decided(t, here, "")
	w.unchanged(t, func() {
		for _, m := range []*message.Message{{GmailMessageID: "g"}, {PostmarkMessageID: "p"}, {ID: taken.ID}} {
			_, err := w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{})
			require.ErrorIs(t, err, store.ErrConflict)
			require.NotErrorAs(t, err, new(*store.TransitionError), "it is not the decision that stands in the way")
		}
	})
	same(t, s, w.suggestion(t, s.ID))
	same(t, here, w.get(t, here.ID))
	created, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{IdempotencyKey: "k"}, store.SendOptions{})
	require.NoError(t, err)
	require.True(t, created, "an idempotency key is the conversation's own")
}

// testSendRefusesWhatWasNotSent: a suggestion becomes no message that somebody else wrote,
// nor one that is gone.
func testSendRefusesWhatWasNotSent(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	other := w.decided(t, c, "")
	theirs := &message.Message{IdempotencyKey: "theirs", GmailMessageID: "theirs", PostmarkMessageID: "theirs"}
	must[bool](t)(w.mine.Suggestions().Send(ctx, other.ID, theirs, store.SendOptions{}))
	add := func(m *message.Message) *message.Message {
		m.IdempotencyKey = m.Content
		m.GmailMessageID, m.PostmarkMessageID = m.Content, m.Content
		return w.append(t, c, m)
	}
	gone := add(&message.Message{Role: message.RoleAssistant, Content: "gone"})
	w.deleteMessage(t, gone)
	stored := []*message.Message{
		theirs, gone, w.append(t, c, &message.Message{Role: message.RoleUser, IdempotencyKey: "bare"}),
		add(&message.Message{Role: message.RoleUser, Content: "in"}),
		add(&message.Message{Role: message.RoleTool, Content: "tool"}),
		add(&message.Message{Role: message.RoleAssistant, Direction: message.DirectionInbound, Content: "bot"}),
	}
	s := w.decided(t, c, "")
	before := w.get(t, c.ID)
	w.tick()
	for _, m := range stored {
		for _, key := range []*message.Message{
			{ID: m.ID}, {IdempotencyKey: m.IdempotencyKey}, {GmailMessageID: m.GmailMessageID}, {PostmarkMessageID: m.PostmarkMessageID},
		} {
			if key.ID == uuid.Nil && key.IdempotencyKey == "" && key.GmailMessageID == "" && key.PostmarkMessageID == "" {
				continue
			}
			w.unchanged(t, func() {
				created, err := w.mine.Suggestions().Send(ctx, s.ID, key, store.SendOptions{})
				require.ErrorIs(t, err, store.ErrConflict, m.IdempotencyKey)
				require.NotErrorAs(t, err, new(*store.TransitionError), "it is not the decision that stands in the way")
				require.False(t, created)
			})
		}
	}
	w.unchanged(t, func() {
		for _, m := range []*message.Message{
			{Role: message.RoleUser},
			{Direction: message.DirectionInbound},
			{Role: message.RoleTool},
			{Role: message.RoleSystem},
			{Role: message.RoleAssistant, Direction: message.DirectionInbound},
		} {
			_, err := w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{})
			invalid(t, err, "direction")
		}
		for _, kind := range []message.Kind{message.KindNote, message.KindEvent} {
			_, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{Kind: kind}, store.SendOptions{})
			invalid(t, err, "kind")
		}
	})
	same(t, s, w.suggestion(t, s.ID))
	same(t, before, w.get(t, c.ID))
	created, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
	require.NoError(t, err)
	require.True(t, created, "the suggestion is as it was")
}

func testSendBadMessage(t *testing.T, w *world) {
	c := w.conversation(t)
	s := w.decided(t, c, "")
	w.unchanged(t, func() {
		for _, m := range []*message.Message{{Role: "robot"}, {Content: "\x00"}, {Metadata: message.JSON(`{`)}} {
			_, err := w.mine.Suggestions().Send(t.Context(), s.ID, m, store.SendOptions{})
			require.ErrorIs(t, err, store.ErrInvalid)
		}
	})
	same(t, s, w.suggestion(t, s.ID))
	same(t, c, w.get(t, c.ID))
}
