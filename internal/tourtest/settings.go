package tourtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// RequireFault requires a *store.SettingError for a setting and its value, whose text has all that
// it says.
func RequireFault(t *testing.T, err error, setting, value string) {
	t.Helper()
	fault := requireSetting(t, err, setting)
	require.Equal(t, value, fault.Value)
	require.NotEmpty(t, fault.Want)
	require.NotEmpty(t, fault.Why)
	for _, word := range []string{fault.Setting, fault.Value, fault.Want, fault.Why} {
		require.ErrorContains(t, err, word)
	}
}

func requireSetting(t *testing.T, err error, setting string) *store.SettingError {
	t.Helper()
	require.ErrorIs(t, err, store.ErrSetting)
	var fault *store.SettingError
	require.ErrorAs(t, err, &fault, setting)
	require.Equal(t, setting, fault.Setting)
	return fault
}

// Refuses requires that New names the setting that is wrong in a DSN, for each of them.
func Refuses(t *testing.T, open func(t *testing.T, settings string) *gorm.DB, wrong map[string]string) {
	t.Helper()
	for setting, settings := range wrong {
		_, err := convostore.New(t.Context(), open(t, settings))
		_ = requireSetting(t, err, setting)
	}
}

// SameAnswers requires that the tours of stores on handles with each of the settings are the same.
func SameAnswers(t *testing.T, open func(t *testing.T, settings string) *gorm.DB, all ...string) {
	t.Helper()
	var want string
	for i, settings := range all {
		st, err := convostore.New(t.Context(), open(t, settings), append(Options(), convostore.WithMigrate(migrate.Options{}))...)
		require.NoError(t, err)
		got := Run(t, st)
		if i == 0 {
			want = got
		}
		require.Equal(t, want, got, settings)
	}
}
