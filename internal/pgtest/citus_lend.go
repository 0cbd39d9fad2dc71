package pgtest

import (
	"errors"
	"sync"
	"testing"
)

// lent are the databases of the cluster that tests take turns with.
var lent = lending{free: map[string][]string{}}

// LendCitus lends a database of the cluster to a test, for which a package needs
// Main: one that nobody else has, and that fill has filled when it was made. When
// the test ends empty takes away what it left, and the next test with the same key
// gets it. Making and distributing one takes seconds, and no server copies one.
func LendCitus(tb testing.TB, key string, fill, empty func(dsn string) error) string {
	tb.Helper()
	cluster := CitusDSN(tb)
	if kept == nil {
		tb.Fatal("pgtest: LendCitus needs Main in TestMain, or nobody would drop what it lends")
	}
	dsn, err := lent.take(cluster, key, fill)
	if err != nil {
		tb.Fatalf("pgtest: fill the database to lend: %v", err)
	}
	tb.Cleanup(func() {
		if err := empty(dsn); err != nil {
			tb.Errorf("pgtest: empty the database that was lent: %v", err)
			return
		}
		lent.giveBack(key, dsn)
	})
	return dsn
}

type lending struct {
	mu   sync.Mutex
	free map[string][]string
	made [][2]string // each with the cluster's DSN
}

func (l *lending) take(cluster, key string, fill func(dsn string) error) (string, error) {
	if dsn, ok := l.takeFree(key); ok {
		return dsn, nil
	}
	name := newName()
	l.mu.Lock()
	l.made = append(l.made, [2]string{cluster, name})
	l.mu.Unlock()
	dsn, err := CreateCitus(cluster, name)
	if err != nil {
		return "", err
	}
	return dsn, fill(dsn)
}

func (l *lending) takeFree(key string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free[key])
	if n == 0 {
		return "", false
	}
	dsn := l.free[key][n-1]
	l.free[key] = l.free[key][:n-1]
	return dsn, true
}

func (l *lending) giveBack(key, dsn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free[key] = append(l.free[key], dsn)
}

func (l *lending) drop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, m := range l.made {
		errs = append(errs, DropCitus(m[0], m[1]))
	}
	return errors.Join(errs...)
}
