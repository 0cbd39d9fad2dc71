package transfer_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
	"github.com/convostore/convostore/transfer"
)

// TestBadRows has rows that break rules among others: each is named by its line and field, and the
// others are stored.
func TestBadRows(t *testing.T) {
	t.Parallel()
	const id = "00000000-0000-4000-8000-00000000000"
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: vectorSize}))
		file := strings.Join([]string{
			`{"convostore": 1, "conversation": {"id": "` + id + `1", "title": 7}}`,
			`{"convostore": 1, "conversation": {"id": "x"}}`,
			"",
			`{"convostore": 1, "conversation": {"id": "` + id + `2", "branched": true, "messages": [
				{"id": "` + id + `a", "seq": 1, "role": "user", "content": "a", "sent_at": "2026-01-01T00:00:00Z",
					"votes": [{"voter": "v", "value": 5}, {"voter": "w", "value": 1}, null],
					"embeddings": [{"model": "m", "vector": [1, 2]}, {"model": "n", "vector": [1, 2, 3]}, {"model": "o", "vector": []}]},
				{"id": "` + id + `b", "seq": 2, "role": "king", "content": "b"},
				{"id": "` + id + `c", "seq": 3, "role": "user", "content": "c"},
				{"id": "` + id + `c", "seq": 4, "role": "user", "content": "d"},
				{"id": "` + id + `e", "seq": 5, "role": "user", "content": "e\u0000"},
				{"id": "` + id + `f", "seq": 6, "role": "user", "content": "f", "parent_seq": 6},
				{"id": "` + id + `0", "seq": 7, "role": "user", "content": "g", "idempotency_key": "1"},
				{"id": "` + id + `d", "seq": 8, "role": "user", "content": "h", "change_seq": 9223372036854775807},
				{"id": "` + id + `d", "seq": 9, "role": "user", "content": "i", "revision": 9223372036854775807},
				{"id": "` + id + `d", "seq": 10, "role": "user", "content": "j", "deleted_at": "2026-01-01T00:00:00Z"}],
				"labels": [{"label": ""}, {"label": "good"}], "reads": [{"reader": "r", "seq": 3}, {"reader": "s", "seq": "x"}],
				"suggestions": [{"id": "` + id + `5", "suggested_content": "s", "in_reply_to_message_id": "` + id + `b"},
					{"suggested_content": "s"}, {"id": "` + id + `6", "suggested_content": "s", "in_reply_to_message_id": "` + id + `c"}],
				"summaries": [{"id": "` + id + `7", "from_seq": 1, "to_seq": 3, "content": ""}]},
				"deliveries": [{"id": "` + id + `8", "message_id": "` + id + `b", "channel": "c"}]}`,
			`{"convostore": 2}`,
			`{"convostore": 1, "app_state": {"app": "a", "key": "k", "value": "AA==", "version": 1}}`,
			`{"convostore": 1, "user_state": {"app": "a", "key": "", "value": "AA==", "version": 1}}`,
			`{"convostore": 1, "user_state": {"app": "a", "key": "k", "value": "AA==", "version": 3}}`,
			`{"convostore": 1, "user_state": {}, "conversation": {}}`,
			`{broken`,
			`{"convostore": 1, "conversation": {"id": "` + id + `3", "last_change_seq": 9223372036854775807}}`,
		}, "\n")
		lines := strings.ReplaceAll(strings.ReplaceAll(file, "\n\t", " "), "\t", "")
		var got []string
		res, err := transfer.Import(t.Context(), st, owner, strings.NewReader(lines), transfer.ImportOptions{
			Format: transfer.JSONL, OnProblem: func(p transfer.Problem) error {
				var invalid *rule.InvalidError
				field := ""
				if errors.As(p.Err, &invalid) {
					field = invalid.Field
				}
				got = append(got, strings.TrimSpace(fmt.Sprint(p.Line, " ", field)))
				return nil
			},
		})
		require.NoError(t, err)
		require.Equal(t, []string{
			"1 conversation.title", "2 conversation.id",
			"4 conversation.reads[1].seq",
			"4 conversation.messages[0].votes[2]",
			"4 conversation.messages[1].role", "4 conversation.messages[3].id", "4 conversation.messages[5].parent_seq",
			"4 conversation.messages[7].change_seq", "4 conversation.messages[8].revision", "4 conversation.messages[9].deleted_at",
			"4 conversation.messages[4].content",
			"4 conversation.messages[0].votes[0].value", "4 deliveries[0].message_id",
			"4 conversation.messages[0].embeddings[0].vector", "4 conversation.messages[0].embeddings[2].embedding",
			"4 conversation.suggestions[0].in_reply_to_message_id", "4 conversation.suggestions[1].id",
			"4 conversation.labels[0].label", "4 conversation.summaries[0].content",
			"5 convostore", "6 app_state", "7 user_state.key", "9 conversation", "10", "11 conversation.last_change_seq",
		}, got)
		require.Equal(t, transfer.ImportResult{Conversations: 1, Messages: 3, Rows: 6, Problems: int64(len(got))}, res)

		c, err := st.ForUser(owner).Conversations().Thread(t.Context(), uuid.MustParse(id+"2"))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c", "g"}, texts(t, st.ForUser(owner), c.ID))
		require.Len(t, c.Suggestions, 1)
		var read conversation.Read
		require.NoError(t, st.DB(t.Context()).First(&read).Error)
		require.EqualValues(t, 2, read.Seq, "of c, which has another seq here")
	})
}

