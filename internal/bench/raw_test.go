package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rawFile collects the samples that a section's table is made from, a line for each, in
// the form that benchstat reads.
type rawFile struct {
	name string
	text strings.Builder
}

func newRaw(name string) *rawFile {
	r := &rawFile{name: name}
	fmt.Fprintf(&r.text, "goos: %s\ngoarch: %s\npkg: github.com/convostore/convostore/internal/bench\ntoolchain: %s\nprocessors: %d\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU())
	return r
}

// metric is a value with its unit.
type metric struct {
	value float64
	unit  string
}

// add writes a sample of n operations. The labels are key=value.
func (r *rawFile) add(name string, labels []string, n int, metrics ...metric) {
	fmt.Fprintf(&r.text, "Benchmark%s/%s-%d %d", name, strings.Join(labels, "/"), runtime.GOMAXPROCS(0), n)
	for _, m := range metrics {
		fmt.Fprintf(&r.text, " %.0f %s", m.value, m.unit)
	}
	r.text.WriteByte('\n')
}

// save writes the file with -update.
func (r *rawFile) save(t *testing.T) {
	t.Helper()
	if !*update {
		return
	}
	file := filepath.Join("..", "..", "docs", "bench", r.name+".txt")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(r.text.String()), 0o644))
}

func TestRaw(t *testing.T) {
	r := newRaw("x")
	r.add("Append", []string{"db=sqlite", "side=convostore"}, 20, metric{1500.4, "ns/op"}, metric{99.6, "allocs/op"})
	require.Contains(t, r.text.String(), fmt.Sprintf("\nBenchmarkAppend/db=sqlite/side=convostore-%d 20 1500 ns/op 100 allocs/op\n", runtime.GOMAXPROCS(0)))
}
