package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/cmd/convostore/internal/database"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func friday() time.Time { return time.Date(2026, 3, 27, 15, 30, 0, 0, time.UTC) }

// newApp is a command without a terminal and without an environment.
func newApp(out, errs io.Writer) *app {
	return &app{in: strings.NewReader(""), out: out, errs: errs, getenv: func(string) string { return "" }, now: friday}
}

// try returns what was printed, and the code that the process ends with.
func try(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	return with(t, nil, args...)
}

// with changes the surroundings of a command first.
func with(t *testing.T, change func(*app), args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e strings.Builder
	a := newApp(&o, &e)
	if change != nil {
		change(a)
	}
	code = a.run(t.Context(), args)
	return o.String(), e.String(), code
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := try(t, args...)
	require.Zero(t, code, errs)
	return out
}

// mustJSON runs a command with --json and reads what it prints into to.
func mustJSON(t *testing.T, to any, args ...string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(must(t, append(args, "--json")...)))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(to))
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF, "one document")
}

var databases = map[string]func(*testing.T) string{
	"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "a#b?.db") },
	"postgres": func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
}

// onBoth runs a test on a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, db string)) {
	t.Helper()
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, db(t))
		})
	}
}

// handle opens the database that a command works on, until the test ends.
func handle(t *testing.T, db string) *gorm.DB {
	t.Helper()
	at, err := database.Parse(db)
	require.NoError(t, err)
	opened, closeAll, err := at.Handle(t.Context())
	require.NoError(t, err)
	t.Cleanup(closeAll)
	return opened
}

// open opens a store on it, until the test ends.
func open(t *testing.T, db string) store.Store {
	t.Helper()
	at, err := database.Parse(db)
	require.NoError(t, err)
	st, err := at.Store(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}
