package inbox

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

const (
	// threadSize is how many messages a page of a thread has, the newest ones first.
	threadSize = 200
	// mostText is how many characters of a message are shown at once.
	mostText = 20_000
	// mostFolded is how many characters of a tool call, or another document, are shown at all.
	mostFolded = 50_000
)

// threadPage is the content of a conversation's page.
type threadPage struct {
	*frame
	ID, User             uuid.UUID
	Base                 string // the conversation's own path from the root
	Place                place
	Query                template.URL
	Heading              string
	Lead, Details        string
	LeadID               string
	Status               string
	Archived, Pinned     bool
	Assignee             string
	AssigneeID           string
	Mine                 bool
	Labels               []string
	Snoozed              stamp
	Messages             []*messageView
	Earlier              template.URL // the query of the page before, empty on the first
	LastSeq              int64
	Position             string
	Draft                *draftView
	Former               []*draftView
	Next, Previous       string // links, empty at the ends
	Others               []string
	Channel              string
	CanReply             bool
	CanDecide, CanSend   bool
	CanOrganize, CanRead bool
	Unread               int64
	Key                  string
}

// messageView is a message as a page shows it.
type messageView struct {
	*frame
	Base        string
	Query       template.URL
	ID          uuid.UUID
	Seq         int64
	Class       string // inbound, outbound or none
	Kind, Who   string
	To          string
	Sent        stamp
	HTML        template.HTML
	Text        string
	Quoted      string
	Markdown    bool
	Cut         bool // there is more than is shown
	Folded      bool // what is not for reading first
	Streaming   bool
	State       string
	Delivery    string
	Failure     string
	Failed      bool
	CanRetry    bool
	Entry       *entryView
	Subject     string
	Attachments []attachmentView
	Calls       string
	Results     string
	Model       string
	Branches    []branchView
	CanOrganize bool
	Edited      stamp
	Answered    bool // the draft answers it
}

// attachmentView is an attachment. URL is empty if it may not be followed.
type attachmentView struct{ Name, Type, Size, URL string }

// entryView is what waits in the outbox and can still be taken back. Suggestion is uuid.Nil if the
// reply was no draft.
type entryView struct {
	Suggestion uuid.UUID
	IsDraft    bool
	Due        stamp
	Seconds    int
}

