package inbox

import (
	"errors"
	"net/http"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// conflictPage says what stands in the way of a decision. What the operator typed is on it, beside
// what the other one did.
type conflictPage struct {
	*threadPage
	What, Hint string
	// Draft is the suggestion as it is now, with the typed text in the field where it can still be
	// sent.
	Draft *draftView
	// Yours is the text of the form, and Theirs what was decided or saved instead.
	Yours, Theirs, By string
	At                stamp
	Feedback          string
	Diff              []diffPart
	// Newer is the message that the draft does not take into account.
	Newer *messageView
	// Again says that the form is offered once more, and Seen and Second are what it confirms.
	Again        bool
	Seen         int64
	Second       bool
	ConfirmLabel string
}

// conflict answers a decision that came too late with a page that shows why. Any other error is
// returned.
func (r *request) conflict(d *decision, err error) error {
	if !errors.Is(err, store.ErrConflict) {
		return err
	}
	s, again := r.suggestionOf(r.mine(), d.suggestion)
	if again != nil {
		return again
	}
	if wantsJSON(r.Request) {
		r.answerJSON(http.StatusConflict, saved{
			Error: "Somebody else was quicker.", By: oneLine(s.DraftBy), Text: textOf(s), Expected: expectedOf(s),
		})
		return nil
	}
	c, again := r.mine().Conversations().Get(r.Context(), r.id)
	if again != nil {
		return again
	}
	page := r.threadPage(c, d.place)
	if !d.queued {
		page.Query = ""
	}
	body := &conflictPage{threadPage: page, Draft: r.draftView(page, s), Yours: d.text, Feedback: d.feedback}
	if err := r.explain(body, s, d, err); err != nil {
		return err
	}
	if body.Theirs != "" && d.text != "" {
		body.Diff = wordDiff(body.Theirs, d.text)
	}
	f := page.frame
	f.Title, f.Body, f.Tab = "Not done: "+body.What, body, "queue"
	return r.render(http.StatusConflict, "conflict", f)
}

// explain says what the error means for the person who reads the page.
func (r *request) explain(body *conflictPage, s *suggestion.Suggestion, d *decision, err error) error {
	var (
		stale  *store.StaleDraftError
		second *store.SecondReplyError
	)
	switch {
	case errors.As(err, &stale):
		r.explainStale(body, stale.Newer)
	case errors.As(err, &second):
		body.What, body.Hint = "This was answered already", "Another draft went out as the answer to the same message. You can send a second one."
		body.Again, body.Second, body.ConfirmLabel = true, true, "Send a second reply"
	case draftConflict(err) != nil:
		body.What, body.Hint = "Somebody else has edited this draft", "Your text is in the field below, theirs above it. What you send now takes the place of theirs."
		body.Theirs, body.By, body.At = printable(textOf(s)), oneLine(s.DraftBy), r.at(s.DraftAt)
		body.Again, body.ConfirmLabel = true, "Send mine"
	case s.Status == suggestion.StatusSuperseded:
		newer, err := r.lastInbound(r.mine(), s.AnswersSeq)
		if err != nil {
			return err
		}
		r.explainStale(body, newer)
	default:
		r.explainDecided(body, s)
	}
	if body.Again {
		body.Draft.setText(d.text)
	}
	return nil
}

func (r *request) explainStale(body *conflictPage, newer *message.Message) {
	body.What = "Newer mail arrived"
	body.Hint = "The draft does not take it into account. Read it, change your reply if need be, and confirm."
	body.Again, body.Seen, body.ConfirmLabel = true, body.LastSeq, "I have read it: send"
	if newer != nil {
		body.Newer, body.Seen = r.messageView(body.threadPage, newer, false), newer.Seq
	}
}

// explainDecided says who was quicker.
func (r *request) explainDecided(body *conflictPage, s *suggestion.Suggestion) {
	body.By, body.At, body.Theirs = oneLine(s.ReviewedBy), r.at(s.ReviewedAt), printable(s.FinalContent())
	switch s.Status {
	case suggestion.StatusApproved, suggestion.StatusEdited:
		body.What, body.Hint = "Somebody else has approved it", "Their reply stands. Yours was not sent."
		if s.ReviewedBy == r.op.ID {
			body.What, body.Hint = "It has been approved already", "It cannot be changed any more: it is on its way, or has left."
		}
	case suggestion.StatusRejected:
		body.What, body.Hint, body.Theirs = "Somebody else has rejected it", "Reopen it on its page to decide again.", ""
		if feedback := printable(s.Feedback); feedback != "" {
			body.Theirs = feedback
		}
	case suggestion.StatusExpired:
		body.What, body.Hint = "The draft has expired", "Nobody decided in time. You can send it all the same."
		body.Again, body.Seen, body.ConfirmLabel, body.Theirs = true, max(1, body.LastSeq), "Send it", ""
	case suggestion.StatusPending:
		body.What, body.Hint, body.Theirs = "The draft waits again", "Somebody has taken the decision back.", ""
	case suggestion.StatusSuperseded: // explainStale
	}
}
