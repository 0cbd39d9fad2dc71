package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// sendsAtOnce are tests of many callers who send.
func sendsAtOnce() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"send and deliver":          sendAndDeliverAtOnce,
		"send anew":                 sendAnewAtOnce,
		"second replies":            secondRepliesAtOnce,
		"unsend and claim":          unsendAgainstClaim,
		"send and an inbound one":   sendAgainstInbound,
		"append and deliver by key": appendAndDeliverAtOnce,
	}
}

// approvedIn makes an approved reply to the first message of a conversation.
func approvedIn(tb testing.TB, s store.Scope, c *conversation.Conversation) *suggestion.Suggestion {
	tb.Helper()
	sg := &suggestion.Suggestion{ConversationID: c.ID, AnswersSeq: 1, SuggestedContent: "draft"}
	require.NoError(tb, s.Suggestions().Create(tb.Context(), sg))
	must[*suggestion.Suggestion](tb)(s.Suggestions().Approve(tb.Context(), sg.ID, suggestion.Review{}))
	return sg
}

// sendEight sends a suggestion eight times at once. One call stores a message with its entry, and
// the others return both.
func sendEight(t *testing.T, mine store.Scope, id uuid.UUID) (*message.Message, *message.OutboxEntry) {
	t.Helper()
	var created atomic.Int64
	var ms [8]message.Message
	var es [8]message.OutboxEntry
	errs := together(len(ms), func(i int) error {
		es[i].Channel = "mail"
		ok, err := mine.Suggestions().Send(t.Context(), id, &ms[i], store.SendOptions{Deliver: &es[i]})
		if ok {
			created.Add(1)
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, int64(1), created.Load())
	for i := range ms {
		require.Equal(t, ms[0].ID, ms[i].ID)
		require.Equal(t, es[0].ID, es[i].ID)
		require.Equal(t, ms[0].ID, es[i].MessageID)
	}
	return &ms[0], &es[0]
}

func sendAndDeliverAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	for range 5 {
		c := newThread(t, mine, 1)
		m, e := sendEight(t, mine, approvedIn(t, mine, c).ID)
		listed, err := mine.Deliveries().List(t.Context(), store.DeliveryFilter{MessageID: m.ID}, page)
		require.NoError(t, err)
		require.Len(t, listed.Items, 1)
		require.Equal(t, e.ID, listed.Items[0].ID)
		require.Len(t, CheckConversation(t, mine, c.ID), 2)
	}
	got, err := mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "a", Limit: 100})
	require.NoError(t, err)
	require.Len(t, got, 5)
}

func sendAnewAtOnce(t *testing.T, st store.Store) {
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	s := approvedIn(t, mine, c)
	for round := range 3 {
		m, e := sendEight(t, mine, s.ID)
		require.EqualValues(t, round+2, m.Seq)
		got, err := mine.Deliveries().Claim(ctx, store.ClaimOptions{Worker: "a"})
		require.NoError(t, err)
		require.Len(t, got, 1)
		must[*message.OutboxEntry](t)(mine.Deliveries().Fail(ctx, e.ID, "a", store.Failure{Final: true}))
	}
}

// secondRepliesAtOnce: of eight replies to one message one is sent.
func secondRepliesAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	var ids [8]uuid.UUID
	for i := range ids {
		ids[i] = approvedIn(t, mine, c).ID
	}
	var sent atomic.Int64
	errs := together(len(ids), func(i int) error {
		_, err := mine.Suggestions().Send(t.Context(), ids[i], &message.Message{}, store.SendOptions{})
		if _, second := errors.AsType[*store.SecondReplyError](err); second {
			return nil
		}
		sent.Add(1)
		return err
	})
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, int64(1), sent.Load())
	require.Len(t, CheckConversation(t, mine, c.ID), 2)
}