func (r *request) thread() error {
	p, err := readPlace(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := r.readThread(r.Context(), p)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("view") {
		if page.Previous, page.Next, err = r.neighbours(p); err != nil {
			return err
		}
	}
	f := page.frame
	f.Title, f.Tab, f.Body, f.Done = page.Heading, "queue", page, r.done()
	page.Others = r.in.presence.see(r.user, r.id, r.op)
	return r.render(http.StatusOK, "thread", f)
}

// readThread reads what a conversation's page shows, in a number of queries that does not depend on
// how much there is.
func (r *request) readThread(ctx context.Context, p place) (*threadPage, error) {
	c, err := r.mine().Conversations().Get(ctx, r.id)
	if err != nil {
		return nil, err
	}
	before, err := seqOf(r.URL.Query(), "before")
	if err != nil {
		return nil, err
	}
	list, err := r.mine().Messages().List(ctx, r.id,
		store.MessageFilter{Order: store.ReverseThreadOrder, BeforeSeq: before}, store.PageRequest{Limit: threadSize})
	if err != nil {
		return nil, err
	}
	drafts, err := r.suggestions(ctx)
	if err != nil {
		return nil, err
	}
	page := r.threadPage(c, p)
	if err := r.describe(ctx, page, c); err != nil {
		return nil, err
	}
	if list.Next != "" && len(list.Items) > 0 {
		page.Earlier = earlierQuery(p, list.Items[len(list.Items)-1].Seq)
	}
	slices.Reverse(list.Items)
	r.fillDrafts(page, drafts)
	if err := r.fillMessages(ctx, page, c, list.Items, drafts); err != nil {
		return nil, err
	}
	return page, nil
}

func earlierQuery(p place, before int64) template.URL {
	q := p.values()
	q.Set("before", strconv.FormatInt(before, 10))
	return template.URL(q.Encode())
}

// seqOf reads the seq of a message from a query, 0 if there is none.
func seqOf(q url.Values, name string) (int64, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 1 {
		return 0, store.ErrNotFound
	}
	return seq, nil
}

func (r *request) threadPage(c *conversation.Conversation, p place) *threadPage {
	return &threadPage{
		frame: r.frame(headingOf(c)), ID: c.ID, User: c.UserID, Base: r.path(c.UserID, c.ID), Place: p, Query: p.Query(),
		Heading: headingOf(c), LeadID: c.LeadID, Status: statusLabel(c.Status), Archived: c.Status == conversation.StatusArchived,
		Pinned: c.PinnedAt != nil, Assignee: oneLine(c.Assignee), AssigneeID: c.Assignee, Mine: c.Assignee == r.op.ID,
		LastSeq: c.LastSeq, Position: store.PositionOf(c).String(), Channel: r.in.options.Channel,
		CanDecide: r.op.Can(MayDecide), CanSend: r.op.Can(MaySend), CanOrganize: r.op.Can(MayOrganize), CanRead: r.op.Can(MayRead),
		Snoozed: r.snoozed(c), Key: uuid.NewString(),
	}
}

func (r *request) snoozed(c *conversation.Conversation) stamp {
	if c.SnoozedUntil == nil || !c.SnoozedUntil.After(r.now) {
		return stamp{}
	}
	return r.at(c.SnoozedUntil)
}

// describe adds the labels, the lead and what is unread: an overview of the one conversation. If it is
// deleted at this very moment, they are missing, and the page hears of that and reads itself again.
func (r *request) describe(ctx context.Context, page *threadPage, c *conversation.Conversation) error {
	o := store.OverviewOptions{Reader: r.op.ID, Labels: true, Lead: r.in.options.LeadColumns}
	scope := r.mine()
	if r.op.AllUsers && len(o.Lead) > 0 {
		scope = r.rows() // without an owner of leads, the scope of all users alone may ask for them
	}
	list, err := scope.Conversations().Overview(ctx, store.ConversationFilter{IDs: []uuid.UUID{c.ID}}, o, store.PageRequest{})
	if err != nil {
		return err
	}
	columns := map[string]string{}
	for _, one := range list.Items {
		if one.UserID != c.UserID {
			continue // of all users, another may have the id
		}
		page.Labels, page.Unread, columns = one.Labels, one.Unread, one.Lead
	}
	page.Lead, page.Details = r.leadOf(c, columns)
	return nil
}

// suggestions are the latest drafts of the conversation, oldest first.
func (r *request) suggestions(ctx context.Context) ([]*suggestion.Suggestion, error) {
	const size = 50
	list, err := r.mine().Suggestions().ListByConversationNumbered(ctx, r.id, store.NumberRequest{Number: 1, Size: size})
	if err != nil || list.Pages <= 1 {
		return list.Items, err
	}
	list, err = r.mine().Suggestions().ListByConversationNumbered(ctx, r.id, store.NumberRequest{Number: int(list.Pages), Size: size})
	return list.Items, err
}

// fillMessages makes the views of messages, with their branches and what of them waits in the outbox.
func (r *request) fillMessages(ctx context.Context, page *threadPage, c *conversation.Conversation, ms []*message.Message, drafts []*suggestion.Suggestion) error {
	whole, err := seqOf(r.URL.Query(), "all")
	if err != nil {
		return err
	}
	sentAs := map[uuid.UUID]uuid.UUID{}
	for _, s := range drafts {
		if s.SentMessageID != nil {
			sentAs[*s.SentMessageID] = s.ID
		}
	}
	tree, err := r.branches(ctx, c)
	if err != nil {
		return err
	}
	for _, m := range ms {
		v := r.messageView(page, m, m.Seq == whole)
		if err := r.fillEntry(ctx, v, m, sentAs[m.ID]); err != nil {
			return err
		}
		v.Branches = tree.siblings(m)
		v.Answered = page.Draft != nil && (page.Draft.AnswersID == m.ID || page.Draft.AnswersID == uuid.Nil && page.Draft.AnswersSeq == m.Seq)
		page.Messages = append(page.Messages, v)
	}
	return nil
}

// fillEntry finds what of a queued message can be taken back. Few messages are queued.
func (r *request) fillEntry(ctx context.Context, v *messageView, m *message.Message, draft uuid.UUID) error {
	if m.Delivery != message.DeliveryQueued || !r.op.Can(MaySend) {
		return nil
	}
	list, err := r.mine().Deliveries().List(ctx, store.DeliveryFilter{MessageID: m.ID, State: store.DeliveryOpen}, store.PageRequest{Limit: 1})
	if err != nil || len(list.Items) == 0 || list.Items[0].ClaimedBy != "" {
		return err
	}
	due := list.Items[0].DueAt
	v.Entry = &entryView{Suggestion: draft, IsDraft: draft != uuid.Nil, Due: r.stamp(due), Seconds: r.secondsTo(due)}
	return nil
}

// messageView makes the view of a message. whole shows all of a long one.
func (r *request) messageView(page *threadPage, m *message.Message, whole bool) *messageView {
	v := &messageView{
		frame: page.frame, Base: page.Base, Query: page.Query, ID: m.ID, Seq: m.Seq, Class: "none", Kind: kindLabel(m), Who: whoOf(m),
		To: oneLine(m.RecipientEmail), Sent: r.stamp(m.SentAt), Streaming: m.State == message.StateStreaming, State: stateLabel(m.State),
		Delivery: deliveryLabel(m.Delivery), Failure: oneLine(m.DeliveryError), Model: oneLine(m.Model), Edited: r.at(m.EditedAt),
		Subject: oneLine(m.Headers.Get("Subject")), CanOrganize: page.CanOrganize,
		Failed: m.Delivery == message.DeliveryFailed || m.Delivery == message.DeliveryBounced, CanRetry: m.Delivery == message.DeliveryFailed && page.CanSend,
	}
	if m.Direction != message.DirectionNone {
		v.Class = m.Direction.String()
	}
	if m.Kind != message.KindMessage {
		v.Class = "aside"
	}
	v.Folded = m.Kind == message.KindMessage && m.Direction == message.DirectionNone
	v.fillText(m, whole)
	v.Calls, v.Results = document(m.ToolCalls), document(m.ToolResults)
	for _, a := range m.Attachments {
		link, _ := webURL(a.URL)
		v.Attachments = append(v.Attachments, attachmentView{Name: attachmentName(a), Type: oneLine(a.ContentType), Size: size(a.Size), URL: link})
	}
	return v
}

// fillText sets the text: markdown of a chat, and of a mail what its writer wrote apart from what it
// quotes.
func (v *messageView) fillText(m *message.Message, whole bool) {
	text := printable(m.Content)
	if !whole {
		text, v.Cut = cut(text, mostText)
	}
	if isChat(m) {
		if v.HTML, v.Markdown = renderMarkdown(text); v.Markdown {
			return
		}
	}
	v.Text, v.Quoted = text, ""
	if !isChat(m) {
		v.Text, v.Quoted = split(text)
	}
}

// isChat tells a message of a chat from a mail, which nobody wrote as markdown.
func isChat(m *message.Message) bool {
	return m.Kind == message.KindMessage && m.SenderEmail == "" && m.RecipientEmail == "" && m.EmailMessageID == "" && len(m.Headers) == 0
}

func whoOf(m *message.Message) string {
	for _, name := range []string{m.SenderEmail, m.Author} {
		if line := oneLine(name); line != "" && (name != m.SenderEmail || m.Direction != message.DirectionOutbound || m.Author == "") {
			return line
		}
	}
	switch m.Role {
	case message.RoleUser:
		return "They"
	case message.RoleAssistant:
		return "Assistant"
	case message.RoleSystem, message.RoleDeveloper:
		return "Instructions"
	case message.RoleTool:
		return "Tool"
	}
	return "Unknown"
}

func kindLabel(m *message.Message) string {
	switch m.Kind {
	case message.KindNote:
		return "Note"
	case message.KindAutoReply:
		return "Automatic reply"
	case message.KindBounce:
		return "Bounce"
	case message.KindEvent:
		return "Event"
	case message.KindMessage:
		if m.Role == message.RoleSystem || m.Role == message.RoleDeveloper {
			return "Instructions"
		}
		if m.Role == message.RoleTool {
			return "Tool result"
		}
	}
	return ""
}

func stateLabel(s message.State) string {
	switch s {
	case message.StateStreaming:
		return "being written"
	case message.StateInterrupted:
		return "interrupted"
	case message.StateFailed:
		return "failed"
	case message.StateComplete:
	}
	return ""
}

func deliveryLabel(d message.Delivery) string {
	switch d {
	case message.DeliveryQueued:
		return "on its way"
	case message.DeliverySent:
		return "sent"
	case message.DeliveryDelivered:
		return "delivered"
	case message.DeliveryFailed:
		return "not sent"
	case message.DeliveryBounced:
		return "bounced"
	case message.DeliveryCancelled:
		return "taken back"
	case message.DeliveryNone:
	}
	return ""
}

// document is a JSON document with a line for each value, empty if there is nothing in it.
func document(doc message.JSON) string {
	if doc.IsEmpty() {
		return ""
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(doc)))
	decoder.UseNumber()
	text := string(doc)
	if len(doc) <= mostFolded && decoder.Decode(&value) == nil {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if encoder.Encode(value) == nil {
			text = b.String()
		}
	}
	text, more := cut(printable(text), mostFolded)
	if more {
		text += "…"
	}
	return strings.TrimSpace(text)
}

