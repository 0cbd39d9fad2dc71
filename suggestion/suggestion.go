// Package suggestion has the model of a suggestion: a reply that a language model drafted
// and that a person approves, edits or rejects.
//
// The types are plain GORM models with their rules as methods. They do no input or output.
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

// JSON is an opaque JSON document, the same type as message.JSON.
type JSON = message.JSON

// MaxTokens is the largest number of tokens of a suggestion. The sum of nine thousand million
// suggestions still fits an int64.
const MaxTokens = check.MaxTokens

// Suggestion is a suggested reply. It is pending until it is approved, edited or rejected, until a
// newer message of the lead supersedes it, or until it expires. It is decided once, unless Reopen
// undoes that, and sent at most once.
type Suggestion struct {
	// ID is a UUID of version 7 that the library makes, unless the host sets one.
	ID     uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	UserID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`

	ConversationID uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"conversation_id"`
	// InReplyToMessageID is the message of the same conversation that the suggestion
	// replies to, nil for a first contact.
	InReplyToMessageID *uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"in_reply_to_message_id,omitempty"`

	// AnswersSeq is the seq of the latest message that the suggestion takes into account, 0 if
	// there was none. Creating the suggestion sets it to that of the newest message, unless it is
	// given. A newer message of the lead supersedes the suggestion while it is pending.
	AnswersSeq int64 `gorm:"<-:create;serializer:convostore_null_zero;-:migration" json:"answers_seq,omitempty"`

	SuggestedContent string `gorm:"-:migration" json:"suggested_content"`
	// EditedContent is the text after a person edited it, empty unless the status is edited.
	EditedContent string `gorm:"serializer:convostore_null_text;-:migration" json:"edited_content,omitempty"`
	// DraftContent is an edit that is not finished, and DraftBy and DraftAt say who saved it
	// and when. DraftAt is nil if there is none. A decision clears it.
	DraftContent string     `gorm:"serializer:convostore_null_text;-:migration" json:"draft_content,omitempty"`
	DraftBy      string     `gorm:"serializer:convostore_null_text;-:migration" json:"draft_by,omitempty"`
	DraftAt      *time.Time `gorm:"-:migration" json:"draft_at,omitempty"`
	// ConfidenceScore is what the model reported, from 0 to 1. It is nil if the model
	// reported none, so that averages include only real scores. Set it with new(0.92).
	ConfidenceScore   *float64 `gorm:"-:migration" json:"confidence_score,omitempty"`
	SentimentAnalysis JSON     `gorm:"-:migration" json:"sentiment_analysis,omitempty"`
	ContextUsed       JSON     `gorm:"-:migration" json:"context_used,omitempty"`
	ModelUsed         string   `gorm:"serializer:convostore_null_text;-:migration" json:"model_used,omitempty"`
	TokensUsed        int64    `gorm:"-:migration" json:"tokens_used,omitempty"`
	// GenerationCost is in the host's currency. It keeps the decimals that it was given.
	GenerationCost decimal.Decimal `gorm:"-:migration" json:"generation_cost"`

	Status Status `gorm:"-:migration" json:"status,omitempty"`
	// ReviewedBy is the host's name of the person who decided. ReviewedAt is when the
	// suggestion ceased to be pending, nil while it is.
	ReviewedBy string     `gorm:"serializer:convostore_null_text;-:migration" json:"reviewed_by,omitempty"`
	ReviewedAt *time.Time `gorm:"-:migration" json:"reviewed_at,omitempty"`
	Feedback   string     `gorm:"serializer:convostore_null_text;-:migration" json:"feedback,omitempty"`
	// SentMessageID is the outbound message that the suggestion was sent as, nil if it was
	// not sent.
	SentMessageID *uuid.UUID `gorm:"type:uuid;-:migration" json:"sent_message_id,omitempty"`

	CreatedAt time.Time      `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt time.Time      `gorm:"-:migration" json:"updated_at"`
	DeletedAt gorm.DeletedAt `gorm:"-:migration" json:"deleted_at,omitzero"`

	// InReplyTo is loaded only on request: Preload("InReplyTo").
	InReplyTo *message.Message `gorm:"foreignKey:InReplyToMessageID,UserID;references:ID,UserID;constraint:-;-:migration" json:"in_reply_to,omitempty"`
	// Conversation is loaded only on request too, and never saved: Preload("Conversation").
	Conversation *message.ConversationRow `gorm:"->;foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"conversation,omitempty"`
}

// TableName implements GORM's TablerWithNamer.
func (Suggestion) TableName(n schema.Namer) string { return column.Table(n, "ai_suggestions") }