// TestNewerLine imports a conversation again that has gone on where it came from, and here.
func TestNewerLine(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		mine := st.ForUser(owner)
		c := &conversation.Conversation{Messages: []*message.Message{
			{Role: message.RoleUser, Content: "one", IdempotencyKey: "2"}, {Role: message.RoleUser, Content: "two", IdempotencyKey: "1"},
		}}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		_, err := mine.Conversations().AddLabels(ctx, c.ID, "", []string{"kept", "removed"})
		require.NoError(t, err)
		other := uuid.New()
		require.Equal(t, transfer.ImportResult{Conversations: 1, Messages: 2, Rows: 2}, moved(t, st, other))

		there := st.ForUser(other)
		_, err = there.Conversations().RemoveLabels(ctx, c.ID, []string{"removed"})
		require.NoError(t, err)
		_, err = there.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "here"})
		require.NoError(t, err)
		third := &message.Message{Role: message.RoleUser, Content: "three"}
		_, err = mine.Messages().Append(ctx, c.ID, third)
		require.NoError(t, err)
		_, err = mine.Messages().Vote(ctx, third.ID, message.Vote{Voter: "v", Value: message.VoteUp})
		require.NoError(t, err)
		require.NoError(t, mine.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "s", AnswersSeq: 3}))

		require.Equal(t, transfer.ImportResult{Known: 2, Messages: 1, Rows: 2}, moved(t, st, other), "a message with its vote, and a suggestion")
		require.Equal(t, transfer.ImportResult{Known: 3}, moved(t, st, other))
		thread, err := there.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		require.EqualValues(t, 4, thread.Suggestions[0].AnswersSeq, "the seq that the message has here")
		page, err := there.Conversations().List(ctx, store.ConversationFilter{Labels: []string{"removed"}}, store.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, page.Items, "what was removed here does not come back")
	})
}

// moved imports what the owner has for another user.
func moved(t *testing.T, st store.Store, to uuid.UUID) transfer.ImportResult {
	t.Helper()
	res, err := transfer.Import(t.Context(), st, to, strings.NewReader(string(exported(t, st, transfer.JSONL))), transfer.ImportOptions{
		OnProblem: func(p transfer.Problem) error { return p.Err },
	})
	require.NoError(t, err)
	return res
}

// manyLines are lines of conversations that nobody has in memory.
type manyLines struct {
	n, of int
	rest  string
}

func (m *manyLines) Read(p []byte) (int, error) {
	if m.rest == "" && m.n < m.of {
		m.n++
		m.rest = fmt.Sprintf(`{"convostore": 1, "conversation": {"id": "00000000-0000-4000-8000-%012d", "messages": [
			{"id": "00000000-0000-4000-9000-%012[1]d", "seq": 1, "role": "user", "content": "%[2]s", "votes": [{"voter": "v", "value": 1}]}],
			"labels": [{"label": "l"}], "reads": [{"reader": "r", "seq": 1}]}}`, m.n, strings.Repeat("words ", 7000))
		m.rest = strings.ReplaceAll(m.rest, "\n", " ") + "\n"
	}
	if m.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// counted is a writer that knows how much of the heap is in use at most.
type counted struct {
	lines int
	most  uint64
}

func (c *counted) Write(p []byte) (int, error) {
	if c.lines++; c.lines%20 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		c.most = max(c.most, m.HeapAlloc)
	}
	return len(p), nil
}

// TestFlatMemoryOfLines imports and exports 20 and 400 conversations of 42 KB: the heap in between is the same.
func TestFlatMemoryOfLines(t *testing.T) {
	heap := func(of int) uint64 {
		st := inMemory(t)
		res, err := transfer.Import(t.Context(), st, owner, &manyLines{of: of}, transfer.ImportOptions{
			Format: transfer.JSONL, OnProblem: func(p transfer.Problem) error { return p.Err },
		})
		require.NoError(t, err)
		require.EqualValues(t, 3*of, res.Rows)
		out := &counted{}
		_, err = transfer.ExportAll(t.Context(), st, out, transfer.ExportOptions{})
		require.NoError(t, err)
		return out.most
	}
	few, many := heap(20), heap(400)
	require.Less(t, many, few+8<<20)
}
