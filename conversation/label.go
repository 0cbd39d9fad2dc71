package conversation

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/message"
)

// Label is a word that people put on a conversation to find it again. A conversation has each
// label at most once.
type Label struct {
	ConversationID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"conversation_id"`
	UserID         uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	Label          string    `gorm:"primaryKey;<-:create;-:migration" json:"label"`
	// CreatedBy is the host's name of who put it there.
	CreatedBy string    `gorm:"<-:create;serializer:convostore_null_text;-:migration" json:"created_by,omitempty"`
	CreatedAt time.Time `gorm:"<-:create;-:migration" json:"created_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (Label) TableName(n schema.Namer) string { return column.Table(n, "conversation_labels") }

// Normalize sets CreatedAt to now if it is unset. It truncates it to microseconds, in UTC.
func (l *Label) Normalize(now time.Time) {
	column.Default(&l.CreatedAt, now)
	l.CreatedAt = message.Instant(l.CreatedAt)
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID, an empty label, U+0000, invalid UTF-8 or more than 1,024 bytes in a
// text.
func (l *Label) Validate() error {
	return check.First(
		check.ID("conversation_id", l.ConversationID),
		check.ID("user_id", l.UserID),
		check.Name("label", l.Label),
		check.Key("created_by", l.CreatedBy),
		check.Time("created_at", l.CreatedAt),
	)
}

// BeforeCreate is a GORM hook for hosts that create labels themselves. It normalizes and
// validates.
func (l *Label) BeforeCreate(*gorm.DB) error { return hook.Create(l, message.Now()) }

// BeforeUpdate is a GORM hook for hosts that change labels themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (l *Label) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, l, message.Now(), func(l *Label, sets hook.Sets) {
		hook.Fill(sets, "conversation_id", &l.ConversationID, uuid.Max)
		hook.Fill(sets, "user_id", &l.UserID, uuid.Max)
		hook.Fill(sets, "label", &l.Label, "unchanged")
	})
}

// LabelNamed keeps the rows of one label.
func LabelNamed(label string) column.Scope {
	return column.Of{Model: Label{}, Name: "label"}.Is(label)
}
