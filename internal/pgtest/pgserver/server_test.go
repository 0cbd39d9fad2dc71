package pgserver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewestFirst(t *testing.T) {
	got := newestFirst([]string{"/pg/9.6/bin", "/pg/15/bin", "/pg/9.5/bin", "/pg/odd/bin", "/pg/17/bin"})
	want := []string{"/pg/17/bin", "/pg/15/bin", "/pg/9.6/bin", "/pg/9.5/bin", "/pg/odd/bin"}
	assert.Equal(t, want, got)
}

func TestHasLibrary(t *testing.T) {
	for _, lib := range []string{"lib", "lib/postgresql"} {
		root := t.TempDir()
		bin := filepath.Join(root, "bin")
		assert.False(t, hasLibrary(bin, "counter"), "no server")
		require.NoError(t, os.Mkdir(bin, 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(root, lib), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(bin, "postgres"), nil, 0o755))
		assert.False(t, hasLibrary(bin, "counter"))
		require.NoError(t, os.WriteFile(filepath.Join(root, lib, "counter.so"), nil, 0o644))
		assert.True(t, hasLibrary(bin, "counter"), lib)

		linked := t.TempDir()
		require.NoError(t, os.Symlink(filepath.Join(bin, "postgres"), filepath.Join(linked, "postgres")))
		assert.True(t, hasLibrary(linked, "counter"), "the server is where its link leads")
	}
}

func TestOpenToOthers(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	require.NoError(t, os.Mkdir(inner, 0o755))
	require.NoError(t, os.Chmod(dir, 0o700))
	assert.False(t, openToOthers(inner), "closed above")
	assert.False(t, openToOthers(filepath.Join(dir, "absent")))
	assert.True(t, openToOthers("/"))
}

func TestTail(t *testing.T) {
	assert.Equal(t, "a\nb", tail("a\nb\n"))
	assert.Equal(t, 29, strings.Count(tail(strings.Repeat("line\n", 100)), "\n"))
}

// A server that cannot start says why, and takes its directory with it.
func TestStartFails(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{
		"initdb":   "mkdir data",
		"postgres": "echo the disk is made of cheese >&2; exit 1",
	} {
		path := filepath.Join(bin, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	// As root the scripts are run by another user, who has to get at them.
	for dir := bin; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", bin)

	_, err := Start(context.Background(), Options{})
	require.ErrorIs(t, err, errDied)
	require.ErrorContains(t, err, "the disk is made of cheese")
	left, err := filepath.Glob(filepath.Join(bin, "pg-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}
