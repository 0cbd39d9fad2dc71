package engine_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated parts of docs/architecture.md")

const (
	root   = "../../"
	module = "github.com/convostore/convostore/"
	page   = root + "docs/architecture.md"
)

// room is a package with the packages of this module that it may import.
type room struct {
	path, holds string
	may         []string
}

// Leaves are packages that import nothing of the engine; any room may use them.
var leaves = []string{
	"conversation", "message", "suggestion", "rule", "migrate", "payload", "window",
	"internal/check", "internal/clean", "internal/dialect", "internal/latest", "internal/mergepatch", "internal/naming", "internal/overtake", "internal/session",
	"internal/segment", "internal/snippet", "internal/substring", "internal/vector", "internal/words",
}

var rooms = []room{
	{"store", "the contract: interfaces, filters, results, errors, pages", []string{
		"conversation", "message", "suggestion", "rule", "window", "internal/session",
	}},
	{"store/storefake", "for a host's tests: a fake of each role, written by `internal/cmd/fakes`", []string{
		"store", "conversation", "message", "suggestion", "window",
	}},
	{"internal/session", "what `WithSession` and `WithPrimary` put into a context", nil},
	{"internal/dialect", "words of SQL that differ by database, and the codes of errors", []string{"rule"}},
	{"internal/engine/query", "build a statement, run it, read its rows; the log of statements", []string{"store", leaf}},
	{"internal/engine/record", "a file a table: columns, types, destinations, arguments", []string{"store", "query", leaf}},
	{"internal/engine/replica", "the set of replicas, and whose writes they may lack", []string{"store", "query", leaf}},
	{"internal/engine/watch", "what tails wait for: one poller, its bells", []string{"store", leaf}},
	{"internal/engine/config", "what options set, applied once", []string{"store", "query", "replica", "watch", leaf}},
	{"internal/engine/scope", "whose rows, which connection, which transaction, which schema", []string{
		"store", "query", "record", "replica", "config", leaf,
	}},
	{"internal/engine/embeddings", "vectors, and the job that fills in the missing ones", below()},
	{"internal/engine/textindex", "the index of words: what is noted, segments, packing", below()},
	{"internal/engine/erase", "conversations and all in them, children first, counted", below("embeddings", "textindex")},
	{"internal/engine/states", "the keys and values of conversations, users and apps", below()},
	{"internal/engine/threads", "conversations and messages: create, append, import, read, edit", below("embeddings", "erase", "states", "textindex", "watch")},
	{"internal/engine/streams", "messages that are written while their text is made", below("embeddings", "threads")},
	{"internal/engine/suggestions", "drafted replies, decisions, sending", below("threads")},
	{"internal/engine/deliveries", "the outbox: what is to be sent, leases, what came of it", below("threads", "watch")},
	{"internal/engine/search", "by words and by vectors", below("embeddings", "textindex")},
	{"internal/engine/reports", "activity, response times, suggestions, costs", below("threads")},
	{"internal/engine/maintenance", "retention, erasure by lead and user, orphans, the care of tables", below("erase", "streams", "textindex")},
	{"internal/engine/health", "readiness, pools, sizes, slow queries, damage", below()},
	{"internal/engine/heirs", "where a conversation went that was merged into another", below("threads")},
	{"internal/engine", "puts the rooms together; the only one that knows all of them", append(below(
		"deliveries", "embeddings", "health", "heirs", "maintenance", "reports", "search", "states", "streams", "suggestions", "textindex", "threads", "watch"), "config")},
	{".", "`New` and the options", []string{"store", "engine", "config", "query", "replica", leaf}},
	{"store/sqlite", "`Open`, `OpenMemory`: driver, settings, pools", []string{".", "store", "engine", "config", "query", "watch", leaf}},
	{"store/postgres", "`Open`: driver, pool, replicas", []string{".", "store", "engine", "config", "query", "replica", "watch", leaf}},
}

// leaf stands for all leaves.
const leaf = "leaves"

// below is what every room over scope may import, and some of its neighbours.
func below(neighbours ...string) []string {
	return append([]string{"store", "query", "record", "replica", "scope", leaf}, neighbours...)
}

// full is the import path in this module of a room's short name.
func full(name string) string {
	switch name {
	case "engine":
		return "internal/engine"
	case ".", "store":
		return name
	}
	if slices.Contains(leaves, name) {
		return name
	}
	return "internal/engine/" + name
}

func (r room) allows(path string) bool {
	for _, m := range r.may {
		if m == leaf && slices.Contains(leaves, path) || full(m) == path {
			return true
		}
	}
	return false
}

// sources parses the files of a package, without its tests.
func sources(t *testing.T, path string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, path, "*.go"))
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files[filepath.Base(name)] = file
	}
	require.NotEmpty(t, files, path)
	return files
}

