package deliveries

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func sortByDue(entries []*message.OutboxEntry) {
	slices.SortFunc(entries, func(a, b *message.OutboxEntry) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), slices.Compare(a.ID[:], b.ID[:]))
	})
}

func (s deliveries) Done(ctx context.Context, id uuid.UUID, worker string, r store.DeliveryResult) (*message.OutboxEntry, error) {
	s.sc.Clean.Text(&worker)
	if err := check.Name("worker", worker); err != nil {
		return nil, err
	}
	r, err := checkResult(s.sc, r)
	if err != nil {
		return nil, err
	}
	var e *message.OutboxEntry
	var late error
	// An id may be stored as that of another message between the look for it and the update.
	err = scope.Settle(func() (bool, error) {
		e, err = s.change(ctx, "report a delivery as done", id, func(l *locked) (_ *message.OutboxEntry, err error) {
			late = nil
			if l.entry.DoneAt != nil || l.entry.Attempts == 0 {
				late = leaseError(l.entry)
			}
			if l.entry.Attempts == 0 {
				return nil, late
			}
			return l.done(r, late == nil)
		})
		return dialect.KindOf(err) != dialect.Unique, ifNot(dialect.Unique, err)
	})
	if err == nil {
		err = late
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func ifNot(kind dialect.Kind, err error) error {
	if err != nil && dialect.KindOf(err) == kind {
		return nil
	}
	return err
}

// done records that a provider took the message. Of a second time only the ids are kept.
func (l *locked) done(r store.DeliveryResult, first bool) (e *message.OutboxEntry, err error) {
	e, was := l.entry, l.message
	if first {
		if e, err = l.set(query.New("done_at = ?, failed_at = NULL, cancelled_at = NULL, claimed_by = NULL, claimed_until = NULL", l.Instant())); err != nil {
			return nil, err
		}
		if err := l.sent(r); err != nil {
			return nil, err
		}
	}
	if err := l.addRefs(r); err != nil || !first {
		return e, err
	}
	return e, threads.Changed(l.db.Ctx, l.Scope, was, l.message)
}

// sent makes the message sent, with the ids that it lacks. What became known of it since it was
// handed over stays.
func (l *locked) sent(r store.DeliveryResult) error {
	assign := query.New("delivery = delivery")
	if d := l.message.Delivery; d != message.DeliveryDelivered && d != message.DeliveryBounced {
		assign = query.New("delivery = 'sent', delivery_error = NULL")
	}
	if !r.SentAt.IsZero() {
		assign.Add(", sent_at = ?", r.SentAt)
	}
	for _, id := range idsOf(r) {
		switch {
		case id.value == "":
		case id.unique:
			assign.Add(", "+id.column+" = CASE WHEN "+id.column+" IS NULL AND NOT EXISTS (SELECT 1 FROM "+l.Tables.Messages+
				" o WHERE o.user_id = ? AND o."+id.column+" = ?) THEN "+l.Dialect.Param("text")+" ELSE "+id.column+" END", l.User, id.value, id.value)
		default:
			assign.Add(", "+id.column+" = COALESCE("+id.column+", "+l.Dialect.Param("text")+")", id.value)
		}
	}
	return l.setMessage(assign)
}

func (s deliveries) Fail(ctx context.Context, id uuid.UUID, worker string, f store.Failure) (*message.OutboxEntry, error) {
	s.sc.Clean.Text(&worker)
	if err := check.Name("worker", worker); err != nil {
		return nil, err
	}
	if f.RetryAfter < 0 {
		return nil, rule.Invalid("retry_after", "is negative")
	}
	if err := check.Time("retry_after", s.sc.Instant().Add(f.RetryAfter)); err != nil {
		return nil, err
	}
	reason := reasonOf(f.Error)
	return s.change(ctx, "report a delivery as failed", id, func(l *locked) (*message.OutboxEntry, error) {
		if !l.entry.Open() || l.entry.ClaimedBy != worker {
			return nil, leaseError(l.entry)
		}
		if !f.Final {
			return l.set(query.New("due_at = ?, last_error = ?, claimed_by = NULL, claimed_until = NULL", l.Instant().Add(f.RetryAfter), reason))
		}
		e, err := l.set(query.New("failed_at = ?, last_error = ?, claimed_by = NULL, claimed_until = NULL", l.Instant(), reason))
		if err != nil {
			return nil, err
		}
		return e, l.failed(reason)
	})
}

// failed makes the message failed, unless another entry of it has sent it or is still to.
func (l *locked) failed(reason any) error {
	others, err := l.siblings()
	if err != nil || others.open+others.done > 0 {
		return err
	}
	if d := l.message.Delivery; d != message.DeliveryQueued && d != message.DeliveryNone {
		return nil // more is known of it
	}
	return l.become(message.DeliveryFailed, reason)
}

// maxReason is how much of a provider's error is kept.
const maxReason = 4096

// reasonOf makes a provider's error a text that is stored, NULL if there is none.
func reasonOf(text string) any {
	clean.All.Text(&text)
	if len(text) > maxReason {
		text = text[:maxReason]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return text
}

func (s deliveries) Bounce(ctx context.Context, messageID uuid.UUID, reason string) (*message.Message, error) {
	return s.learn(ctx, "note a bounce", messageID, func(l *locked) error {
		if l.message.Delivery == message.DeliveryBounced {
			return nil
		}
		return l.become(message.DeliveryBounced, reasonOf(reason))
	})
}

func (s deliveries) Delivered(ctx context.Context, messageID uuid.UUID) (*message.Message, error) {
	return s.learn(ctx, "note a delivery", messageID, func(l *locked) error {
		switch was := l.message.Delivery; was {
		case message.DeliveryDelivered:
			return nil
		case message.DeliveryBounced:
			return &store.TransitionError{Of: "message", From: was.String(), To: message.DeliveryDelivered.String()}
		}
		return l.become(message.DeliveryDelivered, nil)
	})
}

// learn changes what is known of a message that can have been sent.
func (s deliveries) learn(ctx context.Context, operation string, messageID uuid.UUID, fn func(l *locked) error) (m *message.Message, err error) {
	err = s.changeMessage(ctx, operation, messageID, func(l *locked) error {
		if err := threads.CheckSendable(l.message); err != nil {
			return err
		}
		err := fn(l)
		m = l.message
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// named is an id that a provider gave, with its column of messages.
type named struct {
	field, column, provider, value string
	// unique says that no two messages of a user have it, and a name of the message, unlike that
	// of a thread, has a provider.
	unique bool
}

func idsOf(r store.DeliveryResult) []named {
	return []named{
		{"gmail_message_id", "gmail_message_id", message.RefGmail, r.GmailMessageID, true},
		{"gmail_thread_id", "gmail_thread_id", "", r.GmailThreadID, false},
		{"postmark_message_id", "postmark_message_id", message.RefPostmark, r.PostmarkMessageID, true},
		{"email_message_id", "email_message_id", message.RefEmail, r.EmailMessageID, false},
	}
}

// checkResult cleans and validates what a worker reports.
func checkResult(sc scope.Scope, r store.DeliveryResult) (store.DeliveryResult, error) {
	sc.Clean.Model(&r)
	for provider, id := range map[string]*string{
		message.RefEmail: &r.EmailMessageID, message.RefGmail: &r.GmailMessageID, message.RefGmailThread: &r.GmailThreadID, message.RefPostmark: &r.PostmarkMessageID,
	} {
		*id = message.NormalizeRef(provider, *id)
	}
	for _, id := range idsOf(r) {
		if err := check.Key(id.field, id.value); err != nil {
			return r, err
		}
	}
	if !r.SentAt.IsZero() {
		if err := check.Time("sent_at", r.SentAt); err != nil {
			return r, err
		}
		r.SentAt = message.Instant(r.SentAt)
	}
	refs, err := threads.CheckRefs(sc, "refs", r.Refs)
	if err != nil {
		return r, err
	}
	r.Refs = refs
	return r, nil
}

// addRefs stores the names of the message, and the ids that its columns do not have: another
// message has them, or the message has others, because it was sent twice.
func (l *locked) addRefs(r store.DeliveryResult) error {
	refs := r.Refs
	have := map[string]string{
		"gmail_message_id": l.message.GmailMessageID, "postmark_message_id": l.message.PostmarkMessageID, "email_message_id": l.message.EmailMessageID,
	}
	for _, id := range idsOf(r) {
		if id.provider != "" && id.value != "" && have[id.column] != id.value {
			refs = append(refs, message.Ref{Provider: id.provider, Ref: message.NormalizeRef(id.provider, id.value)})
		}
	}
	return threads.AddRefs(l.Scope, l.db, l.message.ID, refs)
}
