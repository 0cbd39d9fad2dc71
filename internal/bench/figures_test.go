package bench

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	performanceDocument = "performance.md"
	scaleDocument       = "scale.md"
)

// section makes some tables of a document and their raw samples.
type section struct {
	name string
	run  func(t *testing.T)
}

// The longest one comes last.
var sections = []section{
	{"hot", hotFigures},
	{"import", importFigures},
	{"walk", walkFigures},
	{"peers", peerFigures},
	{"sizes", sizeFigures},
	{"scale", scaleFigures},
}

// TestFigures writes the tables of docs/performance.md and docs/scale.md, all of them or
// the sections in CONVOSTORE_BENCH_ONLY. It asserts nothing about time: a busy machine must
// not break a build.
func TestFigures(t *testing.T) {
	if os.Getenv("CONVOSTORE_BENCH_FIGURES") != "1" {
		t.Skip("set CONVOSTORE_BENCH_FIGURES=1, or run `make bench`, to measure")
	}
	only := strings.Fields(os.Getenv("CONVOSTORE_BENCH_ONLY"))
	for _, name := range only {
		require.True(t, slices.ContainsFunc(sections, func(s section) bool { return s.name == name }), "there is no section %q", name)
	}
	for _, s := range sections {
		if len(only) == 0 || slices.Contains(only, s.name) {
			t.Run(s.name, s.run)
		}
	}
}

// fraction divides what a section works on: by CONVOSTORE_BENCH_PART, by ten with
// CONVOSTORE_BENCH_TENTH=1, else by nothing.
func fraction(t *testing.T, n int) int {
	t.Helper()
	by := 1
	if text := os.Getenv("CONVOSTORE_BENCH_PART"); text != "" {
		var err error
		by, err = strconv.Atoi(text)
		require.NoError(t, err, "CONVOSTORE_BENCH_PART")
	} else if os.Getenv("CONVOSTORE_BENCH_TENTH") == "1" {
		by = 10
	}
	return max(1, n/by)
}