func attachmentName(a message.Attachment) string {
	if name := oneLine(a.Filename); name != "" {
		return name
	}
	return "Attachment"
}

// webURL returns a link to a web page alone.
func webURL(to string) (string, bool) {
	link, ok := safeURL(to)
	if !ok || strings.HasPrefix(strings.ToLower(link), "mailto:") {
		return "", false
	}
	return link, true
}

// neighbours are the links to the conversations before and after this one in its place of the queue,
// empty where there is none.
func (r *request) neighbours(p place) (previous, next string, err error) {
	list, err := r.rows().Conversations().List(r.Context(), p.filter(r.op), store.PageRequest{Limit: pageSize, After: p.After})
	if err != nil {
		return "", "", err
	}
	at := slices.IndexFunc(list.Items, func(c *conversation.Conversation) bool { return c.ID == r.id && c.UserID == r.user })
	link := func(i int, p place) string {
		return r.path(list.Items[i].UserID, list.Items[i].ID) + "?" + string(p.Query())
	}
	if at > 0 {
		previous = link(at-1, p)
	}
	// Whoever has left the queue is followed by its first one.
	switch {
	case at+1 < len(list.Items):
		next = link(at+1, p)
	case list.Next != "":
		more, err := r.rows().Conversations().List(r.Context(), p.filter(r.op), store.PageRequest{Limit: 1, After: list.Next})
		if err != nil || len(more.Items) == 0 {
			return previous, "", err
		}
		next = r.path(more.Items[0].UserID, more.Items[0].ID) + "?" + string(p.to(list.Next).Query())
	}
	return previous, next, nil
}
