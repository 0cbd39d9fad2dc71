package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// peerSample is what ../peers/agents tells of a round.
type peerSample struct {
	Case     string        `json:"case"`
	Database string        `json:"database"`
	Side     string        `json:"side"`
	N        int           `json:"n"`
	PerOp    time.Duration `json:"per_op"`
	Allocs   float64       `json:"allocs"`
}

// peerFigures compare with the session stores of agent kits, in a program of its own:
// their dependencies are none of the library's.
func peerFigures(t *testing.T) {
	program := buildPeer(t, "agents")
	cmd := exec.CommandContext(t.Context(), program, "-dir", t.TempDir(), "-postgres", databases[1].fresh(t),
		"-sessions", itoa(max(200, fraction(t, 10_000))), "-rounds", itoa(max(7, fraction(t, 31))))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	samples := readPeers(t, out)
	raw := newRaw("peers")
	for _, s := range samples {
		raw.add("Peer"+s.Case, []string{"db=" + s.Database, "side=" + peerLabel(s.Side)}, s.N,
			metric{float64(s.PerOp), "ns/op"}, metric{s.Allocs, "allocs/op"})
	}
	report(t, performanceDocument, "peers", peerTable(samples))
	raw.save(t)
}

// buildPeer compiles a program of ../peers; it is a module of its own.
func buildPeer(t *testing.T, dir string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "peer")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir, build.Stderr = filepath.Join("..", "peers", dir), os.Stderr
	require.NoError(t, build.Run())
	return program
}

func readPeers(t *testing.T, out []byte) (all []peerSample) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(out))
	for {
		var s peerSample
		err := in.Decode(&s)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, s)
	}
}

// peerLabel leaves spaces out, at which a line of a benchmark is cut.
func peerLabel(side string) string { return strings.ReplaceAll(side, " ", "-") }

const libraryName = "convostore"

// peerTable holds each side against the library, round by round.
func peerTable(samples []peerSample) []string {
	table := []string{
		"| case | database | side | time | time of convostore to it, ratio (95 %) | allocations | faster |",
		"|---|---|---|--:|--:|--:|---|",
	}
	type key struct{ work, database, side string }
	var order []key
	rounds := map[key][]sample{}
	for _, s := range samples {
		k := key{s.Case, s.Database, s.Side}
		if rounds[k] == nil {
			order = append(order, k)
		}
		rounds[k] = append(rounds[k], sample{s.N, s.PerOp, s.Allocs})
	}
	for _, k := range order {
		ratio, faster := "–", ""
		if k.side != libraryName {
			r := summarize(ratios(times(rounds[key{k.work, k.database, libraryName}]), times(rounds[k])))
			ratio, faster = r.ratio(), fasterOf(r, k.side)
		}
		table = append(table, fmt.Sprintf("| %s | %s | %s | %s | %s | %.0f | %s |", k.work, k.database, k.side,
			summarize(times(rounds[k])).time(), ratio, summarize(allocations(rounds[k])).median, faster))
	}
	return table
}

// fasterOf names nobody where the ratio's bounds are on both sides of 1.
func fasterOf(r summary, peer string) string {
	switch {
	case r.high < 1:
		return libraryName
	case r.low > 1:
		return "**" + peer + "**"
	}
	return "neither"
}

func TestPeerTable(t *testing.T) {
	samples := readPeers(t, []byte(`{"case":"Append","database":"sqlite","side":"convostore","n":9,"per_op":2000,"allocs":10}
{"case":"Append","database":"sqlite","side":"other v1","n":9,"per_op":1000,"allocs":7}
`))
	require.Equal(t, []string{
		"| Append | sqlite | convostore | 2 µs ± 0 % | – | 10 |  |",
		"| Append | sqlite | other v1 | 1 µs ± 0 % | **2.00** (2.00–2.00) | 7 | **other v1** |",
	}, peerTable(samples)[2:])
	require.Equal(t, "other-v1", peerLabel("other v1"))
	require.Equal(t, "neither", fasterOf(summary{1, 0.9, 1.1}, "x"))
	require.Equal(t, libraryName, fasterOf(summary{0.8, 0.7, 0.9}, "x"))
}
