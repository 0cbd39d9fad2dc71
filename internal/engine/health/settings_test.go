package health

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// TestVersions has those that no machine of the tests runs.
func TestVersions(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{
		"3.43.2": false, "3.7.17": false, "2.8.0": false, "3.44.0": true, "3.44": true, "3.50.4": true, "3.100.0": true, "4.0.0": true, "": true, "next": true,
	} {
		require.Equal(t, ok, newEnough(version), version)
	}
	values := make([]sql.NullString, len(postgresFixed))
	for version, ok := range map[string]bool{"140012": false, "90624": false, "150000": true, "180006": true} {
		values[0] = sql.NullString{String: version, Valid: true}
		err := postgresFixed.faults(values, false)
		if ok {
			require.NoError(t, err, "settings that the database does not know are no fault")
			continue
		}
		var fault *store.SettingError
		require.ErrorAs(t, err, &fault)
		require.Equal(t, "server_version_num", fault.Setting)
		require.Equal(t, version, fault.Value)
	}
}
