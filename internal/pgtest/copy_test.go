package pgtest

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestCopiesAreFilledOnceAndApart(t *testing.T) {
	t.Parallel()
	DSN(t)
	var fills atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db := open(t, Copy(t, "apart", func(dsn string) error {
				fills.Add(1)
				return execute(dsn, "CREATE TABLE kept AS SELECT 1 AS n")
			}))
			var sum int
			_, err := db.Exec("INSERT INTO kept VALUES (2)")
			assert.NoError(t, err)
			assert.NoError(t, db.QueryRow("SELECT sum(n) FROM kept").Scan(&sum))
			assert.Equal(t, 3, sum, "nobody else's row")
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, fills.Load())
}

func TestOriginalsGoAtTheEnd(t *testing.T) {
	t.Parallel()
	dsn, bad := DSN(t), errors.New("no filling")
	o := &originals{made: map[string]*original{}}
	name, err := o.get(dsn, "good", func(string) error { return nil })
	require.NoError(t, err)
	half, err := o.get(dsn, "bad", func(string) error { return bad })
	require.ErrorIs(t, err, bad)
	_, err = o.get(dsn, "bad", func(string) error { return nil })
	require.ErrorIs(t, err, bad, "a key is filled once")
	require.Subset(t, databaseNames(t, dsn), []string{name, half})
	require.NoError(t, o.drop())
	assert.NotContains(t, databaseNames(t, dsn), name)
	assert.NotContains(t, databaseNames(t, dsn), half)
}
