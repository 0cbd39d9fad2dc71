// Package suggestion has the reply that a model drafted and a person decides on.
//
// The types are plain GORM models with rules as methods; they do no input or output.
package suggestion

import (
	"cmp"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// JSON is message.JSON, an opaque document.
type JSON = message.JSON

// Suggestion is a drafted reply: pending, then approved, edited or rejected, decided
// once, and sent at most once.
type Suggestion struct {
	// ID is made by the library (UUID version 7) unless the host gives one.
	ID     uuid.UUID `gorm:"primaryKey;<-:create" json:"id"`
	UserID uuid.UUID `gorm:"primaryKey;<-:create" json:"user_id"`

	ConversationID uuid.UUID `gorm:"<-:create" json:"conversation_id"`
	// InReplyToMessageID is the message that it answers, of the same conversation; nil
	// for a first contact.
	InReplyToMessageID *uuid.UUID `gorm:"<-:create" json:"in_reply_to_message_id,omitempty"`

	SuggestedContent string `json:"suggested_content"`
	// EditedContent is what a person made of it, empty unless the status is edited.
	EditedContent string `gorm:"serializer:convostore_null_text" json:"edited_content,omitempty"`
	// ConfidenceScore is the model's own, 0 to 1; nil if it gave none, so that an
	// average is one of given scores only. Write new(0.92).
	ConfidenceScore   *float64 `json:"confidence_score,omitempty"`
	SentimentAnalysis JSON     `json:"sentiment_analysis,omitempty"`
	ContextUsed       JSON     `json:"context_used,omitempty"`
	ModelUsed         string   `gorm:"serializer:convostore_null_text" json:"model_used,omitempty"`
	TokensUsed        int64    `json:"tokens_used,omitempty"`
	// GenerationCost is in the host's currency, with as many decimals as it was given.
	GenerationCost decimal.Decimal `json:"generation_cost"`

	Status Status `json:"status,omitempty"`
	// ReviewedBy is the host's name for who decided; ReviewedAt is nil while pending.
	ReviewedBy string     `gorm:"serializer:convostore_null_text" json:"reviewed_by,omitempty"`
	ReviewedAt *time.Time `json:"reviewed_at,omitempty"`
	Feedback   string     `gorm:"serializer:convostore_null_text" json:"feedback,omitempty"`
	// SentMessageID is the outbound message that the suggestion became, nil before.
	SentMessageID *uuid.UUID `json:"sent_message_id,omitempty"`

	CreatedAt time.Time      `gorm:"<-:create" json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	DeletedAt gorm.DeletedAt `json:"deleted_at,omitzero"`

	// InReplyTo is loaded on request only: Preload("InReplyTo").
	InReplyTo *message.Message `gorm:"foreignKey:InReplyToMessageID,UserID;references:ID,UserID" json:"in_reply_to,omitempty"`
}

// TableName implements GORM's TablerWithNamer.
func (Suggestion) TableName(n schema.Namer) string { return column.Table(n, "ai_suggestions") }

// Review is what a person says with a decision. The zero value is a decision by nobody
// named, now.
type Review struct {
	// By is the host's name for the person: an id, an address.
	By       string
	Feedback string
	// At is when it was decided; now if unset.
	At time.Time
}

// Normalize fills what is unset: the status with pending, the times with now. Times are
// cut to microseconds in UTC.
func (s *Suggestion) Normalize(now time.Time) {
	if s.Status == "" {
		s.Status = StatusPending
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now
	}
	if s.UpdatedAt.IsZero() {
		s.UpdatedAt = s.CreatedAt
	}
	s.CreatedAt, s.UpdatedAt = message.Instant(s.CreatedAt), message.Instant(s.UpdatedAt)
	if s.ReviewedAt != nil {
		s.ReviewedAt = new(message.Instant(*s.ReviewedAt))
	}
}

// Validate returns an *rule.InvalidError for the first field that a database would
// refuse or change: empty content, a confidence outside 0 to 1, negative tokens or cost,
// U+0000 or invalid UTF-8 in a text, JSON that does not parse, a decision without a time.
func (s *Suggestion) Validate() error {
	return check.First(
		s.Status.validate(),
		notEmpty("suggested_content", s.SuggestedContent),
		check.Text("suggested_content", s.SuggestedContent),
		editedContent(s.Status, s.EditedContent),
		s.validateConfidence(),
		check.JSON("sentiment_analysis", s.SentimentAnalysis),
		check.JSON("context_used", s.ContextUsed),
		check.Key("model_used", s.ModelUsed),
		s.validateCost(),
		check.Key("reviewed_by", s.ReviewedBy),
		check.Text("feedback", s.Feedback),
		s.validateReview(),
		check.Time("created_at", s.CreatedAt),
		check.Time("updated_at", s.UpdatedAt),
	)
}

func notEmpty(field, s string) error {
	if s == "" {
		return rule.Invalid(field, "is empty")
	}
	return nil
}

func (s *Suggestion) validateConfidence() error {
	if s.ConfidenceScore == nil {
		return nil
	}
	if c := *s.ConfidenceScore; math.IsNaN(c) || c < 0 || c > 1 {
		return rule.Invalid("confidence_score", "is not between 0 and 1")
	}
	return nil
}

func (s *Suggestion) validateCost() error {
	if s.TokensUsed < 0 {
		return rule.Invalid("tokens_used", "is negative")
	}
	if s.GenerationCost.IsNegative() {
		return rule.Invalid("generation_cost", "is negative")
	}
	// Ten decimals hold a hundred-millionth of a cent; reports sum them exactly.
	// The exponent comes first: 1e1000000 has one digit, and a million when written out.
	e := int(s.GenerationCost.Exponent())
	if e < -10 || e > 18 || s.GenerationCost.NumDigits()+max(e, 0) > 18 {
		return rule.Invalid("generation_cost", "has more than 10 decimals or 18 digits")
	}
	return nil
}

func (s *Suggestion) validateReview() error {
	if s.Status.Decided() != (s.ReviewedAt != nil) {
		return rule.Invalid("reviewed_at", "is set exactly when a decision was made")
	}
	if s.ReviewedAt != nil {
		return check.Time("reviewed_at", *s.ReviewedAt)
	}
	return nil
}

// BeforeCreate is GORM's hook for hosts that create suggestions themselves: it gives an
// id, normalizes and validates.
func (s *Suggestion) BeforeCreate(*gorm.DB) error {
	if s.ID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		s.ID = id
	}
	s.Normalize(message.Now())
	return s.Validate()
}

// Approve decides that the text goes out as it is. A suggestion that has been decided
// returns a *rule.TransitionError and stays as it was.
func (s *Suggestion) Approve(r Review) error { return s.Decide(StatusApproved, "", r) }

// Edit decides that content goes out in the place of the text. Empty content is refused.
// A suggestion that has been decided returns a *rule.TransitionError and stays as it was.
func (s *Suggestion) Edit(content string, r Review) error {
	return s.Decide(StatusEdited, content, r)
}

// Reject decides that nothing goes out. A suggestion that has been decided returns a
// *rule.TransitionError and stays as it was.
func (s *Suggestion) Reject(r Review) error { return s.Decide(StatusRejected, "", r) }

// Decide is what Approve, Edit and Reject do, for a status that is known at run time.
// Content is given for edited and for no other.
func (s *Suggestion) Decide(to Status, content string, r Review) error {
	if err := ValidateDecision(to, content, r); err != nil {
		return err
	}
	// A suggestion that was never normalized has no status yet; it begins as pending.
	from := cmp.Or(s.Status, StatusPending)
	if !from.CanBecome(to) {
		return &rule.TransitionError{Of: "suggestion", From: from.String(), To: to.String()}
	}
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	s.Status, s.EditedContent, s.ReviewedBy, s.Feedback = to, content, r.By, r.Feedback
	s.ReviewedAt = new(message.Instant(at))
	s.UpdatedAt = message.Now()
	return nil
}

// ValidateDecision checks the parts of a decision by themselves, before any suggestion
// is at hand.
func ValidateDecision(to Status, content string, r Review) error {
	if !to.Decided() {
		return rule.Invalid("status", "is not a decision")
	}
	return check.First(
		editedContent(to, content),
		check.Key("reviewed_by", r.By),
		check.Text("feedback", r.Feedback),
		check.Time("reviewed_at", r.At),
	)
}

// editedContent keeps FinalContent from being empty, or from passing over a text.
func editedContent(s Status, content string) error {
	if (s == StatusEdited) != (content != "") {
		return rule.Invalid("edited_content", "is given exactly when a suggestion is edited")
	}
	return check.Text("edited_content", content)
}

// FinalContent is the text that goes out: the edited one if there is one, else the
// suggested one; "" for a rejected suggestion.
func (s *Suggestion) FinalContent() string {
	switch s.Status {
	case StatusEdited:
		return s.EditedContent
	case StatusRejected:
		return ""
	}
	return s.SuggestedContent
}

// Sent tells whether the suggestion has become a message.
func (s *Suggestion) Sent() bool { return s.SentMessageID != nil }

// Deleted tells whether the suggestion is softly deleted.
func (s *Suggestion) Deleted() bool { return s.DeletedAt.Valid }
