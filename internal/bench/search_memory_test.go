package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// peer is what ../peers tells of one way to search.
type peer struct {
	Name    string        `json:"name"`
	Times   took          `json:"times"`
	Recall  float64       `json:"recall"`
	Heap    int64         `json:"heap"`
	RSS     int64         `json:"rss"`
	Prepare time.Duration `json:"prepare"`
}

// memory compares with a database that keeps vectors in memory. It is a program of its
// own: its dependencies are none of the library's, and its memory holds nothing else.
func (r *searchRun) memory(t *testing.T) {
	queries := filepath.Join(t.TempDir(), "queries.json")
	text, err := json.Marshal(r.corpus.queries)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(queries, text, 0o600))
	program := buildPeer(t, ".")
	cmd := exec.CommandContext(t.Context(), program, "-db", r.bases[0].address, "-model", searchModel,
		"-queries", queries, "-limit", strconv.Itoa(similarLimit))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var peers []peer
	require.NoError(t, json.Unmarshal(out, &peers))
	report(t, searchDocument, "search memory", memoryTable(peers))
}

func memoryTable(peers []peer) []string {
	table := []string{
		"| all users | time | ratio to the last (min–max) | recall@10 | Go heap | resident memory | before the first answer |",
		"|---|--:|--:|--:|--:|--:|--:|",
	}
	base := peers[len(peers)-1].Times
	const mega = 1 << 20
	for _, p := range peers {
		table = append(table, fmt.Sprintf("| %s | %s | %s | %.3f | +%.1f MiB | +%.1f MiB | %s |", p.Name, short(p.Times.median()),
			p.Times.ratio(base), p.Recall, float64(p.Heap)/mega, float64(p.RSS)/mega, short(p.Prepare)))
	}
	return table
}
