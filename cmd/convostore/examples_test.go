package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documents are where command lines stand beside the help texts.
var documents = []string{"../../docs/command.md", "../../README.md", "../../examples/migrate/README.md", "../../examples/report/README.md"}

// commandLines returns every line that begins with the command, as arguments.
func commandLines(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	add := func(text string) {
		line := regexp.MustCompile(`(?m)^\s*(?:go run \./cmd/)?convostore ([^\n#]+)`)
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			all[strings.TrimSpace(m[0])] = words(strings.TrimSpace(m[1]))
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() != "help" && c.Name() != "completion" && c.Parent() != nil && c.Parent().Name() != "completion" {
			assert.NotEmpty(t, c.Short, c.CommandPath())
			assert.NotEmpty(t, c.Long, c.CommandPath())
			assert.NotEmpty(t, c.Example, c.CommandPath())
		}
		add(c.Example)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(newApp(os.Stdout, os.Stderr)))
	for _, path := range documents {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		add(string(text))
	}
	return all
}

// words splits a line as a shell does whose quotes are single.
func words(line string) (all []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	return all
}

// TestCommandLinesOfTheTexts runs each in a folder with what it names. Those that serve, ask for a server
// that is not there or take the documents' placeholders are parsed to the end.
func TestCommandLinesOfTheTexts(t *testing.T) {
	lines := commandLines(t)
	require.Greater(t, len(lines), 30)
	for text, args := range lines {
		t.Run(text, func(t *testing.T) {
			root := newRoot(newApp(os.Stdout, os.Stderr))
			c, rest, err := root.Find(args)
			require.NoError(t, err)
			require.NotEqual(t, root, c, "there is such a command")
			require.NoError(t, c.ParseFlags(rest))
			if strings.HasSuffix(text, "-h") {
				return
			}
			require.NoError(t, c.ValidateArgs(c.Flags().Args()))
			if strings.Contains(text, "postgres://") || c.Name() == "serve" || c.Name() == "demo" && !strings.Contains(text, "--only-write") {
				return
			}
			prepare(t, args)
			_, errs, code := with(t, func(a *app) { a.getenv = func(string) string { return "chat.db" } }, args...)
			require.Zero(t, code, errs)
		})
	}
}

// prepare goes to a folder with a database and the files that the texts name.
func prepare(t *testing.T, args []string) {
	t.Helper()
	export, err := filepath.Abs(transferred + "claude.json")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	must(t, "migrate", "up", "-d", "chat.db")
	must(t, "import", "-d", "chat.db", "--user", "ann", export)
	st := open(t, "chat.db")
	require.NoError(t, st.DB(t.Context()).Exec("CREATE TABLE leads (id TEXT, owner TEXT, name TEXT)").Error)
	for i, arg := range args {
		switch arg {
		case "~/Maildir", "archive.mbox":
			args[i] = strings.TrimPrefix(arg, "~/")
			require.NoError(t, os.WriteFile(args[i], []byte("From: a@example.com\nDate: 4 Nov 2025 10:00:00 +0000\n\nHello"), 0o600))
		case "chatgpt-export.zip", "backup.jsonl":
			if args[i-1] == "--output" {
				continue
			}
			args[i] = "x.jsonl"
			must(t, "export", "-d", "chat.db", "--user", "all", "--output", "x.jsonl")
		case "01890a5d-ac96-774b-bcce-b302099a8057":
			var all []string
			require.NoError(t, st.DB(t.Context()).Table("conversations").Limit(1).Pluck("id", &all).Error)
			args[i] = all[0]
		}
	}
}
