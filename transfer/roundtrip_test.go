package transfer_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

var owner = uuid.MustParse("00000000-0000-4000-8000-0000000000aa")

// files are the samples of each format.
var files = map[transfer.Format]string{
	transfer.ChatGPT: "chatgpt.json", transfer.Claude: "claude.json", transfer.OpenWebUI: "open-webui.json",
}

func sample(t testing.TB, f transfer.Format) []byte {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("testdata", files[f]))
	require.NoError(t, err)
	return doc
}

func open(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

func imported(t testing.TB, st store.Store, f transfer.Format, doc []byte) transfer.ImportResult {
	t.Helper()
	got, err := transfer.Import(t.Context(), st, owner, bytes.NewReader(doc), transfer.ImportOptions{
		Format: f, OnProblem: func(p transfer.Problem) error { return p.Err },
	})
	require.NoError(t, err)
	return got
}

func exported(t testing.TB, st store.Store, f transfer.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := transfer.Export(t.Context(), st, owner, f, &out, transfer.ExportOptions{})
	require.NoError(t, err)
	return out.Bytes()
}

// meaning decodes a file into its conversations by id. Numbers stay as they are written.
func meaning(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var all []map[string]any
	require.NoError(t, d.Decode(&all), string(doc))
	byID := map[string]any{}
	for _, c := range all {
		id, ok := c["uuid"].(string)
		if !ok {
			id = c["id"].(string)
		}
		byID[id] = c
	}
	return byID
}

// TestRoundTrip exports what it imported: nothing is lost, nothing is added.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		for f := range files {
			doc := sample(t, f)
			first := imported(t, st, "", doc)
			require.Positive(t, first.Messages, f)
			again := imported(t, st, f, doc)
			require.Equal(t, transfer.ImportResult{Known: first.Messages}, again, "%s: a second run stores nothing", f)
			var out bytes.Buffer
			_, err := transfer.Export(t.Context(), st, owner, f, &out, transfer.ExportOptions{})
			require.NoError(t, err)
			got, want := meaning(t, out.Bytes()), meaning(t, doc)
			if f == transfer.ChatGPT { // a head that is not there becomes the one that is shown
				want["c-3"].(map[string]any)["current_node"] = "b"
			}
			for id, c := range want {
				assert.Equal(t, c, got[id], "%s %s", f, id)
			}
		}
	})
}

// TestChatGPT looks at what became of an export.
func TestChatGPT(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		got := imported(t, st, "", sample(t, transfer.ChatGPT))
		require.Equal(t, transfer.ImportResult{Conversations: 3, Messages: 9}, got)
		mine := st.ForUser(owner)
		c, err := mine.Conversations().GetByExternalKey(ctx, "chatgpt:c-1")
		require.NoError(t, err)
		require.Equal(t, "Loft <insulation>", c.Title)
		require.True(t, c.Branched)
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"n1", "n2", "n3", "n4", "n5", "n7"}, keys(thread.Messages), "the path that was shown")
		m := thread.Messages
		require.Equal(t, "How thick must it be?", m[1].Content)
		require.Equal(t, message.Attachments{
			{Filename: "roof.jpg", ContentType: "image/jpeg", Size: 52344, Key: "file_0001"}, {Size: 52344, Key: "sediment://file_0001"},
		}, m[1].Attachments)
		require.Equal(t, message.KindEvent, m[2].Kind, "a thought is not something that was said")
		require.Equal(t, message.RoleTool, m[4].Role)
		require.Equal(t, "python", m[4].Author)
		require.Equal(t, "Half of it:  10 cm.", m[5].Content)
		require.Equal(t, "gpt-5-thinking", m[5].Model)
		require.Equal(t, m[1].SentAt, m[0].SentAt, "a hidden first message has no time: that of the first after it is the nearest")
	})
}

func keys(ms []*message.Message) (ids []string) {
	for _, m := range ms {
		ids = append(ids, m.IdempotencyKey)
	}
	return ids
}

// TestTimesOfNeighbours has files that leave times out: none is the present one.
func TestTimesOfNeighbours(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		imported(t, st, "", sample(t, transfer.ChatGPT))
		c, err := st.ForUser(owner).Conversations().GetByExternalKey(ctx, "chatgpt:c-3")
		require.NoError(t, err)
		thread, err := st.ForUser(owner).Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, keys(thread.Messages), "a parent that is not there is none")
		for _, m := range thread.Messages {
			require.EqualValues(t, 0, m.SentAt.Unix())
		}
	})
}

