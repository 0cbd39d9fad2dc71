package inbox

import (
	"context"
	"errors"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// decision is the form of a draft.
type decision struct {
	suggestion uuid.UUID
	// text is what goes out, as the field had it.
	text     string
	feedback string
	// expected is the saved draft that the page showed.
	expected time.Time
	// later is when the reply goes out, the zero time for after the time to undo.
	later time.Time
	// seen is the seq of the newest message that the operator has read, given when they confirm that
	// a draft holds although newer mail came. 0 confirms nothing.
	seen int64
	// second confirms a second reply to one message.
	second bool
	// decided says that the draft is approved already and only to be sent.
	decided bool
	place   place
	queued  bool // the page was opened from the queue
}

// readDecision reads the form of a draft.
func (r *request) readDecision() (*decision, error) {
	f := r.PostForm
	d := &decision{text: newlines(f.Get("text")), feedback: newlines(f.Get("feedback")), second: f.Has("second"), decided: f.Has("decided")}
	var err error
	if d.suggestion, err = uuid.Parse(f.Get("suggestion")); err != nil {
		return nil, store.ErrNotFound
	}
	if d.expected, err = readTime("expected", f.Get("expected")); err != nil {
		return nil, err
	}
	if d.seen, err = seqOf(f, "seen"); err != nil {
		return nil, err
	}
	if f.Get("when") == "later" {
		if d.later, err = r.readLocal("later", f.Get("later")); err != nil {
			return nil, err
		}
	}
	d.place, d.queued, err = r.formPlace()
	return d, err
}

// formPlace reads the place in the queue from which a form's page was opened.
func (r *request) formPlace() (p place, queued bool, err error) {
	q, err := url.ParseQuery(r.PostForm.Get("queue"))
	if err != nil {
		return place{}, false, rule.Invalid("queue", "is no place in the queue")
	}
	p, err = readPlace(q)
	return p, q.Has("view"), err
}

func readTime(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, rule.Invalid(field, "is no time")
	}
	return t, nil
}

// readLocal reads a time of the operator's zone that is to come.
func (r *request) readLocal(field, text string) (time.Time, error) {
	const form = "2006-01-02T15:04"
	t, err := time.ParseInLocation(form, text, r.op.Location)
	switch {
	case err != nil:
		return time.Time{}, rule.Invalid(field, "is no time, such as 2026-03-12T09:00")
	case !t.After(r.now):
		return time.Time{}, rule.Invalid(field, "has passed")
	}
	return t, nil
}

// approve decides that a draft goes out, as it is or as it was edited, and puts it into the outbox in
// the same transaction.
func (r *request) approve() error {
	d, err := r.readDecision()
	if err != nil {
		return err
	}
	if d.text == "" && !d.decided {
		return rule.Invalid("text", "is empty")
	}
	next, err := r.following(d.place, d.queued)
	if err != nil {
		return err
	}
	due := d.later
	if due.IsZero() {
		due = r.now.Add(r.in.options.Undo)
	}
	err = r.in.store.Transaction(r.Context(), func(tx store.Store) error {
		return r.send(tx.ForUser(r.user), d, due)
	})
	if err != nil {
		return r.conflict(d, err)
	}
	return r.proceed(next, doneQuery("approved", r.path(r.user, r.id), d.suggestion, due))
}

// send decides and sends, in the transaction of mine.
func (r *request) send(mine store.Scope, d *decision, due time.Time) error {
	s, err := r.suggestionOf(mine, d.suggestion)
	if err != nil {
		return err
	}
	if !d.decided {
		if err := r.accept(mine, s, d); err != nil {
			return err
		}
	}
	err = r.enqueue(mine, s, due, store.SendOptions{AllowSecond: d.second})
	if stale := new(store.StaleDraftError); errors.As(err, &stale) && stale.Newer.Seq <= d.seen {
		return r.enqueue(mine, s, due, store.SendOptions{AllowSecond: d.second, AllowStale: true})
	}
	return err
}

