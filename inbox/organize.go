package inbox

import (
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// again goes back to the conversation's page after a form of it.
func (r *request) again(done string) error {
	p, queued, err := r.formPlace()
	if err != nil {
		return err
	}
	q := p.values()
	if !queued {
		q.Del("view")
	}
	if done != "" {
		q.Set("done", done)
	}
	return r.redirect(r.path(r.user, r.id) + "?" + q.Encode())
}

// onward goes on to the next conversation of the queue, after one has left it.
func (r *request) onward(done string, change func() error) error {
	p, queued, err := r.formPlace()
	if err != nil {
		return err
	}
	next, err := r.following(p, queued)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	return r.proceed(next, map[string][]string{"done": {done}})
}

// assign gives the conversation to somebody, or to nobody if no name is given. Of those who take it at
// once, one gets it; the others are told who has it.
func (r *request) assign() error {
	to, from := r.PostForm.Get("assignee"), r.PostForm.Get("from")
	o := store.AssignOptions{From: &from}
	var err error
	if to == "" {
		_, err = r.mine().Conversations().Unassign(r.Context(), r.id, o)
	} else {
		_, err = r.mine().Conversations().Assign(r.Context(), r.id, to, o)
	}
	if taken := new(store.AssignedError); errors.As(err, &taken) {
		return r.takenPage(taken, to)
	}
	if err != nil {
		return err
	}
	return r.again("")
}

// takenPage says who has the conversation, and offers to take it over.
func (r *request) takenPage(taken *store.AssignedError, to string) error {
	p, _, err := r.formPlace()
	if err != nil {
		return err
	}
	f := r.frame("Somebody else was quicker")
	f.Tab = "queue"
	f.Body = &takenView{Base: r.path(r.user, r.id), Query: p.Query(), Assignee: taken.Assignee, To: to}
	return r.render(http.StatusConflict, "taken", f)
}

// takenView is the content of that page.
type takenView struct {
	Base         string
	Query        template.URL
	Assignee, To string
}

// note adds a note for colleagues. Its key makes a form that is sent twice one note.
func (r *request) note() error {
	text := newlines(r.PostForm.Get("note"))
	if text == "" {
		return rule.Invalid("note", "is empty")
	}
	_, err := r.mine().Messages().Append(r.Context(), r.id, &message.Message{
		Kind: message.KindNote, Role: message.RoleAssistant, Author: r.op.ID, Content: text, IdempotencyKey: r.formKey("note"),
	})
	if err != nil {
		return err
	}
	return r.again("noted")
}

// formKey is the key that a page gave its form, empty if it is none of them.
func (r *request) formKey(of string) string {
	id, err := uuid.Parse(r.PostForm.Get("key"))
	if err != nil {
		return ""
	}
	return "inbox:" + of + ":" + id.String()
}

// label adds a label or takes one off.
func (r *request) label() error {
	labels := r.mine().Conversations()
	if gone := r.PostForm.Get("remove"); gone != "" {
		if _, err := labels.RemoveLabels(r.Context(), r.id, []string{gone}); err != nil {
			return err
		}
		return r.again("")
	}
	if _, err := labels.AddLabels(r.Context(), r.id, r.op.ID, []string{r.PostForm.Get("label")}); err != nil {
		return err
	}
	return r.again("")
}

// snooze puts the conversation off.
func (r *request) snooze() error {
	until, err := r.snoozeUntil()
	if err != nil {
		return err
	}
	return r.onward("snoozed", func() error {
		_, err := r.mine().Conversations().Snooze(r.Context(), r.id, until)
		return err
	})
}

// snoozeUntil reads until when, by the clock of the operator.
func (r *request) snoozeUntil() (time.Time, error) {
	const morning = 9
	local := r.now.In(r.op.Location)
	at := func(days int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+days, morning, 0, 0, 0, r.op.Location)
	}
	switch r.PostForm.Get("for") {
	case "hour":
		return r.now.Add(time.Hour), nil
	case "tomorrow":
		return at(1), nil
	case "monday":
		days := (int(time.Monday) - int(local.Weekday()) + 7) % 7
		if days == 0 {
			days = 7
		}
		return at(days), nil
	case "until":
		return r.readLocal("until", r.PostForm.Get("until"))
	}
	return time.Time{}, rule.Invalid("for", "is none of the choices")
}

// change makes a route of a call that changes the conversation and needs no field.
func change(call func(store.Conversations, *request) (*conversation.Conversation, error)) func(*request) error {
	return func(r *request) error {
		if _, err := call(r.mine().Conversations(), r); err != nil {
			return err
		}
		return r.again("")
	}
}

var (
	unsnooze = change(func(c store.Conversations, r *request) (*conversation.Conversation, error) {
		return c.Unsnooze(r.Context(), r.id)
	})
	pin = change(func(c store.Conversations, r *request) (*conversation.Conversation, error) {
		return c.Pin(r.Context(), r.id)
	})
	unpin = change(func(c store.Conversations, r *request) (*conversation.Conversation, error) {
		return c.Unpin(r.Context(), r.id)
	})
	reopen = change(func(c store.Conversations, r *request) (*conversation.Conversation, error) {
		return c.Reopen(r.Context(), r.id)
	})
)

func (r *request) archive() error {
	return r.onward("archived", func() error {
		_, err := r.mine().Conversations().Archive(r.Context(), r.id)
		return err
	})
}

// markRead notes how far the operator has read.
func (r *request) markRead() error {
	seq, err := strconv.ParseInt(r.PostForm.Get("seq"), 10, 64)
	if err != nil {
		return rule.Invalid("seq", "is no number")
	}
	read, err := r.mine().Conversations().MarkRead(r.Context(), r.id, r.op.ID, seq)
	if err != nil {
		return err
	}
	if wantsJSON(r.Request) {
		r.answerJSON(http.StatusOK, map[string]int64{"seq": read.Seq})
		return nil
	}
	return r.again("")
}

// branch shows another branch to everybody.
func (r *request) branch() error {
	tip, err := seqOf(r.PostForm, "tip")
	if err != nil {
		return err
	}
	if _, err := r.mine().Messages().SetHead(r.Context(), r.id, tip); err != nil {
		return err
	}
	return r.again("")
}

// retry puts a message that failed for good into the outbox again.
func (r *request) retry() error {
	id, err := uuid.Parse(r.PostForm.Get("message"))
	if err != nil {
		return store.ErrNotFound
	}
	m, err := r.mine().Messages().Get(r.Context(), id)
	if err != nil {
		return err
	}
	if m.ConversationID != r.id {
		return store.ErrNotFound
	}
	if _, err := r.mine().Deliveries().Retry(r.Context(), id); err != nil {
		return err
	}
	return r.again("retried")
}
