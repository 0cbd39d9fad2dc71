package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// usage adds up the messages of language models that were sent in a period. columns are the keys to
// select, and groupBy is the rest of the statement, which groups by them. Numbers that no valid row
// has are left out, see costSums.
func (s reports) usage(columns, groupBy string, p store.Period) *query.Query {
	tokens := func(column string) string {
		return fmt.Sprintf("CAST(coalesce(sum(CASE WHEN m.%[1]s BETWEEN 0 AND %[2]d THEN m.%[1]s END), 0) AS bigint) AS %[1]s, ", column, message.MaxTokens)
	}
	q := query.New("SELECT " + columns + ", count(*) AS messages, " + tokens("tokens_in") + tokens("tokens_out") + s.sc.Dialect.SumMoney("m.cost") + " AS cost")
	ended := "m.state <> '" + string(message.StateStreaming) + "'"
	// A note or an event costs as well, and is no activity of its conversation: its append is a change.
	scope.Between(s.messagesThat(q, ended), "c.updated_at", beforeSkew(p.Since), time.Time{})
	scope.Between(q, "m.sent_at", p.Since, p.Before)
	return q.Add(" AND (m.model IS NOT NULL OR m.tokens_in IS NOT NULL OR m.tokens_out IS NOT NULL OR m.cost IS NOT NULL)" + groupBy)
}

var (
	usageColumns = []string{"messages", "tokens_in", "tokens_out", "cost"}
	mostUsed     = []string{"cost DESC", "tokens_out DESC", "tokens_in DESC"}
)

const byUsage = " ORDER BY cost DESC, tokens_out DESC, tokens_in DESC, "

func usageDest(u *store.UsageTotals) []any {
	return []any{&u.Messages, &u.TokensIn, &u.TokensOut, (*money)(&u.Cost)}
}

func (s reports) UsageByConversation(ctx context.Context, t store.Top) ([]store.ConversationUsage, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.usage("m.conversation_id, m.user_id", " GROUP BY m.conversation_id, m.user_id", t.Period)
	q, err := s.ranked(db, ranking{rows, usageColumns, mostUsed, t.Limit})
	if err != nil {
		return nil, query.Wrap("report usage", err)
	}
	found, err := query.All(db, q, func(u *store.ConversationUsage) []any {
		return append(conversationRefDest(&u.ConversationRef), usageDest(&u.UsageTotals)...)
	})
	return query.Values(found), query.Wrap("report usage", err)
}

func (s reports) UsageByUser(ctx context.Context, t store.Top) ([]store.UserUsage, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	// Outer columns keep the order from meaning those of the tables.
	q := query.New("SELECT * FROM ").Bracketed(s.usage("m.user_id", " GROUP BY m.user_id", t.Period)).Add(" u"+byUsage+"user_id LIMIT ?", t.Limit)
	found, err := query.All(db, q, func(u *store.UserUsage) []any { return append([]any{&u.UserID}, usageDest(&u.UsageTotals)...) })
	return query.Values(found), query.Wrap("report usage", err)
}

func (s reports) UsageByModel(ctx context.Context, t store.Top) ([]store.ModelUsage, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	const model = "coalesce(m.model, '')"
	q := query.New("SELECT * FROM ").Bracketed(s.usage(model+" AS name", " GROUP BY "+model, t.Period)).
		Add(" u"+byUsage+s.sc.Dialect.ByBytes("name")+" LIMIT ?", t.Limit)
	found, err := query.All(db, q, func(u *store.ModelUsage) []any { return append([]any{&u.Model}, usageDest(&u.UsageTotals)...) })
	return query.Values(found), query.Wrap("report usage", err)
}

func (s reports) UsageByDay(ctx context.Context, d store.Days) ([]store.DayUsage, error) {
	days, db, err := s.readDays(ctx, d)
	if err != nil {
		return nil, err
	}
	found, err := byDay(db, days, s.usage(s.localDay("m.sent_at", days), " GROUP BY 1", days.Period), usageDest)
	if err != nil {
		return nil, query.Wrap("report usage", err)
	}
	all := make([]store.DayUsage, len(days.days))
	for i, day := range days.days {
		all[i] = store.DayUsage{Day: day, UsageTotals: found[i]}
	}
	return chosen(days, all, func(d store.DayUsage) bool { return d.Messages == 0 }), nil
}
