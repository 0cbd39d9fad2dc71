package convostore_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fence is a block of Go in a document, after the comment that names the file that it is of, if that
// is not the document's own.
var fence = regexp.MustCompile("(?s)(?:<!-- code: (\\S+) -->\n)?```go\n(.*?)\n```")

// blocks are the parts of a document's block that stand apart by an empty line, each without what
// indents all of it.
func blocks(code string) []string {
	var all []string
	for _, part := range strings.Split(code, "\n\n") {
		all = append(all, flush(part))
	}
	return all
}

// flush takes the indent of the first line off every line.
func flush(code string) string {
	lines := strings.Split(code, "\n")
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], "\t"))]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}

// hasCode says whether a file has the block, indented as it likes.
func hasCode(file, block string) bool {
	first, _, _ := strings.Cut(block, "\n")
	lines := strings.Split(file, "\n")
	for i, line := range lines {
		if strings.TrimLeft(line, "\t") != first {
			continue
		}
		rest := strings.Join(lines[i:min(len(lines), i+strings.Count(block, "\n")+1)], "\n")
		if flush(rest) == block {
			return true
		}
	}
	return false
}

// TestDocumentsShowCodeThatRuns: each block of Go in the README and in a recipe stands in a test,
// which is compiled and run.
func TestDocumentsShowCodeThatRuns(t *testing.T) {
	t.Parallel()
	recipes, err := filepath.Glob("docs/recipes/*.md")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(recipes), 8)
	own := map[string]string{"README.md": "example_readme_test.go"}
	for _, path := range recipes {
		own[path] = strings.TrimSuffix(path, ".md") + "_test.go"
	}
	for path, code := range own {
		doc, err := os.ReadFile(path)
		require.NoError(t, err)
		found := fence.FindAllStringSubmatch(string(doc), -1)
		assert.NotEmpty(t, found, path)
		for _, m := range found {
			from := code
			if m[1] != "" {
				from = m[1]
			}
			require.True(t, strings.HasSuffix(from, "_test.go"), "%s: %s is no test", path, from)
			file, err := os.ReadFile(from)
			require.NoError(t, err)
			for _, block := range blocks(m[2]) {
				assert.True(t, hasCode(string(file), block), "%s shows what %s does not have:\n%s", path, from, block)
			}
		}
	}
}

// link is a link of a document to a file of the repository, perhaps to a heading in it.
var link = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]+)?\)`)

// anchor is how a heading is linked to: small letters, hyphens for blanks, no marks.
func anchor(heading string) string {
	heading = strings.ToLower(strings.TrimSpace(strings.TrimLeft(heading, "# ")))
	heading = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(heading, "")
	return strings.ReplaceAll(heading, " ", "-")
}

// TestLinksLeadSomewhere follows every link of every document within the repository.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/recipes/*.md", "examples/*/README.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		documents = append(documents, found...)
	}
	for _, path := range documents {
		doc, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(doc), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			target := path
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(path), m[1])
			}
			if _, err := os.Stat(target); !assert.NoError(t, err, "%s links to %s", path, m[1]) || m[2] == "" {
				continue
			}
			text, err := os.ReadFile(target)
			require.NoError(t, err)
			assert.True(t, hasHeading(string(text), m[2][1:]), "%s links to %s%s", path, m[1], m[2])
		}
	}
}

func hasHeading(doc, wanted string) bool {
	for _, line := range strings.Split(doc, "\n") {
		if strings.HasPrefix(line, "#") && anchor(line) == wanted {
			return true
		}
	}
	return false
}

// TestThreatModelNamesTests: what it says was shown by a test is nothing without the test.
func TestThreatModelNamesTests(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("docs/threat-model.md")
	require.NoError(t, err)
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`").FindAllStringSubmatch(string(doc), -1)
	require.NotEmpty(t, names)
	missing := map[string]bool{}
	for _, m := range names {
		missing[m[1]] = true
	}
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range declaration.FindAllStringSubmatch(string(code), -1) {
			delete(missing, m[1])
		}
		return err
	}))
	assert.Empty(t, missing)
}
