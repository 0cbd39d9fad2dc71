package transfer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// payloads are messages of providers and frameworks, to the byte, by their names, with the name of
// the format: those of package payload, and those that a host keeps under a name of its own.
func payloads(t testing.TB) map[string]*message.Message {
	t.Helper()
	all := map[string]*message.Message{}
	add := func(pattern string, formatOf func(name string) string) {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			doc, err := os.ReadFile(name)
			require.NoError(t, err)
			all[name] = &message.Message{Role: message.RoleAssistant, Payload: doc, PayloadFormat: formatOf(name)}
		}
	}
	add("../payload/testdata/*/*.json", func(name string) string { return filepath.Base(filepath.Dir(name)) })
	add("testdata/payloads/*.json", func(name string) string { return strings.TrimSuffix(filepath.Base(name), ".json") })
	formats := map[string]bool{}
	for _, m := range all {
		formats[m.PayloadFormat] = true
	}
	require.GreaterOrEqual(t, len(all), 18)
	require.Len(t, formats, 9)
	return all
}

// TestPayloads takes every payload through an append, an append of many, a stream, an export and an
// import into the other kind of database: it is what it was, to the byte.
func TestPayloads(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, from, to store.Store) {
		ctx := t.Context()
		messages := from.ForUser(owner).Messages()
		c := &conversation.Conversation{}
		require.NoError(t, from.ForUser(owner).Conversations().Create(ctx, c))
		want := map[uuid.UUID]*message.Message{}
		var many []*message.Message
		for name, sample := range payloads(t) {
			one, each := *sample, *sample
			_, err := messages.Append(ctx, c.ID, &one)
			require.NoError(t, err, name)
			want[one.ID] = sample

			s, err := messages.Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
			require.NoError(t, err, name)
			require.NoError(t, s.Write(ctx, "text"), name)
			require.NoError(t, s.SetPayload(ctx, sample.PayloadFormat, sample.Payload), name)
			require.NoError(t, s.Finish(ctx, store.Usage{}), name)
			want[s.ID()] = sample

			many = append(many, &each)
		}
		_, err := messages.AppendMany(ctx, c.ID, many, store.AppendOptions{})
		require.NoError(t, err)
		for _, m := range many {
			want[m.ID] = m
		}

		takeAll(t, to, everything(t, from))
		for _, st := range []store.Store{from, to} {
			n := 0
			for m, err := range st.ForUser(owner).Messages().All(ctx, c.ID, store.MessageFilter{}) {
				require.NoError(t, err)
				require.Equal(t, want[m.ID].PayloadFormat, m.PayloadFormat)
				require.Equal(t, string(want[m.ID].Payload), string(m.Payload), m.PayloadFormat)
				n++
			}
			require.Len(t, want, n)
		}
	})
}
