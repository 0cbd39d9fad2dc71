package upgradetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/migrate"
)

// TestReleasedMigrationsStay requires that the migrations still make what they made when the
// release did: once databases have run one, a change of its text reaches none of them.
func TestReleasedMigrationsStay(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(t *testing.T, r release, d database) {
		old := d.open(t)
		version, err := migrate.Version(t.Context(), old, options)
		require.NoError(t, err)
		if r == head {
			require.Equal(t, migrate.Latest(), version, "make the fixture again: go test ./internal/upgradetest -run TestMakeFixture -update")
		}
		fresh := d.empty(t).open(t)
		require.NoError(t, migrate.UpTo(t.Context(), fresh, options, version))
		require.Equal(t, schemaOf(t, old), schemaOf(t, fresh),
			"a migration differs from what %s ran: write a new migration. Before the release, make the fixture again with -update", r)
	})
}

// TestFixturesAreWhole requires that what is loaded is what was stored, with rows in every table.
func TestFixturesAreWhole(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(t *testing.T, r release, d database) {
		want, got := stored(t, r, d.name), read(t, d.open(t))
		requireRows(t, want, got)
		for _, table := range append(naming.WithRows(), naming.AppStates) {
			if assert.Contains(t, got, table, "a model that is not read") {
				assert.NotEmpty(t, want[table], "%s of %s", table, r)
				assert.Len(t, got[table], len(want[table]), table)
			}
		}
	})
}

// thread returns the first conversation that is there in every fixture.
func thread(t *testing.T, db *gorm.DB) *conversation.Conversation {
	t.Helper()
	var c conversation.Conversation
	require.NoError(t, db.Take(&c, "id = ?", uuid.MustParse("0190f3a0-0000-7000-8000-000000000001")).Error)
	return &c
}
