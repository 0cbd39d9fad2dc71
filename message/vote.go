package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/rule"
)

// The values of a Vote.
const (
	VoteUp   = 1
	VoteDown = -1
)

// Vote is what one person thinks of a message. There is at most one of each voter.
type Vote struct {
	MessageID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"message_id"`
	UserID    uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	// Voter is the host's name of the person, for example an id or an address.
	Voter string `gorm:"primaryKey;<-:create;-:migration" json:"voter"`
	// Value is VoteUp or VoteDown.
	Value     int       `gorm:"-:migration" json:"value"`
	Comment   string    `gorm:"serializer:convostore_null_text;-:migration" json:"comment,omitempty"`
	CreatedAt time.Time `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt time.Time `gorm:"-:migration" json:"updated_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (Vote) TableName(n schema.Namer) string { return column.Table(n, "message_votes") }

// Normalize sets what is unset: CreatedAt to now, UpdatedAt to CreatedAt. It truncates times
// to microseconds, in UTC.
func (v *Vote) Normalize(now time.Time) {
	column.Default(&v.CreatedAt, now)
	column.Default(&v.UpdatedAt, v.CreatedAt)
	v.CreatedAt, v.UpdatedAt = Instant(v.CreatedAt), Instant(v.UpdatedAt)
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID, a voter that is empty or has more than 1,024 bytes, a value other than
// VoteUp and VoteDown, U+0000 or invalid UTF-8 in a text.
func (v *Vote) Validate() error {
	return check.First(
		check.ID("message_id", v.MessageID),
		check.ID("user_id", v.UserID),
		check.Name("voter", v.Voter),
		v.validateValue(),
		check.Text("comment", v.Comment),
		check.Time("created_at", v.CreatedAt),
		check.Time("updated_at", v.UpdatedAt),
	)
}

func (v *Vote) validateValue() error {
	if v.Value != VoteUp && v.Value != VoteDown {
		return rule.Invalid("value", "is neither 1 nor -1")
	}
	return nil
}

// BeforeCreate is a GORM hook for hosts that create votes themselves. It normalizes and
// validates.
func (v *Vote) BeforeCreate(*gorm.DB) error { return hook.Create(v, Now()) }

// BeforeUpdate is a GORM hook for hosts that change votes themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (v *Vote) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, v, Now(), func(v *Vote, sets hook.Sets) {
		hook.Fill(sets, "message_id", &v.MessageID, uuid.Max)
		hook.Fill(sets, "user_id", &v.UserID, uuid.Max)
		hook.Fill(sets, "voter", &v.Voter, "unchanged")
		hook.Fill(sets, "value", &v.Value, VoteUp)
	})
}
