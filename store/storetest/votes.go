package storetest

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func voteTests() subtests {
	return subtests{
		"Vote":        testVote,
		"VoteRefused": testVoteRefused,
		"VoteHidden":  testVoteHidden,
	}
}

func testVote(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.Messages()
	c := w.conversation(t)
	m, other := w.append(t, c, text("a")), w.append(t, c, text("b"))
	votes := func() []*message.Vote {
		t.Helper()
		all, err := s.Votes(ctx, m.ID)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, []*message.Vote{}, votes())
	first, err := s.Vote(ctx, m.ID, message.Vote{Voter: "ann", Value: message.VoteUp, Comment: scripts})
	require.NoError(t, err)
	require.Equal(t, &message.Vote{MessageID: m.ID, UserID: w.user, Voter: "ann", Value: 1, Comment: scripts, CreatedAt: epoch, UpdatedAt: epoch}, first)
	at := w.tick()
	must[*message.Vote](t)(s.Vote(ctx, m.ID, message.Vote{Voter: "bob", Value: message.VoteUp}))
	must[*message.Vote](t)(s.Vote(ctx, m.ID, message.Vote{Voter: "Carol", Value: message.VoteUp}))
	changed, err := w.st.AllUsers().Messages().Vote(ctx, m.ID, message.Vote{Voter: "ann", Value: message.VoteDown})
	require.NoError(t, err)
	require.Equal(t, &message.Vote{MessageID: m.ID, UserID: w.user, Voter: "ann", Value: -1, CreatedAt: epoch, UpdatedAt: at}, changed)
	var voters []string
	for _, v := range votes() {
		voters = append(voters, v.Voter)
	}
	require.Equal(t, []string{"Carol", "bob", "ann"}, voters, "latest first, ties by their bytes")
	require.Equal(t, changed, votes()[2])
	same(t, m, w.message(t, m.ID))
	counts, err := s.CountVotes(ctx, []uuid.UUID{m.ID, other.ID, uuid.New(), m.ID})
	require.NoError(t, err)
	require.Equal(t, map[uuid.UUID]store.VoteCount{m.ID: {Up: 2, Down: 1}}, counts)
	counts, err = s.CountVotes(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, counts)
	require.NoError(t, s.Unvote(ctx, m.ID, "bob"))
	require.ErrorIs(t, s.Unvote(ctx, m.ID, "bob"), store.ErrNotFound)
	require.Len(t, votes(), 2)
}

func testVoteRefused(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithMaxMessageBytes(1000))
	ctx, s, m := t.Context(), w.mine.Messages(), w.append(t, w.conversation(t), text("a"))
	for _, tt := range []struct {
		field string
		vote  message.Vote
	}{
		{"voter", message.Vote{Value: 1}},
		{"voter", message.Vote{Voter: strings.Repeat("a", 1025), Value: 1}},
		{"voter", message.Vote{Voter: "\xff", Value: 1}},
		{"value", message.Vote{Voter: "ann"}},
		{"value", message.Vote{Voter: "ann", Value: 2}},
		{"comment", message.Vote{Voter: "ann", Value: 1, Comment: "a\x00"}},
		{"vote", message.Vote{Voter: "ann", Value: 1, Comment: strings.Repeat("a", 1001)}},
		{"vote", message.Vote{Voter: "ann", Value: 1, MessageID: m.ID}},
		{"vote", message.Vote{Voter: "ann", Value: 1, UserID: w.user}},
		{"vote", message.Vote{Voter: "ann", Value: 1, CreatedAt: epoch}},
		{"vote", message.Vote{Voter: "ann", Value: 1, UpdatedAt: epoch}},
	} {
		_, err := s.Vote(ctx, m.ID, tt.vote)
		invalid(t, err, tt.field)
	}
	invalid(t, s.Unvote(ctx, m.ID, ""), "voter")
	_, err := s.CountVotes(ctx, make([]uuid.UUID, store.MaxLimit+1))
	invalid(t, err, "message_ids")
	require.Zero(t, w.counts(t).Votes)
	cleaned := newWorld(t, outer.factory, convostore.WithNULStripped())
	n := cleaned.append(t, cleaned.conversation(t), text("a"))
	got, err := cleaned.mine.Messages().Vote(ctx, n.ID, message.Vote{Voter: "a\x00nn", Value: 1, Comment: "\x00b"})
	require.NoError(t, err)
	require.Equal(t, "ann b", got.Voter+" "+got.Comment)
	require.NoError(t, cleaned.mine.Messages().Unvote(ctx, n.ID, "ann\x00"))
}

// testVoteHidden: what is hidden cannot be voted on, and comes back with its votes.
func testVoteHidden(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	m := w.append(t, c, text("a"))
	vote := message.Vote{Voter: "ann", Value: message.VoteUp}
	must[*message.Vote](t)(w.mine.Messages().Vote(ctx, m.ID, vote))
	hidden := func(s store.Scope, id uuid.UUID) {
		t.Helper()
		missing[*message.Vote](t)(s.Messages().Vote(ctx, id, vote))
		missing[[]*message.Vote](t)(s.Messages().Votes(ctx, id))
		require.ErrorIs(t, s.Messages().Unvote(ctx, id, "ann"), store.ErrNotFound)
		counts, err := s.Messages().CountVotes(ctx, []uuid.UUID{id})
		require.NoError(t, err)
		require.Empty(t, counts)
	}
	hidden(w.mine, uuid.New())
	hidden(w.mine, uuid.Nil)
	hidden(w.other(), m.ID)
	w.deleteMessage(t, m)
	hidden(w.mine, m.ID)
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	w.delete(t, c)
	hidden(w.mine, m.ID)
	w.restoreConversation(t, c.ID)
	all, err := w.mine.Messages().Votes(ctx, m.ID)
	require.NoError(t, err)
	require.Len(t, all, 1)
	n, err := w.mine.Conversations().Erase(ctx, c.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, n.Votes)
}

func (w *world) restoreConversation(t testing.TB, id uuid.UUID) {
	t.Helper()
	_, err := w.mine.Conversations().Restore(t.Context(), id)
	require.NoError(t, err)
}
