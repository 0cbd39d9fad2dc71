package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"
	"time"
)

// EnvCitus names the variable with the coordinator of a Citus cluster: the DSN, a URL, of a
// database that knows the workers, by a superuser who reaches them with the same DSN but
// for the address.
const EnvCitus = "CONVOSTORE_TEST_CITUS"

// Citus makes an empty database of the test cluster, with the extension and the nodes, and
// returns its DSN on the coordinator. It is dropped on every node when the test ends.
// Without a cluster it skips the test: no package brings one, so no run has to have it.
func Citus(tb testing.TB) string {
	tb.Helper()
	dsn := CitusDSN(tb)
	name := newName()
	tb.Cleanup(func() {
		if err := DropCitus(dsn, name); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	own, err := CreateCitus(dsn, name)
	if err != nil {
		tb.Fatalf("pgtest: create a database of the cluster: %v", err)
	}
	return own
}

// CitusDSN returns the address of the test cluster, or skips the test.
func CitusDSN(tb testing.TB) string {
	tb.Helper()
	dsn := os.Getenv(EnvCitus)
	if dsn == "" {
		tb.Skip("pgtest: no Citus cluster: set " + EnvCitus + " to the DSN of a coordinator")
	}
	return dsn
}

// CreateCitus makes a database on every node of the cluster at dsn.
func CreateCitus(dsn, name string) (own string, err error) {
	nodes, err := citusNodes(dsn)
	if err != nil {
		return "", err
	}
	var join []string
	for i, n := range nodes {
		at, err := nodeDSN(dsn, n, "")
		if err != nil {
			return "", err
		}
		if err := execute(at, "CREATE DATABASE "+name+" TEMPLATE template0 STRATEGY file_copy"); err != nil {
			return "", err
		}
		if at, err = nodeDSN(dsn, n, name); err != nil {
			return "", err
		}
		if err := execute(at, "CREATE EXTENSION citus"); err != nil {
			return "", err
		}
		join = append(join, fmt.Sprintf("SELECT citus_add_node('%s', %d)", n.host, n.port))
		if i == 0 {
			own, join[0] = at, fmt.Sprintf("SELECT citus_set_coordinator_host('%s', %d)", n.host, n.port)
		}
	}
	for _, statement := range join {
		if err := execute(own, statement); err != nil {
			return "", err
		}
	}
	return own, nil
}

// DropCitus drops a database on every node, the workers' first: the coordinator would have
// one that is half gone looked after.
func DropCitus(dsn, name string) error {
	nodes, err := citusNodes(dsn)
	if err != nil {
		return err
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		at, err := nodeDSN(dsn, nodes[i], "")
		if err != nil {
			return err
		}
		if err := drop(at, name); err != nil {
			return err
		}
	}
	return nil
}

// citusNode is where a node listens.
type citusNode struct {
	host string
	port int
}

// citusNodes returns the coordinator and then the workers.
func citusNodes(dsn string) (nodes []citusNode, err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // nothing was written through it
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rows, err := db.QueryContext(ctx, "SELECT nodename, nodeport FROM pg_dist_node ORDER BY groupid")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n citusNode
		if err := rows.Scan(&n.host, &n.port); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, rows.Err()
}

// nodeDSN is dsn with a node's address, and with another database unless it is empty.
func nodeDSN(dsn string, n citusNode, database string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s is not a URL with a host", EnvCitus)
	}
	u.Host = net.JoinHostPort(n.host, fmt.Sprint(n.port))
	if database == "" {
		return u.String(), nil
	}
	return withDatabase(u.String(), database)
}

// CitusWorkers returns the DSNs of a database of the cluster on its workers.
func CitusWorkers(tb testing.TB, dsn string) (workers []string) {
	tb.Helper()
	nodes, err := citusNodes(dsn)
	if err != nil {
		tb.Fatalf("pgtest: the nodes: %v", err)
	}
	for _, n := range nodes[1:] {
		at, err := nodeDSN(dsn, n, "")
		if err != nil {
			tb.Fatalf("pgtest: %v", err)
		}
		workers = append(workers, at)
	}
	return workers
}
