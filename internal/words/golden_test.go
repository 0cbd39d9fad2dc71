package words_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/words"
)

var update = flag.Bool("update", false, "write the golden file of terms")

// TestTermsHaveAVersion: another term for the same text needs another words.Version, or indexes
// that were made before miss it.
func TestTermsHaveAVersion(t *testing.T) {
	file := filepath.Join("testdata", "terms.txt")
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	was := strings.Split(string(old), "\n")
	now := golden()
	if *update {
		if was[0] == now[0] {
			for _, line := range was[1:] {
				require.True(t, line == "" || slices.Contains(now, line), "raise words.Version: these terms have changed: %s", line)
			}
		}
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(now, "\n")+"\n"), 0o644))
		return
	}
	require.Equal(t, strings.Join(now, "\n")+"\n", string(old), "if terms have changed, raise words.Version; then write the file with -update")
}

// golden is the version, and the terms of each text on a line.
func golden() []string {
	texts := slices.Concat(hostileUnits, slices.DeleteFunc(slices.Collect(maps.Keys(whatFindsWhat)), func(s string) bool { return len(s) > 300 }))
	slices.Sort(texts)
	lines := []string{fmt.Sprint("version ", words.Version)}
	for _, text := range slices.Compact(texts) {
		lines = append(lines, strconv.QuoteToASCII(text)+" "+strconv.QuoteToGraphic(strings.Join(terms(text), " ")))
	}
	return lines
}
