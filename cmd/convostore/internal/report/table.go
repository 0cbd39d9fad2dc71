package report

import (
	"fmt"
	"time"

	"github.com/convostore/convostore/store"
)

// table is a table for the terminal and for the page.
type table struct {
	Title string
	// Note says what could be misread.
	Note string
	// Name is the heading of the rows' names, Columns those of their cells.
	Name    string
	Columns []string
	Rows    []row
	// Empty stands in the place of no rows.
	Empty string
	// Wide takes a line of the page for itself.
	Wide bool
}

type row struct {
	Name  string
	Cells []string
}

// rows makes one of each.
func rows[T any](all []T, of func(T) row) []row {
	made := make([]row, len(all))
	for i, one := range all {
		made[i] = of(one)
	}
	return made
}

func (f *Figures) tables() []table {
	all := append([]table{f.keyTable(), f.statusTable(), f.dayTable()}, f.rankings()...)
	if f.Category != "" {
		all = append(all, f.rateTable())
	}
	return all
}

// rankings are the tables that the page has, too.
func (f *Figures) rankings() []table {
	return []table{
		f.waitingTable(), f.activeTable(), f.slowTable(), f.slowLeadTable(),
		f.costTable(), f.leadCostTable(), f.attachmentTable(), f.confidenceTable(), f.modelTable(),
	}
}

func (f *Figures) keyTable() table {
	return table{
		Title: "Key figures", Name: "What", Columns: []string{"Figure"},
		Rows: rows(f.tiles(), func(t tile) row { return row{t.Label + ": " + t.Detail, []string{t.Value}} }),
	}
}

func (f *Figures) statusTable() table {
	of := func(name string, c store.StatusCounts) row {
		return row{name, []string{
			number(c.Total()), number(c.Active), number(c.NeedsReply), number(c.Waiting), number(c.Archived),
		}}
	}
	return table{
		Title: "Conversations begun in the period, by their status now", Name: "Conversations",
		Columns: []string{"Total", "Active", "Needs reply", "Waiting", "Archived"},
		Rows:    []row{of("live", f.summary.Live), of("deleted", f.summary.Deleted)},
	}
}

// quiet says that all figures of all days are zero.
func (f *Figures) quiet() bool {
	return f.messages == 0 && f.total.Made == 0 && f.summary.Live.Total() == 0
}

// dayTable joins four reports by day; all have the same days.
func (f *Figures) dayTable() table {
	all := make([]row, len(f.days))
	for i, d := range f.days {
		r, s := f.responseDays[i], f.suggestions[i]
		all[i] = row{d.Date, []string{
			number(d.NewConversations), number(d.Inbound), number(d.Outbound),
			took(r.Answered, r.Median), took(r.Answered, r.P90), number(r.Open),
			number(s.Made), number(s.Approved), number(s.Edited), number(s.Rejected), number(s.Pending),
			money(f.costDays[i].Cost, f.places),
		}}
	}
	if f.quiet() {
		all = nil
	}
	return table{
		Title: "Day by day", Name: "Day", Rows: all, Empty: "Nothing happened.",
		Columns: []string{
			"New", "In", "Out", "Median", "P90", "Open",
			"Drafted", "Approved", "Edited", "Rejected", "Pending", "Cost",
		},
		Note: "median and P90 are response times; open are questions of the day without an answer",
	}
}

func (f *Figures) waitingTable() table {
	return table{
		Title: "Waiting longest for an answer, now", Name: "Conversation",
		Columns: []string{"Waits for", "Since", "Messages"},
		Rows: rows(f.waiting[:min(f.Top, len(f.waiting))], func(u *store.UnreadConversation) row {
			since := waitingSince(u)
			return row{name(u.ConversationRef), []string{f.waited(&since), f.date(since), number(u.Unanswered)}}
		}),
		Note:  "of any time, not of the period alone; messages are those without an answer",
		Empty: "Nobody waits.",
	}
}

func (f *Figures) activeTable() table {
	return table{
		Title: "Most active conversations", Name: "Conversation", Columns: []string{"Messages", "In", "Out", "Latest"},
		Rows: rows(f.active, func(a store.ConversationActivity) row {
			return row{name(a.ConversationRef), []string{number(a.Messages), number(a.Inbound), number(a.Outbound), f.date(a.LastAt)}}
		}),
		Empty: "No message was sent.",
	}
}

func responseCells(r store.ResponseTimes) []string {
	return []string{
		took(r.Answered, r.Mean), took(r.Answered, r.P90), number(r.Answered), number(r.Open),
	}
}

var responseColumns = []string{"Mean", "P90", "Answered", "Open"}

func (f *Figures) slowTable() table {
	return table{
		Title: "Slowest answers, by conversation", Name: "Conversation", Columns: responseColumns,
		Rows: rows(f.slowest, func(r store.ConversationResponse) row {
			return row{name(r.ConversationRef), responseCells(r.ResponseTimes)}
		}),
		Note: noteResponse, Empty: "Nobody asked anything.",
	}
}

