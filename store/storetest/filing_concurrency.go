package storetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// filingsAtOnce delivers one new mail eight times at once, with and without a thread that is there.
func filingsAtOnce(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	for round := range 10 {
		var created, begun atomic.Int32
		errs := together(8, func(i int) error {
			m := email("ann@x.example", fmt.Sprintf("%d@x.example", round))
			m.GmailMessageID = fmt.Sprintf("copy %d of %d", i, round)
			if round%2 == 1 {
				m.Headers["References"] = []string{"<absent@x.example>"}
			}
			f, err := s.Messages().File(t.Context(), m, store.FileOptions{})
			if f.Created {
				created.Add(1)
			}
			if f.Begun {
				begun.Add(1)
			}
			return err
		})
		require.Equal(t, make([]error, len(errs)), errs)
		require.EqualValues(t, 1, created.Load())
		require.LessOrEqual(t, begun.Load(), int32(1))
		m, err := s.Messages().GetByRef(t.Context(), message.RefEmail, fmt.Sprintf("%d@x.example", round))
		require.NoError(t, err)
		refs, err := s.Messages().Refs(t.Context(), m.ID)
		require.NoError(t, err)
		require.Len(t, refs, 9, "one Message-ID, eight names at Gmail")
	}
	n, err := s.Maintenance().Counts(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, n.Messages)
	require.EqualValues(t, 6, n.Conversations, "five alone, five of the one thread")
}

// threadsAtOnce delivers all mails of a thread at once, the answers beside what they answer.
func threadsAtOnce(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	const mails = 12
	for round := range 5 {
		id := func(i int) string { return fmt.Sprintf("%d.%d@x.example", round, i) }
		errs := together(mails, func(i int) error {
			headers := []string{}
			if i > 0 {
				headers = []string{"In-Reply-To", "<" + id((i-1)/2) + ">"}
			}
			_, err := s.Messages().File(t.Context(), email("ann@x.example", id(i), headers...), store.FileOptions{})
			return err
		})
		require.Equal(t, make([]error, len(errs)), errs)
	}
	found, err := collect(s.Conversations().All(t.Context(), store.ConversationFilter{}))
	require.NoError(t, err)
	require.Len(t, found, 5)
	require.False(t, slices.ContainsFunc(found, func(c *conversation.Conversation) bool { return c.LastSeq < mails }))
	for _, c := range found {
		all, err := collect(s.Messages().All(t.Context(), c.ID, store.MessageFilter{}))
		require.NoError(t, err)
		require.Len(t, all, mails)
	}
}
