package storetest

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// sendsAgainstMerge: a suggestion whose conversation is merged, or that goes with a message to
// another one, is sent, taken back and reopened there: it is there all the time.
func sendsAgainstMerge(t *testing.T, st store.Store) {
	ctx := t.Context()
	for round := range 6 {
		s := st.ForUser(uuid.New())
		from, into := newThread(t, s, 1), newThread(t, s, 1)
		asked := CheckConversation(t, s, from.ID)[0]
		drafted := func() *suggestion.Suggestion {
			sg := &suggestion.Suggestion{ConversationID: from.ID, SuggestedContent: "a", InReplyToMessageID: &asked.ID, AnswersSeq: asked.Seq}
			require.NoError(t, s.Suggestions().Create(ctx, sg))
			must[*suggestion.Suggestion](t)(s.Suggestions().Approve(ctx, sg.ID, suggestion.Review{}))
			return sg
		}
		sent, taken, reopened := drafted(), drafted(), drafted()
		o := store.SendOptions{AllowStale: true, AllowSecond: true, Deliver: &message.OutboxEntry{Channel: "mail"}}
		must[bool](t)(s.Suggestions().Send(ctx, taken.ID, &message.Message{}, o))
		created := make([]bool, 8)
		errs := together(len(created), func(i int) (err error) {
			switch {
			case i == 0 && round%2 == 0:
				_, err = s.Conversations().Merge(ctx, from.ID, into.ID, store.MoveOptions{})
			case i == 0:
				_, err = s.Messages().Move(ctx, []uuid.UUID{asked.ID}, into.ID, store.MoveOptions{})
			case i == 1:
				_, err = s.Suggestions().Unsend(ctx, taken.ID)
			case i == 2:
				_, err = s.Suggestions().Reopen(ctx, reopened.ID, store.ReopenOptions{Current: true})
			default:
				created[i], err = s.Suggestions().Send(ctx, sent.ID, &message.Message{}, store.SendOptions{AllowStale: true, AllowSecond: true})
			}
			return err
		})
		require.NoError(t, errors.Join(errs...))
		n := 0
		for _, c := range created {
			if c {
				n++
			}
		}
		require.Equal(t, 1, n, "one of them sent it")
		for _, of := range []*suggestion.Suggestion{sent, taken, reopened} {
			sg, err := s.Suggestions().Get(ctx, of.ID)
			require.NoError(t, err)
			require.Equal(t, of == sent, sg.Sent())
			if of == sent {
				m, err := s.Messages().Get(ctx, *sg.SentMessageID)
				require.NoError(t, err)
				require.Equal(t, sg.ConversationID, m.ConversationID)
			}
		}
	}
}
