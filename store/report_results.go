package store

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/message"
)

// Day is a calendar day.
type Day struct {
	// Date is the day in the zone of the period, "2026-03-29".
	Date string `json:"date"`
	// Start is its first moment.
	Start time.Time `json:"start"`
}

// ConversationRef names a conversation in a report.
type ConversationRef struct {
	ConversationID uuid.UUID `json:"conversation_id"`
	UserID         uuid.UUID `json:"user_id"`
	Title          string    `json:"title,omitempty"`
	Subject        string    `json:"subject,omitempty"`
	LeadRef
}

// LeadRef names a lead in a report. Both are empty where there is none.
type LeadRef struct {
	LeadID string `json:"lead_id,omitempty"`
	// LeadTitle is from the host's table, see WithLeads.
	LeadTitle string `json:"lead_title,omitempty"`
}

// Summary counts conversations by status.
type Summary struct {
	Live    StatusCounts `json:"live"`
	Deleted StatusCounts `json:"deleted"`
}

// StatusCounts are numbers of conversations.
type StatusCounts struct {
	Active     int64 `json:"active"`
	NeedsReply int64 `json:"needs_reply"`
	Waiting    int64 `json:"waiting"`
	Archived   int64 `json:"archived"`
}

// Total adds the statuses up.
func (c StatusCounts) Total() int64 { return c.Active + c.NeedsReply + c.Waiting + c.Archived }

// Daily is the report of one day.
type Daily struct {
	Day
	// NewConversations were created that day; NeedsReply is how many of them need a reply
	// now.
	NewConversations int64 `json:"new_conversations"`
	NeedsReply       int64 `json:"needs_reply"`
	// Messages were sent that day, those without a direction among them.
	Messages int64 `json:"messages"`
	Inbound  int64 `json:"inbound"`
	Outbound int64 `json:"outbound"`
	// Suggestions were made that day.
	Suggestions SuggestionStats `json:"suggestions"`
}

// SuggestionStats are figures of some suggestions: how many were made, what has become of
// them by now, and what they cost.
type SuggestionStats struct {
	Made     int64 `json:"made"`
	Pending  int64 `json:"pending"`
	Approved int64 `json:"approved"`
	Edited   int64 `json:"edited"`
	Rejected int64 `json:"rejected"`
	// AverageConfidence is that of the suggestions that have one, each taken to nine
	// decimals; nil if none has.
	AverageConfidence *float64 `json:"average_confidence,omitempty"`
	Tokens            int64    `json:"tokens"`
	// Cost is in the host's currency.
	Cost decimal.Decimal `json:"cost"`
}

// ApprovalRate is the share of all that were made that was approved as it stood, 0 to 1;
// false if none was made. Pending ones count as not approved.
func (s SuggestionStats) ApprovalRate() (float64, bool) { return share(s.Approved, s.Made) }

// AcceptanceRate is the share of the decided that may go out, approved or edited, 0 to 1;
// false if none is decided.
func (s SuggestionStats) AcceptanceRate() (float64, bool) {
	return share(s.Approved+s.Edited, s.Approved+s.Edited+s.Rejected)
}

