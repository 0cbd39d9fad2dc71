package store

import (
	"context"
	"time"

	"github.com/convostore/convostore/suggestion"
)

// Reports is what an operator asks of the rows of a scope: one user's, or everybody's.
//
// A report counts live messages and live suggestions of live conversations; only Summary
// looks at deleted ones. A conversation belongs to the time when it was created, a message
// to when it was sent (SentAt), a suggestion to when it was made (CreatedAt), whatever
// became of them later. What a count is of is said at its field.
//
// Averages and rates of nothing are nil or false, never 0 and never NaN; a list of nothing
// is empty and not nil. Where the host's
// leads were named with WithLeads their titles are joined in; a lead without a row there
// has an empty title. A report is one or a few statements and no snapshot: rows that are
// written between two of them are in one number and not yet in another.
type Reports interface {
	ActivityReports
	ResponseReports
	SuggestionReports
	CostReports
}

// ActivityReports are about conversations and messages.
type ActivityReports interface {
	// Summary counts the conversations created in the period by their present status, live
	// and deleted apart. It reads every conversation of the scope, or of the period.
	Summary(ctx context.Context, p Period) (Summary, error)

	// Daily is the report of the calendar day that at is in, in the zone of at. A day of
	// a daylight-saving change has 23 or 25 hours.
	Daily(ctx context.Context, at time.Time) (Daily, error)

	// DailySeries is Daily for every day that the period touches, oldest first and without
	// holes. Of a day that the period cuts only the part within counts. Without Before the
	// period ends with the present day, without Since it begins with the 29th day before
	// its last one. More than MaxDays days are ErrInvalid; Since at Before, or after the
	// present day, is no day. Messages are found through the conversations that were
	// active at or after Since.
	DailySeries(ctx context.Context, p Period) ([]Daily, error)

	// MostActive returns the conversations with the most messages sent in the period, most
	// first, ties by the latest message and then by conversation id, lowest first.
	// Conversations without one are left out. It reads every message of the scope, or
	// those of the conversations that were active since the period began.
	MostActive(ctx context.Context, t Top) ([]ConversationActivity, error)

	// Unread returns a page of the conversations that need a reply and whose last message
	// was sent at since or later, newest activity first, with how many inbound messages
	// wait and since when. A zero since has no bound.
	Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*UnreadConversation], error)

	// MessagesWithAttachments returns a page of the messages with at least one attachment
	// that were sent in the period, newest first, ties by id, highest first.
	MessagesWithAttachments(ctx context.Context, period Period, p PageRequest) (Page[*AttachedMessage], error)

	// AttachmentCounts returns the conversations with the most attachments in messages
	// sent in the period, most first, ties by conversation id, lowest first. Conversations
	// without one are left out.
	AttachmentCounts(ctx context.Context, t Top) ([]ConversationAttachments, error)
}

// ResponseReports are about how long people wait for an answer, and whether leads answer.
//
// A response time begins with an inbound message and ends with the next outbound one of
// the same conversation, in the order of SentAt and then seq. Several inbound messages in
// a row are one question that begins with the first. Messages without a direction are not
// looked at. A question belongs to the period and the day in which it was sent, also if
// the answer came later. One without an answer is open, whatever the conversation's
// status, and is in no average.
//
// Percentiles interpolate between the closest ranks, as PostgreSQL's percentile_cont and
// the PERCENTILE.INC of spreadsheets do; durations are rounded to the microsecond.
//
// These reports sort all messages of the conversations in question: those of the scope,
// or of the period, which conversations that were active at or after Since narrows.
type ResponseReports interface {
	// ResponseTimes is one figure for everything in the period.
	ResponseTimes(ctx context.Context, p Period) (ResponseTimes, error)

	// ResponseTimesByConversation returns the conversations with a question in the period,
	// the slowest mean first, those with open ones alone last, ties by conversation id,
	// lowest first.
	ResponseTimesByConversation(ctx context.Context, t Top) ([]ConversationResponse, error)

	// ResponseTimesByLead is the same for leads; conversations without one are left out.
	// Ties go by lead id.
	ResponseTimesByLead(ctx context.Context, t Top) ([]LeadResponse, error)

	// ResponseTimesByDay returns every day that the period touches, as DailySeries does.
	ResponseTimesByDay(ctx context.Context, p Period) ([]DayResponse, error)

	// ResponseRate tells for each value of a column of the host's leads how many
	// conversations were started in the period (created, with a lead that has a row) and
	// how many of them have an inbound message, whenever it came: also those that the lead
	// began. The highest rate comes first, ties by the most started and then by value. A
	// lead without a value counts under "". It returns ErrInvalid unless WithLeads named the table and the column.
	ResponseRate(ctx context.Context, column string, p Period) ([]ResponseRate, error)
}

