package transfer_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// newFile is for a release: it adds the file that the release writes, under its version. The files
// of earlier ones are never written again.
var newFile = flag.String("file-of", "", "write testdata/lines/`version`.jsonl, of a version that has none")

func openForVectors(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: vectorSize}))
}

// eachVersion runs a test with the file that each release wrote of a database with a value in
// every column.
func eachVersion(t *testing.T, test func(t *testing.T, st store.Store, file string)) {
	t.Helper()
	names, err := filepath.Glob("testdata/lines/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".jsonl"), func(t *testing.T) {
			t.Parallel()
			doc, err := os.ReadFile(name)
			require.NoError(t, err)
			bothtest.Run(t, func(t *testing.T, d bothtest.Database) { test(t, openForVectors(t, d), string(doc)) })
		})
	}
}

// TestFilesOfReleases imports what each release wrote. Whatever was in the file is in a file that is
// written of it now.
func TestFilesOfReleases(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, st store.Store, file string) {
		require.EqualValues(t, 4, takeAll(t, st, file).Conversations)
		had, has := lineValues(t, file), lineValues(t, everything(t, st))
		require.Len(t, has, len(had))
		for i := range had {
			require.Equal(t, had[i], onlyWhatIsIn(had[i], has[i]), "line %d", i+1)
		}
	})
}

// TestFieldsOfLaterVersions imports a file in which every object of the format has a field that this
// version does not know. It changes nothing.
func TestFieldsOfLaterVersions(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, st store.Store, file string) {
		later := lineValues(t, file)
		var doc strings.Builder
		for _, line := range later {
			addLater(line)
			text, err := json.Marshal(line)
			require.NoError(t, err)
			doc.Write(append(text, '\n'))
		}
		require.EqualValues(t, 4, takeAll(t, st, doc.String()).Conversations)
		require.Equal(t, lineValues(t, file), lineValues(t, everything(t, st)))
	})
}

// TestWriteFile makes the file of a release.
func TestWriteFile(t *testing.T) {
	if *newFile == "" {
		t.Skip("for a release: -file-of 0.2.0")
	}
	name := filepath.Join("testdata", "lines", *newFile+".jsonl")
	require.NoFileExists(t, name)
	st := openForVectors(t, bothtest.Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")})
	newWorld(t, st)
	require.NoError(t, os.WriteFile(name, []byte(everything(t, st)), 0o600))
}

// lineValues decodes each line. Numbers stay as they are written.
func lineValues(t testing.TB, file string) (values []any) {
	t.Helper()
	for line := range strings.Lines(file) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var v any
		require.NoError(t, d.Decode(&v))
		values = append(values, v)
	}
	return values
}

// onlyWhatIsIn takes the fields out of has that had does not have.
func onlyWhatIsIn(had, has any) any {
	switch has := has.(type) {
	case map[string]any:
		had, _ := had.(map[string]any)
		kept := map[string]any{}
		for name, value := range had {
			if now, ok := has[name]; ok {
				kept[name] = onlyWhatIsIn(value, now)
			}
		}
		return kept
	case []any:
		had, _ := had.([]any)
		if len(had) != len(has) {
			return has
		}
		kept := make([]any, len(has))
		for i := range has {
			kept[i] = onlyWhatIsIn(had[i], has[i])
		}
		return kept
	}
	return has
}

// ofTheHost are the fields whose value is not of the format: what is in them is kept as it is.
var ofTheHost = map[string]bool{
	"metadata": true, "headers": true, "tool_calls": true, "tool_results": true, "context_used": true, "sentiment_analysis": true,
}

// addLater puts a field that nobody knows into each object.
func addLater(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if !ofTheHost[name] {
				addLater(value)
			}
		}
		v["of_a_later_version"] = map[string]any{"a": []any{1}}
	case []any:
		for _, value := range v {
			addLater(value)
		}
	}
}
