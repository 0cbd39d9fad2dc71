// Package conversation has the model of a conversation: a chat of people and assistants, or
// an exchange of e-mail with a lead.
//
// The types are plain GORM models with their rules as methods. They do no input or output.
package conversation

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

// MaxTitle is the maximum number of characters in a title.
const MaxTitle = 255

// JSON is an opaque JSON document, the same type as message.JSON.
type JSON = message.JSON

// Conversation is a thread that one user owns.
type Conversation struct {
	// ID is a UUID of version 7 that the library makes, unless the host sets one.
	ID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	// UserID is the owner, who is also the tenant. A scope of one user fills it in.
	UserID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`

	// App is the host's name of the product or agent that the conversation belongs to.
	App string `gorm:"serializer:convostore_null_text;-:migration" json:"app,omitempty"`
	// LeadID is the id of the outside contact in the host's own tables, as text.
	LeadID string `gorm:"serializer:convostore_null_text;-:migration" json:"lead_id,omitempty"`
	// Language is that of the texts, as two or three small letters (ISO 639: "en", "de"): a store
	// with a stemmer for it finds other forms of their words. Empty is the store's own, see
	// convostore.WithStemming. It is changed by the store's SetLanguage: on SQLite, texts that are
	// indexed already keep the stems of the old one when plain GORM or SQL changes it, until
	// Maintenance().ReindexSearch. Their exact words are found all the same.
	Language string `gorm:"serializer:convostore_null_text;-:migration" json:"language,omitempty"`
	// ExternalKey is the host's own key of the conversation, unique within a user.
	ExternalKey string `gorm:"serializer:convostore_null_text;-:migration" json:"external_key,omitempty"`
	Title       string `gorm:"serializer:convostore_null_text;-:migration" json:"title,omitempty"`
	Subject     string `gorm:"serializer:convostore_null_text;-:migration" json:"subject,omitempty"`
	Status      Status `gorm:"-:migration" json:"status,omitempty"`
	Metadata    JSON   `gorm:"-:migration" json:"metadata,omitempty"`

	// LastSeq is the seq of the newest message, 0 if there are none. Only the creation of the
	// conversation writes it, LastMessageAt and LastChangeSeq: a later Save or Updates with GORM
	// leaves the columns alone, since the messages' own hook moves them.
	LastSeq int64 `gorm:"<-:create;-:migration" json:"last_seq"`
	// LastMessageAt is the latest SentAt of the live messages of the kind message.KindMessage,
	// CreatedAt if there are none. A time in the future counts as now, see Activity. Of a conversation with branches the messages on the path of the head count.
	LastMessageAt time.Time `gorm:"<-:create;-:migration" json:"last_message_at"`
	// LastChangeSeq counts the changes of messages that were there already.
	LastChangeSeq int64 `gorm:"<-:create;-:migration" json:"last_change_seq,omitempty"`

	// Branched says that there is more than one path: a message has a ParentSeq, or HeadSeq is or
	// was set. HeadSeq is the last message of the path that is read, nil if that is LastSeq.
	Branched bool   `gorm:"-:migration" json:"branched,omitempty"`
	HeadSeq  *int64 `gorm:"-:migration" json:"head_seq,omitempty"`
	// ForkedFromID and ForkedFromSeq are the conversation and the message that this one was
	// forked from, both nil for any other. The origin may be erased since.
	ForkedFromID  *uuid.UUID `gorm:"type:uuid;-:migration" json:"forked_from_id,omitempty"`
	ForkedFromSeq *int64     `gorm:"-:migration" json:"forked_from_seq,omitempty"`
	// MergedIntoID is the conversation that took over the messages of this one, or nil.
	MergedIntoID *uuid.UUID `gorm:"type:uuid;-:migration" json:"merged_into_id,omitempty"`

	// Assignee is the host's name of the person or team that looks after the conversation.
	Assignee string `gorm:"serializer:convostore_null_text;-:migration" json:"assignee,omitempty"`
	// SnoozedUntil is when the conversation comes back to the queue, PinnedAt when it was
	// pinned. Both are nil for most.
	SnoozedUntil *time.Time `gorm:"-:migration" json:"snoozed_until,omitempty"`
	PinnedAt     *time.Time `gorm:"-:migration" json:"pinned_at,omitempty"`
	// HeldAt is when the conversation was put on hold, nil if it is not on hold. A hold
	// exempts it from everything that archives, deletes or purges by age.
	HeldAt    *time.Time     `gorm:"-:migration" json:"held_at,omitempty"`
	CreatedAt time.Time      `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt time.Time      `gorm:"-:migration" json:"updated_at"`
	DeletedAt gorm.DeletedAt `gorm:"-:migration" json:"deleted_at,omitzero"`

	// Messages and Suggestions are loaded only on request: by the store's Thread, or by
	// Preload("Messages", message.Oldest).
	Messages    []*message.Message       `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"messages,omitempty"`
	Suggestions []*suggestion.Suggestion `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"suggestions,omitempty"`
	// Labels, Reads, States and Summaries are loaded only on request too: Preload("Labels").
	Labels    []*Label   `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"labels,omitempty"`
	Reads     []*Read    `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"reads,omitempty"`
	States    []*State   `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"states,omitempty"`
	Summaries []*Summary `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"summaries,omitempty"`
}

