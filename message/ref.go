package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
)

// Ref is one of any number of names by which a message is known elsewhere: the id that a
// provider gave it after sending, a Message-ID, the same mail in a second mailbox.
type Ref struct {
	MessageID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"message_id"`
	UserID    uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	// Provider is the host's name of who gave the name, such as "gmail" or "rfc5322".
	Provider string `gorm:"primaryKey;<-:create;-:migration" json:"provider"`
	Ref      string `gorm:"primaryKey;<-:create;-:migration" json:"ref"`
	// Exclusive says that the provider promises that the name is that of one message alone: a
	// second message of the user with the same exclusive name is a duplicate.
	Exclusive bool      `gorm:"<-:create;-:migration" json:"exclusive,omitempty"`
	CreatedAt time.Time `gorm:"<-:create;-:migration" json:"created_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (Ref) TableName(n schema.Namer) string { return column.Table(n, "message_refs") }

// Normalize sets CreatedAt to now if it is unset. It truncates it to microseconds, in UTC.
func (r *Ref) Normalize(now time.Time) {
	column.Default(&r.CreatedAt, now)
	r.CreatedAt = Instant(r.CreatedAt)
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID, a provider or a name that is empty, has more than 1,024 bytes, U+0000
// or invalid UTF-8.
func (r *Ref) Validate() error {
	return check.First(
		check.ID("message_id", r.MessageID),
		check.ID("user_id", r.UserID),
		check.Name("provider", r.Provider),
		check.Name("ref", r.Ref),
		check.Time("created_at", r.CreatedAt),
	)
}

// BeforeCreate is a GORM hook for hosts that create refs themselves. It normalizes and
// validates.
func (r *Ref) BeforeCreate(*gorm.DB) error { return hook.Create(r, Now()) }

// BeforeUpdate is a GORM hook for hosts that change refs themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (r *Ref) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, r, Now(), func(r *Ref, sets hook.Sets) {
		hook.Fill(sets, "message_id", &r.MessageID, uuid.Max)
		hook.Fill(sets, "user_id", &r.UserID, uuid.Max)
		hook.Fill(sets, "provider", &r.Provider, "unchanged")
		hook.Fill(sets, "ref", &r.Ref, "unchanged")
	})
}

// RefNamed keeps the refs with one name of one provider.
func RefNamed(provider, ref string) column.Scope {
	of := func(name string) column.Of { return column.Of{Model: Ref{}, Name: name} }
	return func(db *gorm.DB) *gorm.DB { return of("ref").Is(ref)(of("provider").Is(provider)(db)) }
}
