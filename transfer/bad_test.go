package transfer_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/transfer"
)

// chat is a conversation of ChatGPT: nodes are "id<parent", with the id as the text.
func chat(id string, nodes ...string) string {
	var all []string
	for _, n := range nodes {
		own, parent, _ := strings.Cut(n, "<")
		all = append(all, fmt.Sprintf(`%q: {"id": %q, "parent": %q, "children": [], "message": {"author": {"role": "user"}, "content": {"parts": [%q]}}}`,
			own, own, parent, own))
	}
	return fmt.Sprintf(`{"conversation_id": %q, "title": "t", "create_time": 1764000000, "mapping": {%s}, "current_node": "x"}`, id, strings.Join(all, ","))
}

func inMemory(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// TestProblems has elements that are no conversations, between others that are.
func TestProblems(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		for _, doc := range []string{
			"[" + chat("p1", "a") + `, 7, {"title": "no id", "mapping": {}}, {"conversation_id": "p3", "mapping": {"a": 1}}, ` + chat("p2", "a") + "]",
			chat("l1", "a") + "\n7\n" + `{"title": "no id", "mapping": {}}` + "\n{broken\n\n" + chat("l2", "a"),
		} {
			var at []int
			res, err := transfer.Import(t.Context(), st, owner, strings.NewReader(doc), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error {
				require.Error(t, p.Err)
				require.Contains(t, p.String(), fmt.Sprintf("conversation %d", p.Index))
				at = append(at, p.Index)
				return nil
			}})
			require.NoError(t, err)
			require.Equal(t, []int{1, 2, 3}, at)
			require.Equal(t, transfer.ImportResult{Conversations: 2, Messages: 2, Problems: 3}, res)
		}
	})
}

// TestBrokenOff has files that end too early: what came before is stored.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	whole := "[" + chat("b1", "a") + "," + chat("b2", "a") + "]"
	second := strings.Index(whole, `{"conversation_id": "b2"`)
	for cut := second + 1; cut < len(whole)-1; cut += 29 {
		st := inMemory(t)
		res, err := transfer.Import(t.Context(), st, owner, strings.NewReader(whole[:cut]), transfer.ImportOptions{})
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, whole[:cut])
		require.EqualValues(t, 1, res.Conversations)
	}
	for _, empty := range []string{"", "\ufeff", " \n", "[]", "[\n]"} {
		res, err := transfer.Import(t.Context(), inMemory(t), owner, strings.NewReader(empty), transfer.ImportOptions{})
		require.NoError(t, err, "%q", empty)
		require.Zero(t, res)
	}
}

// TestNoFormat has files that are something else, as text, as a ZIP and as other people's JSON.
func TestNoFormat(t *testing.T) {
	t.Parallel()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{"conversations.json", "more\n.txt"} {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, "["+chat("z1", "a")+"]\n")
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	st, dir := inMemory(t), t.TempDir()
	for _, text := range []string{
		"hello", "hello\n", "hello\nworld\n", "{}", "{\n}", "[{}]", "[7]", "[hello", "7", "null\n\n{}", `{"name": "u"}`, "<html>\n</html>", archive.String(),
	} {
		for _, format := range append(transfer.Formats(), "") {
			o := transfer.ImportOptions{Format: format}
			res, err := transfer.Import(t.Context(), st, owner, strings.NewReader(text), o)
			require.ErrorIs(t, err, store.ErrInvalid, "%q as %q", text, format)
			require.Zero(t, res.Conversations)
			name := filepath.Join(dir, "conversations.json")
			require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
			if text == archive.String() {
				continue // which ImportFile reads
			}
			_, err = transfer.ImportFile(t.Context(), st, owner, name, o)
			require.ErrorIs(t, err, store.ErrInvalid, "%q", text)
			_, err = transfer.ImportFile(t.Context(), st, owner, dir, o)
			require.ErrorIs(t, err, store.ErrInvalid, "%q", text)
		}
		_, err := transfer.ImportAll(t.Context(), st, strings.NewReader(text), transfer.ImportOptions{})
		require.ErrorIs(t, err, store.ErrInvalid, "%q", text)
	}
	_, err := transfer.Import(t.Context(), st, owner, strings.NewReader("["+chat("x", "a")+"]"), transfer.ImportOptions{Format: transfer.Claude})
	require.ErrorIs(t, err, store.ErrInvalid, "of another format")
}

