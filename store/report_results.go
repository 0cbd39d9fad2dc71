package store

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/message"
)

// Day is a calendar day of a report.
type Day struct {
	// Date is the day in the time zone of the period, such as "2026-03-29".
	Date string `json:"date"`
	// Start is the first moment of the day.
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

// LeadRef names a lead in a report. Both fields are empty if there is no lead.
type LeadRef struct {
	LeadID string `json:"lead_id,omitempty"`
	// LeadTitle comes from the host's table, if the lead is the user's own; see
	// convostore.WithLeads.
	LeadTitle string `json:"lead_title,omitempty"`
}

// Summary counts conversations by status.
type Summary struct {
	Live    StatusCounts `json:"live"`
	Deleted StatusCounts `json:"deleted"`
}

// StatusCounts are numbers of conversations by status.
type StatusCounts struct {
	Active     int64 `json:"active"`
	NeedsReply int64 `json:"needs_reply"`
	Waiting    int64 `json:"waiting"`
	Archived   int64 `json:"archived"`
}

// Total returns the sum over the statuses.
func (c StatusCounts) Total() int64 { return c.Active + c.NeedsReply + c.Waiting + c.Archived }

// Daily is the report of one day.
type Daily struct {
	Day
	// NewConversations is the number of conversations created that day, NeedsReply how many of
	// them need a reply now.
	NewConversations int64 `json:"new_conversations"`
	NeedsReply       int64 `json:"needs_reply"`
	// Messages is the number of messages sent that day. It includes those without a direction.
	Messages int64 `json:"messages"`
	Inbound  int64 `json:"inbound"`
	Outbound int64 `json:"outbound"`
	// Suggestions are about the suggestions made that day.
	Suggestions SuggestionStats `json:"suggestions"`
}

// SuggestionStats summarize some suggestions: how many were made, how many have each status
// now, and what they cost.
type SuggestionStats struct {
	Made     int64 `json:"made"`
	Pending  int64 `json:"pending"`
	Approved int64 `json:"approved"`
	Edited   int64 `json:"edited"`
	Rejected int64 `json:"rejected"`
	// Superseded and Expired ones were never decided: a newer message came in, or nobody decided in
	// time. The rates do not count them.
	Superseded int64 `json:"superseded"`
	Expired    int64 `json:"expired"`
	// AverageConfidence is the mean over the suggestions that have a confidence, each rounded to
	// nine decimals; nil if none has one.
	AverageConfidence *float64 `json:"average_confidence,omitempty"`
	Tokens            int64    `json:"tokens"`
	// Cost is in the host's currency.
	Cost decimal.Decimal `json:"cost"`
}

// ApprovalRate returns the share, 0 to 1, of the suggestions made that were approved without
// an edit. Pending ones count as not approved, superseded and expired ones are left out. It returns
// false if none is left.
func (s SuggestionStats) ApprovalRate() (float64, bool) {
	return share(s.Approved, s.Made-s.Superseded-s.Expired)
}

// AcceptanceRate returns the share, 0 to 1, of the decided suggestions that were approved or
// edited. It returns false if none is decided.
func (s SuggestionStats) AcceptanceRate() (float64, bool) {
	return share(s.Approved+s.Edited, s.Approved+s.Edited+s.Rejected)
}

// share returns part divided by whole, and false if whole is 0.
func share(part, whole int64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// ConversationActivity counts the messages of a conversation in the period.
type ConversationActivity struct {
	ConversationRef
	// Messages is the number of all messages. It includes those without a direction.
	Messages int64 `json:"messages"`
	Inbound  int64 `json:"inbound"`
	Outbound int64 `json:"outbound"`
	// FirstAt and LastAt are the times when the earliest and the latest of them were sent.
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// UnreadConversation is a conversation that needs a reply.
type UnreadConversation struct {
	ConversationRef
	LastMessageAt time.Time `json:"last_message_at"`
	// Unanswered is the number of inbound messages after the last outbound one that answers, see
	// ResponseReports, in the order of SentAt and then seq. It can be 0 although the conversation needs a reply, because the
	// status follows the order in which messages were appended: after an import of old mail,
	// or if messages were deleted.
	Unanswered int64 `json:"unanswered"`
	// WaitingSince is since when the sender has waited for a reply: when the first of these
	// was sent; nil if there is none.
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
	// Messages is the number of messages with an attachment, Attachments that of the
	// attachments in them.
	Messages    int64 `json:"messages"`
	Attachments int64 `json:"attachments"`
}

// Durations summarize some durations, to the microsecond. All fields are 0 if there were none.
type Durations struct {
	Mean   time.Duration `json:"mean"`
	Median time.Duration `json:"median"`
	P90    time.Duration `json:"p90"`
	P95    time.Duration `json:"p95"`
}

// ResponseTimes summarize how fast questions were answered.
type ResponseTimes struct {
	// Answered is the number of answered questions, whose durations these are.
	Answered int64 `json:"answered"`
	Durations
	// Open is the number of questions without an answer, OldestOpen the time of the first of
	// them; nil if there is none.
	Open       int64      `json:"open"`
	OldestOpen *time.Time `json:"oldest_open,omitempty"`
}

// ConversationResponse is how fast a conversation was answered.
type ConversationResponse struct {
	ConversationRef
	ResponseTimes
}

// LeadResponse is how fast a lead of a user was answered.
type LeadResponse struct {
	UserID uuid.UUID `json:"user_id"`
	LeadRef
	ResponseTimes
}

// AssigneeResponse is how fast the conversations of an assignee of a user were answered.
type AssigneeResponse struct {
	UserID   uuid.UUID `json:"user_id"`
	Assignee string    `json:"assignee,omitempty"`
	ResponseTimes
}

// DayResponse is how fast the questions of a day were answered.
type DayResponse struct {
	Day
	ResponseTimes
}

// ResponseRate says in how many conversations the lead answered.
type ResponseRate struct {
	// Value is the value of the column, as text.
	Value    string `json:"value"`
	Started  int64  `json:"started"`
	Answered int64  `json:"answered"`
}

// Rate returns Answered divided by Started, 0 to 1. It returns false if none was started; a
// report has no such row.
func (r ResponseRate) Rate() (float64, bool) { return share(r.Answered, r.Started) }

// DaySuggestions are the suggestions made on a day.
type DaySuggestions struct {
	Day
	SuggestionStats
}

// ConfidenceSuggestions are the suggestions of one bucket: AtLeast ≤ confidence < Below.
type ConfidenceSuggestions struct {
	// AtLeast is nil in the lowest bucket, and Below in the highest. Both are nil in the bucket
	// of suggestions without a confidence.
	AtLeast *float64 `json:"at_least,omitempty"`
	Below   *float64 `json:"below,omitempty"`
	SuggestionStats
}

// ModelSuggestions are the suggestions of a model.
type ModelSuggestions struct {
	Model string `json:"model"`
	SuggestionStats
}

// DecisionTimes summarize how long suggestions waited for a decision.
type DecisionTimes struct {
	// Decided is the number of decided suggestions, whose durations these are.
	Decided int64 `json:"decided"`
	Durations
	// Pending is the number of suggestions that still wait, OldestPending the time when the
	// first of them was made; nil if there is none.
	Pending       int64      `json:"pending"`
	OldestPending *time.Time `json:"oldest_pending,omitempty"`
}

// EditDistances summarize how much people changed.
type EditDistances struct {
	// Decided is the number of suggestions approved or edited. Unchanged is the number of those
	// approved, or edited into the same text.
	Decided   int64 `json:"decided"`
	Unchanged int64 `json:"unchanged"`
	// TooLong is the number of changed ones that are too long to be compared.
	TooLong int64 `json:"too_long"`
	// Compared is the number of changed ones without TooLong. The figures below are of these.
	Compared int64 `json:"compared"`
	// Mean, Median and P90 are numbers of characters inserted, deleted or replaced. The
	// percentiles interpolate as those of Durations do. All are nil if nothing was compared.
	Mean   *float64 `json:"mean,omitempty"`
	Median *float64 `json:"median,omitempty"`
	P90    *float64 `json:"p90,omitempty"`
	// MeanShare is the mean of the distances, each divided by the length of the longer text, 0
	// to 1; nil if nothing was compared.
	MeanShare *float64 `json:"mean_share,omitempty"`
}

// UnchangedShare returns Unchanged divided by Decided, 0 to 1. It returns false if none is
// decided.
func (e EditDistances) UnchangedShare() (float64, bool) { return share(e.Unchanged, e.Decided) }

// Costs are sums over suggestions.
type Costs struct {
	Suggestions int64           `json:"suggestions"`
	Tokens      int64           `json:"tokens"`
	Cost        decimal.Decimal `json:"cost"`
}

// ConversationCost is what the suggestions of a conversation cost.
type ConversationCost struct {
	ConversationRef
	Costs
}

// LeadCost is what the suggestions for a lead of a user cost.
type LeadCost struct {
	UserID uuid.UUID `json:"user_id"`
	LeadRef
	Costs
}

// ModelCost is what the suggestions of a model cost.
type ModelCost struct {
	Model string `json:"model"`
	Costs
}

// DayCost is what the suggestions made on a day cost.
type DayCost struct {
	Day
	Costs
}
