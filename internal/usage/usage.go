// Package usage tells how much memory a process takes, for benchmarks.
package usage

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

// Memory is how many bytes there are: of the Go heap with what is garbage by now, and of
// the machine's memory, 0 where nothing tells.
type Memory struct{ Heap, RSS int64 }

// Settled lets go of what nobody needs and counts what is left.
func Settled() Memory {
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return Memory{Heap: int64(stats.HeapAlloc), RSS: resident()}
}

// every is how often Peak looks.
const every = 10 * time.Millisecond

// Peak runs work and returns what it added at most to what there was before.
func Peak(work func() error) (Memory, error) {
	before := Settled()
	stop, peak := make(chan struct{}), make(chan Memory)
	go watch(stop, peak)
	err := work()
	close(stop)
	most := <-peak
	return Memory{Heap: most.Heap - before.Heap, RSS: most.RSS - before.RSS}, err
}

func watch(stop <-chan struct{}, peak chan<- Memory) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var most Memory
	for {
		now := current()
		most = Memory{Heap: max(most.Heap, now.Heap), RSS: max(most.RSS, now.RSS)}
		select {
		case <-ticker.C:
		case <-stop:
			peak <- most
			return
		}
	}
}

// current stops nobody, unlike Settled.
func current() Memory {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return Memory{Heap: int64(heap[0].Value.Uint64()), RSS: resident()}
}

// resident is what the process has of the machine's memory.
func resident() int64 {
	status, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(status)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64) // The kernel wrote it.
	return pages * int64(os.Getpagesize())
}
