package filetest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCopiesAreFilledOnceAndApart(t *testing.T) {
	t.Parallel()
	dir, fills := t.TempDir(), 0
	for _, name := range []string{"a.db", "b.db"} {
		path := filepath.Join(dir, name)
		Copy(t, path, t.Name(), func(original string) error {
			fills++
			assert.NotEqual(t, path, original)
			return os.WriteFile(original, []byte("filled"), 0o600)
		})
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "filled", string(content))
		require.NoError(t, os.WriteFile(path, []byte("changed"), 0o600))
	}
	require.Equal(t, 1, fills)
}

func TestNoCopyOfHalfAFile(t *testing.T) {
	t.Parallel()
	bad := errors.New("no filling")
	_, err := contentOf("a.db", func(string) error { return bad })
	require.ErrorIs(t, err, bad)
	_, err = contentOf("a.db", func(path string) error {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.WriteFile(path+"-wal", []byte("a page"), 0o600))
	})
	require.ErrorContains(t, err, "a log beside a.db")
	_, err = contentOf("a.db", func(string) error { return nil })
	require.ErrorIs(t, err, os.ErrNotExist)
}
