package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// mergedOnesAreTold makes each call with the id of a conversation that was merged. Whatever finds
// nothing there says where it went, to the owner and to operators, and to nobody else.
func mergedOnesAreTold(t *testing.T, st store.Store) {
	e := newEstate(t, st)
	s := st.ForUser(e.user)
	must[*message.Message](t)(s.Messages().StopStream(t.Context(), e.streaming.ID))
	into := newThread(t, s, 1).ID
	must[*conversation.Conversation](t)(s.Conversations().Merge(t.Context(), e.live.ID, into, store.MoveOptions{}))
	told := map[string]bool{}
	for name, calls := range allCalls() {
		for i, c := range calls {
			args := c.args(e, uuid.New())
			if c.want != notFound || !concerns(args, e.live.ID) {
				continue
			}
			told[name] = true
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				for _, scope := range []store.Scope{s, st.AllUsers()} {
					results, err := invoke(t.Context(), scope, name, c.args(e, uuid.New()))
					if errors.As(err, new(*store.TakenError)) {
						continue // a message that is stored, and names the conversation that it is in
					}
					mergedInto(t, err, e.live.ID, into)
					assert.True(t, nothing(results), "nothing comes with the error: %+v", results)
				}
				_, err := invoke(t.Context(), st.ForUser(uuid.New()), name, c.args(e, uuid.New()))
				require.ErrorIs(t, err, store.ErrNotFound)
				require.NotContains(t, err.Error(), into.String())
			})
		}
	}
	require.Greater(t, len(told), 40, "the methods with the id of a conversation: %v", told)
}

// concerns tells whether a call is about a conversation.
func concerns(args []any, id uuid.UUID) bool {
	switch a := args[0].(type) {
	case uuid.UUID:
		return a == id
	case store.StatePlace:
		return a.Kind == store.ConversationKind && a.ConversationID == id
	case *suggestion.Suggestion:
		return a.ConversationID == id
	case *conversation.Summary:
		return a.ConversationID == id
	}
	return false
}
