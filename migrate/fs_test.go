package migrate

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

func fileNames(t *testing.T, dialect string, format Format) []string {
	t.Helper()
	made, err := FS(dialect, Options{}, format)
	require.NoError(t, err)
	all, err := fs.Glob(made, "*")
	require.NoError(t, err)
	return all
}

// Files that are out never get another name: tools take the name for the version.
func TestNamesOfTheFiles(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{postgres, sqlite} {
		require.Equal(t, []string{
			"0001_core.down.sql", "0001_core.up.sql",
			"0002_threads.down.sql", "0002_threads.up.sql",
			"0003_embeddings.down.sql", "0003_embeddings.up.sql",
			"0004_search.down.sql", "0004_search.up.sql",
		}, fileNames(t, dialect, FormatUpDown)[:8])
		require.Equal(t, []string{"00001_core.sql", "00002_threads.sql", "00003_embeddings.sql", "00004_search.sql"},
			fileNames(t, dialect, FormatGoose)[:4])
	}
}

func TestTheDialectsHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	require.Equal(t, fileNames(t, postgres, FormatUpDown), fileNames(t, sqlite, FormatUpDown))
	require.Len(t, fileNames(t, sqlite, FormatGoose), int(Latest()))
}

func TestFSIsAFileSystem(t *testing.T) {
	t.Parallel()
	made, err := FS(sqlite, Options{}, FormatUpDown)
	require.NoError(t, err)
	require.NoError(t, fstest.TestFS(made, "0001_core.up.sql", "0001_core.down.sql"))
	_, err = fs.ReadFile(made, "absent.sql")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = made.Open("../x")
	require.ErrorIs(t, err, fs.ErrInvalid)
}

// runFile runs text as golang-migrate, psql and sqlite3 do.
func runFile(t *testing.T, db *gorm.DB, text string) {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	_, err = pool.ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

func TestTheFilesDoWhatUpDoes(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := Options{Prefix: "app_", Leads: &Ref{Table: "leads", Owner: "owner", Type: "bigint"}, Dimensions: 8, Trigrams: true}
		run(t, db, "CREATE TABLE leads (id bigint, owner uuid, PRIMARY KEY (id, owner))")
		if db.Name() == postgres {
			o.Schema = "crm"
		}
		made, err := FS(db.Name(), o, FormatUpDown)
		require.NoError(t, err)
		ups, err := fs.Glob(made, "*.up.sql")
		require.NoError(t, err)
		for _, name := range ups {
			text, err := fs.ReadFile(made, name)
			require.NoError(t, err)
			runFile(t, db, string(text))
		}
		requireAsUp(t, db, o)

		downs, err := fs.Glob(made, "*.down.sql")
		require.NoError(t, err)
		slices.Reverse(downs)
		for i, name := range downs {
			text, err := fs.ReadFile(made, name)
			require.NoError(t, err)
			runFile(t, db, string(text))
			requireVersion(t, db, o, Latest()-int64(i)-1)
		}
	})
}

// requireAsUp sees to the schema and the record that Up leaves.
func requireAsUp(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	requireNoDrift(t, db, o)
	steps, err := Status(t.Context(), db, o)
	require.NoError(t, err)
	require.Len(t, steps, int(Latest()))
	for i, s := range steps {
		require.EqualValues(t, i+1, s.Version)
		require.NotNil(t, s.AppliedAt)
	}
	require.Equal(t, []string{"core", "threads", "embeddings"}, []string{steps[0].Name, steps[1].Name, steps[2].Name})
	before := names(t, db)
	require.NoError(t, Up(t.Context(), db, o), "goes on where the files ended")
	require.Equal(t, before, names(t, db))
}

func TestTheFilesForGoose(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		made, err := FS(db.Name(), Options{}, FormatGoose)
		require.NoError(t, err)
		before := names(t, db)
		var downs []string
		for _, name := range fileNames(t, db.Name(), FormatGoose) {
			text, err := fs.ReadFile(made, name)
			require.NoError(t, err)
			up, down := splitGoose(t, string(text))
			runFile(t, db, up)
			downs = append(downs, down)
		}
		requireAsUp(t, db, Options{})
		for _, down := range slices.Backward(downs) {
			runFile(t, db, down)
		}
		require.Equal(t, before, names(t, db))
	})
}

// splitGoose reads a file as goose does: one statement up and one down, each kept whole.
func splitGoose(t *testing.T, text string) (up, down string) {
	t.Helper()
	require.True(t, strings.HasPrefix(text, "-- +goose Up\n-- +goose StatementBegin\n"))
	require.Equal(t, 6, strings.Count(text, "-- +goose "))
	up, down, found := strings.Cut(text, "-- +goose StatementEnd\n\n-- +goose Down\n-- +goose StatementBegin\n")
	require.True(t, found)
	down, found = strings.CutSuffix(down, "-- +goose StatementEnd\n")
	require.True(t, found)
	return up, down
}

func TestStatus(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := Options{}
		steps, err := Status(t.Context(), db, o)
		require.NoError(t, err)
		require.Len(t, steps, int(Latest()))
		require.Equal(t, Step{Version: 1, Name: "core"}, steps[0])

		require.NoError(t, UpTo(t.Context(), db, o, 1))
		run(t, db, "INSERT INTO convostore_migrations (version, name) VALUES (999, 'later')")
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			steps, err = Status(t.Context(), tx, o)
			return err
		}))
		require.Len(t, steps, int(Latest())+1)
		require.NotNil(t, steps[0].AppliedAt)
		require.Equal(t, "UTC", steps[0].AppliedAt.Location().String())
		require.Nil(t, steps[1].AppliedAt)
		require.Equal(t, "later", steps[Latest()].Name)
	})
}