func (f *Figures) slowLeadTable() table {
	return table{
		Title: "Slowest answers, by lead", Name: "Lead", Columns: responseColumns,
		Rows: rows(f.slowestLeads, func(r store.LeadResponse) row {
			return row{leadName(r.LeadRef), responseCells(r.ResponseTimes)}
		}),
		Note: noteResponse, Empty: "No lead asked anything.",
	}
}

func draftCells(s store.SuggestionStats) []string {
	return []string{
		number(s.Made), number(s.Approved), number(s.Edited), number(s.Rejected), number(s.Pending),
		percent(s.ApprovalRate()), percent(s.AcceptanceRate()),
	}
}

var draftColumns = []string{"Drafted", "Approved", "Edited", "Rejected", "Pending", "Approval", "Acceptance"}

func (f *Figures) confidenceTable() table {
	t := table{
		Title: "Suggestions by the model's confidence", Name: "Confidence", Columns: draftColumns,
		Note: noteApproval, Empty: noSuggestion, Wide: true,
	}
	if f.total.Made > 0 {
		t.Rows = rows(f.confidence, func(c store.ConfidenceSuggestions) row {
			return row{bucket(c), draftCells(c.SuggestionStats)}
		})
	}
	return t
}

// bucket names a bucket as people write it.
func bucket(c store.ConfidenceSuggestions) string {
	switch {
	case c.AtLeast == nil && c.Below == nil:
		return "none given"
	case c.AtLeast == nil:
		return fmt.Sprintf("under %.2g", *c.Below)
	case c.Below == nil:
		return fmt.Sprintf("%.2g or more", *c.AtLeast)
	}
	return fmt.Sprintf("%.2g to %.2g", *c.AtLeast, *c.Below)
}

func (f *Figures) modelTable() table {
	return table{
		Title: "Suggestions by model", Name: "Model", Columns: append(draftColumns[:len(draftColumns):len(draftColumns)], "Tokens", "Cost"),
		Rows: rows(f.models, func(m store.ModelSuggestions) row {
			return row{modelName(m.Model), append(draftCells(m.SuggestionStats), number(m.Tokens), money(m.Cost, f.places))}
		}),
		Note: noteApproval, Empty: noSuggestion, Wide: true,
	}
}

func (f *Figures) costCells(c store.Costs) []string {
	return []string{money(c.Cost, f.places), number(c.Tokens), number(c.Suggestions)}
}

var costColumns = []string{"Cost", "Tokens", "Drafted"}

func (f *Figures) costTable() table {
	return table{
		Title: "Most expensive conversations", Name: "Conversation", Columns: costColumns,
		Rows: rows(f.expensive, func(c store.ConversationCost) row {
			return row{name(c.ConversationRef), f.costCells(c.Costs)}
		}),
		Empty: noSuggestion,
	}
}

func (f *Figures) leadCostTable() table {
	return table{
		Title: "Most expensive leads", Name: "Lead", Columns: costColumns,
		Rows: rows(f.expensiveLead, func(c store.LeadCost) row {
			return row{leadName(c.LeadRef), f.costCells(c.Costs)}
		}),
		Empty: "No suggestion was made for a lead.",
	}
}

func (f *Figures) attachmentTable() table {
	return table{
		Title: "Most attachments", Name: "Conversation", Columns: []string{"Attachments", "Messages"},
		Rows: rows(f.attachments, func(a store.ConversationAttachments) row {
			return row{name(a.ConversationRef), []string{number(a.Attachments), number(a.Messages)}}
		}),
		Note: "messages are those with an attachment", Empty: "No message had an attachment.",
	}
}

func (f *Figures) rateTable() table {
	return table{
		Title: "Which leads answer, by " + short(f.Category), Name: short(f.Category), Columns: []string{"Rate", "Answered", "Begun"},
		Rows: rows(f.rates, func(r store.ResponseRate) row {
			return row{categoryName(r.Value), []string{percent(r.Rate()), number(r.Answered), number(r.Started)}}
		}),
		Note: noteRate, Empty: "No conversation with a lead was begun.",
	}
}

func categoryName(s string) string {
	if s = short(s); s == "" {
		return "(none)"
	}
	return s
}

func (f *Figures) headline() string { return "Conversations, " + f.span() }

// span names the last day of a period, not the one after it.
func (f *Figures) span() string {
	const long = "2 January 2006"
	first, last := f.period.Since, f.period.Before.Add(-time.Nanosecond)
	if first.Format(long) == last.Format(long) {
		return last.Format(long)
	}
	return first.Format(long) + " to " + last.Format(long)
}

func (f *Figures) subtitle() string {
	whose := "Everybody's conversations"
	if f.User != ([16]byte{}) {
		whose = "Conversations of user " + f.User.String()
	}
	return fmt.Sprintf("%s. Days in %s. As of %s.", whose, f.Zone, f.Now.Format("2 January 2006, 15:04"))
}
