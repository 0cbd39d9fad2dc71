package faulttest

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/testrun"
)

// Faults are the faults of a disk in one way, for storetest.RunFaults.
type Faults struct {
	disk *Disk
	how  Failure
}

// NewFaults puts a disk under the files of a path, until the test ends.
func NewFaults(tb testing.TB, path string, how Failure) Faults {
	tb.Helper()
	disk, err := NewDisk(filepath.Dir(path), nil)
	require.NoError(tb, err)
	disk.silent = true
	tb.Cleanup(disk.Forget)
	return Faults{disk: disk, how: how}
}

// FailAt implements storetest.Faults.
func (f Faults) FailAt(n int) { f.disk.FailAt(n, f.how) }

// Heal implements storetest.Faults.
func (f Faults) Heal() string { return string(f.disk.Heal()) }

// Failures are the ways to fail, with their names.
func Failures() map[string]Failure { return map[string]Failure{"broken": Broken, "full": Full} }

// Every is one of how many calls are to fail.
func Every() int {
	switch {
	case testrun.Full():
		return 2
	case testrun.Race, testing.Short():
		return 12
	}
	return 4
}

// OpenMeetsEveryFault has a store opened, with its migrations, while the first call fails, then
// the second and so on.
func OpenMeetsEveryFault(t *testing.T, driver Driver, how Failure) {
	t.Helper()
	for n, more := 1, true; more; n += Every()*8 - 7 {
		dir, done, err := directory()
		require.NoError(t, err)
		path := filepath.Join(dir, dbName)
		disk, err := NewDisk(dir, nil)
		require.NoError(t, err)
		disk.silent = true
		disk.FailAt(n, how)
		_, closeAll, err := driver(t.Context(), path, Settings{Migrate: true})
		failed := disk.Heal()
		if err == nil {
			require.NoError(t, closeAll())
		}
		require.True(t, failed != "" || err == nil, "%v", err)
		more = failed != ""
		st, closeAll, err := driver(t.Context(), path, Settings{Migrate: true})
		require.NoError(t, err, "after %s failed as the %d. call", failed, n)
		require.NoError(t, intact(t.Context(), st, true))
		require.NoError(t, closeAll())
		disk.Forget()
		done()
	}
}
