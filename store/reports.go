package store

import (
	"context"
	"time"

	"github.com/convostore/convostore/suggestion"
)

// Reports are the statistics of a scope's rows: those of one user, or of all users.
//
// A report counts live messages and live suggestions of live conversations; only Summary
// counts deleted ones as well. A row belongs to a period by one time, whatever happened to it
// later: a conversation by CreatedAt, a message by SentAt, a suggestion by CreatedAt. The
// fields of the results say what they count.
//
// The average or rate of nothing is nil or false, never 0 or NaN. A list without rows is empty
// and not nil. If the host named its leads with convostore.WithLeads, reports show their
// titles; a lead without a row there has an empty title, and so has the lead of another user
// whose id a conversation has. See HostTable.Owner.
//
// A report runs one or a few statements without a common snapshot: a row that is written
// between two statements may be in one number and not in another.
type Reports interface {
	ActivityReports
	ResponseReports
	SuggestionReports
	CostReports
	UsageReports
}

// ActivityReports count conversations and messages.
type ActivityReports interface {
	// Summary counts the conversations created in the period by their present status, live and
	// deleted ones separately. It reads every conversation of the scope, or of the period.
	Summary(ctx context.Context, p Period) (Summary, error)

	// Daily reports on the calendar day that contains at, in the time zone of at. The day of a
	// daylight-saving change has 23 or 25 hours.
	Daily(ctx context.Context, at time.Time) (Daily, error)

	// DailySeries is Daily for every day that the period touches, oldest first and without
	// gaps, unless Days asks for another order or for no empty days. Of a day that is only partly in the period, only that part counts. Without Before
	// the period ends with the present day. Without Since it begins 29 days before its last
	// day. If Since equals Before, or is after the present day, there are no days. More than
	// MaxDays days are ErrInvalid. Messages are found through the conversations that were
	// active at or after Since.
	DailySeries(ctx context.Context, d Days) ([]Daily, error)

	// MostActive returns the conversations with the most messages sent in the period, most
	// first; ties go by the latest message and then by conversation id, lowest first. It leaves
	// out conversations without such a message. It reads every message of the scope, or those
	// of the conversations that were active since the period began.
	MostActive(ctx context.Context, t Top) ([]ConversationActivity, error)

	// Unread returns a page of the conversations that need a reply and whose last message was
	// sent at since or later, newest activity first, with the number of inbound messages that
	// wait and since when. A zero since has no bound.
	Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*UnreadConversation], error)

	// MessagesWithAttachments returns a page of the messages with at least one attachment
	// that were sent in the period, latest SentAt first, ties by id, highest first.
	MessagesWithAttachments(ctx context.Context, period Period, p PageRequest) (Page[*AttachedMessage], error)

	// AttachmentCounts returns the conversations with the most attachments in messages
	// sent in the period, most first, ties by conversation id, lowest first. Conversations
	// without one are left out.
	AttachmentCounts(ctx context.Context, t Top) ([]ConversationAttachments, error)
}

// ResponseReports say how long people wait for an answer, and whether leads answer.
//
// A response time begins with an inbound message and ends with the next outbound message of
// the same conversation, in the order of SentAt and then seq. Several inbound messages in a
// row are one question, which begins with the first. Messages without a direction and those of
// another kind than message.KindMessage, such as notes and automatic replies, are ignored, and so
// are outbound ones that failed or bounced: they answer nothing.
// A question belongs to the period and the day in which it was sent, even if the answer came
// later. A question without an answer is open, whatever the conversation's status, and is in
// no average.
//
// With Period.Calendar a response time is the part of it in which the business was open, on both
// databases to the microsecond: Friday 17:55 to Monday 9:05 is ten minutes of a week from 9 to
// 18. What was asked and answered while it was closed took no time.
//
// A wait of more than MaxWait, open or not, such as that for an answer dated 9999, is left out:
// the question counts neither as answered nor as open.
//
// Percentiles interpolate between the closest ranks, like PostgreSQL's percentile_cont and
// PERCENTILE.INC in spreadsheets. Durations are rounded to the microsecond.
//
// These reports sort all messages of the scope's conversations, or with a Since those of the
// conversations that were active at or after it.
type ResponseReports interface {
	// ResponseTimes summarizes all questions of the period.
	ResponseTimes(ctx context.Context, p Period) (ResponseTimes, error)

	// ResponseTimesByConversation returns the conversations with a question in the period,
	// slowest mean first, those with only open questions last; ties go by conversation id,
	// lowest first.
	ResponseTimesByConversation(ctx context.Context, t Top) ([]ConversationResponse, error)

	// ResponseTimesByLead does the same for leads; ties go by lead id and then by user id. The
	// same lead id of two users is two leads. It leaves out conversations without a lead.
	ResponseTimesByLead(ctx context.Context, t Top) ([]LeadResponse, error)

	// ResponseTimesByDay returns every day that the period touches, as DailySeries does.
	ResponseTimesByDay(ctx context.Context, d Days) ([]DayResponse, error)

	// FirstResponseTimes is ResponseTimes of the first question of each conversation alone, if it
	// was asked in the period. A conversation that began with an outbound message has its first
	// question after it.
	FirstResponseTimes(ctx context.Context, p Period) (ResponseTimes, error)

	// ResponseTimesByAssignee ranks the assignees, as the conversations have them now, as
	// ResponseTimesByLead does leads; ties go by name and then by user id. The same name at two
	// users is two assignees. Conversations without one count under "".
	ResponseTimesByAssignee(ctx context.Context, t Top) ([]AssigneeResponse, error)

	// ResponseRate returns, for each value of a column of the host's leads, how many
	// conversations were started in the period (created, with a lead of the user's that has a
	// row there), and
	// how many of these have an inbound message, whenever it came. Conversations that the lead
	// began count too. The highest rate comes first; ties go by the most started and then by
	// value. Leads without a value count under "". It returns ErrInvalid unless
	// convostore.WithLeads named the table and the column, and for one user also the Owner.
	ResponseRate(ctx context.Context, column string, p Period) ([]ResponseRate, error)
}

