// Package report collects all reports of a store, and shows them as tables and as a page with charts.
package report

import (
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Options say what is reported on.
type Options struct {
	// User is uuid.Nil for everybody.
	User uuid.UUID
	// Since and Before bound the period. Without Since it is the 30 days that end with Before, or with
	// the newest message.
	Since, Before time.Time
	Zone          *time.Location
	// Category is the column of the host's leads by which the share of leads that answer is told; empty
	// tells nothing.
	Category string
	// Top is the most rows of a ranking.
	Top int
	// Now is when the report is made: things wait until now.
	Now time.Time
}

// Result is everything that was collected, for programs.
type Result struct {
	User     string    `json:"user"`
	Since    time.Time `json:"since"`
	Before   time.Time `json:"before"`
	Zone     string    `json:"zone"`
	Inbound  int64     `json:"inbound"`
	Outbound int64     `json:"outbound"`

	Summary                     store.Summary                   `json:"summary"`
	Days                        []store.Daily                   `json:"days"`
	Waiting                     []*store.UnreadConversation     `json:"waiting"`
	MostActive                  []store.ConversationActivity    `json:"most_active"`
	Attachments                 []store.ConversationAttachments `json:"attachments"`
	ResponseTimes               store.ResponseTimes             `json:"response_times"`
	ResponseTimesByDay          []store.DayResponse             `json:"response_times_by_day"`
	ResponseTimesByConversation []store.ConversationResponse    `json:"response_times_by_conversation"`
	ResponseTimesByLead         []store.LeadResponse            `json:"response_times_by_lead"`
	ResponseRates               []store.ResponseRate            `json:"response_rates"`
	SuggestionsByDay            []store.DaySuggestions          `json:"suggestions_by_day"`
	SuggestionsByConfidence     []store.ConfidenceSuggestions   `json:"suggestions_by_confidence"`
	SuggestionsByModel          []store.ModelSuggestions        `json:"suggestions_by_model"`
	DecisionTimes               store.DecisionTimes             `json:"decision_times"`
	EditDistances               store.EditDistances             `json:"edit_distances"`
	CostsByConversation         []store.ConversationCost        `json:"costs_by_conversation"`
	CostsByLead                 []store.LeadCost                `json:"costs_by_lead"`
	CostsByDay                  []store.DayCost                 `json:"costs_by_day"`
}

// Result returns the figures.
func (f *Figures) Result() Result {
	user := "all"
	if f.User != uuid.Nil {
		user = f.User.String()
	}
	return Result{
		User: user, Since: f.period.Since, Before: f.period.Before, Zone: f.Zone.String(), Inbound: f.inbound, Outbound: f.outbound,
		Summary: f.summary, Days: f.days, Waiting: f.waiting, MostActive: f.active, Attachments: f.attachments,
		ResponseTimes: f.response, ResponseTimesByDay: f.responseDays, ResponseTimesByConversation: f.slowest,
		ResponseTimesByLead: f.slowestLeads, ResponseRates: f.rates,
		SuggestionsByDay: f.suggestions, SuggestionsByConfidence: f.confidence, SuggestionsByModel: f.models,
		DecisionTimes: f.decisions, EditDistances: f.edits,
		CostsByConversation: f.expensive, CostsByLead: f.expensiveLead, CostsByDay: f.costDays,
	}
}
