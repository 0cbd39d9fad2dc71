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
	"github.com/convostore/convostore/rule"
)

// Summary is a text in the place of the messages of one path, from one seq to another.
type Summary struct {
	// ID is a UUID of version 7 that the library makes, unless the host sets one.
	ID             uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	UserID         uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	ConversationID uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"conversation_id"`
	// FromSeq and ToSeq are the first and the last message that the summary covers.
	FromSeq int64  `gorm:"<-:create;-:migration" json:"from_seq"`
	ToSeq   int64  `gorm:"<-:create;-:migration" json:"to_seq"`
	Content string `gorm:"<-:create;-:migration" json:"content"`
	// Model is the name of the language model that wrote the text, and Tokens its length in
	// that model's tokens, 0 if unknown.
	Model  string `gorm:"<-:create;serializer:convostore_null_text;-:migration" json:"model,omitempty"`
	Tokens int64  `gorm:"<-:create;serializer:convostore_null_zero;-:migration" json:"tokens,omitempty"`
	// CoveredHash is a hash of what the summary covers: that of the store's Summaries().Cover,
	// by which the store finds out whether it is void, or one of the host's own.
	CoveredHash string    `gorm:"<-:create;serializer:convostore_null_text;-:migration" json:"covered_hash,omitempty"`
	CreatedAt   time.Time `gorm:"<-:create;-:migration" json:"created_at"`
	// VoidAt is when something that the summary covers was edited or deleted, nil if nothing
	// was. A void summary must not be used any more.
	VoidAt *time.Time `gorm:"-:migration" json:"void_at,omitempty"`
	// InUTC stores nothing: it makes plain GORM write every time as the tables have it.
	InUTC column.InUTC `gorm:"-" json:"-"`
}

// TableName implements GORM's TablerWithNamer.
func (Summary) TableName(n schema.Namer) string { return column.Table(n, "conversation_summaries") }

// Normalize sets CreatedAt to now if it is unset. It truncates times to microseconds, in UTC.
func (s *Summary) Normalize(now time.Time) {
	column.Default(&s.CreatedAt, now)
	s.CreatedAt = message.Instant(s.CreatedAt)
	if s.VoidAt != nil {
		s.VoidAt = new(message.Instant(*s.VoidAt))
	}
}

// Validate returns a *rule.InvalidError for the first field that a database would refuse or
// change: the nil UUID of a conversation or an owner, seqs that are not 1 or more or are in
// the wrong order, empty content, negative tokens, U+0000 or invalid UTF-8 in a text, a name
// of more than 1,024 bytes.
func (s *Summary) Validate() error {
	return check.First(
		check.ID("user_id", s.UserID),
		check.ID("conversation_id", s.ConversationID),
		s.validateSeqs(),
		s.validateContent(),
		check.Key("model", s.Model),
		check.NotNegative("tokens", s.Tokens),
		check.Key("covered_hash", s.CoveredHash),
		check.Time("created_at", s.CreatedAt),
		check.NullTime("void_at", s.VoidAt),
	)
}

func (s *Summary) validateSeqs() error {
	switch {
	case s.FromSeq < 1:
		return rule.Invalid("from_seq", "is below 1")
	case s.ToSeq < s.FromSeq:
		return rule.Invalid("to_seq", "is before from_seq")
	}
	return nil
}

func (s *Summary) validateContent() error {
	if s.Content == "" {
		return rule.Invalid("content", "is empty")
	}
	return check.Text("content", s.Content)
}

// BeforeCreate is a GORM hook for hosts that create summaries themselves. It sets an id if
// there is none, normalizes and validates.
func (s *Summary) BeforeCreate(*gorm.DB) error {
	if err := column.GiveID(&s.ID); err != nil {
		return err
	}
	return hook.Create(s, message.Now())
}

// BeforeUpdate is a GORM hook for hosts that change summaries themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (s *Summary) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, s, message.Now(), func(s *Summary, sets hook.Sets) {
		hook.Fill(sets, "user_id", &s.UserID, uuid.Max)
		hook.Fill(sets, "conversation_id", &s.ConversationID, uuid.Max)
		hook.Fill(sets, "from_seq", &s.FromSeq, 1)
		hook.Fill(sets, "to_seq", &s.ToSeq, s.FromSeq)
		hook.Fill(sets, "content", &s.Content, "unchanged")
	})
}

// Void reports whether the summary must not be used any more.
func (s *Summary) Void() bool { return s.VoidAt != nil }

// NotVoid keeps the summaries that may be used.
func NotVoid(db *gorm.DB) *gorm.DB { return column.Of{Model: Summary{}, Name: "void_at"}.Null()(db) }
