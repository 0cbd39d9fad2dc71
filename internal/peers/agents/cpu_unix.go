//go:build unix

package main

import (
	"syscall"
	"time"
)

// processTime is what the process has used of all processors, for itself and in the kernel.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
