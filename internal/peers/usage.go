package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// memory is how much there is at the moment.
type memory struct{ heap, rss int64 }

// usage lets go of what nobody needs and counts what is left.
func usage() memory {
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return memory{heap: int64(stats.HeapAlloc), rss: resident()}
}

// resident is what the process has of the machine's memory, 0 where nothing tells.
func resident() int64 {
	status, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(status)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64) // The kernel wrote it.
	return pages * int64(os.Getpagesize())
}
