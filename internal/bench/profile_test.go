package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// profileTime is how long a case runs.
const profileTime = 8 * time.Second

// profiled are the cases without a choice.
const profiled = "Append Last50 Thread200"

// TestProfile writes where a case's time and allocations go. CONVOSTORE_BENCH_PROFILE names
// the run, CONVOSTORE_BENCH_CASES the cases, and CONVOSTORE_BENCH_SIDE the side, the library
// if unset.
func TestProfile(t *testing.T) {
	name := os.Getenv("CONVOSTORE_BENCH_PROFILE")
	if name == "" {
		t.Skip("set CONVOSTORE_BENCH_PROFILE, or run `make bench-profile`, to write profiles")
	}
	side := os.Getenv("CONVOSTORE_BENCH_SIDE")
	if side == "" {
		side = sideNames[1]
	}
	require.Contains(t, sideNames, side)
	names := os.Getenv("CONVOSTORE_BENCH_CASES")
	if names == "" {
		names = profiled
	}
	// Small allocations matter as well; the rate is that of all that comes.
	runtime.MemProfileRate = 4096
	// A server that does not wait for its disk leaves more of the time to the client.
	for _, d := range []database{databases[0], async} {
		f := d.fixture(t, side == sideNames[1])
		for _, c := range readsFirst(quick) {
			if strings.Contains(" "+names+" ", " "+c.name+" ") {
				profile(t, c, f, strings.Join([]string{"profile", name, c.name, d.name, side}, "-"))
			}
		}
	}
}

func profile(t *testing.T, c workCase, f *fixture, name string) {
	t.Helper()
	n := calibrate(t, c, f)
	dir := t.TempDir()
	before, after := filepath.Join(dir, "before"), filepath.Join(dir, "allocs")
	writeAllocations(t, before)
	cpu, err := os.Create(filepath.Join(dir, "cpu"))
	require.NoError(t, err)
	require.NoError(t, pprof.StartCPUProfile(cpu))
	for start := time.Now(); time.Since(start) < profileTime; {
		c.setUp(t, f, n)
		c.do(t, f, n)
	}
	pprof.StopCPUProfile()
	require.NoError(t, cpu.Close())
	writeAllocations(t, after)
	text := "CPU\n" + top(t, cpu.Name()) + "\nAllocations, by number\n" + top(t, "-sample_index=alloc_objects", "-base="+before, after)
	require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "bench", name+".txt"), []byte(text), 0o644))
	t.Logf("%s\n%s", name, text)
}

func writeAllocations(t *testing.T, file string) {
	t.Helper()
	// A profile has what was there at the last collection but one.
	runtime.GC()
	runtime.GC()
	out, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, pprof.Lookup("allocs").WriteTo(out, 0))
	require.NoError(t, out.Close())
}

func top(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"tool", "pprof", "-top", "-nodecount=25"}, args...)
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	require.NoError(t, err)
	return header.ReplaceAllString(string(out), "")
}

// header is what differs with every run.
var header = regexp.MustCompile(`(?m)^(File|Build ID|Time): .*\n`)
