package bench

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables into the documents")

// report prints a table, and with -update puts it between its markers in a document.
func report(t *testing.T, document, name string, table []string) {
	t.Helper()
	text := strings.Join(table, "\n")
	t.Logf("%s\n%s", name, text)
	if !*update {
		return
	}
	file := filepath.Join("..", "..", "docs", document)
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	updated, found := replaceBetween(string(old), name, text)
	require.True(t, found, "%s has no markers for %s", file, name)
	require.NoError(t, os.WriteFile(file, []byte(updated), 0o644))
}

func replaceBetween(document, name, text string) (string, bool) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, found := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	return before + begin + "\n" + text + "\n\n" + end + after, found && closed
}

func TestReplaceBetween(t *testing.T) {
	got, found := replaceBetween("a\n<!-- begin x -->\nold\n<!-- end x -->\nb", "x", "new")
	require.True(t, found)
	require.Equal(t, "a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nb", got)
	_, found = replaceBetween("a", "x", "new")
	require.False(t, found)
}
