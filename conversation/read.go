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

// Read says how far one reader has read a conversation. There is at most one of each reader.
type Read struct {
	ConversationID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"conversation_id"`
	UserID         uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	// Reader is the host's name of the person, for example an id or an address.
	Reader string `gorm:"primaryKey;<-:create;-:migration" json:"reader"`
	// Seq is that of the last message that was read, 0 if none was.
	Seq    int64     `gorm:"-:migration" json:"seq"`
	ReadAt time.Time `gorm:"-:migration" json:"read_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (Read) TableName(n schema.Namer) string { return column.Table(n, "conversation_reads") }

// Normalize sets ReadAt to now if it is unset. It truncates it to microseconds, in UTC.
func (r *Read) Normalize(now time.Time) {
	column.Default(&r.ReadAt, now)
	r.ReadAt = message.Instant(r.ReadAt)
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID, a reader that is empty, has more than 1,024 bytes, U+0000 or invalid
// UTF-8, a negative seq.
func (r *Read) Validate() error {
	return check.First(
		check.ID("conversation_id", r.ConversationID),
		check.ID("user_id", r.UserID),
		check.Name("reader", r.Reader),
		check.NotNegative("seq", r.Seq),
		check.Time("read_at", r.ReadAt),
	)
}

// BeforeCreate is a GORM hook for hosts that create read marks themselves. It normalizes and
// validates.
func (r *Read) BeforeCreate(*gorm.DB) error { return hook.Create(r, message.Now()) }

// BeforeUpdate is a GORM hook for hosts that change read marks themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (r *Read) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, r, message.Now(), func(r *Read, sets hook.Sets) {
		hook.Fill(sets, "conversation_id", &r.ConversationID, uuid.Max)
		hook.Fill(sets, "user_id", &r.UserID, uuid.Max)
		hook.Fill(sets, "reader", &r.Reader, "unchanged")
	})
}

// ReadBy keeps the read marks of one reader.
func ReadBy(reader string) column.Scope {
	return column.Of{Model: Read{}, Name: "reader"}.Is(reader)
}
