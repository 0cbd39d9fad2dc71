// Package testrun tells tests how much they are to do. It is for tests alone.
//
// `make test` runs everything in a size that fits before a commit, with the race detector
// where it matters; `make test-full` runs what is heavy in full, without it.
package testrun

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// EnvFull names the variable that, when 1, asks for the full sizes.
const EnvFull = "CONVOSTORE_TEST_FULL"

// EnvRequire names the variable with a list of what must be there, with commas between: a test
// that needs it fails without, where it would be skipped. A run that is meant to be complete then
// skips nothing silently.
const EnvRequire = "CONVOSTORE_TEST_REQUIRE"

// What can be required.
const (
	Postgres = "1"
	Chromium = "chromium"
)

// Requires tells whether something must be there.
func Requires(what string) bool {
	return slices.Contains(strings.Split(os.Getenv(EnvRequire), ","), what)
}

// Full tells whether comparisons and crash loops run in their full size. Short mode wins.
func Full() bool { return os.Getenv(EnvFull) == "1" && !testing.Short() }

// OnlyFull skips a test but in a full run. What it compares is compared on fewer rows in
// every run.
func OnlyFull(tb testing.TB) {
	tb.Helper()
	if !Full() {
		tb.Skip("in full with `make test-full`")
	}
}

// WithoutRace skips a test under the race detector and in short mode: `make test` runs it
// without the one, since another test runs the same code with it.
func WithoutRace(tb testing.TB) {
	tb.Helper()
	if Race {
		tb.Skip("runs without the race detector")
	}
	if testing.Short() {
		tb.Skip("another way to open the same database; not in short mode")
	}
}
