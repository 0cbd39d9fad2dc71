package store

import "errors"

// ErrSetting means that a setting of the database, or of the connections that the host opened,
// changes what the library's statements mean or switches its constraints off. Every
// *SettingError matches it. convostore.New and Health.Ready look for such settings; docs/host.md
// lists them.
var ErrSetting = errors.New("convostore: setting")

// SettingError names a setting with which the store does not work. Where several are wrong, the
// error holds one SettingError for each, and errors.As finds the first. It matches ErrSetting.
type SettingError struct {
	// Setting is the name that the database has for it, such as "foreign_keys" or "DateStyle".
	Setting string
	// Value is what it is, as the database prints it, and Want what it has to be.
	Value, Want string
	// Why says what goes wrong with Value.
	Why string
}

func (e *SettingError) Error() string {
	return "convostore: the database has the setting " + e.Setting + " = " + e.Value + ", not " + e.Want + ": " + e.Why
}

// Is makes every SettingError match ErrSetting.
func (e *SettingError) Is(target error) bool { return target == ErrSetting }