// TestTrees has nodes in each order, circles, lost parents and a node twice.
func TestTrees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		nodes []string
		want  string // each message with its parent
	}{
		"a line backwards":  {[]string{"c<b", "b<a", "a"}, "a b<a c<b"},
		"a lost parent":     {[]string{"b<gone", "a"}, "b a"},
		"a circle":          {[]string{"a<b", "b<c", "c<a"}, "a c<a b<c"},
		"its own parent":    {[]string{"a<a", "b<a"}, "a b<a"},
		"a tail and circle": {[]string{"d<c", "a<b", "b<a", "c<b"}, "a b<a c<b d<c"},
		"branches":          {[]string{"a", "b<a", "c<a", "d<b"}, "a b<a c<a d<b"},
	} {
		st, ctx := inMemory(t), t.Context()
		imported(t, st, "", []byte(chat("t", c.nodes...)))
		conv, err := st.ForUser(owner).Conversations().GetByExternalKey(ctx, "chatgpt:t")
		require.NoError(t, err)
		var got []string
		names := map[int64]string{}
		for m, err := range st.ForUser(owner).Messages().All(ctx, conv.ID, store.MessageFilter{Branches: store.AllBranches}) {
			require.NoError(t, err)
			text := m.Content
			if parent := m.Parent(); parent > 0 {
				text += "<" + names[parent]
			}
			names[m.Seq] = m.Content
			got = append(got, text)
		}
		require.Equal(t, c.want, strings.Join(got, " "), name)
	}
}

// TestRefusedMessage has a message that is too large: the others are stored, and those below it
// follow the one above it.
func TestRefusedMessage(t *testing.T) {
	t.Parallel()
	st, ctx := inMemory(t), t.Context()
	doc := chat("r", "a", "b<a", "c<b")
	doc = strings.Replace(doc, `{"parts": ["b"]}`, `{"parts": ["`+strings.Repeat("b", message.MaxBytes)+`"]}`, 1)
	var problems []transfer.Problem
	res, err := transfer.Import(ctx, st, owner, strings.NewReader(doc), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error {
		problems = append(problems, p)
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, transfer.ImportResult{Conversations: 1, Messages: 2, Problems: 1}, res)
	require.Equal(t, "b", problems[0].Node)
	require.ErrorIs(t, problems[0].Err, store.ErrInvalid)
	conv, err := st.ForUser(owner).Conversations().GetByExternalKey(ctx, "chatgpt:r")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, texts(t, st.ForUser(owner), conv.ID))
}

// TestDeletedConversation does not bring back what the user has deleted.
func TestDeletedConversation(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		doc := []byte("[" + chat("d1", "a") + "," + chat("d2", "a") + "]")
		imported(t, st, "", doc)
		conv, err := st.ForUser(owner).Conversations().GetByExternalKey(ctx, "chatgpt:d1")
		require.NoError(t, err)
		_, err = st.ForUser(owner).Conversations().Delete(ctx, conv.ID)
		require.NoError(t, err)
		require.Equal(t, transfer.ImportResult{Known: 1, Deleted: 1}, imported(t, st, "", doc))
	})
}

// TestNewerExport adds what is new in a later export of the same account.
func TestNewerExport(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, ctx := open(t, d), t.Context()
		imported(t, st, "", []byte(chat("n", "a", "b<a")))
		got := imported(t, st, "", []byte(strings.Replace(chat("n", "a", "b<a", "c<a", "d<c", "e<b"), `"x"`, `"e"`, 1)))
		require.Equal(t, transfer.ImportResult{Messages: 3, Known: 2}, got)
		conv, err := st.ForUser(owner).Conversations().GetByExternalKey(ctx, "chatgpt:n")
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "e"}, texts(t, st.ForUser(owner), conv.ID))
	})
}

