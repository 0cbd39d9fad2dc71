package inbox

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// pageSize is how many conversations a page of the queue has.
const pageSize = 50

// The views of the queue.
const (
	viewNeedsReply = "needs-reply"
	viewDrafts     = "drafts"
	viewMine       = "mine"
	viewUnassigned = "unassigned"
	viewSnoozed    = "snoozed"
	viewAll        = "all"
	viewArchived   = "archived"
)

// view is one of the queue's: what it lists, and how many there are.
type view struct {
	Name, Label string
	filter      func(*store.ConversationFilter, Operator)
	count       func(store.QueueCounts) int64
}

// views are the views in the order of the page.
var views = []view{
	{viewNeedsReply, "Needs reply", needsReply, func(c store.QueueCounts) int64 { return c.NeedsReply }},
	{viewDrafts, "Drafts waiting", func(f *store.ConversationFilter, op Operator) {
		needsReply(f, op)
		f.HasDraft = true
	}, func(c store.QueueCounts) int64 { return c.WithDraft }},
	{viewMine, "Mine", func(f *store.ConversationFilter, op Operator) {
		needsReply(f, op)
		f.Assignee = op.ID
	}, func(c store.QueueCounts) int64 { return c.Mine }},
	{viewUnassigned, "Nobody's", func(f *store.ConversationFilter, op Operator) {
		needsReply(f, op)
		f.Unassigned = true
	}, func(c store.QueueCounts) int64 { return c.Unassigned }},
	{viewSnoozed, "Snoozed", func(f *store.ConversationFilter, _ Operator) {
		f.Snoozed = store.OnlySnoozed
	}, func(c store.QueueCounts) int64 { return c.Snoozed }},
	{viewAll, "All open", func(f *store.ConversationFilter, _ Operator) {
		f.Statuses, f.Snoozed = conversation.OpenStatuses(), store.IncludeSnoozed
	}, nil},
	{viewArchived, "Archived", func(f *store.ConversationFilter, _ Operator) {
		f.Statuses, f.Snoozed = []conversation.Status{conversation.StatusArchived}, store.IncludeSnoozed
	}, nil},
}

// needsReply lists who has waited longest first.
func needsReply(f *store.ConversationFilter, _ Operator) {
	f.Statuses = []conversation.Status{conversation.StatusNeedsReply}
	f.Order, f.PinnedFirst = store.OldestActivity, true
}

// place is a place in the queue: a view, its filters and a page. It is in the URL of the queue, and
// goes along with a conversation that is opened from there, so that the next one can be found.
type place struct {
	View, Lead, Assignee, Sort string
	Labels                     []string
	After                      store.Cursor
}

// readPlace reads a place from a query. An unknown view or order is invalid.
func readPlace(q url.Values) (place, error) {
	p := place{
		View: q.Get("view"), Lead: q.Get("lead"), Assignee: q.Get("assignee"), Sort: q.Get("sort"), After: store.Cursor(q.Get("after")),
	}
	for _, label := range q["label"] {
		if label != "" {
			p.Labels = append(p.Labels, label)
		}
	}
	if p.View == "" {
		p.View = viewNeedsReply
	}
	if viewOf(p.View) == nil {
		return place{}, rule.Invalid("view", "is none of the queue's")
	}
	if p.Sort != "" && p.Sort != "oldest" && p.Sort != "newest" {
		return place{}, rule.Invalid("sort", "is neither oldest nor newest")
	}
	return p, nil
}

func viewOf(name string) *view {
	for i := range views {
		if views[i].Name == name {
			return &views[i]
		}
	}
	return nil
}

// values are those of the URL, without what is not set.
func (p place) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"view": p.View, "lead": p.Lead, "assignee": p.Assignee, "sort": p.Sort, "after": string(p.After),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, label := range p.Labels {
		q.Add("label", label)
	}
	return q
}

// Query is the place as the query of a URL, which a template writes as it is.
func (p place) Query() template.URL { return template.URL(p.values().Encode()) }

// To is the query of another page of the same list.
func (p place) to(after store.Cursor) place {
	p.After = after
	return p
}

// filter is what the place lists.
func (p place) filter(op Operator) store.ConversationFilter {
	f := store.ConversationFilter{}
	viewOf(p.View).filter(&f, op)
	f.LeadID, f.Labels = p.Lead, p.Labels
	if p.Assignee != "" && !f.Unassigned {
		f.Assignee = p.Assignee
	}
	switch p.Sort {
	case "oldest":
		f.Order = store.OldestActivity
	case "newest":
		f.Order = store.NewestActivity
	}
	return f
}

// queuePage is the content of the queue.
type queuePage struct {
	Place place
	Views []viewLink
	Rows  []*row
	// Next is the query of the following page, empty on the last one; First is that of the first
	// page, empty on it.
	Next, First template.URL
	// Filtered says that a filter or an order is chosen.
	Filtered bool
}

// viewLink is a view with its length.
type viewLink struct {
	Name, Label, Count string
	Query              template.URL
	Current            bool
}