func TestRoomsImportWhatTheyMay(t *testing.T) {
	for _, r := range rooms {
		for name, file := range sources(t, r.path) {
			for _, spec := range file.Imports {
				path := strings.Trim(spec.Path.Value, `"`)
				own, ok := strings.CutPrefix(path, module)
				if path+"/" == module {
					own, ok = ".", true
				}
				if ok && !r.allows(own) {
					t.Errorf("%s/%s imports %s, which rooms does not list", r.path, name, own)
				}
			}
		}
	}
}

func TestEveryRoomIsListed(t *testing.T) {
	dirs, err := filepath.Glob(root + "internal/engine/*")
	require.NoError(t, err)
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		path := "internal/engine/" + filepath.Base(dir)
		if info.IsDir() && !slices.ContainsFunc(rooms, func(r room) bool { return r.path == path }) {
			t.Errorf("%s is not among rooms", path)
		}
	}
}

// step is a function on the way of a call, in its file.
type step struct{ file, function string }

// walks are ways through the rooms, each function called by the one before it.
var walks = []struct {
	title string
	steps []step
}{
	{"an append", []step{
		{"threads/append.go", "Append"},
		{"threads/append.go", "AppendOne"},
		{"threads/append.go", "appendMessage"},
		{"threads/append.go", "tryAppend"},
		{"threads/append_statements.go", "appendInOne"},
		{"query/read.go", "Row"},
		{"query/read.go", "Read"},
		{"query/fallback.go", "WithFallback"},
	}},
	{"a search by words", []step{
		{"search/text.go", "Messages"},
		{"search/text_messages.go", "findMessages"},
		{"search/words_messages.go", "wordMessages"},
		{"search/words.go", "onIndex"},
		{"textindex/view.go", "Read"},
		{"textindex/view.go", "read"},
		{"query/read.go", "Read"},
		{"query/fallback.go", "WithFallback"},
	}},
	{"a report", []step{
		{"reports/response.go", "ResponseTimesByConversation"},
		{"query/read.go", "All"},
		{"query/read.go", "Read"},
		{"query/fallback.go", "WithFallback"},
	}},
	{"a job of embedding", []step{
		{"embeddings/job.go", "EmbedMissing"},
		{"embeddings/job.go", "run"},
		{"embeddings/job.go", "round"},
		{"embeddings/job.go", "work"},
		{"embeddings/job_batch.go", "embedBatch"},
		{"embeddings/job_trial.go", "embed"},
		{"embeddings/job_trial.go", "try"},
		{"embeddings/job_trial.go", "accept"},
		{"embeddings/job_write.go", "writeVectors"},
		{"embeddings/write.go", "upsertVectors"},
		{"scope/ids.go", "ReadIDs"},
		{"query/read.go", "All"},
	}},
}

func TestWalksGoFromFunctionToFunction(t *testing.T) {
	for _, w := range walks {
		for i, s := range w.steps {
			dir, name := filepath.Split(s.file)
			body := bodyOf(sources(t, "internal/engine/"+strings.TrimSuffix(dir, "/"))[name], s.function)
			if body == nil {
				t.Errorf("%s: there is no %s in %s", w.title, s.function, s.file)
				continue
			}
			if i+1 < len(w.steps) && !names(body, w.steps[i+1].function) {
				t.Errorf("%s: %s of %s does not call %s", w.title, s.function, s.file, w.steps[i+1].function)
			}
		}
	}
}

func bodyOf(file *ast.File, function string) *ast.BlockStmt {
	if file == nil {
		return nil
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			return f.Body
		}
	}
	return nil
}

// names tells whether a body has the name in it, called or handed on.
func names(body ast.Node, name string) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

func TestArchitecturePage(t *testing.T) {
	was, err := os.ReadFile(page)
	require.NoError(t, err)
	now := replacePart(t, string(was), "rooms", roomTable())
	now = replacePart(t, now, "walks", walkList())
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(now), 0o644))
		return
	}
	require.Equal(t, now, string(was), "run go test ./internal/engine -update")
}

func replacePart(t *testing.T, text, name, part string) string {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(text, begin)
	require.True(t, ok, name)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, name)
	return before + begin + part + end + after
}

func roomTable() string {
	var b strings.Builder
	b.WriteString("\n| package | holds | may import |\n|---|---|---|\n")
	for _, r := range rooms {
		name := "`" + r.path + "`"
		if r.path == "." {
			name = "`convostore`"
		}
		may := strings.Join(r.may, ", ")
		if may == "" {
			may = "nothing of the module"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, r.holds, strings.Replace(may, "., ", "convostore, ", 1))
	}
	fmt.Fprintf(&b, "\nLeaves are %s.\n\n", "`"+strings.Join(leaves, "`, `")+"`")
	return b.String()
}

func walkList() string {
	var b strings.Builder
	b.WriteString("\n")
	for _, w := range walks {
		fmt.Fprintf(&b, "**%s%s**\n\n", strings.ToUpper(w.title[:1]), w.title[1:])
		for i, s := range w.steps {
			fmt.Fprintf(&b, "%d. `%s` %s\n", i+1, s.file, s.function)
		}
		b.WriteString("\n")
	}
	return b.String()
}