// unsendAgainstClaim: what a worker has is not taken back, and what was taken back no worker gets.
func unsendAgainstClaim(t *testing.T, st store.Store) {
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	const n = 40
	var ids, messages [n]uuid.UUID
	for i := range ids {
		m := &message.Message{}
		ids[i] = approvedIn(t, mine, newThread(t, mine, 1)).ID
		must[bool](t)(mine.Suggestions().Send(ctx, ids[i], m, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}}))
		messages[i] = m.ID
	}
	var back [n]bool
	var claimed [8][]*store.Claimed
	errs := together(16, func(caller int) error {
		if caller%2 == 0 {
			for {
				got, err := mine.Deliveries().Claim(ctx, store.ClaimOptions{Worker: "a", Limit: 1, Lease: time.Hour})
				if err != nil || len(got) == 0 {
					return err
				}
				claimed[caller/2] = append(claimed[caller/2], got...)
			}
		}
		for i := n - 1 - caller/2; i >= 0; i -= 8 {
			_, err := mine.Suggestions().Unsend(ctx, ids[i])
			if _, refused := errors.AsType[*store.TransitionError](err); !refused && err != nil {
				return err
			}
			back[i] = err == nil
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	taken := map[uuid.UUID]bool{}
	for _, of := range claimed {
		for _, c := range of {
			assert.False(t, taken[c.Message.ID], "it was claimed twice")
			taken[c.Message.ID] = true
		}
	}
	for i, id := range &messages {
		assert.NotEqual(t, back[i], taken[id], "message %d was taken back: %v, and a worker has it: %v", i, back[i], taken[id])
	}
}

// sendAgainstInbound: whichever comes first, a reply has not gone out after the message that it does
// not take into account.
func sendAgainstInbound(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	for range 10 {
		c := newThread(t, mine, 1)
		s := approvedIn(t, mine, c)
		out, in := &message.Message{}, inbound("another question")
		var stale bool
		errs := together(2, func(i int) error {
			if i == 0 {
				_, err := mine.Messages().Append(t.Context(), c.ID, in)
				return err
			}
			_, err := mine.Suggestions().Send(t.Context(), s.ID, out, store.SendOptions{})
			if _, stale = errors.AsType[*store.StaleDraftError](err); stale {
				return nil
			}
			return err
		})
		require.NoError(t, errors.Join(errs...))
		require.True(t, stale || out.Seq < in.Seq, "the reply is %d, the question %d", out.Seq, in.Seq)
		CheckConversation(t, mine, c.ID)
	}
}

// appendAndDeliverAtOnce: eight deliveries of one job queue one message once.
func appendAndDeliverAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	var es [8]message.OutboxEntry
	errs := together(len(es), func(i int) error {
		es[i].Channel = "mail"
		m := &message.Message{Direction: message.DirectionOutbound, Content: "once", IdempotencyKey: "job"}
		_, err := mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{m}, store.AppendOptions{Deliver: []*message.OutboxEntry{&es[i]}})
		return err
	})
	require.NoError(t, errors.Join(errs...))
	for i := range es {
		require.Equal(t, es[0].ID, es[i].ID)
	}
	require.Len(t, CheckConversation(t, mine, c.ID), 2)
}

// sendsInTransactions: approve, message and entry are the host's to commit together.
func sendsInTransactions(t *testing.T, st store.Store) {
	ctx, user := t.Context(), uuid.New()
	mine := st.ForUser(user)
	fail := errors.New("the host's own row was refused")
	answer := func(scope store.Scope, id uuid.UUID, m *message.Message, e *message.OutboxEntry) error {
		if _, err := scope.Suggestions().Approve(ctx, id, suggestion.Review{By: "ann"}); err != nil {
			return err
		}
		_, err := scope.Suggestions().Send(ctx, id, m, store.SendOptions{Deliver: e})
		return err
	}
	for name, within := range map[string]func(fn func(s store.Scope) error) error{
		"host's": func(fn func(s store.Scope) error) error {
			return st.DB(ctx).Transaction(func(tx *gorm.DB) error { return fn(st.WithTx(tx).ForUser(user)) })
		},
		"store's": func(fn func(s store.Scope) error) error {
			return st.Transaction(ctx, func(tx store.Store) error { return fn(tx.ForUser(user)) })
		},
	} {
		c := newThread(t, mine, 1)
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "draft"}
		require.NoError(t, mine.Suggestions().Create(ctx, s))
		before := owns(t, mine)
		require.ErrorIs(t, within(func(scope store.Scope) error {
			require.NoError(t, answer(scope, s.ID, &message.Message{}, &message.OutboxEntry{Channel: "mail"}))
			return fail
		}), fail, name)
		require.Equal(t, before, owns(t, mine), name)
		now, err := mine.Suggestions().Get(ctx, s.ID)
		require.NoError(t, err)
		require.Equal(t, suggestion.StatusPending, now.Status)
		require.Nil(t, now.SentMessageID)

		m, e := &message.Message{}, &message.OutboxEntry{Channel: "mail"}
		require.NoError(t, within(func(scope store.Scope) error {
			if err := answer(scope, s.ID, m, e); err != nil {
				return err
			}
			// What is refused leaves the transaction usable.
			_, err := scope.Suggestions().Send(ctx, uuid.New(), &message.Message{}, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}})
			require.ErrorIs(t, err, store.ErrNotFound)
			got, err := scope.Deliveries().Get(ctx, e.ID)
			require.NoError(t, err)
			require.Equal(t, m.ID, got.MessageID)
			return nil
		}), name)
		got, err := mine.Deliveries().Claim(ctx, store.ClaimOptions{Worker: "a", Lease: 24 * time.Hour})
		require.NoError(t, err)
		require.Len(t, got, 1, name)
		require.Equal(t, m.ID, got[0].Message.ID)
	}
}
