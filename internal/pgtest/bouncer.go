package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvBouncer names the variable with the path of PgBouncer, if it is not on PATH.
const EnvBouncer = "CONVOSTORE_TEST_PGBOUNCER"

// Bouncer starts PgBouncer in transaction mode before a database, with a pool of some sessions,
// and returns the DSN through it, without prepared statements. It ends with the test. On a machine
// without PgBouncer it skips the test: no package of Go brings one.
func Bouncer(tb testing.TB, dsn string, sessions int) string {
	tb.Helper()
	program, err := exec.LookPath(cmp.Or(os.Getenv(EnvBouncer), "pgbouncer"))
	if err != nil {
		tb.Skip("pgtest: no PgBouncer on PATH or in " + EnvBouncer)
	}
	server, err := pgx.ParseConfig(dsn)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	port := freePort(tb)
	dir := tb.TempDir()
	file := filepath.Join(dir, "pgbouncer.ini")
	password := server.Password
	if password != "" {
		password = " password=" + password
	}
	text := fmt.Sprintf(`[databases]
%[1]s = host=%[2]s port=%[3]d user=%[4]s%[5]s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %[6]d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %[7]d
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
`, server.Database, server.Host, server.Port, server.User, password, port, sessions)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	args := []string{file}
	if os.Getuid() == 0 { // which it refuses to run as
		args = []string{"-u", "postgres", file}
	}
	output := &bytes.Buffer{}
	command := exec.CommandContext(context.WithoutCancel(tb.Context()), program, args...)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		tb.Fatalf("pgtest: start PgBouncer: %v", err)
	}
	tb.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // tells only that it was killed
	})
	pooled := fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable&default_query_exec_mode=simple_protocol",
		url.PathEscape(server.User), port, server.Database)
	if err := answers(pooled); err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		tb.Fatalf("pgtest: PgBouncer does not answer: %v\n%s", err, output)
	}
	return pooled
}

// answers waits until a server at dsn answers.
func answers(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written through it
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		<-tick.C
	}
}

// freePort returns a port of this machine that nobody listens on.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("pgtest: find a port: %v", err)
	}
	defer l.Close() //nolint:errcheck // nothing is read from it
	return l.Addr().(*net.TCPAddr).Port
}
