package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFakesAreCurrent: who changes the contract runs `go generate ./store/storefake`.
func TestFakesAreCurrent(t *testing.T) {
	t.Parallel()
	want, err := generate("../../../store")
	require.NoError(t, err)
	got, err := os.ReadFile("../../../store/storefake/roles.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	_, err := generate(t.TempDir())
	require.ErrorContains(t, err, "Scope")
}