func (r *request) enqueue(mine store.Scope, s *suggestion.Suggestion, due time.Time, o store.SendOptions) error {
	m, err := r.reply(mine, s.InReplyToMessageID)
	if err != nil {
		return err
	}
	o.Deliver = &message.OutboxEntry{Channel: r.in.options.Channel, DueAt: due}
	_, err = mine.Suggestions().Send(r.Context(), s.ID, m, o)
	return err
}

// accept approves the text of the form. Saving it first makes sure that nobody else has saved
// another one since the page was read.
func (r *request) accept(mine store.Scope, s *suggestion.Suggestion, d *decision) error {
	if d.seen > 0 && s.Status != suggestion.StatusPending {
		var err error
		if s, err = r.confirm(mine, s, d.seen); err != nil {
			return err
		}
	}
	if _, err := r.keep(mine, s, d); err != nil {
		return err
	}
	review := suggestion.Review{By: r.op.ID, Feedback: d.feedback}
	if d.text == newlines(s.SuggestedContent) {
		_, err := mine.Suggestions().Approve(r.Context(), s.ID, review)
		return err
	}
	_, err := mine.Suggestions().Edit(r.Context(), s.ID, d.text, review)
	return err
}

// confirm reopens a draft that nobody has decided on, because the operator has read what came since,
// up to a seq. What came after that, they have not: then it is a *store.StaleDraftError again.
func (r *request) confirm(mine store.Scope, s *suggestion.Suggestion, seen int64) (*suggestion.Suggestion, error) {
	if !undecided(s) {
		return nil, &store.TransitionError{Of: "suggestion", From: s.Status.String(), To: suggestion.StatusApproved.String()}
	}
	s, err := mine.Suggestions().Reopen(r.Context(), s.ID, store.ReopenOptions{Current: true})
	if err != nil {
		return nil, err
	}
	newer, err := r.lastInbound(mine, seen)
	if err != nil || newer == nil {
		return s, err
	}
	return nil, &store.StaleDraftError{SuggestionID: s.ID, AnswersSeq: seen, Newer: newer}
}