// SuggestionReports are about what the model drafts and what people make of it.
type SuggestionReports interface {
	// SuggestionsByDay returns every day that the period touches, as DailySeries does, with
	// the suggestions made that day and what has become of them by now.
	SuggestionsByDay(ctx context.Context, p Period) ([]DaySuggestions, error)

	// SuggestionsByConfidence sorts the suggestions of the period into buckets of their
	// confidence: at least bounds[0], then at least bounds[1] and so on, then below the
	// last, and last of all those without a confidence. There is a row for each bucket,
	// also an empty one. Without bounds they are 0.85 and 0.70. Bounds that do not fall,
	// or lie outside of 0 to 1, or are more than MaxBounds, are ErrInvalid.
	SuggestionsByConfidence(ctx context.Context, p Period, bounds ...float64) ([]ConfidenceSuggestions, error)

	// SuggestionsByModel has a row for each model, the one with the most suggestions
	// first, ties by name. Suggestions that name no model count under "".
	SuggestionsByModel(ctx context.Context, p Period) ([]ModelSuggestions, error)

	// HighConfidenceApproved returns a page of the suggestions that were approved as they
	// stood with a confidence of atLeast or more, the highest first, ties by id, highest
	// first. An atLeast outside of 0 to 1 is ErrInvalid.
	HighConfidenceApproved(ctx context.Context, atLeast float64, period Period, p PageRequest) (Page[*suggestion.Suggestion], error)

	// DecisionTimes tells how long the decided suggestions of the period waited, from
	// CreatedAt to ReviewedAt, and how many wait still.
	DecisionTimes(ctx context.Context, p Period) (DecisionTimes, error)

	// EditDistances tells how much people changed: of the suggestions of the period that
	// were approved or edited, the Levenshtein distance in characters from the suggested
	// to the final text. An approved one is unchanged. It reads the texts of the edited
	// ones; of those with more than MaxEditText characters it only counts how many.
	EditDistances(ctx context.Context, p Period) (EditDistances, error)
}

// CostReports add up what suggestions cost, in the host's currency and to the last
// decimal, and the tokens that they took. What has no suggestion in the period is left out,
// but for days.
type CostReports interface {
	// CostsByConversation returns the most expensive first, ties by conversation id,
	// lowest first.
	CostsByConversation(ctx context.Context, t Top) ([]ConversationCost, error)

	// CostsByLead returns the most expensive first, ties by lead id. Conversations
	// without a lead are left out.
	CostsByLead(ctx context.Context, t Top) ([]LeadCost, error)

	// CostsByModel returns the most expensive first, ties by name. Suggestions that name
	// no model count under "".
	CostsByModel(ctx context.Context, t Top) ([]ModelCost, error)

	// CostsByDay returns every day that the period touches, as DailySeries does.
	CostsByDay(ctx context.Context, p Period) ([]DayCost, error)
}

// Bounds of reports.
const (
	// MaxDays is the most days of a series, ten years and a few days.
	MaxDays = 3660
	// MaxBounds is the most bounds of SuggestionsByConfidence.
	MaxBounds = 100
	// DefaultTop is the limit of a Top that sets none.
	DefaultTop = 20
	// MaxEditText is the most characters of a text whose edit distance is computed, which
	// takes time by the product of both lengths.
	MaxEditText = 10_000
)

// Period is a span of time, Since ≤ t < Before, and the zone in which it is cut into days.
// The zero value is all time, in UTC. Both are cut to microseconds, as all times are. A
// Since after Before is ErrInvalid.
type Period struct {
	// Since and Before have no bound where they are zero.
	Since, Before time.Time
	// Zone says where a day begins and ends; nil is UTC. Its rules are those of this
	// process, so that both databases cut alike.
	Zone *time.Location
}

// Top asks for the first rows of a ranking. The zero value is DefaultTop rows of all time.
type Top struct {
	Period
	// Limit is the most rows: DefaultTop if 0; below 0 or above MaxLimit is refused.
	Limit int
}