// row is a conversation in the queue.
type row struct {
	ID, User               uuid.UUID
	Link                   string
	Lead, Details, Subject string
	// Preview is the beginning of the last message, and Ours says who wrote it.
	Preview    string
	Ours       bool
	Last       stamp
	Assignee   string
	Mine       bool
	Labels     []string
	Unread     int64
	Pinned     bool
	Snoozed    stamp
	Status     string
	HasDraft   bool
	Draft      string
	Confidence string
	Level      string
}

func (r *request) queue() error {
	p, err := readPlace(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := r.rows().Conversations().Overview(r.Context(), p.filter(r.op), r.overview(), store.PageRequest{Limit: pageSize, After: p.After})
	if err != nil {
		return err
	}
	counts, err := r.rows().Conversations().Counts(r.Context(), r.op.ID)
	if err != nil {
		return err
	}
	body := &queuePage{Place: p, Views: viewLinks(p, counts), Filtered: p.Lead+p.Assignee+p.Sort != "" || len(p.Labels) > 0}
	for _, c := range page.Items {
		body.Rows = append(body.Rows, r.row(c, p))
	}
	if page.Next != "" {
		body.Next = p.to(page.Next).Query()
	}
	if p.After != "" {
		body.First = p.to("").Query()
	}
	f := r.frame(viewOf(p.View).Label)
	f.Tab, f.Body = "queue", body
	f.Done = r.done()
	return r.render(http.StatusOK, "queue", f)
}

// overview is what a row shows beside its conversation.
func (r *request) overview() store.OverviewOptions {
	return store.OverviewOptions{LastMessage: true, Reader: r.op.ID, Labels: true, Draft: true, Lead: r.in.options.LeadColumns}
}

func viewLinks(p place, counts store.QueueCounts) []viewLink {
	links := make([]viewLink, 0, len(views))
	for _, v := range views {
		to := p.to("")
		to.View, to.Sort = v.Name, ""
		link := viewLink{Name: v.Name, Label: v.Label, Query: to.Query(), Current: v.Name == p.View}
		if v.count != nil {
			link.Count = countText(v.count(counts), store.MaxQueueCount)
		}
		links = append(links, link)
	}
	return links
}

func (r *request) row(c *store.ConversationOverview, p place) *row {
	v := &row{
		ID: c.ID, User: c.UserID, Link: r.path(c.UserID, c.ID) + "?" + string(p.Query()),
		Subject: headingOf(c.Conversation), Last: r.stamp(c.LastMessageAt), Assignee: oneLine(c.Assignee), Mine: c.Assignee == r.op.ID,
		Unread: c.Unread, Pinned: c.PinnedAt != nil, Status: statusLabel(c.Status),
		Snoozed: r.snoozed(c.Conversation),
	}
	v.Lead, v.Details = r.leadOf(c.Conversation, c.Lead)
	for _, label := range c.Labels {
		v.Labels = append(v.Labels, oneLine(label))
	}
	if m := c.LastMessage; m != nil {
		own, _ := split(newlines(m.Content))
		v.Preview, v.Ours = oneLine(own), m.Direction == message.DirectionOutbound
	}
	if d := c.Draft; d != nil {
		v.HasDraft, v.Draft = true, oneLine(d.Content)
		v.Confidence, v.Level = confidence(d.Confidence)
	}
	return v
}

// leadOf is the name of a lead and what else is known of it.
func (r *request) leadOf(c *conversation.Conversation, columns map[string]string) (name, details string) {
	var more []string
	for i, column := range r.in.options.LeadColumns {
		switch value := oneLine(columns[column]); {
		case i == 0:
			name = value
		case value != "":
			more = append(more, value)
		}
	}
	if name == "" {
		name = oneLine(c.LeadID)
	}
	return name, strings.Join(more, " · ")
}

// headingOf is the title of a conversation, or its subject.
func headingOf(c *conversation.Conversation) string {
	for _, text := range []string{c.Title, c.Subject} {
		if line := oneLine(text); line != "" {
			return line
		}
	}
	return "No subject"
}

func statusLabel(s conversation.Status) string {
	switch s {
	case conversation.StatusNeedsReply:
		return "Needs reply"
	case conversation.StatusWaiting:
		return "Waiting for them"
	case conversation.StatusArchived:
		return "Archived"
	case conversation.StatusActive:
		return "Open"
	}
	return oneLine(s.String())
}

// confidence is how sure the model was, in words and as a level for the style.
func confidence(score *float64) (text, level string) {
	if score == nil {
		return "", ""
	}
	level = "low"
	switch {
	case *score >= 0.85:
		level = "high"
	case *score >= 0.7:
		level = "medium"
	}
	return percent(*score), level
}

// countText is a number that stops at a most.
func countText(n, most int64) string {
	if n >= most {
		return strconv.FormatInt(most, 10) + "+"
	}
	return strconv.FormatInt(n, 10)
}
