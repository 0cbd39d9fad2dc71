package usage

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPeak(t *testing.T) {
	const size = 64 << 20
	failed := errors.New("failed")
	got, err := Peak(func() error {
		block := make([]byte, size)
		for i := range block {
			block[i] = 1
		}
		time.Sleep(5 * every)
		_ = block[len(block)-1]
		return failed
	})
	require.ErrorIs(t, err, failed)
	require.InDelta(t, size, got.Heap, size/4)
}
