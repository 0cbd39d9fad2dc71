package pgserver

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server in memory is there while it runs, and on disk where there is too little.
func TestMemory(t *testing.T) {
	assert.Greater(t, available(), uint64(1<<20))
	if _, err := FindBinaries(); err != nil {
		t.Skip(err)
	}
	s, err := Start(t.Context(), Options{Memory: true})
	require.NoError(t, err)
	if dir := memoryDir(); dir != "" {
		assert.Equal(t, dir, filepath.Dir(s.dir))
	}
	require.NoError(t, s.Stop())
	assert.NoDirExists(t, s.dir)
}