// share is false for a part of nothing.
func share(part, whole int64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// ConversationActivity counts the messages of a conversation in the period.
type ConversationActivity struct {
	ConversationRef
	// Messages are all, those without a direction among them.
	Messages int64 `json:"messages"`
	Inbound  int64 `json:"inbound"`
	Outbound int64 `json:"outbound"`
	// FirstAt and LastAt are when the earliest and the latest of them were sent.
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// UnreadConversation is one that needs a reply.
type UnreadConversation struct {
	ConversationRef
	LastMessageAt time.Time `json:"last_message_at"`
	// Unanswered counts the inbound messages after the last outbound one, in the order of
	// SentAt and then seq. It is 0 where the status, which follows the order of appending,
	// says otherwise: after an import of old mail, or where messages were deleted.
	Unanswered int64 `json:"unanswered"`
	// WaitingSince is when the first of them was sent, nil if there is none.
	WaitingSince *time.Time `json:"waiting_since,omitempty"`
}

// AttachedMessage is a message with attachments.
type AttachedMessage struct {
	ConversationRef
	MessageID   uuid.UUID           `json:"message_id"`
	Direction   message.Direction   `json:"direction,omitempty"`
	SentAt      time.Time           `json:"sent_at"`
	CreatedAt   time.Time           `json:"created_at"`
	Attachments message.Attachments `json:"attachments"`
}

// ConversationAttachments counts the attachments of a conversation.
type ConversationAttachments struct {
	ConversationRef
	// Messages are those with an attachment, Attachments all that they have.
	Messages    int64 `json:"messages"`
	Attachments int64 `json:"attachments"`
}

// Durations sum up how long some things took, to the microsecond. All are 0 if there is
// nothing to sum up.
type Durations struct {
	Mean   time.Duration `json:"mean"`
	Median time.Duration `json:"median"`
	P90    time.Duration `json:"p90"`
	P95    time.Duration `json:"p95"`
}

// ResponseTimes sum up questions and their answers.
type ResponseTimes struct {
	// Answered is how many the durations are of.
	Answered int64 `json:"answered"`
	Durations
	// Open have no answer yet; OldestOpen is when the first of them was asked, nil if
	// there is none.
	Open       int64      `json:"open"`
	OldestOpen *time.Time `json:"oldest_open,omitempty"`
}

// ConversationResponse is how fast a conversation was answered.
type ConversationResponse struct {
	ConversationRef
	ResponseTimes
}

// LeadResponse is how fast a lead was answered.
type LeadResponse struct {
	LeadRef
	ResponseTimes
}

// DayResponse is how fast the questions of a day were answered.
type DayResponse struct {
	Day
	ResponseTimes
}

// ResponseRate tells how many conversations were answered by the lead.
type ResponseRate struct {
	// Value is that of the column, as text.
	Value    string `json:"value"`
	Started  int64  `json:"started"`
	Answered int64  `json:"answered"`
}

// Rate is the share of the started that was answered, 0 to 1; false if none was started,
// which no report has a row for.
func (r ResponseRate) Rate() (float64, bool) { return share(r.Answered, r.Started) }

// DaySuggestions are the suggestions made on a day.
type DaySuggestions struct {
	Day
	SuggestionStats
}

// ConfidenceSuggestions are the suggestions of a bucket: AtLeast ≤ confidence < Below.
type ConfidenceSuggestions struct {
	// AtLeast is nil for the lowest bucket and Below for the highest. Both are nil for
	// suggestions without a confidence.
	AtLeast *float64 `json:"at_least,omitempty"`
	Below   *float64 `json:"below,omitempty"`
	SuggestionStats
}

// ModelSuggestions are the suggestions of a model.
type ModelSuggestions struct {
	Model string `json:"model"`
	SuggestionStats
}

// DecisionTimes sum up how long suggestions waited for a person.
type DecisionTimes struct {
	// Decided is how many the durations are of.
	Decided int64 `json:"decided"`
	Durations
	// Pending wait still; OldestPending is when the first of them was made, nil if there
	// is none.
	Pending       int64      `json:"pending"`
	OldestPending *time.Time `json:"oldest_pending,omitempty"`
}

// EditDistances sum up how much people changed.
type EditDistances struct {
	// Decided are those approved or edited; Unchanged were approved, or edited into the
	// same text.
	Decided   int64 `json:"decided"`
	Unchanged int64 `json:"unchanged"`
	// TooLong were changed, but are too long to be compared.
	TooLong int64 `json:"too_long"`
	// Compared is how many the figures below are of: all that changed but TooLong.
	Compared int64 `json:"compared"`
	// Mean, Median and P90 are numbers of characters inserted, deleted or replaced, by the
	// percentiles of Durations; nil if nothing was compared.
	Mean   *float64 `json:"mean,omitempty"`
	Median *float64 `json:"median,omitempty"`
	P90    *float64 `json:"p90,omitempty"`
	// MeanShare is the mean of the distance divided by the length of the longer text, 0 to
	// 1; nil if nothing was compared.
	MeanShare *float64 `json:"mean_share,omitempty"`
}

// UnchangedShare is the share of the decided that went out as suggested, 0 to 1; false if
// none is decided.
func (e EditDistances) UnchangedShare() (float64, bool) { return share(e.Unchanged, e.Decided) }

// Costs add suggestions up.
type Costs struct {
	Suggestions int64           `json:"suggestions"`
	Tokens      int64           `json:"tokens"`
	Cost        decimal.Decimal `json:"cost"`
}

// ConversationCost is what a conversation cost.
type ConversationCost struct {
	ConversationRef
	Costs
}

// LeadCost is what a lead cost.
type LeadCost struct {
	LeadRef
	Costs
}

// ModelCost is what a model cost.
type ModelCost struct {
	Model string `json:"model"`
	Costs
}

// DayCost is what a day cost.
type DayCost struct {
	Day
	Costs
}