// SuggestionReports say what models draft and what people do with the drafts.
type SuggestionReports interface {
	// SuggestionsByDay returns every day that the period touches, as DailySeries does, with
	// the suggestions made that day and their status now.
	SuggestionsByDay(ctx context.Context, d Days) ([]DaySuggestions, error)

	// SuggestionsByConfidence divides the suggestions of the period into buckets by confidence:
	// at least bounds[0], then at least bounds[1] and so on, then below the last bound, and
	// finally those without a confidence. Each bucket has a row, also if it is empty. The
	// default bounds are 0.85 and 0.70. Bounds that do not descend, that are outside of 0 to 1,
	// or that are more than MaxBounds are ErrInvalid.
	SuggestionsByConfidence(ctx context.Context, p Period, bounds ...float64) ([]ConfidenceSuggestions, error)

	// SuggestionsByModel returns a row for each model, most suggestions first, ties by name.
	// Suggestions that name no model count under "".
	SuggestionsByModel(ctx context.Context, p Period) ([]ModelSuggestions, error)

	// HighConfidenceApproved returns a page of the suggestions of the period that were approved
	// without an edit and have a confidence of atLeast or more, highest confidence first, ties
	// by id, highest first. An atLeast outside of 0 to 1 is ErrInvalid.
	HighConfidenceApproved(ctx context.Context, atLeast float64, period Period, p PageRequest) (Page[*suggestion.Suggestion], error)

	// DecisionTimes says how long the decided suggestions of the period waited, from CreatedAt
	// to ReviewedAt, and how many are still pending. A decision before CreatedAt, or more than
	// MaxWait after it, is left out.
	DecisionTimes(ctx context.Context, p Period) (DecisionTimes, error)

	// EditDistances says how much people changed: the Levenshtein distance, in characters, from
	// the suggested to the final text of the suggestions of the period that were approved or
	// edited. An approved one is unchanged. It reads the texts of the edited ones. A text of
	// more than MaxEditText characters is counted but not compared.
	EditDistances(ctx context.Context, p Period) (EditDistances, error)
}

// CostReports add up the cost of suggestions, in the host's currency and exact to the last
// decimal, and the tokens that they used. A number that no valid suggestion has, because a host's
// own SQL wrote it, counts as 0. Conversations, leads and models without a suggestion
// in the period are left out; days are not.
type CostReports interface {
	// CostsByConversation returns the conversations with the highest costs, highest first, ties
	// by conversation id, lowest first.
	CostsByConversation(ctx context.Context, t Top) ([]ConversationCost, error)

	// CostsByLead returns the leads with the highest costs, highest first, ties by lead id and
	// then by user id. The same lead id of two users is two leads. It leaves out conversations
	// without a lead.
	CostsByLead(ctx context.Context, t Top) ([]LeadCost, error)

	// CostsByModel returns the models with the highest costs, highest first, ties by name.
	// Suggestions that name no model count under "".
	CostsByModel(ctx context.Context, t Top) ([]ModelCost, error)

	// CostsByDay returns every day that the period touches, as DailySeries does.
	CostsByDay(ctx context.Context, d Days) ([]DayCost, error)
}

// Bounds of reports.
const (
	// MaxDays is the largest number of days in a series: ten years and a few days.
	MaxDays = 3660
	// MaxBounds is the largest number of bounds of SuggestionsByConfidence.
	MaxBounds = 100
	// DefaultTop is the limit of a Top without one.
	DefaultTop = 20
	// MaxWait is the longest wait that a report counts: ten years. A wait that is longer, or
	// shorter than nothing, comes from a clock that was wrong, such as the year 1970 in an
	// e-mail without a date. It is left out, neither ended nor open: one such row would decide
	// the mean of everybody.
	MaxWait = 10 * 366 * 24 * time.Hour
	// MaxSkew is how far ahead of its append the SentAt of a message may be for every report to
	// find the message. A message from further ahead is missing in a report whose Since is more
	// than MaxSkew after the append.
	MaxSkew = 24 * time.Hour
	// MaxEditText is the largest number of characters of a text whose edit distance is computed.
	// The time it takes grows with the product of both lengths.
	MaxEditText = 10_000
)

// Period is a span of time, Since ≤ t < Before, and the time zone in which it is divided into
// days. The zero value is all time, in UTC. Both times are truncated to microseconds, as all
// times are. A Since after Before is ErrInvalid.
type Period struct {
	// A zero Since or Before is no bound.
	Since, Before time.Time
	// Zone decides when a day begins and ends; nil is UTC. The rules of the zone are those of
	// this process, so that both databases divide alike.
	Zone *time.Location
	// Calendar makes ResponseTimes and its siblings, and DecisionTimes, count the time in which
	// it is open; nil counts all. Its zone is its own. Other reports do not use it. A calendar
	// that is never open is ErrInvalid.
	Calendar *Calendar
}

// Days asks for the days of a period. The zero value asks for those of all time, oldest first,
// each of them; see DailySeries for a period without bounds.
type Days struct {
	Period
	// NewestFirst turns the order around.
	NewestFirst bool
	// OmitEmpty leaves out the days on which there was nothing that the report counts.
	OmitEmpty bool
}

// Top asks for the first rows of a ranking. The zero value asks for DefaultTop rows, of all
// time.
type Top struct {
	Period
	// Limit is the largest number of rows: DefaultTop if 0. Below 0 or above MaxLimit is
	// ErrInvalid.
	Limit int
}
