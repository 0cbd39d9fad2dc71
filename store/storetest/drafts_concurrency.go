package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// draftRounds is how often two calls meet.
func draftRounds() int {
	if testrun.Full() {
		return 150
	}
	return 40
}

// meet runs two calls at the same time.
func meet(a, b func() error) (errA, errB error) {
	var both sync.WaitGroup
	both.Go(func() { errA = a() })
	errB = b()
	both.Wait()
	return errA, errB
}

// incoming appends a message of the lead, by a way that changes with the round.
func incoming(ctx context.Context, mine store.Scope, id uuid.UUID, round int) error {
	m := &message.Message{Direction: message.DirectionInbound, Content: "in"}
	switch round % 4 {
	case 1:
		m.IdempotencyKey = fmt.Sprint(round)
	case 2:
		_, err := mine.Messages().AppendMany(ctx, id, []*message.Message{m, {Role: message.RoleTool}}, store.AppendOptions{})
		return err
	case 3:
		m.ConversationID = id
		_, err := mine.Messages().Import(ctx, rowsOf(m), store.ImportOptions{})
		return err
	}
	_, err := mine.Messages().Append(ctx, id, m)
	return err
}

// appendsAgainstApprove: either the approval came first, or it is refused, and the row says which.
func appendsAgainstApprove(t *testing.T, st store.Store) {
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	for round := range draftRounds() {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
		require.NoError(t, mine.Suggestions().Create(ctx, s))
		appended, decided := meet(
			func() error { return incoming(ctx, mine, c.ID, round) },
			func() error { return decide(ctx, mine, s.ID, round) },
		)
		require.NoError(t, appended)
		now, err := mine.Suggestions().Get(ctx, s.ID)
		require.NoError(t, err)
		if decided == nil {
			require.True(t, now.Status.Sendable(), "round %d: a lost approval, %s", round, now.Status)
			continue
		}
		var late *store.TransitionError
		require.ErrorAs(t, decided, &late)
		require.Equal(t, "superseded", late.From)
		require.Equal(t, suggestion.StatusSuperseded, now.Status)
	}
}

// appendsAgainstSend: the same where the decision and its message are one transaction, which locks
// the suggestion and then the conversation.
func appendsAgainstSend(t *testing.T, st store.Store) {
	ctx, user := t.Context(), uuid.New()
	mine := st.ForUser(user)
	c := newThread(t, mine, 1)
	for round := range draftRounds() {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
		require.NoError(t, mine.Suggestions().Create(ctx, s))
		appended, sent := meet(
			func() error { return incoming(ctx, mine, c.ID, round) },
			func() error {
				return st.Transaction(ctx, func(tx store.Store) error {
					if err := decide(ctx, tx.ForUser(user), s.ID, round); err != nil {
						return err
					}
					_, err := tx.ForUser(user).Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
					return err
				})
			},
		)
		require.NoError(t, appended)
		now, err := mine.Suggestions().Get(ctx, s.ID)
		require.NoError(t, err)
		require.Equal(t, sent == nil, now.Sent())
		if sent != nil {
			require.ErrorIs(t, sent, store.ErrConflict)
			require.Equal(t, suggestion.StatusSuperseded, now.Status)
		}
	}
}

// appendsAgainstSuggest: a suggestion that is made or reopened while a message comes in takes the
// message into account or is superseded by it, and is never left to wait beside it.
func appendsAgainstSuggest(t *testing.T, st store.Store) {
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	var old *suggestion.Suggestion
	for round := range draftRounds() {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
		if round%3 == 1 {
			now, err := mine.Conversations().Get(ctx, c.ID)
			require.NoError(t, err)
			s.AnswersSeq = now.LastSeq
		}
		wait := func() error { return mine.Suggestions().Create(ctx, s) }
		if round%3 == 2 {
			s = old
			wait = func() error {
				_, err := mine.Suggestions().Reopen(ctx, old.ID, store.ReopenOptions{Current: true})
				return err
			}
		}
		appended, waited := meet(func() error { return incoming(ctx, mine, c.ID, round) }, wait)
		require.NoError(t, errors.Join(appended, waited))
		now, err := mine.Suggestions().Get(ctx, s.ID)
		require.NoError(t, err)
		newest, err := mine.Messages().Last(ctx, c.ID, 2)
		require.NoError(t, err)
		in := newest[len(newest)-1]
		if in.Direction != message.DirectionInbound {
			in = newest[0]
		}
		if now.Status == suggestion.StatusPending {
			require.GreaterOrEqual(t, now.AnswersSeq, in.Seq, "round %d: it waits beside a newer message", round)
			_, err := mine.Suggestions().Reject(ctx, s.ID, suggestion.Review{})
			require.NoError(t, err)
		} else {
			require.Equal(t, suggestion.StatusSuperseded, now.Status)
			require.Less(t, now.AnswersSeq, in.Seq)
		}
		old = s
	}
}

// draftsAtOnce: of editors who save over the same draft one wins, and the others are told by whom.
func draftsAtOnce(t *testing.T, st store.Store) {
	const editors, rounds = 6, 5
	ctx, mine := t.Context(), st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
	require.NoError(t, mine.Suggestions().Create(ctx, s))
	seen := time.Time{}
	for range rounds {
		saved := make([]*suggestion.Suggestion, editors)
		errs := together(editors, func(n int) (err error) {
			saved[n], err = mine.Suggestions().SaveDraft(ctx, s.ID, fmt.Sprint(n), store.SaveOptions{By: fmt.Sprint(n), Expected: &seen})
			return err
		})
		winners := 0
		now, err := mine.Suggestions().Get(ctx, s.ID)
		require.NoError(t, err)
		for n, err := range errs {
			if err == nil {
				winners++
				assert.Equal(t, fmt.Sprint(n), now.DraftBy)
				continue
			}
			var lost *store.DraftConflictError
			require.ErrorAs(t, err, &lost)
			assert.Equal(t, now.DraftBy, lost.Suggestion.DraftBy)
		}
		require.Equal(t, 1, winners)
		seen = *now.DraftAt
	}
}
