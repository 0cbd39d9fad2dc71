package pgtest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerKeepsWhatItCommitted(t *testing.T) {
	t.Parallel()
	s := StartServer(t)
	db := open(t, DatabaseOn(t, s.DSN()))
	_, err := db.Exec("CREATE TABLE kept (n int)")
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO kept VALUES (1)")
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO kept VALUES (2)")
	require.NoError(t, err)

	require.NoError(t, s.Kill())
	require.NoError(t, s.Kill(), "a second kill does nothing")
	require.Error(t, tx.Commit())
	require.Error(t, db.Ping())

	require.NoError(t, s.Restart())
	var sum int
	require.NoError(t, db.QueryRow("SELECT sum(n) FROM kept").Scan(&sum))
	assert.Equal(t, 1, sum)
	require.NoError(t, s.Restart(), "a running server restarts as well")
}

func TestServerStops(t *testing.T) {
	t.Parallel()
	s := StartServer(t)
	dir := strings.Split(strings.Split(s.DSN(), "host=")[1], "&")[0]
	dir = strings.ReplaceAll(dir, "%2F", "/")
	require.DirExists(t, dir)
	require.NoError(t, s.Stop())
	require.NoError(t, s.Stop(), "a second stop does nothing")
	assert.NoDirExists(t, dir)
	require.Error(t, s.Restart(), "its data are gone")
	_, err := os.Stat(dir)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
