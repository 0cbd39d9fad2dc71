package transfer_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/transfer"
)

// endless is a file of many conversations that nobody has in memory.
type endless struct {
	n, of int
	rest  []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		switch e.n {
		case 0:
			e.rest = []byte("[")
		case e.of:
			return 0, io.EOF
		}
		e.rest = append(e.rest, chat(fmt.Sprintf("big-%d", e.n), "a", "b<a", "c<b", "d<c")...)
		if e.n++; e.n < e.of {
			e.rest = append(e.rest, ',')
		} else {
			e.rest = append(e.rest, ']')
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestFlatMemory imports a file of 20 and one of 2,000 conversations: the heap in between is the
// same.
func TestFlatMemory(t *testing.T) {
	heap := func(of int) (most uint64) {
		st := inMemory(t)
		_, err := transfer.Import(t.Context(), st, owner, &endless{of: of}, transfer.ImportOptions{Progress: func(transfer.ImportResult) {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}})
		require.NoError(t, err)
		return most
	}
	few, many := heap(60), heap(2000)
	require.Less(t, many, few+8<<20)
}
