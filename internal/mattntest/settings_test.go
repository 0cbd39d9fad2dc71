package mattntest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/tourtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func handle(t *testing.T, dsn string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(sqlite.Open(dsn), &gorm.Config{Logger: logger.Discard})
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
		"foreign_keys":             strings.Replace(settings, "_foreign_keys=on", "", 1),
		"busy_timeout":             strings.Replace(settings, "5000", "0", 1),
		"txlock":                   strings.Replace(settings, "_txlock=immediate", "", 1),
		"case_sensitive_like":      settings + "&_case_sensitive_like=1",
		"ignore_check_constraints": settings + "&_ignore_check_constraints=1",
		"journal_mode":             strings.Replace(settings, "WAL", "OFF", 1),
	})
	_, err := convostore.New(t.Context(), handle(t, ":memory:"+settings), convostore.WithMigrate(migrate.Options{}))
	require.ErrorIs(t, err, store.ErrSetting, "each connection has its own database")
}

// TestTimes has the DSN read times in a zone. The store has the same answers in each.
func TestTimes(t *testing.T) {
	t.Parallel()
	tourtest.SameAnswers(t, file, settings, settings+"&_loc=auto", settings+"&_loc=Asia%2FKolkata", settings+"&_recursive_triggers=1&_secure_delete=1")
}
