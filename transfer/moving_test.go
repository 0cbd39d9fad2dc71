package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

// TestExportWhileOthersWrite changes conversations that the export has listed and not yet read: it
// has each as it is when it is read, and leaves out those that are gone.
func TestExportWhileOthersWrite(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, from, to store.Store) {
		ctx, mine := t.Context(), from.ForUser(owner)
		var cs []*conversation.Conversation
		for i := range 5 {
			c := &conversation.Conversation{CreatedAt: moment(i)}
			for j := range 4 {
				c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: fmt.Sprint(i, " ", j), SentAt: moment(j)})
			}
			require.NoError(t, mine.Conversations().Create(ctx, c))
			cs = append(cs, c)
		}
		var out strings.Builder
		res, err := transfer.ExportAll(ctx, from, &out, transfer.ExportOptions{Progress: func(r transfer.ExportResult) {
			if r.Conversations > 1 {
				return
			}
			_, err := mine.Conversations().Delete(ctx, cs[3].ID)
			require.NoError(t, err)
			_, err = mine.Conversations().Erase(ctx, cs[2].ID)
			require.NoError(t, err)
			_, err = mine.Messages().Append(ctx, cs[1].ID, &message.Message{Role: message.RoleUser, Content: "again", ParentSeq: new(int64(2))})
			require.NoError(t, err)
			_, err = mine.Messages().Update(ctx, cs[1].Messages[0].ID, store.MessageUpdate{Content: new("edited")})
			require.NoError(t, err)
			_, err = mine.Messages().SetHead(ctx, cs[0].ID, 2)
			require.NoError(t, err)
			_, err = mine.Messages().Append(ctx, cs[0].ID, &message.Message{Role: message.RoleUser, Content: "other"})
			require.NoError(t, err)
			_, err = mine.Messages().SetHead(ctx, cs[0].ID, 4)
			require.NoError(t, err)
		}})
		require.NoError(t, err)
		require.EqualValues(t, 3, res.Conversations)
		require.EqualValues(t, 14, res.Messages)
		require.Equal(t, strings.Split(everything(t, from), "\n"), strings.Split(out.String(), "\n"))
		takeAll(t, to, out.String())
		for _, i := range []int{0, 1} {
			require.Equal(t, headOf(t, from, cs[i].ID), headOf(t, to, cs[i].ID))
		}
	})
}

// headOf has the number of changes of a conversation and of the messages on the path of its head.
func headOf(t *testing.T, st store.Store, id uuid.UUID) string {
	t.Helper()
	c, err := st.ForUser(owner).Conversations().Thread(t.Context(), id)
	require.NoError(t, err)
	return fmt.Sprint(c.LastChangeSeq, " ", len(c.Messages))
}

// TestChangeTwice has two messages with the same change, of which one is a problem.
func TestChangeTwice(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, _, st store.Store) {
		line := `{"convostore": 1, "conversation": {"id": "` + uuid.NewString() + `", "messages": [` +
			`{"id": "` + uuid.NewString() + `", "seq": 1, "role": "user", "content": "a", "revision": 1, "change_seq": 1},` +
			`{"id": "` + uuid.NewString() + `", "seq": 2, "role": "user", "content": "b", "revision": 1, "change_seq": 1}]}}` + "\n" +
			`{"convostore": 1, "conversation": {"id": "` + uuid.NewString() + `"}}`
		var at string
		res, err := transfer.Import(t.Context(), st, owner, strings.NewReader(line), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error {
			at = p.String()
			return nil
		}})
		require.NoError(t, err)
		require.Equal(t, transfer.ImportResult{Conversations: 2, Messages: 1, Problems: 1}, res)
		require.Contains(t, at, "conversation.messages[1].change_seq")
	})
}

// TestRowThatDoesNotFitItsMessages has a line whose conversation says less than its messages do: the
// tree is what the messages say, and a tail sees what is changed later.
func TestRowThatDoesNotFitItsMessages(t *testing.T) {
	t.Parallel()
	const id = "00000000-0000-4000-8000-00000000000"
	bothWays(t, func(t *testing.T, _, st store.Store) {
		takeAll(t, st, `{"convostore": 1, "conversation": {"id": "`+id+`1", "user_id": "`+owner.String()+`", "messages": [`+
			`{"id": "`+id+`a", "seq": 1, "role": "user", "content": "a", "revision": 7, "change_seq": 7},`+
			`{"id": "`+id+`b", "seq": 2, "role": "user", "content": "b"},`+
			`{"id": "`+id+`c", "seq": 3, "role": "user", "content": "c", "parent_seq": 1}]}}`)
		ctx, mine := t.Context(), st.ForUser(owner)
		c, err := mine.Conversations().Thread(ctx, uuid.MustParse(id+"1"))
		require.NoError(t, err)
		require.Len(t, c.Messages, 2)
		require.Equal(t, "c", c.Messages[1].Content)
		_, err = mine.Messages().Update(ctx, uuid.MustParse(id+"b"), store.MessageUpdate{Content: new("edited")})
		require.NoError(t, err)
		for change, err := range mine.Messages().Tail(ctx, c.ID, store.Position{Seq: 3, Change: 7}, store.TailOptions{Once: true}) {
			require.NoError(t, err)
			require.Equal(t, "edited", change.Message.Content)
			require.EqualValues(t, 8, change.Position.Change)
		}
	})
}

func moment(i int) time.Time { return time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC) }
