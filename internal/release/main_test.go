package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestModules takes a repository with all that may be wrong, and then one with what may be.
func TestModules(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module example.com/lib\ngo 1.26\nreplace example.com/x => ./x\n")
	write(t, filepath.Join(root, "plug", "go.mod"), "module example.com/lib/plug\ngo 1.26\nrequire example.com/lib v0.0.0\nreplace example.com/y => ../y\n")
	write(t, filepath.Join(root, "examples", "one", "go.mod"), "module example.com/lib/examples/one\ngo 1.26\nreplace example.com/z => ./z\n")
	var out bytes.Buffer
	folders, err := moduleFolders(root)
	require.NoError(t, err)
	require.Len(t, folders, 3)
	err = checkModules(&out, root, folders)
	for _, fault := range []string{"go.mod replaces example.com/x", "plug/go.mod replaces example.com/y", "plug/go.mod does not replace example.com/lib"} {
		require.ErrorContains(t, err, fault)
	}
	require.NotContains(t, err.Error(), "example.com/z", "nobody imports an example")

	write(t, filepath.Join(root, "go.mod"), "module example.com/lib\ngo 1.26\n")
	write(t, filepath.Join(root, "plug", "go.mod"), "module example.com/lib/plug\ngo 1.26\nrequire example.com/lib v0.0.0\nreplace example.com/lib => ../\n")
	write(t, filepath.Join(root, "cmd", "tool", "go.mod"), "module example.com/lib/cmd/tool\ngo 1.26\nrequire example.com/lib v0.1.0\nreplace example.com/lib => ../..\n")
	folders, err = moduleFolders(root)
	require.NoError(t, err)
	out.Reset()
	require.NoError(t, checkModules(&out, root, folders))
	require.Contains(t, out.String(), "tag plug/vX.Y.Z")
	require.Regexp(t, `tag cmd/tool/vX.Y.Z +at the tag remove`, out.String())
	require.Contains(t, out.String(), "first require the tag of example.com/lib")
}

// TestLicencesOf tells the licence of this repository, and none of a text that is no licence.
func TestLicencesOf(t *testing.T) {
	t.Parallel()
	found, err := licencesOf("../..")
	require.NoError(t, err)
	require.Equal(t, []string{"MIT"}, found)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "LICENSE.txt"), "Ask us, and pay.")
	found, err = licencesOf(dir)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	require.Error(t, run(nil))
	require.ErrorContains(t, run([]string{"nothing", t.TempDir()}), "nothing")
}