// TestWhatWasDoneSince exports edits, deletions and new messages in the format of the file.
func TestWhatWasDoneSince(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		for f, c := range map[transfer.Format]struct{ conversation, edited, deleted string }{
			transfer.ChatGPT:   {"chatgpt:c-1", "n2", "n5"},
			transfer.Claude:    {"claude:5c3a1f0e-0000-4000-8000-000000000001", "m1", "m2"},
			transfer.OpenWebUI: {"open-webui:w-1", "h1", "h3"},
		} {
			doc := sample(t, f)
			imported(t, st, f, doc)
			mine := st.ForUser(owner)
			conv, err := mine.Conversations().GetByExternalKey(ctx, c.conversation)
			require.NoError(t, err)
			byKey := map[string]*message.Message{}
			for m, err := range mine.Messages().All(ctx, conv.ID, store.MessageFilter{}) {
				require.NoError(t, err)
				byKey[m.IdempotencyKey] = m
			}
			_, err = mine.Messages().Update(ctx, byKey[c.edited].ID, store.MessageUpdate{Content: new("edited here")})
			require.NoError(t, err)
			_, err = mine.Messages().Delete(ctx, byKey[c.deleted].ID)
			require.NoError(t, err)
			own := &message.Message{Role: message.RoleAssistant, Content: "written here"}
			_, err = mine.Messages().Append(ctx, conv.ID, own)
			require.NoError(t, err)

			out := exported(t, st, f)
			require.Contains(t, string(out), "edited here", f)
			require.Contains(t, string(out), own.ID.String(), f)
			again := imported(t, st, f, doc)
			require.Zero(t, again.Messages, "%s: what was deleted does not come back", f)

			// Another user takes the file that was written.
			other := uuid.New()
			res, err := transfer.Import(ctx, st, other, bytes.NewReader(out), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error { return p.Err }})
			require.NoError(t, err)
			require.Positive(t, res.Messages)
			copied, err := st.ForUser(other).Conversations().GetByExternalKey(ctx, c.conversation)
			require.NoError(t, err)
			require.Equal(t, texts(t, mine, conv.ID), texts(t, st.ForUser(other), copied.ID), f)
		}
	})
}

func texts(t *testing.T, sc store.Scope, id uuid.UUID) (all []string) {
	t.Helper()
	for m, err := range sc.Messages().All(t.Context(), id, store.MessageFilter{}) {
		require.NoError(t, err)
		all = append(all, m.Content)
	}
	return all
}

// TestJSONL moves everything of one user to another store.
func TestJSONL(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		for f := range files {
			imported(t, st, f, sample(t, f))
		}
		mine := st.ForUser(owner)
		c := &conversation.Conversation{Title: "own", Metadata: message.JSON(`{"a":1}`), Messages: []*message.Message{
			{Role: message.RoleUser, Content: "hi", Payload: message.Payload("{\"x\": 1.0}\x00"), PayloadFormat: "test"},
		}}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		first := exported(t, st, transfer.JSONL)
		require.Equal(t, 8, bytes.Count(first, []byte("\n")), "a line for each conversation")

		other := uuid.New()
		res, err := transfer.Import(ctx, st, other, bytes.NewReader(first), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error { return p.Err }})
		require.NoError(t, err)
		require.EqualValues(t, 8, res.Conversations)
		var second bytes.Buffer
		_, err = transfer.Export(ctx, st, other, transfer.JSONL, &second, transfer.ExportOptions{})
		require.NoError(t, err)
		require.Equal(t, strip(string(first), owner), strip(second.String(), other))

		again, err := transfer.Import(ctx, st, other, bytes.NewReader(first), transfer.ImportOptions{})
		require.NoError(t, err)
		require.Equal(t, transfer.ImportResult{Known: res.Messages}, again)
	})
}

// strip takes out what belongs to one user and to the time of the import.
func strip(doc string, user uuid.UUID) (conversations map[string]any) {
	conversations = map[string]any{}
	for text := range strings.Lines(doc) {
		var l map[string]any
		if json.Unmarshal([]byte(strings.ReplaceAll(text, user.String(), "user")), &l) != nil {
			return nil
		}
		c := l["conversation"].(map[string]any)
		forget(c)
		conversations[c["id"].(string)] = c
	}
	return conversations
}

func forget(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "updated_at")
		for _, inner := range v {
			forget(inner)
		}
	case []any:
		for _, inner := range v {
			forget(inner)
		}
	}
}