// TestFiles imports a ZIP in parts, and the directory it is unpacked into.
func TestFiles(t *testing.T) {
	t.Parallel()
	parts := map[string]string{
		"export/conversations-000.json": "[" + chat("f1", "a") + "]",
		"export/conversations-001.json": "[" + chat("f2", "a") + ", 3]",
		"export/user.json":              `{"id": "u"}`,
		"export/chat.html":              "<html>",
	}
	dir := t.TempDir()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range parts {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, text)
		require.NoError(t, err)
		path := filepath.Join(dir, "unpacked", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	require.NoError(t, z.Close())
	archive, single := filepath.Join(dir, "export.zip"), filepath.Join(dir, "one.json")
	require.NoError(t, os.WriteFile(archive, buf.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(single, []byte(parts["export/conversations-000.json"]), 0o600))
	for name, want := range map[string]transfer.ImportResult{
		archive:                        {Conversations: 2, Messages: 2, Problems: 1},
		filepath.Join(dir, "unpacked"): {Conversations: 2, Messages: 2, Problems: 1},
		single:                         {Conversations: 1, Messages: 1},
	} {
		var last, total int64
		got, err := transfer.ImportFile(t.Context(), inMemory(t), owner, name, transfer.ImportOptions{OnRead: func(read, of int64) {
			require.Greater(t, read, last)
			last, total = read, of
		}})
		require.NoError(t, err)
		require.Equal(t, want, got, name)
		size := len(parts["export/conversations-000.json"])
		if name != single {
			size += len(parts["export/conversations-001.json"])
		}
		require.EqualValues(t, size, total, "known beforehand, without the files that are not read")
		require.Equal(t, total, last, name)
	}
	_, err := transfer.ImportFile(t.Context(), inMemory(t), owner, filepath.Join(dir, "nothing.zip"), transfer.ImportOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = transfer.ImportFile(t.Context(), inMemory(t), owner, t.TempDir(), transfer.ImportOptions{})
	require.ErrorIs(t, err, store.ErrInvalid)
}

// TestBadArguments are refused before anything is read.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	st, ctx, in := inMemory(t), t.Context(), strings.NewReader("[]")
	for name, call := range map[string]func() error{
		"no store":  func() error { _, err := transfer.Import(ctx, nil, owner, in, transfer.ImportOptions{}); return err },
		"no reader": func() error { _, err := transfer.Import(ctx, st, owner, nil, transfer.ImportOptions{}); return err },
		"no user":   func() error { _, err := transfer.Import(ctx, st, uuid.Nil, in, transfer.ImportOptions{}); return err },
		"unknown format": func() error {
			_, err := transfer.Import(ctx, st, owner, in, transfer.ImportOptions{Format: "x"})
			return err
		},
		"export unknown": func() error {
			_, err := transfer.Export(ctx, st, owner, "", io.Discard, transfer.ExportOptions{})
			return err
		},
		"export nowhere": func() error {
			_, err := transfer.Export(ctx, st, owner, transfer.JSONL, nil, transfer.ExportOptions{})
			return err
		},
		"export of nobody": func() error {
			_, err := transfer.Export(ctx, st, uuid.Nil, transfer.JSONL, io.Discard, transfer.ExportOptions{})
			return err
		},
		"export of deleted": func() error {
			_, err := transfer.Export(ctx, st, owner, transfer.JSONL, io.Discard, transfer.ExportOptions{Filter: store.ConversationFilter{Deleted: store.OnlyDeleted}})
			return err
		},
	} {
		require.ErrorIs(t, call(), store.ErrInvalid, name)
	}
	require.Equal(t, 2, in.Len())
}

// TestProblemEnds has a caller that wants no file with problems.
func TestProblemEnds(t *testing.T) {
	t.Parallel()
	stop := errors.New("no")
	res, err := transfer.Import(t.Context(), inMemory(t), owner, strings.NewReader("["+chat("e1", "a")+", 1, "+chat("e2", "a")+"]"),
		transfer.ImportOptions{OnProblem: func(transfer.Problem) error { return stop }})
	require.ErrorIs(t, err, stop)
	require.Equal(t, transfer.ImportResult{Conversations: 1, Messages: 1, Problems: 1}, res)
}

// FuzzImport takes any file without a panic, and stores nothing when it takes it again.
func FuzzImport(f *testing.F) {
	for format := range files {
		f.Add(sample(f, format))
	}
	f.Add([]byte("{\n}"))
	f.Add([]byte(chat("t", "a<b", "b<a")))
	f.Fuzz(func(t *testing.T, doc []byte) {
		st, err := sqlite.OpenMemory(t.Context())
		require.NoError(t, err)
		defer st.Close() //nolint:errcheck // in memory
		_, err = transfer.Import(t.Context(), st, owner, bytes.NewReader(doc), transfer.ImportOptions{})
		again, err2 := transfer.Import(t.Context(), st, owner, bytes.NewReader(doc), transfer.ImportOptions{})
		require.Equal(t, err == nil, err2 == nil)
		require.Zero(t, again.Messages)
		require.Zero(t, again.Conversations)
	})
}
