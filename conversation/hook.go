package conversation

import (
	"cmp"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// BeforeCreate is a GORM hook for hosts that create conversations themselves. It sets an
// id if there is none, normalizes and validates. A Save of several, which may write over rows, is
// refused as BeforeUpdate refuses it.
func (c *Conversation) BeforeCreate(tx *gorm.DB) error {
	if err := column.GiveID(&c.ID); err != nil {
		return err
	}
	if err := c.prepare(); err != nil || tx == nil || !hook.Upserts(tx) {
		return err
	}
	_, err := c.lock(tx)
	return err
}

// BeforeUpdate is a GORM hook for hosts that change conversations themselves.
//
// Save normalizes and validates, and creates a row that is not there before its messages. If
// messages were appended since the struct was read, it is rule.ErrConflict: Save would put the
// status back. Read the conversation again, or write the columns that changed with Updates.
//
// Updates validates what it sets, from a struct or from a map, and a head makes the conversation
// branched. SQL expressions and UpdateColumn are not seen here: what the tables' own checks do not
// refuse is stored.
func (c *Conversation) BeforeUpdate(tx *gorm.DB) error {
	if !hook.Whole(tx, c) {
		changes, sets, err := hook.Partial[Conversation](tx)
		if len(sets) > 0 {
			hook.Fill(sets, "id", &changes.ID, cmp.Or(c.ID, uuid.Max))
			err = changes.validateChanges()
		}
		if err == nil && sets["head_seq"] && changes.HeadSeq != nil {
			tx.Statement.SetColumn("branched", true)
		}
		return err
	}
	if err := c.prepare(); err != nil {
		return err
	}
	found, err := c.lock(tx)
	if err != nil || found || tx.DryRun {
		return err
	}
	return tx.Omit(clause.Associations).Create(c).Error
}

func (c *Conversation) prepare() error {
	c.Normalize(message.Now())
	return check.First(check.Size("conversation", c.Size(), message.MaxBytes), c.Validate())
}

// validateChanges validates a conversation with only some of its fields.
func (c *Conversation) validateChanges() error {
	if c.HeadSeq != nil {
		c.LastSeq = max(c.LastSeq, *c.HeadSeq)
	}
	if c.ForkedFromID != nil {
		c.ForkedFromSeq = cmp.Or(c.ForkedFromSeq, new(int64))
	} else if c.ForkedFromSeq != nil {
		c.ForkedFromID = new(uuid.UUID)
	}
	return c.prepare()
}

// lock locks the row until the transaction ends. It returns false if there is none, and
// rule.ErrConflict if it has messages that c does not know.
func (c *Conversation) lock(tx *gorm.DB) (bool, error) {
	var last []int64
	err := tx.Raw("UPDATE ? SET last_seq = last_seq WHERE id = ? AND user_id = ? RETURNING last_seq",
		clause.Table{Name: c.TableName(tx.NamingStrategy)}, c.ID, c.UserID).Scan(&last).Error
	if err == nil && len(last) > 0 && last[0] > c.LastSeq {
		err = fmt.Errorf("%w: the conversation has messages after seq %d", rule.ErrConflict, c.LastSeq)
	}
	return len(last) > 0, err
}
