package mailimport

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

func TestImport(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"1.eml": "From: a@example.com\nMessage-ID: <1@example.com>\nDate: 4 Nov 2025 10:00:00 +0000\n\nHello",
		"2.eml": "From: B@example.com\nMessage-ID: <2@example.com>\nDate: yesterday\n\nHello",
		"3.eml": "no mail",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	st, err := sqlite.OpenMemory(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	var calls []string
	o := Options{
		UserID: UserID("test"), Mine: []string{"b@example.com"}, Paths: []string{dir},
		Progress: func(stage string, done, total int) { calls = append(calls, fmt.Sprint(stage, " ", done, " ", total)) },
	}
	r, err := Import(t.Context(), st, o)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 0, 1}, []int{r.Found, r.Stored, r.Known, r.Skipped()})
	require.Len(t, r.Problems, 2, "a skipped file and a date that is none")
	assert.Equal(t, filepath.Join(dir, "3.eml"), r.Problems[0].Where)
	assert.Equal(t, []string{
		"reading 0 -1", "reading 1 -1", "reading 2 -1", "reading 3 -1", "reading 3 3",
		"importing 0 2", "importing 1 2", "importing 2 2",
	}, calls)

	o.Progress = nil
	r, err = Import(t.Context(), st, o)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 0, 2, 1}, []int{r.Found, r.Stored, r.Known, r.Skipped()})
	counts, err := st.ForUser(UserID("test")).Maintenance().Counts(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(2), counts.Messages)
}

// TestOwnDatabaseIsNoMail has the database in the folder that is imported, once under another name.
func TestOwnDatabaseIsNoMail(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "mail.db")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1.eml"), []byte("From: a@example.com\nMessage-ID: <1@example.com>\nDate: 4 Nov 2025 10:00:00 +0000\n\nHello"), 0o600))
	st, err := sqlite.Open(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	require.FileExists(t, db+"-wal")
	require.NoError(t, os.Link(db, filepath.Join(dir, "again.eml")))
	for _, stored := range []int{1, 0} {
		r, err := Import(t.Context(), st, Options{UserID: UserID("test"), Paths: []string{dir}})
		require.NoError(t, err)
		assert.Empty(t, r.Problems)
		assert.Equal(t, stored, r.Stored)
	}
}