// TableName implements GORM's TablerWithNamer.
func (Conversation) TableName(n schema.Namer) string { return column.Table(n, "conversations") }

// Normalize sets what is unset: Status to active, CreatedAt to now, UpdatedAt and
// LastMessageAt to CreatedAt, Branched if there is a HeadSeq. It truncates times to microseconds, in UTC, and takes a
// LastMessageAt in the future for now.
func (c *Conversation) Normalize(now time.Time) {
	if c.Status == "" {
		c.Status = StatusActive
	}
	c.Branched = c.Branched || c.HeadSeq != nil
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
	if c.UpdatedAt.IsZero() {
		c.UpdatedAt = c.CreatedAt
	}
	if c.LastMessageAt.IsZero() {
		c.LastMessageAt = c.CreatedAt
	}
	c.CreatedAt, c.UpdatedAt = message.Instant(c.CreatedAt), message.Instant(c.UpdatedAt)
	if c.LastMessageAt = message.Instant(c.LastMessageAt); check.Time("last_message_at", c.LastMessageAt) == nil {
		c.LastMessageAt = Activity(c.LastMessageAt, message.Instant(now))
	}
	for _, t := range []**time.Time{&c.HeldAt, &c.SnoozedUntil, &c.PinnedAt} {
		if *t != nil {
			*t = new(message.Instant(**t))
		}
	}
}

// Validate returns a *rule.InvalidError for the first field that a database would
// refuse or change: an unknown status, a title of more than 255 characters, U+0000 or
// invalid UTF-8 in a text, metadata that does not parse, a key of more than 1,024 bytes, a
// language that is not two or three small letters.
func (c *Conversation) Validate() error {
	return check.First(
		c.Status.validate(),
		check.Key("app", c.App),
		check.Key("assignee", c.Assignee),
		check.Key("lead_id", c.LeadID),
		check.Key("external_key", c.ExternalKey),
		check.Language("language", c.Language),
		check.Length("title", c.Title, MaxTitle),
		check.Line("subject", c.Subject),
		check.JSON("metadata", c.Metadata),
		check.Time("last_message_at", c.LastMessageAt),
		check.Time("created_at", c.CreatedAt),
		check.Time("updated_at", c.UpdatedAt),
		check.Time("deleted_at", c.DeletedAt.Time),
		check.NullTime("held_at", c.HeldAt),
		check.NullTime("snoozed_until", c.SnoozedUntil),
		check.NullTime("pinned_at", c.PinnedAt),
		c.validateOrigin(),
		c.validateHead(),
	)
}

// validateOrigin checks where the conversation came from and where it went.
func (c *Conversation) validateOrigin() error {
	switch {
	case (c.ForkedFromID == nil) != (c.ForkedFromSeq == nil):
		return rule.Invalid("forked_from_seq", "is given exactly when forked_from_id is")
	case c.ForkedFromSeq != nil && *c.ForkedFromSeq < 0:
		return rule.Invalid("forked_from_seq", "is negative")
	case c.MergedIntoID != nil && *c.MergedIntoID == c.ID:
		return rule.Invalid("merged_into_id", "is the conversation itself")
	}
	return nil
}

