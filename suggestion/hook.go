package suggestion

import (
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/message"
)

// BeforeCreate is a GORM hook for hosts that create suggestions themselves. It sets an id if
// there is none, normalizes and validates. As the store's Create does, it sets AnswersSeq to the
// seq of the newest message, unless it is given.
func (s *Suggestion) BeforeCreate(tx *gorm.DB) error {
	if err := column.GiveID(&s.ID); err != nil {
		return err
	}
	if err := check.First(s.prepare(), check.ID("user_id", s.UserID), check.ID("conversation_id", s.ConversationID)); err != nil {
		return err
	}
	return s.place(tx)
}

// AfterCreate is a GORM hook for hosts that create suggestions themselves. It supersedes a pending
// suggestion if a message of the lead has overtaken its AnswersSeq by then, with or without a
// transaction. In a conversation with branches it leaves that to Send.
func (s *Suggestion) AfterCreate(tx *gorm.DB) error { return s.settle(tx) }

// BeforeUpdate is a GORM hook for hosts that change suggestions themselves. Save normalizes and
// validates, also a row that is not there yet. Updates validates what it sets, from a struct or
// from a map. SQL expressions and UpdateColumn are not seen here: what the tables' own checks do
// not refuse is stored.
func (s *Suggestion) BeforeUpdate(tx *gorm.DB) error {
	if hook.Whole(tx, s) {
		return s.prepare()
	}
	changes, sets, err := hook.Partial[Suggestion](tx)
	if len(sets) > 0 {
		err = changes.validateChanges(sets)
	}
	return err
}

func (s *Suggestion) prepare() error {
	s.Normalize(message.Now())
	return check.First(check.Size("suggestion", s.Size(), message.MaxBytes), s.Validate())
}

// validateChanges validates a suggestion with only some of its fields: what goes together is
// completed first, since the row may have the rest.
func (s *Suggestion) validateChanges(sets hook.Sets) error {
	hook.Fill(sets, "suggested_content", &s.SuggestedContent, "unchanged")
	if s.Status == "" && s.EditedContent != "" {
		s.Status = StatusEdited
	}
	if s.Status == "" && s.ReviewedAt != nil {
		s.Status = StatusApproved
	}
	if s.Status == StatusEdited {
		hook.Fill(sets, "edited_content", &s.EditedContent, "unchanged")
	}
	if s.Status != "" && s.Status != StatusPending && s.ReviewedAt == nil {
		s.ReviewedAt = new(message.Now())
	}
	if s.DraftContent != "" && s.DraftAt == nil {
		s.DraftAt = new(message.Now())
	}
	if s.DraftAt != nil {
		hook.Fill(sets, "draft_content", &s.DraftContent, "unchanged")
	}
	return s.prepare()
}
