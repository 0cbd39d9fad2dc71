//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/convostore/convostore/internal/pgtest/pgserver"
)

// releases are the releases of Debian that have a major version of PostgreSQL and pgvector
// for it. Bookworm has PostgreSQL 15 without pgvector; 16 was in no release. Sid moves on to
// 19 one day, and the next release then has 18.
var releases = map[int]string{17: "trixie", 18: "sid"}

// keyring vouches for the packages of every release.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// useVersion puts the programs of a major version first in PATH, for this program and for
// the command's tests, which start servers of their own. It takes the machine's own where
// they have that version, and else a folder of Debian's packages that is made once and kept.
func useVersion(ctx context.Context, major int, install bool) error {
	bin, err := ownBinaries(ctx, major)
	if err == nil && bin == "" {
		bin, err = folderBinaries(ctx, major, install)
	}
	if err != nil {
		return err
	}
	return os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// ownBinaries returns "" where nothing of that version is installed.
func ownBinaries(ctx context.Context, major int) (string, error) {
	found, err := pgserver.FindBinaries()
	if err != nil {
		return "", nil //nolint:nilerr // a machine without any has none of that version
	}
	beside := fmt.Sprintf("/usr/lib/postgresql/%d/bin", major)
	for _, bin := range []string{found, beside} {
		if majorOf(ctx, bin) == major {
			return bin, nil
		}
	}
	return "", ctx.Err()
}

// majorOf is 0 for a directory without a server.
func majorOf(ctx context.Context, bin string) (major int) {
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "-V").Output()
	if err != nil {
		return 0
	}
	// "postgres (PostgreSQL) 18.6 (Debian …)", "… 19beta1"; what reads otherwise is none.
	_, _ = fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &major)
	return major
}

// folderBinaries makes the folder where it is not there yet.
func folderBinaries(ctx context.Context, major int, install bool) (string, error) {
	release := releases[major]
	if release == "" {
		return "", fmt.Errorf("no release of Debian has PostgreSQL %d and pgvector for it; install both, or set %s", major, envDSN)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	f := folder{root: filepath.Join(cache, fmt.Sprintf("postgresql-%d-%s", major, release)), major: major, release: release}
	if _, err := os.Stat(f.bin()); err == nil {
		return f.bin(), nil
	}
	if !install || !mayInstall(ctx) {
		return "", fmt.Errorf("PostgreSQL %d is not installed here, and a folder of Debian's packages takes apt-get and root", major)
	}
	fmt.Fprintf(os.Stderr, "testpg: making %s, once (half a minute)\n", f.root)
	return f.bin(), f.make(ctx)
}

// cacheDir is the linter's as well, unless this runs as root, from whose own folder the
// server's user is shut out.
func cacheDir() (dir string, err error) {
	dir = "/var/cache"
	if os.Geteuid() != 0 {
		if dir, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	dir = filepath.Join(dir, "convostore")
	return dir, os.MkdirAll(dir, 0o755)
}

// folder has the packages of one release that a server needs, down to the C library, which
// may be newer than the machine's.
type folder struct {
	root    string
	major   int
	release string
}

func (f folder) bin() string { return fmt.Sprintf("%s/usr/lib/postgresql/%d/bin", f.root, f.major) }

// make moves the folder into place at the end: two runs may make it at once, and one may
// be interrupted.
func (f folder) make(ctx context.Context) error {
	mirror, err := ownMirror(ctx)
	if err != nil {
		return err
	}
	if err := provideTool(ctx, "mmdebstrap"); err != nil {
		return err
	}
	part := f.root + ".part" + strconv.Itoa(os.Getpid())
	// Also after an interruption, which has ended ctx.
	defer asRoot(context.WithoutCancel(ctx), "rm", "-rf", "--one-file-system", "--", part).Run() //nolint:errcheck // it is gone when all went well
	// It leaves the signals to its children, so that all of its group has to get one.
	if code := runCommand(ctx, rootArgs(append(f.bootstrap(), f.release, part, mirror))); code != 0 {
		return fmt.Errorf("mmdebstrap of %s ended with %d", f.release, code)
	}
	err = asRoot(ctx, "mv", "-T", "--", part, f.root).Run()
	if _, there := os.Stat(f.bin()); there == nil {
		return nil
	}
	return err
}

// bootstrap has no date of expiry checked: a mirror's copy of sid may be some days old.
func (f folder) bootstrap() []string {
	server := fmt.Sprintf("postgresql-%d", f.major)
	const noCluster = `mkdir -p "$1/etc/postgresql-common/createcluster.d" && ` +
		`echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/none.conf"`
	return []string{
		"mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--keyring=" + keyring,
		"--include=" + server + "," + server + "-pgvector,patchelf",
		`--aptopt=Acquire::Check-Valid-Until "false"`,
		"--setup-hook=" + noCluster, "--customize-hook=" + f.relocate(),
	}
}

// relocate has the programs load everything from the folder, so that they run without a
// chroot, as whoever started them: the loader, and by RPATH, which libraries pass on to what
// they load, the libraries. They find the rest by where they are themselves.
func (f folder) relocate() string {
	return fmt.Sprintf(`chroot "$1" sh -euc '
		cd /usr/lib/postgresql/%d/bin
		loader=$(patchelf --print-interpreter postgres)
		libs=$(dirname "$(readlink -f "$loader")")
		for program in *; do
			patchelf --set-interpreter "$2$loader" --force-rpath --set-rpath "$2$libs" $program
		done' sh "$1" '%s'`, f.major, f.root)
}

// ownMirror is the mirror from which the machine has its own release.
func ownMirror(ctx context.Context) (string, error) {
	const script = `. /etc/os-release && [ "$ID" = debian ] || exit 1
		apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
			awk -v own="$VERSION_CODENAME" '$2 == own { print $1; exit }'`
	out, err := exec.CommandContext(ctx, "sh", "-c", script).Output()
	mirror := strings.TrimSpace(string(out))
	if err != nil || mirror == "" {
		return "", fmt.Errorf("this machine has no mirror of Debian in its apt sources")
	}
	return mirror, nil
}

// provideTool installs Debian's package of a program where the program is missing.
func provideTool(ctx context.Context, name string) error {
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	script := "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends " +
		"-o DPkg::Lock::Timeout=300 " + name
	if err := asRoot(ctx, "sh", "-c", script).Run(); err != nil {
		return fmt.Errorf("install %s: %w", name, err)
	}
	return nil
}

// checkMajor makes sure that a run on a version is one: the server may be the one that the
// caller has set.
func checkMajor(ctx context.Context, dsn string, major int) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written through it
	var number int
	if err := db.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS integer)").Scan(&number); err != nil {
		return err
	}
	if number/10000 != major {
		return fmt.Errorf("the server is of version %d, and %d was asked for", number/10000, major)
	}
	return nil
}
