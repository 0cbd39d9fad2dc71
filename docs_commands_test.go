package convostore_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serves are the programs that go on until somebody ends them: they are only asked for their help.
var serves = map[string]bool{"./examples/chat": true, "./cmd/convostore": true}

// shellBlock is a block of commands of a document, and codeSpan a command within its text.
var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)\n```")
	codeSpan   = regexp.MustCompile("`((?:go (?:run|doc|test)|make) [^`\n]*)`")
)

// commandsOf are the commands of a document, in order and without their comments.
func commandsOf(doc string) []string {
	var all []string
	for _, block := range shellBlock.FindAllStringSubmatch(doc, -1) {
		for _, line := range strings.Split(block[1], "\n") {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
	}
	for _, m := range codeSpan.FindAllStringSubmatch(doc, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestCommandsOfDocuments runs what documents tell to run. A target of make is only looked for,
// since make runs this test, and so are the packages of a go test.
func TestCommandsOfDocuments(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the programs of the examples")
	}
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/recipes/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		documents = append(documents, found...)
	}
	programs, tried := t.TempDir(), 0
	for _, path := range documents {
		doc, err := os.ReadFile(path)
		require.NoError(t, err)
		folder := t.TempDir() // what one command of a document makes, the next one reads
		for _, command := range commandsOf(string(doc)) {
			tried++
			words := strings.Fields(command)
			if words[0] == "convostore" {
				continue // the tests of the command run these
			}
			switch words[0] + " " + words[1] {
			case "go run":
				runProgram(t, path, programs, folder, words[2], words[3:])
			case "go doc":
				out, err := commandFor(t, ".", "go", words[1:]...).CombinedOutput()
				require.NoError(t, err, "%s says %s: %s", path, command, out)
			case "go test":
				for _, word := range words[2:] {
					if pkg, ok := strings.CutPrefix(word, "./"); ok {
						require.DirExists(t, filepath.Join(".", strings.TrimSuffix(pkg, "...")), "%s says %s", path, command)
					}
				}
			default:
				require.Equal(t, "make", words[0], "%s: how is this tried: %s", path, command)
				require.Regexp(t, `(?m)^`+regexp.QuoteMeta(words[1])+`:`, string(makefile), "%s says %s", path, command)
			}
		}
	}
	require.Greater(t, tried, 20)
}

// runProgram does what go run does, in a folder of its own, so that nothing is left in the clone.
func runProgram(t *testing.T, path, programs, folder, pkg string, args []string) {
	t.Helper()
	program := filepath.Join(programs, filepath.Base(pkg))
	if _, err := os.Stat(program); err != nil {
		out, err := commandFor(t, ".", "go", "build", "-buildvcs=false", "-o", program, pkg).CombinedOutput()
		require.NoError(t, err, "%s says go run %s: %s", path, pkg, out)
	}
	if serves[pkg] {
		args = append(args, "-h")
	}
	out, err := commandFor(t, folder, program, args...).CombinedOutput()
	require.NoError(t, err, "%s says go run %s %v: %s", path, pkg, args, out)
}

func commandFor(t *testing.T, folder, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "GOWORK=") // as in a clone, whatever the tests are run with
	return cmd
}
