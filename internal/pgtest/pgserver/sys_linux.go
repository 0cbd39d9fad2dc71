package pgserver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tieToParent makes the server shut down when this program dies without having
// stopped it, as a test binary does that runs into its timeout.
func tieToParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// What the servers of all tests need, and what else the machine should have free.
const (
	roomForFiles = 4 << 30
	freeMemory   = 8 << 30
)

// memoryDir returns the directory whose files are in memory, "" if there is not plenty.
func memoryDir() string {
	const dir = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomForFiles || available() < freeMemory { //nolint:gosec // a size is not negative
		return ""
	}
	return dir
}

// available returns how many bytes of memory programs can have, 0 if that cannot be told.
func available() uint64 {
	text, _ := os.ReadFile("/proc/meminfo")
	_, after, _ := strings.Cut(string(text), "MemAvailable:")
	number, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	kilobytes, _ := strconv.ParseUint(number, 10, 64)
	return kilobytes << 10
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(pid int) []int {
	var children []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // a constant pattern cannot fail
	for _, stat := range stats {
		if parentIn(stat) == pid {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(stat))); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// parentIn reads the parent from a stat file: "pid (name) state parent …",
// where the name may hold blanks and brackets. A process that is gone has none.
func parentIn(stat string) int {
	text, _ := os.ReadFile(stat)
	after := string(text[strings.LastIndexByte(string(text), ')')+1:])
	fields := strings.Fields(after)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