// Review is what comes with a decision. The zero value is a decision made now by a person
// without a name.
type Review struct {
	// By is the host's name of the person, for example an id or an address.
	By       string
	Feedback string
	// At is when the decision was made. The zero time means now.
	At time.Time
}

// Normalize sets what is unset: Status to pending, CreatedAt to now, UpdatedAt to CreatedAt.
// It truncates times to microseconds, in UTC.
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
	for _, t := range []**time.Time{&s.ReviewedAt, &s.DraftAt} {
		if *t != nil {
			*t = new(message.Instant(**t))
		}
	}
}

// Validate returns a *rule.InvalidError for the first field that a database would
// refuse or change: empty content, a confidence outside 0 to 1, tokens outside 0 to MaxTokens,
// a negative cost or one of more than 18 digits or 10 decimals,
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
		check.Tokens("tokens_used", s.TokensUsed),
		check.Amount("generation_cost", s.GenerationCost),
		check.Key("reviewed_by", s.ReviewedBy),
		check.Text("feedback", s.Feedback),
		s.validateReview(),
		check.NotNegative("answers_seq", s.AnswersSeq),
		s.validateDraft(),
		check.Time("created_at", s.CreatedAt),
		check.Time("updated_at", s.UpdatedAt),
		check.Time("deleted_at", s.DeletedAt.Time),
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

func (s *Suggestion) validateReview() error {
	if (s.Status == StatusPending) != (s.ReviewedAt == nil) {
		return rule.Invalid("reviewed_at", "is set exactly when a decision was made")
	}
	return check.NullTime("reviewed_at", s.ReviewedAt)
}

func (s *Suggestion) validateDraft() error {
	if err := check.First(
		check.Text("draft_content", s.DraftContent),
		check.Key("draft_by", s.DraftBy),
		check.NullTime("draft_at", s.DraftAt),
	); err != nil {
		return err
	}
	if (s.DraftContent == "") != (s.DraftAt == nil) {
		return rule.Invalid("draft_at", "is given exactly when there is a draft_content")
	}
	return nil
}

// Size returns the bytes of the suggestion's texts and documents together, as message.Message's
// Size counts them.
func (s *Suggestion) Size() int {
	return check.Sum(s.SuggestedContent, s.EditedContent, s.DraftContent, s.DraftBy, s.ModelUsed, s.ReviewedBy, s.Feedback) +
		check.SumWritten(s.SentimentAnalysis, s.ContextUsed)
}

// Approve decides that the suggested text may be sent as it is. If the suggestion is already
// decided, it returns a *rule.TransitionError and changes nothing.
func (s *Suggestion) Approve(r Review) error { return s.Decide(StatusApproved, "", r) }

// Edit decides that content may be sent instead of the suggested text. Empty content is a
// *rule.InvalidError. If the suggestion is already decided, it returns a
// *rule.TransitionError and changes nothing.
func (s *Suggestion) Edit(content string, r Review) error {
	return s.Decide(StatusEdited, content, r)
}

// Reject decides that nothing is sent. If the suggestion is already decided, it returns a
// *rule.TransitionError and changes nothing.
func (s *Suggestion) Reject(r Review) error { return s.Decide(StatusRejected, "", r) }

// Decide does what Approve, Edit and Reject do, for a status that is known only at run time.
// The content must be set for edited and empty for the others.
func (s *Suggestion) Decide(to Status, content string, r Review) error {
	if err := ValidateDecision(to, content, r); err != nil {
		return err
	}
	// A suggestion that was never normalized has no status, which means pending.
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
	s.clearDraft()
	s.UpdatedAt = message.Now()
	return nil
}

// ValidateDecision checks the parts of a decision without a suggestion. It returns a
// *rule.InvalidError for a status that is no decision, content that does not fit the status,
// or an invalid review.
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

// editedContent requires content for an edited suggestion and none for any other. Otherwise
// FinalContent would be empty or would ignore the content.
func editedContent(s Status, content string) error {
	if (s == StatusEdited) != (content != "") {
		return rule.Invalid("edited_content", "is given exactly when a suggestion is edited")
	}
	return check.Text("edited_content", content)
}

// FinalContent returns the text to be sent: the edited text if the suggestion is edited, the
// suggested text if it is approved or pending, "" if nothing is to be sent.
func (s *Suggestion) FinalContent() string {
	switch s.Status {
	case StatusEdited:
		return s.EditedContent
	case StatusRejected, StatusSuperseded, StatusExpired:
		return ""
	}
	return s.SuggestedContent
}

// Sent reports whether the suggestion was sent as a message.
func (s *Suggestion) Sent() bool { return s.SentMessageID != nil }

// Deleted reports whether the suggestion is soft-deleted.
func (s *Suggestion) Deleted() bool { return s.DeletedAt.Valid }
