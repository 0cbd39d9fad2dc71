package pgserver

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// pickPort needs no free port without TCP: there it only names the socket file.
func pickPort(tcp bool) (int, error) {
	if !tcp {
		return 5432, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // it was opened to learn a number
	return l.Addr().(*net.TCPAddr).Port, nil
}

// maxSocketDir keeps a socket's whole path within the 104 bytes that the
// strictest system allows.
const maxSocketDir = 80

// makeDir makes the server's directory, in memory or below /tmp where the path of the
// ordinary temporary directory is too long for a unix socket or closed to the
// server's user, as one of root's own is.
func makeDir(as *account, memory bool) (string, error) {
	base := os.TempDir()
	if memory {
		base = cmp.Or(memoryDir(), base)
	}
	if len(base)+len("/pg-4294967295") > maxSocketDir || as != nil && !openToOthers(base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "pg-")
	if err == nil && as != nil {
		err = os.Chown(dir, int(as.uid), int(as.gid))
	}
	if err != nil {
		return "", fmt.Errorf("make the server's directory: %w", err)
	}
	return dir, nil
}

// openToOthers tells whether any user can pass through dir and all above it.
func openToOthers(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// initdb makes the cluster. The C locale compares text byte by byte, as SQLite
// does, and its UTF-8 kind still knows upper and lower case beyond ASCII.
func (s *Server) initdb(ctx context.Context) error {
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8" // there is no C.UTF-8 before macOS 15
	}
	cmd := s.command(ctx, "initdb", "-D", s.dataDir(), "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale="+locale, "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, tail(string(out)))
	}
	return nil
}
