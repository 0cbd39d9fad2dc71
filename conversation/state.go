package conversation

import (
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Value is the value of a state, kept to the byte. Nil is stored as the empty value, not as
// NULL: a key with an empty value is there.
type Value []byte

// Value implements driver.Valuer.
func (v Value) Value() (driver.Value, error) {
	if v == nil {
		return []byte{}, nil
	}
	return []byte(v), nil
}

// Scan implements sql.Scanner. It copies the bytes, which belong to the driver.
func (v *Value) Scan(src any) error {
	switch b := src.(type) {
	case nil: // what a driver may say of an empty blob
		*v = Value{}
	case []byte:
		*v = append(Value{}, b...)
	case string:
		*v = Value(b)
	default:
		return fmt.Errorf("convostore: cannot read a value from %T", src)
	}
	return nil
}

// State is a key of the state that agents keep about one conversation.
type State struct {
	ConversationID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"conversation_id"`
	UserID         uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	Key            string    `gorm:"primaryKey;<-:create;-:migration" json:"key"`
	Value          Value     `gorm:"-:migration" json:"value"`
	// Version counts the writes of the key, from 1.
	Version   int64     `gorm:"-:migration" json:"version"`
	UpdatedAt time.Time `gorm:"-:migration" json:"updated_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (State) TableName(n schema.Namer) string { return column.Table(n, "conversation_states") }

// Normalize sets what is unset: Version to 1, UpdatedAt to now. It truncates UpdatedAt to
// microseconds, in UTC.
func (s *State) Normalize(now time.Time) { normalizeState(&s.Version, &s.UpdatedAt, now) }

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID, a key that is empty, has more than 1,024 bytes, U+0000 or invalid
// UTF-8, a version below 1.
func (s *State) Validate() error {
	return check.First(
		check.ID("conversation_id", s.ConversationID),
		check.ID("user_id", s.UserID),
		validateState(s.Key, s.Version, s.UpdatedAt),
	)
}

// BeforeCreate is a GORM hook for hosts that create states themselves. It normalizes and
// validates.
func (s *State) BeforeCreate(*gorm.DB) error { return hook.Create(s, message.Now()) }

// BeforeUpdate is a GORM hook for hosts that change states themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (s *State) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, s, message.Now(), func(s *State, sets hook.Sets) {
		hook.Fill(sets, "conversation_id", &s.ConversationID, uuid.Max)
		hook.Fill(sets, "user_id", &s.UserID, uuid.Max)
		hook.Fill(sets, "key", &s.Key, "unchanged")
	})
}

// UserState is a key of the state that agents keep about one user, over all conversations with
// one app.
type UserState struct {
	UserID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	// App is the host's name of the product or agent, empty if there is only one. GORM's Save takes
	// a row with an empty part of its key for a new one, and fails if it is there: write over it
	// with Updates, or with clause.OnConflict{UpdateAll: true} and Create.
	App   string `gorm:"primaryKey;<-:create;-:migration" json:"app"`
	Key   string `gorm:"primaryKey;<-:create;-:migration" json:"key"`
	Value Value  `gorm:"-:migration" json:"value"`
	// Version counts the writes of the key, from 1.
	Version   int64     `gorm:"-:migration" json:"version"`
	UpdatedAt time.Time `gorm:"-:migration" json:"updated_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (UserState) TableName(n schema.Namer) string { return column.Table(n, "conversation_user_states") }

// Normalize does what State.Normalize does.
func (s *UserState) Normalize(now time.Time) { normalizeState(&s.Version, &s.UpdatedAt, now) }

// Validate checks what State.Validate checks, and that App is a text of at most 1,024 bytes.
func (s *UserState) Validate() error {
	return check.First(
		check.ID("user_id", s.UserID),
		check.Key("app", s.App),
		validateState(s.Key, s.Version, s.UpdatedAt),
	)
}

// BeforeCreate is a GORM hook for hosts that create states themselves. It normalizes and
// validates.
func (s *UserState) BeforeCreate(*gorm.DB) error { return hook.Create(s, message.Now()) }

// BeforeUpdate is a GORM hook for hosts that change states themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (s *UserState) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, s, message.Now(), func(s *UserState, sets hook.Sets) {
		hook.Fill(sets, "user_id", &s.UserID, uuid.Max)
		hook.Fill(sets, "key", &s.Key, "unchanged")
	})
}

// AppState is a key of the state that all users of an app share. It belongs to no user: what a
// user must not see of another has no place in it, and erasing a user leaves it alone.
type AppState struct {
	// App is the host's name of the product or agent, empty if there is only one. GORM's Save takes
	// a row with an empty part of its key for a new one, and fails if it is there: write over it
	// with Updates, or with clause.OnConflict{UpdateAll: true} and Create.
	App   string `gorm:"primaryKey;<-:create;-:migration" json:"app"`
	Key   string `gorm:"primaryKey;<-:create;-:migration" json:"key"`
	Value Value  `gorm:"-:migration" json:"value"`
	// Version counts the writes of the key, from 1.
	Version   int64     `gorm:"-:migration" json:"version"`
	UpdatedAt time.Time `gorm:"-:migration" json:"updated_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (AppState) TableName(n schema.Namer) string { return column.Table(n, "conversation_app_states") }

// Normalize does what State.Normalize does.
func (s *AppState) Normalize(now time.Time) { normalizeState(&s.Version, &s.UpdatedAt, now) }

// Validate checks what State.Validate checks, and that App is a text of at most 1,024 bytes.
func (s *AppState) Validate() error {
	return check.First(check.Key("app", s.App), validateState(s.Key, s.Version, s.UpdatedAt))
}

// BeforeCreate is a GORM hook for hosts that create states themselves. It normalizes and
// validates.
func (s *AppState) BeforeCreate(*gorm.DB) error { return hook.Create(s, message.Now()) }

// BeforeUpdate is a GORM hook for hosts that change states themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (s *AppState) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, s, message.Now(), func(s *AppState, sets hook.Sets) {
		hook.Fill(sets, "key", &s.Key, "unchanged")
	})
}

func normalizeState(version *int64, updatedAt *time.Time, now time.Time) {
	if *version == 0 {
		*version = 1
	}
	column.Default(updatedAt, now)
	*updatedAt = message.Instant(*updatedAt)
}

func validateState(key string, version int64, updatedAt time.Time) error {
	if version < 1 {
		return check.First(check.Name("key", key), rule.Invalid("version", "is below 1"))
	}
	return check.First(check.Name("key", key), check.Time("updated_at", updatedAt))
}
