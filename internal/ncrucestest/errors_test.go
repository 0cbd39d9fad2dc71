package ncrucestest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/dialect"
)

// TestKinds has the driver's errors in all the types that it gives them.
func TestKinds(t *testing.T) {
	t.Parallel()
	for err, kind := range map[error]dialect.Kind{
		sqlite3.BUSY: dialect.Retry, sqlite3.BUSY_SNAPSHOT: dialect.Retry, sqlite3.INTERRUPT: dialect.Stopped,
		sqlite3.CONSTRAINT_UNIQUE: dialect.Unique, sqlite3.CONSTRAINT_PRIMARYKEY: dialect.Unique,
		sqlite3.CONSTRAINT_FOREIGNKEY: dialect.ForeignKey, sqlite3.CORRUPT: dialect.Damaged,
		sqlite3.NOTADB: dialect.Damaged, sqlite3.LOCKED_SHAREDCACHE: dialect.Retry, sqlite3.CONSTRAINT_CHECK: dialect.Other,
	} {
		require.Equal(t, kind, dialect.KindOf(err), "%v", err)
		require.Equal(t, kind, dialect.KindOf(fmt.Errorf("a: %w", errors.Join(errors.New("other"), err))), "%v", err)
		require.NotEmpty(t, dialect.CodeOf(err))
	}
}
