//go:build unix

package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/pgtest/pgserver"
)

func TestExitCodeIsTheCommands(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 143} {
		assert.Equal(t, want, runCommand(t.Context(), []string{"sh", "-c", script}), script)
	}
	assert.Equal(t, failed, runCommand(t.Context(), []string{"/no/such/command"}))
}

func TestSignalReachesTheWholeGroup(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	assert.Equal(t, 143, runCommand(ctx, []string{"sh", "-c", "sleep 60 & wait; exit 1"}))
	assert.Less(t, time.Since(start), grace)
}

func TestServerThatIsSetIsUsed(t *testing.T) {
	t.Setenv(envDSN, "somewhere")
	t.Setenv(envRequire, "0")
	script := `test "$` + envDSN + `" = somewhere && test "$` + envRequire + `" = 0`
	assert.Zero(t, run(settings{}, []string{"sh", "-c", script}))
}

func TestNothingIsLeft(t *testing.T) {
	if _, err := pgserver.FindBinaries(); err != nil {
		t.Skip(err)
	}
	t.Setenv(envDSN, "")
	t.Setenv(envRequire, "")
	temp, err := os.MkdirTemp("/tmp", "testpg-test-") //nolint:usetesting // root's server could not pass through t.TempDir
	require.NoError(t, err)
	defer os.Remove(temp) //nolint:errcheck // when it is not empty the test has said so
	require.NoError(t, os.Chmod(temp, 0o711))
	t.Setenv("TMPDIR", temp)
	script := `test -n "$` + envDSN + `" && touch "$TMPDIR/left" && exit 3`
	assert.Equal(t, 3, run(settings{server: pgserver.Options{TCP: true}}, []string{"sh", "-c", script}))
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left)
}
