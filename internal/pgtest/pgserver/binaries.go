package pgserver

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// ErrNoServer reports that this machine has no PostgreSQL server binaries.
var ErrNoServer = errors.New("no PostgreSQL server binaries (initdb and postgres) found in PATH, " +
	debianGlob + " or pg_config --bindir")

// debianGlob is where Debian and Ubuntu keep the server, away from PATH so that
// several major versions can live side by side.
const debianGlob = "/usr/lib/postgresql/*/bin"

// FindBinaries returns the directory that holds initdb and postgres: the one in
// PATH, else the newest of the distribution's, else the one pg_config names.
// It returns ErrNoServer when there is none.
func FindBinaries() (string, error) {
	for _, dir := range candidates() {
		if isExecutable(dir, "initdb") && isExecutable(dir, "postgres") {
			return dir, nil
		}
	}
	return "", ErrNoServer
}

func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	// The pattern is a constant and well formed, the only thing Glob can object to.
	packaged, _ := filepath.Glob(debianGlob)
	dirs = append(dirs, newestFirst(packaged)...)
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	return dirs
}

// newestFirst orders …/15/bin and …/9/bin as numbers: as text 9 would be newer.
func newestFirst(dirs []string) []string {
	major := func(dir string) float64 {
		// What is no number counts as 0 and comes last.
		n, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		return n
	}
	return slices.SortedFunc(slices.Values(dirs), func(a, b string) int {
		return int(2 * (major(b) - major(a)))
	})
}

func isExecutable(dir, name string) bool {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// hasLibrary tells whether the server in bin can load a library: those of Debian
// and of PostgreSQL's own packages are in …/lib beside …/bin, Homebrew's one
// folder below. A missed one is as good as none.
func hasLibrary(bin, name string) bool {
	server, err := filepath.EvalSymlinks(filepath.Join(bin, "postgres"))
	if err != nil {
		return false
	}
	lib := filepath.Join(filepath.Dir(filepath.Dir(server)), "lib")
	for _, dir := range []string{lib, filepath.Join(lib, "postgresql")} {
		// The suffix is the system's; names with a * would be a caller's mistake.
		if found, _ := filepath.Glob(filepath.Join(dir, name+".*")); len(found) > 0 {
			return true
		}
	}
	return false
}
