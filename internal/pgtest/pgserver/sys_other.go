//go:build !linux

package pgserver

import "syscall"

// tieToParent needs a signal at the parent's death, which only Linux gives here.
func tieToParent(*syscall.SysProcAttr) {}

// memoryDir is none that is known.
func memoryDir() string { return "" }

// childrenOf knows no children here: they end by themselves as soon as they
// notice that the postmaster is gone, and Restart waits for that.
func childrenOf(int) []int { return nil }
