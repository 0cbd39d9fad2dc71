package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// UsageReports say what the messages of language models cost: those with a Model, tokens or a Cost.
// A message counts once its stream has ended, however it ended; suggestions are in CostReports.
// Lists have the highest cost first, ties by the most TokensOut, then TokensIn, and then as their
// comments say.
type UsageReports interface {
	// UsageByConversation returns the conversations with the highest costs, ties by conversation
	// id, lowest first.
	UsageByConversation(ctx context.Context, t Top) ([]ConversationUsage, error)

	// UsageByUser returns the users with the highest costs, ties by user id, lowest first. In the
	// scope of one user that is at most one row.
	UsageByUser(ctx context.Context, t Top) ([]UserUsage, error)

	// UsageByModel returns the models with the highest costs, ties by name. Messages that name no
	// model count under "".
	UsageByModel(ctx context.Context, t Top) ([]ModelUsage, error)

	// UsageByDay returns every day that the period touches, as DailySeries does.
	UsageByDay(ctx context.Context, d Days) ([]DayUsage, error)
}

// UsageTotals are sums over messages.
type UsageTotals struct {
	Messages  int64 `json:"messages"`
	TokensIn  int64 `json:"tokens_in"`
	TokensOut int64 `json:"tokens_out"`
	// Cost is in the host's currency.
	Cost decimal.Decimal `json:"cost"`
}

// ConversationUsage is what the messages of a conversation cost.
type ConversationUsage struct {
	ConversationRef
	UsageTotals
}

// UserUsage is what the messages of a user cost.
type UserUsage struct {
	UserID uuid.UUID `json:"user_id"`
	UsageTotals
}

// ModelUsage is what the messages of a model cost.
type ModelUsage struct {
	Model string `json:"model"`
	UsageTotals
}

// DayUsage is what the messages sent on a day cost.
type DayUsage struct {
	Day
	UsageTotals
}
