//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestVersionThatIsInstalled has a machine with a PostgreSQL that nobody has, first in PATH.
func TestVersionThatIsInstalled(t *testing.T) {
	for version, major := range map[string]int{"7042.1 (Debian 7042.1-1)": 7042, "7043beta2": 7043, "7044devel": 7044} {
		bin := t.TempDir()
		for _, name := range []string{"postgres", "initdb"} {
			script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
			require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755))
		}
		t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		require.NoError(t, useVersion(t.Context(), major, false))
		assert.Equal(t, bin, filepath.SplitList(os.Getenv("PATH"))[0])
		for _, other := range []int{7, 704, 70421} {
			require.ErrorContains(t, useVersion(t.Context(), other, false), "no release of Debian has PostgreSQL", version)
		}
	}
}

func TestVersionOfTheServer(t *testing.T) {
	dsn := os.Getenv(envDSN)
	if dsn == "" {
		t.Skip("no server")
	}
	var of int
	for major := 15; major < 30; major++ {
		if checkMajor(t.Context(), dsn, major) == nil {
			of = major
		}
	}
	require.NotZero(t, of)
	require.ErrorContains(t, checkMajor(t.Context(), dsn, of+1), "was asked for")
	assert.Equal(t, failed, runOn(t.Context(), dsn, of+1, []string{"true"}), "the command is not run")
	assert.Zero(t, runOn(t.Context(), dsn, of, []string{"true"}))
	assert.Zero(t, runOn(t.Context(), dsn, 0, []string{"true"}), "whichever it is")
}
