package pgtest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// kept are the originals of the package whose tests Main runs, nil without Main.
var kept *originals

// Main runs a package's tests and then drops what Copy has copied from and what
// LendCitus has lent. It returns the exit code, which is 1 where dropping failed:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m interface{ Run() int }) int {
	kept = &originals{made: map[string]*original{}}
	code := m.Run()
	if err := errors.Join(kept.drop(), lent.drop()); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = max(code, 1)
	}
	return code
}

// Copy is Database with what fill leaves in it, for which a package needs Main.
// Copying takes a fraction of a migration's time: fill gets an empty database at
// the first call with a key, and every call gets a copy of that one. It must
// close what it opens. Its error fails the test, and all that use the same key.
func Copy(tb testing.TB, key string, fill func(dsn string) error) string {
	tb.Helper()
	dsn := DSN(tb)
	if kept == nil {
		tb.Fatal("pgtest: Copy needs Main in TestMain, or nobody would drop the original")
	}
	name, err := kept.get(dsn, key, fill)
	if err != nil {
		tb.Fatalf("pgtest: fill the database to copy: %v", err)
	}
	return create(tb, dsn, name)
}

// originals are databases to copy from, each made once.
type originals struct {
	mu   sync.Mutex
	made map[string]*original
}

// original is a database on the server at dsn, and how making it ended.
type original struct {
	dsn, name string
	once      sync.Once
	err       error
}

// get returns the name of the original of key, after making it if it is the first.
func (o *originals) get(dsn, key string, fill func(dsn string) error) (string, error) {
	one := o.of(dsn, key)
	one.once.Do(func() { one.err = one.fill(fill) })
	return one.name, one.err
}

func (o *originals) of(dsn, key string) *original {
	o.mu.Lock()
	defer o.mu.Unlock()
	key = dsn + " " + key
	if o.made[key] == nil {
		o.made[key] = &original{dsn: dsn, name: newName()}
	}
	return o.made[key]
}

func (o *original) fill(fill func(dsn string) error) error {
	own, err := withDatabase(o.dsn, o.name)
	if err != nil {
		return err
	}
	if err := execute(o.dsn, "CREATE DATABASE "+o.name+" TEMPLATE template0 STRATEGY file_copy"); err != nil {
		return err
	}
	return fill(own)
}

func (o *originals) drop() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, one := range o.made {
		errs = append(errs, drop(one.dsn, one.name))
	}
	return errors.Join(errs...)
}
