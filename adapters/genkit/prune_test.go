package genkit_test

import (
	"fmt"
	"testing"

	"github.com/firebase/genkit/go/ai/exp/localstore"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
)

// TestMaxChain keeps the end of a chain of snapshots, as Genkit's store of files does.
func TestMaxChain(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s sessionStore) {
		t.Helper()
		for i := range 6 {
			parent := ""
			if i > 0 {
				parent = fmt.Sprint(i - 1)
			}
			save(t, s, fmt.Sprint(i), say(i, parent, []string{"q0", "a0", "q1", "a1", "q2", "a2"}[:i+1]...))
			if i == 3 {
				save(t, s, "branch", say(0, "2", "q0", "a0", "q1", "other"))
			}
		}
		for i := range 6 {
			require.Equal(t, i < 4, get(t, s, fmt.Sprint(i)) == nil, i)
		}
		require.Equal(t, []string{"q0", "a0", "q1", "a1", "q2"}, said(get(t, s, "4").State.Messages))
		require.Equal(t, []string{"q0", "a0", "q1", "other"}, said(get(t, s, "branch").State.Messages))
		require.Equal(t, "5", latest(t, s, "s"))
		save(t, s, "6", say(6, "5", "q0", "a0", "q1", "a1", "q2", "a2", "q3"))
		require.Nil(t, get(t, s, "4"))
		save(t, s, "early", say(-1, "6", "q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"))
		save(t, s, "earlier", say(-2, "early", "q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"))
		require.Nil(t, get(t, s, "6"))
		require.Equal(t, "branch", latest(t, s, "s"), "the latest of those that are left")
		cycle := say(10, "cycle", "q0")
		save(t, s, "cycle", cycle)
		require.NotNil(t, get(t, s, "cycle"))
		save(t, s, "x", say(11, "y", "q0"))
		save(t, s, "y", say(12, "x", "q0"))
		save(t, s, "x", say(11, "y", "q0"))
		save(t, s, "end", say(13, "y", "q0"))
		require.Equal(t, "end", latest(t, s, "s"))
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		s, err := localstore.NewFileSessionStore[custom](t.TempDir(), localstore.WithMaxPersistedChainLength(2))
		require.NoError(t, err)
		test(t, s)
	})
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		s.sessionStore = genkit.NewSessionStore[custom](s.st, ann, genkit.Options{App: "travel", MaxChain: 2})
		test(t, s)
		require.Len(t, s.all(), 6+1+1+1, "messages stay")
		var n int64
		require.NoError(t, s.st.DB(t.Context()).Table("conversation_states").Count(&n).Error)
		require.Equal(t, int64(7), n, "six snapshots and which is the latest")
	})
	require.Panics(t, func() { genkit.NewSessionStore[custom](nil, ann, genkit.Options{MaxChain: -1}) })
}

// TestMaxChainOfOne keeps one snapshot, whose parent is removed while others write.
func TestMaxChainOfOne(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		s.sessionStore = genkit.NewSessionStore[custom](s.st, ann, genkit.Options{App: "travel", MaxChain: 1})
		save(t, s, "a", say(1, "", "q0", "a0"))
		save(t, s, "b", say(2, "a", "q1"))
		_, err := s.mine.Messages().Append(t.Context(), s.conversation().ID, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "a note"})
		require.NoError(t, err)
		save(t, s, "c", say(3, "b", "q1", "a1"))
		require.Equal(t, []string{"q1", "a note", "a1"}, contents(s.thread()), "nobody's note is on another branch")
		require.Nil(t, get(t, s, "b"))
		s.requireSaid("c", "q1", "a1")
	})
}