func (c *Conversation) validateHead() error {
	switch {
	case c.LastSeq < 0:
		return rule.Invalid("last_seq", "is negative")
	case c.LastChangeSeq < 0:
		return rule.Invalid("last_change_seq", "is negative")
	case c.HeadSeq != nil && (*c.HeadSeq < 0 || *c.HeadSeq > c.LastSeq):
		return rule.Invalid("head_seq", "is not between 0 and last_seq")
	}
	return nil
}

// Size returns the bytes of the conversation's texts and metadata together, as message.Message's
// Size counts them. Its messages do not count.
func (c *Conversation) Size() int {
	return check.Sum(c.App, c.Assignee, c.LeadID, c.Language, c.ExternalKey, c.Title, c.Subject) + check.Written(c.Metadata)
}

// AddMessage appends m to c.Messages as the next message. It sets m's conversation, owner
// and seq, and updates LastSeq, LastMessageAt, Status and UpdatedAt of the conversation. The latest
// message by OrderedAt decides LastMessageAt and Status; to tell where m comes among those before it,
// c.Messages must have all of them, and without them one that is earlier than LastMessageAt changes
// neither. m follows the head, or the message that its ParentSeq names, and becomes the head. It returns a
// *rule.InvalidError for a nil or invalid message and for a ParentSeq after LastSeq, and then leaves
// the conversation unchanged.
//
// It writes nothing to a database. It is for hosts that save both rows with their own GORM,
// and for the first messages of a conversation that is not created yet. The store's Append
// does the same under a row lock of the conversation.
func (c *Conversation) AddMessage(m *message.Message) error {
	if m == nil {
		return rule.Invalid("message", "is nil")
	}
	m.Normalize(message.Now())
	m.Seq = c.LastSeq + 1
	if err := m.Validate(); err != nil {
		return err
	}
	switched := c.follow(m)
	m.ConversationID, m.UserID, m.Seq = c.ID, c.UserID, c.LastSeq+1
	c.move(m, switched)
	c.LastSeq = m.Seq
	if m.Asks() {
		c.SnoozedUntil = nil
	}
	c.UpdatedAt = message.Now()
	c.Messages = append(c.Messages, m)
	return nil
}

// follow sets the parent of the next message, nil for the last one, and makes the message the head.
// It tells whether the path of the head is another one than before.
func (c *Conversation) follow(m *message.Message) (switched bool) {
	switch {
	case m.ParentSeq == nil:
		m.ParentSeq = c.HeadSeq
	case c.HeadSeq != nil:
		switched = *m.ParentSeq != *c.HeadSeq
	default:
		switched = *m.ParentSeq != c.LastSeq
	}
	if m.ParentSeq != nil && *m.ParentSeq == c.LastSeq {
		m.ParentSeq = nil
	}
	c.Branched, c.HeadSeq = c.Branched || m.ParentSeq != nil, nil
	return switched
}

// Archive sets the status to archived. It does nothing if the conversation is archived.
func (c *Conversation) Archive() { c.setStatus(StatusArchived) }

// Reopen makes an archived conversation active. It does nothing to any other.
func (c *Conversation) Reopen() { c.setStatus(c.Status.Reopened()) }

// Hold exempts the conversation from everything that archives, deletes or purges by age. It
// does nothing if the conversation is on hold, and keeps the time of the first hold.
func (c *Conversation) Hold() {
	if !c.Held() {
		now := message.Now()
		c.HeldAt, c.UpdatedAt = &now, now
	}
}

// Release ends a hold. It does nothing if the conversation is not on hold.
func (c *Conversation) Release() {
	if c.Held() {
		c.HeldAt, c.UpdatedAt = nil, message.Now()
	}
}

func (c *Conversation) setStatus(s Status) {
	if c.Status != s {
		c.Status, c.UpdatedAt = s, message.Now()
	}
}

// Deleted reports whether the conversation is soft-deleted.
func (c *Conversation) Deleted() bool { return c.DeletedAt.Valid }

// Held reports whether the conversation is on hold.
func (c *Conversation) Held() bool { return c.HeldAt != nil }
