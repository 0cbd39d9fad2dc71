package engine_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// plannedReport is a report that no database may answer by reading a table from end to
// end: every report of one user, and of all users those of a short period or of a page.
type plannedReport struct {
	name string
	call func(ctx context.Context, r store.Reports, p store.Period) error
}

func plannedReports() []plannedReport {
	top := func(p store.Period) store.Top { return store.Top{Period: p, Limit: 5} }
	page := store.PageRequest{Limit: 5}
	open := func(p store.Period) store.Period {
		p.Calendar, _ = store.NewCalendar(store.BusinessHours{Week: store.Workdays(store.Span{To: 24 * time.Hour})})
		return p
	}
	return []plannedReport{
		{"Summary", func(ctx context.Context, r store.Reports, p store.Period) error { return last(r.Summary(ctx, p)) }},
		{"DailySeries", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.DailySeries(ctx, store.Days{Period: p}))
		}},
		{"MostActive", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.MostActive(ctx, top(p)))
		}},
		{"Unread", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.Unread(ctx, p.Since, page))
		}},
		{"MessagesWithAttachments", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.MessagesWithAttachments(ctx, p, page))
		}},
		{"AttachmentCounts", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.AttachmentCounts(ctx, top(p)))
		}},
		{"ResponseTimes", func(ctx context.Context, r store.Reports, p store.Period) error { return last(r.ResponseTimes(ctx, p)) }},
		{"ResponseTimesByConversation", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByConversation(ctx, top(p)))
		}},
		{"ResponseTimesByLead", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByLead(ctx, top(p)))
		}},
		{"ResponseTimesByDay", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByDay(ctx, store.Days{Period: p}))
		}},
		{"FirstResponseTimes", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.FirstResponseTimes(ctx, p))
		}},
		{"ResponseTimesByAssignee", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByAssignee(ctx, top(p)))
		}},
		{"ResponseTimesByConversation, open hours", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByConversation(ctx, top(open(p))))
		}},
		{"ResponseTimesByLead, open hours", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.ResponseTimesByLead(ctx, top(open(p))))
		}},
		{"SuggestionsByDay", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.SuggestionsByDay(ctx, store.Days{Period: p}))
		}},
		{"SuggestionsByConfidence", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.SuggestionsByConfidence(ctx, p))
		}},
		{"SuggestionsByModel", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.SuggestionsByModel(ctx, p))
		}},
		{"HighConfidenceApproved", func(ctx context.Context, r store.Reports, _ store.Period) error {
			return last(r.HighConfidenceApproved(ctx, 0.85, store.Period{}, page))
		}},
		{"DecisionTimes", func(ctx context.Context, r store.Reports, p store.Period) error { return last(r.DecisionTimes(ctx, p)) }},
		{"EditDistances", func(ctx context.Context, r store.Reports, p store.Period) error { return last(r.EditDistances(ctx, p)) }},
		{"CostsByConversation", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.CostsByConversation(ctx, top(p)))
		}},
		{"CostsByLead", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.CostsByLead(ctx, top(p)))
		}},
		{"CostsByModel", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.CostsByModel(ctx, top(p)))
		}},
		{"CostsByDay", func(ctx context.Context, r store.Reports, p store.Period) error {
			return last(r.CostsByDay(ctx, store.Days{Period: p}))
		}},
	}
}

func last[T any](_ T, err error) error { return err }

// checkReportPlans asks for the plans of each report: of one user at all times, and of
// everybody for a short period.
func checkReportPlans(t *testing.T, st store.Store, w *planWorld, explain string, whole *regexp.Regexp) {
	t.Helper()
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
	require.NoError(t, err)
	require.NoError(t, last(recorded.AllUsers().Maintenance().Counts(t.Context())), "the schema has been looked at")
	// The last moments of the time that the rows are of.
	var end time.Time
	require.NoError(t, st.DB(t.Context()).Model(&conversation.Conversation{}).Order("created_at DESC").Limit(1).Pluck("created_at", &end).Error)
	short := store.Period{Since: end.Add(20 * time.Hour), Before: end.AddDate(0, 0, 1)}
	for _, r := range plannedReports() {
		check := func(name string, s store.Scope, p store.Period) {
			t.Run("reports/"+r.name+"/"+name, func(t *testing.T) {
				rec.Reset()
				require.NoError(t, r.call(t.Context(), s.Reports(), p))
				require.NotEmpty(t, rec.Statements())
				for _, statement := range rec.Statements() {
					plan := explainPlan(t, st, explain, statement)
					for _, step := range plan {
						assert.NotRegexp(t, whole, step)
					}
					if t.Failed() {
						t.Log(statement.SQL, statement.Args)
						t.Fatal(strings.Join(plan, "\n"))
					}
				}
			})
		}
		check("one", recorded.ForUser(w.user), store.Period{})
		check("all", recorded.AllUsers(), short)
	}
}
