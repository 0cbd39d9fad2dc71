package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/rule"
)

// ConversationRow is the row of the conversation that a message or a suggestion belongs to, as
// Preload("Conversation") and Joins("Conversation") load it. It is for reading: creating, saving
// and deleting it is a *rule.InvalidError, and GORM never saves it along with what it belongs to.
//
// It has the columns of conversation.Conversation, which package message cannot name because a
// conversation has messages; conversation.FromRow makes one of it.
type ConversationRow struct {
	ID     uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	UserID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`

	App         string             `gorm:"serializer:convostore_null_text;-:migration" json:"app,omitempty"`
	LeadID      string             `gorm:"serializer:convostore_null_text;-:migration" json:"lead_id,omitempty"`
	Language    string             `gorm:"serializer:convostore_null_text;-:migration" json:"language,omitempty"`
	ExternalKey string             `gorm:"serializer:convostore_null_text;-:migration" json:"external_key,omitempty"`
	Title       string             `gorm:"serializer:convostore_null_text;-:migration" json:"title,omitempty"`
	Subject     string             `gorm:"serializer:convostore_null_text;-:migration" json:"subject,omitempty"`
	Status      ConversationStatus `gorm:"-:migration" json:"status,omitempty"`
	Metadata    JSON               `gorm:"-:migration" json:"metadata,omitempty"`

	LastSeq       int64     `gorm:"<-:create;-:migration" json:"last_seq"`
	LastMessageAt time.Time `gorm:"<-:create;-:migration" json:"last_message_at"`
	LastChangeSeq int64     `gorm:"<-:create;-:migration" json:"last_change_seq,omitempty"`

	Branched      bool       `gorm:"-:migration" json:"branched,omitempty"`
	HeadSeq       *int64     `gorm:"-:migration" json:"head_seq,omitempty"`
	ForkedFromID  *uuid.UUID `gorm:"type:uuid;-:migration" json:"forked_from_id,omitempty"`
	ForkedFromSeq *int64     `gorm:"-:migration" json:"forked_from_seq,omitempty"`
	MergedIntoID  *uuid.UUID `gorm:"type:uuid;-:migration" json:"merged_into_id,omitempty"`

	Assignee     string         `gorm:"serializer:convostore_null_text;-:migration" json:"assignee,omitempty"`
	SnoozedUntil *time.Time     `gorm:"-:migration" json:"snoozed_until,omitempty"`
	PinnedAt     *time.Time     `gorm:"-:migration" json:"pinned_at,omitempty"`
	HeldAt       *time.Time     `gorm:"-:migration" json:"held_at,omitempty"`
	CreatedAt    time.Time      `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt    time.Time      `gorm:"-:migration" json:"updated_at"`
	DeletedAt    gorm.DeletedAt `gorm:"-:migration" json:"deleted_at,omitzero"`
}

// ConversationStatus is a conversation.Status, to which it can be converted.
type ConversationStatus string

// After returns the status after a message of this direction: needs_reply after an inbound one,
// waiting after an outbound one, whatever the status was. A message without a direction leaves it.
func (s ConversationStatus) After(d Direction) ConversationStatus {
	switch d {
	case DirectionInbound:
		return "needs_reply"
	case DirectionOutbound:
		return "waiting"
	}
	return s
}

// AfterMessage is After for a message, of which only one that counts changes the status, see
// Message.Counts: a note or an automatic reply is nobody's turn. After an outbound message that did
// not arrive, because it failed or bounced, the conversation needs a reply as before. One that was
// taken out of the outbox changes nothing.
func (s ConversationStatus) AfterMessage(m *Message) ConversationStatus {
	switch {
	case !m.Counts() || m.Delivery == DeliveryCancelled:
		return s
	case m.Direction == DirectionOutbound && (m.Delivery == DeliveryFailed || m.Delivery == DeliveryBounced):
		return s.After(DirectionInbound)
	}
	return s.After(m.Direction)
}

// TableName implements GORM's TablerWithNamer.
func (ConversationRow) TableName(n schema.Namer) string { return column.Table(n, "conversations") }

// BeforeSave is a GORM hook that refuses to create or change the row.
func (*ConversationRow) BeforeSave(*gorm.DB) error { return errReadOnly() }

// BeforeDelete is a GORM hook that refuses to delete the row.
func (*ConversationRow) BeforeDelete(*gorm.DB) error { return errReadOnly() }

func errReadOnly() error {
	return rule.Invalid("conversation", "is a row for reading: write it with conversation.Conversation")
}
