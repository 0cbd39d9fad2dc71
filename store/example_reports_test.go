package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// week begins on a Monday.
var week = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

// desk is a week of two leads' mail and of drafts, with the host's table of leads.
func desk(ctx context.Context) store.Scope {
	leads := store.HostTable{Name: "leads", Owner: "owner", Title: "name", Columns: []string{"branch"}}
	st, err := sqlite.OpenMemory(ctx, convostore.WithLeads(leads))
	must(err)
	user, db := uuid.New(), st.DB(ctx)
	must(db.Exec("CREATE TABLE leads (id text PRIMARY KEY, owner uuid, name text, branch text)").Error)
	must(db.Exec("INSERT INTO leads VALUES ('1', ?, 'Bakery Blum', 'food'), ('2', ?, 'Garage Roth', 'cars')", user, user).Error)
	mine := st.ForUser(user)
	for lead, hours := range map[string][]int{"1": {9, 12, 30, 31, 40}, "2": {10}} {
		c := &conversation.Conversation{LeadID: lead, Subject: "Website for lead " + lead, CreatedAt: week}
		for i, hour := range hours {
			m := &message.Message{Direction: message.DirectionInbound, Content: "…", SentAt: week.Add(time.Duration(hour) * time.Hour)}
			if i%2 == 1 || lead == "2" { // The garage was written to and has not answered.
				m.Direction = message.DirectionOutbound
			}
			c.Messages = append(c.Messages, m)
		}
		must(mine.Conversations().Create(ctx, c))
		draft(ctx, mine, c, 0.92, "0.0135", suggestion.StatusApproved)
		draft(ctx, mine, c, 0.75, "0.0104", suggestion.StatusRejected)
	}
	return mine
}

func draft(ctx context.Context, mine store.Scope, c *conversation.Conversation, confidence float64, cost string, status suggestion.Status) {
	at := week.Add(9 * time.Hour)
	must(mine.Suggestions().Create(ctx, &suggestion.Suggestion{
		ConversationID: c.ID, SuggestedContent: "…", ConfidenceScore: &confidence, ModelUsed: "large-2", TokensUsed: 450,
		GenerationCost: decimal.RequireFromString(cost), Status: status, CreatedAt: at, ReviewedAt: new(at.Add(time.Hour)),
	}))
}

// Days are cut where the reader lives, and none is left out.
func ExampleActivityReports_DailySeries() {
	ctx := context.Background()
	mine := desk(ctx)

	tokyo := time.FixedZone("Tokyo", 9*60*60)
	days, err := mine.Reports().DailySeries(ctx, store.Days{Period: store.Period{Since: week, Before: week.AddDate(0, 0, 3), Zone: tokyo}})
	must(err)
	for _, d := range days {
		fmt.Println(d.Date, d.NewConversations, "new,", d.Inbound, "in,", d.Outbound, "out,", d.Suggestions.Made, "drafted")
	}
	// Output:
	// 2026-06-01 2 new, 1 in, 2 out, 4 drafted
	// 2026-06-02 0 new, 1 in, 1 out, 0 drafted
	// 2026-06-03 0 new, 1 in, 0 out, 0 drafted
	// 2026-06-04 0 new, 0 in, 0 out, 0 drafted
}

// A list of what was drafted, the last day first, does not show the days without drafts.
func ExampleSuggestionReports_SuggestionsByDay() {
	ctx := context.Background()
	mine := desk(ctx)

	days, err := mine.Reports().SuggestionsByDay(ctx, store.Days{
		Period: store.Period{Since: week, Before: week.AddDate(0, 0, 7)}, NewestFirst: true, OmitEmpty: true,
	})
	must(err)
	for _, d := range days {
		fmt.Println(d.Date, d.Made, "drafted,", d.Approved, "approved")
	}
	// Output:
	// 2026-06-01 4 drafted, 2 approved
}

// How long do people wait for an answer, and who waits still?
func ExampleResponseReports() {
	ctx := context.Background()
	mine := desk(ctx)

	all, err := mine.Reports().ResponseTimes(ctx, store.Period{})
	must(err)
	fmt.Println(all.Answered, "answered, mean", all.Mean, "median", all.Median, "p90", all.P90)
	fmt.Println(all.Open, "open since", all.OldestOpen.Format(time.DateTime))

	leads, err := mine.Reports().ResponseTimesByLead(ctx, store.Top{Limit: 10})
	must(err)
	for _, l := range leads {
		fmt.Println(l.LeadTitle, l.Mean)
	}
	rates, err := mine.Reports().ResponseRate(ctx, "branch", store.Period{})
	must(err)
	for _, r := range rates {
		rate, _ := r.Rate()
		fmt.Printf("%s: %d of %d answered, %.0f %%\n", r.Value, r.Answered, r.Started, 100*rate)
	}
	// Output:
	// 2 answered, mean 2h0m0s median 2h0m0s p90 2h48m0s
	// 1 open since 2026-06-02 16:00:00
	// Bakery Blum 2h0m0s
	// food: 1 of 1 answered, 100 %
	// cars: 0 of 1 answered, 0 %
}

// Is the model worth what it costs?
func ExampleSuggestionReports() {
	ctx := context.Background()
	mine := desk(ctx)

	buckets, err := mine.Reports().SuggestionsByConfidence(ctx, store.Period{})
	must(err)
	for _, b := range buckets[:2] {
		rate, _ := b.ApprovalRate()
		fmt.Printf("from %.2f: %d made, %.0f %% approved\n", *b.AtLeast, b.Made, 100*rate)
	}
	edits, err := mine.Reports().EditDistances(ctx, store.Period{})
	must(err)
	unchanged, _ := edits.UnchangedShare()
	fmt.Printf("%.0f %% went out unchanged\n", 100*unchanged)

	costs, err := mine.Reports().CostsByModel(ctx, store.Top{})
	must(err)
	for _, c := range costs {
		fmt.Println(c.Model, c.Suggestions, "suggestions", c.Tokens, "tokens", c.Cost)
	}
	// Output:
	// from 0.85: 2 made, 100 % approved
	// from 0.70: 2 made, 0 % approved
	// 100 % went out unchanged
	// large-2 4 suggestions 1800 tokens 0.0478
}
