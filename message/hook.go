package message

import (
	"cmp"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
)

// BeforeCreate is a GORM hook for hosts that create messages themselves. It sets an id if
// there is none, normalizes and validates. More than MaxBytes are a *rule.InvalidError.
//
// It also makes the message the next one of its conversation, as the store's Append does: it
// takes the seq from the database and moves the conversation's row in the same transaction. A
// message whose seq comes from a stale conversation's AddMessage is rule.ErrConflict, a
// conversation that is absent or deleted gorm.ErrRecordNotFound. With SkipDefaultTransaction the
// host must open a transaction itself, or gets a *rule.InvalidError.
func (m *Message) BeforeCreate(tx *gorm.DB) error {
	if err := column.GiveID(&m.ID); err != nil {
		return err
	}
	if err := check.First(m.prepare(), check.ID("user_id", m.UserID), check.ID("conversation_id", m.ConversationID)); err != nil {
		return err
	}
	if err := m.place(tx); err != nil {
		return err
	}
	return m.ValidateParent() // which needs the seq
}

// BeforeUpdate is a GORM hook for hosts that change messages themselves. Save normalizes and
// validates, and creates a row that is not there as BeforeCreate says. Updates validates what it
// sets, from a struct or from a map. SQL expressions and UpdateColumn are not seen here: what the
// tables' own checks do not refuse is stored.
func (m *Message) BeforeUpdate(tx *gorm.DB) error {
	if !hook.Whole(tx, m) {
		changes, sets, err := hook.Partial[Message](tx)
		if len(sets) > 0 {
			err = changes.validateChanges(sets)
		}
		return err
	}
	if err := m.prepare(); err != nil || tx.DryRun {
		return err
	}
	found, err := m.stored(tx)
	if err != nil || found {
		return err
	}
	return tx.Omit(clause.Associations).Create(m).Error
}

func (m *Message) prepare() error {
	m.Normalize(Now())
	return check.First(m.keyEmbeddings(), check.Size("message", m.Size(), MaxBytes), m.Validate())
}

// validateChanges validates a message with only some of its fields.
func (m *Message) validateChanges(sets hook.Sets) error {
	hook.Fill(sets, "role", &m.Role, cmp.Or(m.Direction.Role(), RoleUser))
	if len(m.Payload) > 0 {
		hook.Fill(sets, "payload_format", &m.PayloadFormat, "json")
	} else if m.PayloadFormat != "" {
		hook.Fill(sets, "payload", &m.Payload, Payload("{}"))
	}
	return m.prepare()
}

func (m *Message) stored(tx *gorm.DB) (bool, error) {
	var ids []uuid.UUID
	err := tx.Raw("SELECT id FROM ? WHERE id = ? AND user_id = ?", messages(tx), m.ID, m.UserID).Scan(&ids).Error
	return len(ids) > 0, err
}
