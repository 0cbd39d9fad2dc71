package store

import (
	"context"
	"time"

	"errors"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/suggestion"
	"github.com/google/uuid"
)

var errStub = errors.New("stub")
var _ time.Time
var _ uuid.UUID
var _ *conversation.Conversation

func (s reports) Summary(ctx context.Context, p Period) (out Summary, err error) { return out, errStub }
func (s reports) Daily(ctx context.Context, at time.Time) (out Daily, err error) { return out, errStub }
func (s reports) DailySeries(ctx context.Context, p Period) (out []Daily, err error) {
	return out, errStub
}
func (s reports) MostActive(ctx context.Context, t Top) (out []ConversationActivity, err error) {
	return out, errStub
}
func (s reports) Unread(ctx context.Context, since time.Time, p PageRequest) (out Page[*UnreadConversation], err error) {
	return out, errStub
}
func (s reports) MessagesWithAttachments(ctx context.Context, period Period, p PageRequest) (out Page[*AttachedMessage], err error) {
	return out, errStub
}
func (s reports) AttachmentCounts(ctx context.Context, t Top) (out []ConversationAttachments, err error) {
	return out, errStub
}
func (s reports) ResponseTimes(ctx context.Context, p Period) (out ResponseTimes, err error) {
	return out, errStub
}
func (s reports) ResponseTimesByConversation(ctx context.Context, t Top) (out []ConversationResponse, err error) {
	return out, errStub
}
func (s reports) ResponseTimesByLead(ctx context.Context, t Top) (out []LeadResponse, err error) {
	return out, errStub
}
func (s reports) ResponseTimesByDay(ctx context.Context, p Period) (out []DayResponse, err error) {
	return out, errStub
}
func (s reports) ResponseRate(ctx context.Context, column string, p Period) (out []ResponseRate, err error) {
	return out, errStub
}
func (s reports) SuggestionsByDay(ctx context.Context, p Period) (out []DaySuggestions, err error) {
	return out, errStub
}
func (s reports) SuggestionsByConfidence(ctx context.Context, p Period, bounds ...float64) (out []ConfidenceSuggestions, err error) {
	return out, errStub
}
func (s reports) SuggestionsByModel(ctx context.Context, p Period) (out []ModelSuggestions, err error) {
	return out, errStub
}
func (s reports) HighConfidenceApproved(ctx context.Context, atLeast float64, period Period, p PageRequest) (out Page[*suggestion.Suggestion], err error) {
	return out, errStub
}
func (s reports) DecisionTimes(ctx context.Context, p Period) (out DecisionTimes, err error) {
	return out, errStub
}
func (s reports) EditDistances(ctx context.Context, p Period) (out EditDistances, err error) {
	return out, errStub
}
func (s reports) CostsByConversation(ctx context.Context, t Top) (out []ConversationCost, err error) {
	return out, errStub
}
func (s reports) CostsByLead(ctx context.Context, t Top) (out []LeadCost, err error) {
	return out, errStub
}
func (s reports) CostsByModel(ctx context.Context, t Top) (out []ModelCost, err error) {
	return out, errStub
}
func (s reports) CostsByDay(ctx context.Context, p Period) (out []DayCost, err error) {
	return out, errStub
}

var _ suggestion.Status
