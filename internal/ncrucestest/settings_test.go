package ncrucestest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/gormlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/tourtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func handle(t *testing.T, dsn string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(gormlite.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db
}

// file is a handle of a new file.
func file(t *testing.T, settings string) *gorm.DB {
	t.Helper()
	return handle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+settings)
}

// TestSettings has the mistakes that a DSN of this driver makes easy.
func TestSettings(t *testing.T) {
	t.Parallel()
	tourtest.Refuses(t, file, map[string]string{
		"foreign_keys":             strings.Replace(settings, "foreign_keys(on)", "foreign_keys(off)", 1),
		"busy_timeout":             strings.Replace(settings, "5000", "0", 1),
		"txlock":                   strings.Replace(settings, "_txlock=immediate", "_txlock=deferred", 1),
		"case_sensitive_like":      settings + "&_pragma=case_sensitive_like(1)",
		"ignore_check_constraints": settings + "&_pragma=ignore_check_constraints(1)",
		"journal_mode":             strings.Replace(settings, "(wal)", "(off)", 1),
		"encoding":                 strings.Replace(settings, "?", "?_pragma=encoding('UTF-16')&", 1),
	})
	_, err := convostore.New(t.Context(), handle(t, "file::memory:"+settings), convostore.WithMigrate(migrate.Options{}))
	require.ErrorIs(t, err, store.ErrSetting, "each connection has its own database")
}

// TestTimes has the DSN write and read times in other forms. The store has the same answers in each.
func TestTimes(t *testing.T) {
	t.Parallel()
	tourtest.SameAnswers(t, file, settings, settings+"&_timefmt=auto", settings+"&_timefmt=sqlite", settings+"&_timefmt=unixmilli", settings+"&_timefmt=rfc3339", settings+"&_timefmt=julianday")
}
