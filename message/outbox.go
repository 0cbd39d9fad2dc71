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

// OutboxEntry is a message that is to be handed to a provider, on one channel and not before a
// time. Workers claim entries that are due. An entry is open until it is done, failed for good
// or cancelled; a message has at most one open entry on each channel. How far the message has
// come is Message.Delivery.
type OutboxEntry struct {
	// ID is a UUID of version 7 that the library makes, unless the host sets one.
	ID        uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	UserID    uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	MessageID uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"message_id"`
	// Channel is the host's name of the way out, such as "gmail" or "postmark".
	Channel string `gorm:"<-:create;-:migration" json:"channel"`
	// DueAt is when a worker may take the entry, CreatedAt if the host does not set it.
	DueAt time.Time `gorm:"-:migration" json:"due_at"`

	// ClaimedBy is the worker that has the entry until ClaimedUntil. Both are unset if none
	// has it.
	ClaimedBy    string     `gorm:"serializer:convostore_null_text;-:migration" json:"claimed_by,omitempty"`
	ClaimedUntil *time.Time `gorm:"-:migration" json:"claimed_until,omitempty"`
	// Attempts counts how often a worker has tried, and LastError says why the last one failed.
	Attempts  int64  `gorm:"-:migration" json:"attempts,omitempty"`
	LastError string `gorm:"serializer:convostore_null_text;-:migration" json:"last_error,omitempty"`

	// DoneAt, FailedAt and CancelledAt are how the entry ended. At most one of them is set.
	DoneAt      *time.Time `gorm:"-:migration" json:"done_at,omitempty"`
	FailedAt    *time.Time `gorm:"-:migration" json:"failed_at,omitempty"`
	CancelledAt *time.Time `gorm:"-:migration" json:"cancelled_at,omitempty"`
	CreatedAt   time.Time  `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt   time.Time  `gorm:"-:migration" json:"updated_at"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (OutboxEntry) TableName(n schema.Namer) string { return column.Table(n, "deliveries") }

// Normalize sets what is unset: CreatedAt to now, DueAt and UpdatedAt to CreatedAt. It
// truncates times to microseconds, in UTC.
func (e *OutboxEntry) Normalize(now time.Time) {
	column.Default(&e.CreatedAt, now)
	column.Default(&e.DueAt, e.CreatedAt)
	column.Default(&e.UpdatedAt, e.CreatedAt)
	e.CreatedAt, e.DueAt, e.UpdatedAt = Instant(e.CreatedAt), Instant(e.DueAt), Instant(e.UpdatedAt)
	for _, t := range []**time.Time{&e.ClaimedUntil, &e.DoneAt, &e.FailedAt, &e.CancelledAt} {
		if *t != nil {
			*t = new(Instant(**t))
		}
	}
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID of a message or an owner, a channel that is empty or has more than
// 1,024 bytes, a claim without its worker or its end, attempts that are negative or do not fit
// 32 bits, more than one end, U+0000 or invalid UTF-8 in a text.
func (e *OutboxEntry) Validate() error {
	return check.First(
		check.ID("user_id", e.UserID),
		check.ID("message_id", e.MessageID),
		check.Name("channel", e.Channel),
		check.Key("claimed_by", e.ClaimedBy),
		check.Text("last_error", e.LastError),
		check.Count("attempts", e.Attempts),
		e.validateClaim(),
		e.validateEnd(),
		check.Time("due_at", e.DueAt),
		check.Time("created_at", e.CreatedAt),
		check.Time("updated_at", e.UpdatedAt),
		check.NullTime("claimed_until", e.ClaimedUntil),
		check.NullTime("done_at", e.DoneAt),
		check.NullTime("failed_at", e.FailedAt),
		check.NullTime("cancelled_at", e.CancelledAt),
	)
}

func (e *OutboxEntry) validateClaim() error {
	if (e.ClaimedBy == "") != (e.ClaimedUntil == nil) {
		return rule.Invalid("claimed_until", "is given exactly when there is a claimed_by")
	}
	return nil
}

func (e *OutboxEntry) validateEnd() error {
	ends := 0
	for _, t := range []*time.Time{e.DoneAt, e.FailedAt, e.CancelledAt} {
		if t != nil {
			ends++
		}
	}
	if ends > 1 {
		return rule.Invalid("done_at", "failed_at and cancelled_at are set together")
	}
	return nil
}

// BeforeCreate is a GORM hook for hosts that create entries themselves. It sets an id if there
// is none, normalizes and validates.
func (e *OutboxEntry) BeforeCreate(*gorm.DB) error {
	if err := column.GiveID(&e.ID); err != nil {
		return err
	}
	return hook.Create(e, Now())
}

// BeforeUpdate is a GORM hook for hosts that change entries themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (e *OutboxEntry) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, e, Now(), (*OutboxEntry).fill)
}

// fill completes an entry with only some of its fields: the row may have the rest.
func (e *OutboxEntry) fill(sets hook.Sets) {
	hook.Fill(sets, "user_id", &e.UserID, uuid.Max)
	hook.Fill(sets, "message_id", &e.MessageID, uuid.Max)
	hook.Fill(sets, "channel", &e.Channel, "unchanged")
	if e.ClaimedUntil != nil {
		hook.Fill(sets, "claimed_by", &e.ClaimedBy, "unchanged")
	} else if e.ClaimedBy != "" {
		e.ClaimedUntil = new(Now())
	}
}

// Open reports whether the entry is neither done nor failed nor cancelled.
func (e *OutboxEntry) Open() bool {
	return e.DoneAt == nil && e.FailedAt == nil && e.CancelledAt == nil
}

// OpenEntries keeps the entries that are neither done nor failed nor cancelled.
func OpenEntries(db *gorm.DB) *gorm.DB {
	for _, end := range []string{"done_at", "failed_at", "cancelled_at"} {
		db = column.Of{Model: OutboxEntry{}, Name: end}.Null()(db)
	}
	return db
}
