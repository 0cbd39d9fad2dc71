package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (w *world) requireDraft(t testing.TB, s *suggestion.Suggestion, in uuid.UUID, want suggestion.Status, msg string) {
	t.Helper()
	got := w.suggestion(t, s.ID)
	require.Equal(t, in, got.ConversationID, msg)
	require.Equal(t, want, got.Status, msg)
}

// testMergeDrafts: what waits for a decision is superseded by the messages that come to it, and by those
// that are appended to where it has come.
func testMergeDrafts(t *testing.T, w *world) {
	const waits, overtaken = suggestion.StatusPending, suggestion.StatusSuperseded
	w.tick() // nothing is of the future
	into, from := w.mailed(t, at(10, "a")), w.mailed(t, at(12, "b"))
	here, comes := w.suggest(t, into, nil), w.suggest(t, from, nil)
	w.merge(t, from, into)
	w.requireDraft(t, here, into.ID, overtaken, "b is news to it")
	w.requireDraft(t, comes, into.ID, waits, "it has read b")
	require.Equal(t, int64(2), w.suggestion(t, comes.ID).AnswersSeq)
	w.append(t, into, at(13, "c"))
	w.requireDraft(t, comes, into.ID, overtaken, "c is news to it")

	for name, m := range map[string]*message.Message{
		"an old mail":        at(5, "old"),
		"an automatic reply": {Direction: message.DirectionInbound, Kind: message.KindAutoReply, Content: "away", SentAt: at(20, "").SentAt},
		"an own one":         {Direction: message.DirectionOutbound, Content: "own", SentAt: at(20, "").SentAt},
	} {
		into, from := w.mailed(t, at(10, "a")), w.mailed(t, m)
		here := w.suggest(t, into, nil)
		w.merge(t, from, into)
		w.requireDraft(t, here, into.ID, waits, name+" is no news")
	}
}

func testMoveDrafts(t *testing.T, w *world) {
	const waits, overtaken = suggestion.StatusPending, suggestion.StatusSuperseded
	w.tick() // nothing is of the future
	asked := at(12, "b")
	into, from := w.mailed(t, at(10, "a")), w.mailed(t, at(5, "old"), asked)
	here, comes := w.suggest(t, into, nil), w.suggest(t, from, asked)
	stays := &suggestion.Suggestion{ConversationID: from.ID, SuggestedContent: "draft", InReplyToMessageID: new(w.messageOf(t, from, "old").ID), AnswersSeq: 2}
	require.NoError(t, w.mine.Suggestions().Create(t.Context(), stays))
	w.move(t, into, asked)
	w.requireDraft(t, here, into.ID, overtaken, "b is news to it")
	w.requireDraft(t, comes, into.ID, waits, "it answers b")
	w.requireDraft(t, stays, from.ID, waits, "nothing came to where it is")
	w.append(t, into, at(13, "c"))
	w.requireDraft(t, comes, into.ID, overtaken, "c is news to it")
}

// testFileDrafts: a mail that joins two threads brings the drafts of the one messages of the other.
func testFileDrafts(t *testing.T, w *world) {
	sent := func(seconds int, m *message.Message) *message.Message {
		m.SentAt = at(seconds, "").SentAt
		return m
	}
	first := w.filed(t, sent(1, email("ann@x.example", "1@x.example")))
	third := w.filed(t, sent(3, email("ann@x.example", "3@x.example", "In-Reply-To", "<2@x.example>")))
	toFirst, toThird := w.suggest(t, w.get(t, first), nil), w.suggest(t, w.get(t, third), nil)
	f := w.file(t, sent(2, sentMail("ann@x.example", "2@x.example", "In-Reply-To", "<1@x.example>")), store.FileOptions{})
	require.Equal(t, []uuid.UUID{third}, f.Merged)
	w.requireDraft(t, toFirst, first, suggestion.StatusSuperseded, "the third mail is news to it")
	w.requireDraft(t, toThird, first, suggestion.StatusPending, "ours is no news")
	w.filed(t, sent(4, email("ann@x.example", "4@x.example", "In-Reply-To", "<3@x.example>")))
	w.requireDraft(t, toThird, first, suggestion.StatusSuperseded, "the fourth mail is news to it")
}

// mergesOfDraftsAgainstAppends: a message of the lead that is appended while a draft comes by a merge
// supersedes it, if it has a higher seq than what the draft takes into account.
func mergesOfDraftsAgainstAppends(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	for range 10 {
		from, into := newThread(t, s, 2), newThread(t, s, 2)
		draft := &suggestion.Suggestion{ConversationID: from.ID, SuggestedContent: "draft"}
		require.NoError(t, s.Suggestions().Create(t.Context(), draft))
		sent := time.Now() // of all, so that none is older than one that came before
		errs := together(5, func(i int) error {
			if i == 0 {
				_, err := s.Conversations().Merge(t.Context(), from.ID, into.ID, store.MoveOptions{})
				return err
			}
			_, err := s.Messages().Append(t.Context(), into.ID, &message.Message{Direction: message.DirectionInbound, Content: "new", SentAt: sent})
			return err
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		got, err := s.Suggestions().Get(t.Context(), draft.ID)
		require.NoError(t, err)
		require.Equal(t, into.ID, got.ConversationID)
		c, err := s.Conversations().Get(t.Context(), into.ID)
		require.NoError(t, err)
		want := suggestion.StatusPending
		if c.LastSeq > got.AnswersSeq {
			want = suggestion.StatusSuperseded
		}
		require.Equal(t, want, got.Status, "it takes %d of %d into account", got.AnswersSeq, c.LastSeq)
		require.NotEqual(t, conversation.StatusWaiting, c.Status)
	}
}
