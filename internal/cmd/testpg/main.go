//go:build unix

// Testpg runs a command with a throw-away PostgreSQL server beside it:
//
//	go run ./internal/cmd/testpg -- go test ./...
//
// The command finds the server's DSN in CONVOSTORE_TEST_POSTGRES. Where that is
// set already, its server is used and none is started. Testpg exits with the
// command's exit code and leaves neither a process nor a file behind, but for
// the programs that -version keeps for the next run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/convostore/convostore/internal/pgtest/pgserver"
)

// The variables of package pgtest, which is for tests and not imported here.
const (
	envDSN     = "CONVOSTORE_TEST_POSTGRES"
	envRequire = "CONVOSTORE_TEST_REQUIRE"
)

// failed is the exit code for trouble of testpg's own. A command rarely has it.
const failed = 125

// settings are what the flags say.
type settings struct {
	server  pgserver.Options
	install bool
	version int
}

func main() {
	var options settings
	flag.BoolVar(&options.server.Durable, "durable", false, "keep fsync on, for benchmarks that write")
	flag.BoolVar(&options.server.TCP, "tcp", false, "listen on a free port of 127.0.0.1")
	flag.BoolVar(&options.install, "install", true, "install PostgreSQL and pgvector where they are missing and that is possible")
	flag.IntVar(&options.version, "version", 0, "the major `version` of PostgreSQL, put into a folder where it is not installed (0: the one that is there)")
	flag.Usage = usage
	flag.Parse()
	options.server.Memory = !options.server.Durable
	if flag.NArg() == 0 {
		usage()
		os.Exit(2)
	}
	os.Exit(run(options, flag.Args()))
}

func usage() {
	fmt.Fprintln(flag.CommandLine.Output(), "usage: testpg [flags] -- command [argument …]")
	flag.PrintDefaults()
}

// run returns the exit code. Everything it made is gone when it returns.
func run(options settings, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	setDefault(envRequire, "1")
	if options.version != 0 {
		if err := useVersion(ctx, options.version, options.install); err != nil {
			return complain(err)
		}
	}
	if dsn := os.Getenv(envDSN); dsn != "" {
		return runOn(ctx, dsn, options.version, args)
	}
	remove, err := ownTempDir()
	if err != nil {
		return complain(err)
	}
	defer remove()
	server, err := startServer(ctx, options.server, options.install)
	if server != nil {
		defer stopServer(server)
	}
	if ctx.Err() != nil {
		return complain(errors.New("interrupted before the command was started"))
	}
	if err != nil {
		return complain(err)
	}
	os.Setenv(envDSN, server.DSN()) //nolint:errcheck // neither name nor value can hold what Setenv refuses
	code := runOn(ctx, server.DSN(), options.version, args)
	if !server.Alive() {
		fmt.Fprintf(os.Stderr, "testpg: the server died meanwhile; its log ends with\n%s\n", server.LogTail())
	}
	return code
}

// runOn runs the command, unless the server is of another version than was asked for.
func runOn(ctx context.Context, dsn string, version int, args []string) int {
	if version != 0 {
		if err := checkMajor(ctx, dsn, version); err != nil {
			return complain(err)
		}
	}
	return runCommand(ctx, args)
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "testpg:", err)
	return failed
}

// setDefault leaves alone what the caller has set on purpose.
func setDefault(name, value string) {
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, value) //nolint:errcheck // both are constants that Setenv takes
	}
}

// ownTempDir makes a directory the temporary one of the command and of all its
// children, so that what a killed test leaves there goes with it. Others may
// pass through: the server's user is another one when this runs as root.
func ownTempDir() (remove func(), err error) {
	dir, err := os.MkdirTemp("", "testpg-")
	if err != nil {
		return nil, err
	}
	remove = func() {
		if err := os.RemoveAll(dir); err != nil {
			complain(err)
		}
	}
	if err = os.Chmod(dir, 0o711); err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		remove()
		return nil, err
	}
	return remove, nil
}

func stopServer(server *pgserver.Server) {
	if err := server.Stop(); err != nil {
		complain(err)
	}
}

// runCommand runs the command in a process group of its own and, when ctx ends,
// hands the signal to the whole group: "go test" alone would leave its test
// binaries running.
func runCommand(ctx context.Context, args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return complain(err)
	}
	ended := make(chan struct{})
	go endWith(ctx, ended, cmd.Process.Pid)
	err := cmd.Wait()
	close(ended)
	if ctx.Err() != nil {
		// A member of the group that outlived its leader must not outlive the server.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	return exitCode(err)
}

// exitCode follows the shell where a signal ended the command: 128 and its number.
func exitCode(err error) int {
	var exit *exec.ExitError
	if err == nil {
		return 0
	}
	if !errors.As(err, &exit) {
		return complain(err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