// lastInbound is the latest message of theirs after a seq, nil if there is none.
func (r *request) lastInbound(mine store.Scope, after int64) (*message.Message, error) {
	list, err := mine.Messages().List(r.Context(), r.id, store.MessageFilter{
		Direction: message.DirectionInbound, Kinds: []message.Kind{message.KindMessage}, AfterSeq: after, Order: store.ReverseThreadOrder,
	}, store.PageRequest{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return list.Items[0], nil
}

// reply composes the outbound message that answers another one: the one with this id, or else the
// latest of theirs.
func (r *request) reply(mine store.Scope, to *uuid.UUID) (*message.Message, error) {
	c, err := mine.Conversations().Get(r.Context(), r.id)
	if err != nil {
		return nil, err
	}
	var answers *message.Message
	if to != nil {
		answers, err = mine.Messages().Get(r.Context(), *to)
	} else {
		answers, err = r.lastInbound(mine, 0)
	}
	if err != nil {
		return nil, err
	}
	m, err := r.in.options.Compose(r.Context(), c, answers)
	if err != nil {
		return nil, err
	}
	m.Author = r.op.ID
	return m, nil
}

// reject decides that nothing goes out.
func (r *request) reject() error {
	d, err := r.readDecision()
	if err != nil {
		return err
	}
	next, err := r.following(d.place, d.queued)
	if err != nil {
		return err
	}
	if _, err := r.suggestionOf(r.mine(), d.suggestion); err != nil {
		return err
	}
	if _, err := r.mine().Suggestions().Reject(r.Context(), d.suggestion, suggestion.Review{By: r.op.ID, Feedback: d.feedback}); err != nil {
		return r.conflict(d, err)
	}
	return r.proceed(next, doneQuery("rejected", r.path(r.user, r.id), d.suggestion, time.Time{}))
}

// undo takes a decision back: what waits in the outbox is cancelled, and the draft waits again.
func (r *request) undo() error {
	d, err := r.readDecision()
	if err != nil {
		return err
	}
	err = r.in.store.Transaction(r.Context(), func(tx store.Store) error {
		return r.takeBack(r.Context(), tx.ForUser(r.user), d.suggestion)
	})
	if err != nil {
		return r.conflict(d, err)
	}
	q := url.Values{}
	if d.queued {
		q = d.place.values()
	}
	q.Set("done", "undone")
	return r.redirect(r.path(r.user, r.id) + "?" + q.Encode() + "#draft")
}

func (r *request) takeBack(ctx context.Context, mine store.Scope, id uuid.UUID) error {
	s, err := r.suggestionOf(mine, id)
	if err != nil {
		return err
	}
	if s.Status.Sendable() && !r.op.Can(MaySend) {
		return ErrForbidden
	}
	if s.Sent() {
		if _, err := mine.Suggestions().Unsend(ctx, id); err != nil {
			return err
		}
	}
	_, err = mine.Suggestions().Reopen(ctx, id, store.ReopenOptions{})
	return err
}

// following is where to go on after a decision: to the next conversation of the queue, if the page
// was opened from there, or else to the page itself.
func (r *request) following(p place, queued bool) (string, error) {
	if !queued {
		return r.path(r.user, r.id) + "?", nil
	}
	_, next, err := r.neighbours(p)
	if err != nil || next != "" {
		return next, err
	}
	return "?" + string(p.to("").Query()), nil
}

// proceed goes on after a decision, with a word about it.
func (r *request) proceed(next string, done url.Values) error {
	if !strings.HasSuffix(next, "?") {
		next += "&"
	}
	return r.redirect(next + done.Encode())
}

// doneBanner says what the operator has just done, and offers to undo it.
type doneBanner struct {
	What string
	// Path is that of the conversation, and Draft what was decided on; empty if there is nothing to
	// undo.
	Path  string
	Draft string
	// Queue is the place in the queue that the page was opened from, empty if there is none.
	Queue template.URL
	// Seconds is how much time is left.
	Seconds int
	Until   stamp
}

// doneWords are what a banner may say.
var doneWords = map[string]string{
	"approved": "Approved.", "rejected": "Rejected.", "undone": "Taken back. The draft waits again.", "sent": "Your reply is on its way.",
	"noted": "Note added.", "merged": "The conversations are one now.", "retried": "It is tried again.", "snoozed": "Snoozed.", "archived": "Archived.",
}

func doneQuery(what, path string, draft uuid.UUID, until time.Time) url.Values {
	q := url.Values{"done": {what}, "of": {path}, "draft": {draft.String()}}
	if !until.IsZero() {
		q.Set("until", strconv.FormatInt(until.UnixMilli(), 10))
	}
	return q
}

// done reads the banner from the URL. It decides nothing: the undo itself looks whether it is too
// late.
func (r *request) done() *doneBanner {
	q := r.URL.Query()
	what, known := doneWords[q.Get("done")]
	if !known {
		return nil
	}
	b := &doneBanner{What: what}
	if p, err := readPlace(q); err == nil && q.Has("view") {
		b.Queue = p.Query()
	}
	draft, err := uuid.Parse(q.Get("draft"))
	if err != nil || !isPath(q.Get("of")) {
		return b
	}
	if text := q.Get("until"); text != "" {
		milli, err := strconv.ParseInt(text, 10, 64)
		until := time.UnixMilli(milli)
		if err != nil || !until.After(r.now) || until.Year() > 9999 {
			return b
		}
		b.Seconds, b.Until = r.secondsTo(until), r.stamp(until)
	}
	b.Path, b.Draft = q.Get("of"), draft.String()
	return b
}

// isPath tells whether a text is the path of a conversation.
func isPath(text string) bool {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "c" {
		return false
	}
	for _, id := range parts[1:] {
		if _, err := uuid.Parse(id); err != nil {
			return false
		}
	}
	return true
}
