package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/store/sqlite"
)

func TestRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "chat.db")
	call := func() string {
		var out strings.Builder
		require.NoError(t, run(t.Context(), file, &out))
		return out.String()
	}
	first := call()
	require.Regexp(t, `(?m)^1 core: applied in `, first)
	require.Contains(t, first, "4 search, applied: true\n0 differences, 0 mended\n")
	require.NotContains(t, call(), "applied in", "nothing to do")

	db, err := gorm.Open(sqlite.Dialector("file:"+file), &gorm.Config{})
	require.NoError(t, err)
	require.NoError(t, db.Exec("DROP INDEX chat_messages_gmail_key").Error)
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	require.Regexp(t, `(?m)^differs: missing index chat_messages\.chat_messages_gmail_key.*\n1 differences, 1 mended\n`, call())
}
