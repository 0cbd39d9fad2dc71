package suggestion

import (
	"cmp"
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Supersede says that a newer message came in, which the suggestion does not take into account. An
// unfinished edit is kept. The zero time means now. If the suggestion is not pending, it returns a
// *rule.TransitionError and changes nothing.
func (s *Suggestion) Supersede(at time.Time) error { return s.lapse(StatusSuperseded, at) }

// Expire says that nobody decided in time. Otherwise it does what Supersede does.
func (s *Suggestion) Expire(at time.Time) error { return s.lapse(StatusExpired, at) }

func (s *Suggestion) lapse(to Status, at time.Time) error {
	if err := check.Time("reviewed_at", at); err != nil {
		return err
	}
	if err := s.mayBecome(to, to.String()); err != nil {
		return err
	}
	if at.IsZero() {
		at = time.Now()
	}
	s.Status, s.ReviewedAt, s.UpdatedAt = to, new(message.Instant(at)), message.Now()
	return nil
}

// mayBecome returns a *rule.TransitionError if the status does not become the next one.
func (s *Suggestion) mayBecome(next Status, name string) error {
	// A suggestion that was never normalized has no status, which means pending.
	if from := cmp.Or(s.Status, StatusPending); !from.CanBecome(next) {
		return &rule.TransitionError{Of: "suggestion", From: from.String(), To: name}
	}
	return nil
}

// SaveDraft keeps an edit that is not finished, in the place of an earlier one; empty content
// removes it. by is the host's name of who saved it, and the zero time means now. If the suggestion
// is not pending, it returns a *rule.TransitionError and changes nothing.
func (s *Suggestion) SaveDraft(content, by string, at time.Time) error {
	if err := ValidateDraft(content, by, at); err != nil {
		return err
	}
	// Only what waits for a decision can be edited.
	if err := s.mayBecome(StatusEdited, "drafted"); err != nil {
		return err
	}
	if at.IsZero() {
		at = time.Now()
	}
	s.clearDraft()
	if content != "" {
		s.DraftContent, s.DraftBy, s.DraftAt = content, by, new(message.Instant(at))
	}
	s.UpdatedAt = message.Now()
	return nil
}

// ValidateDraft checks an unfinished edit without a suggestion.
func ValidateDraft(content, by string, at time.Time) error {
	return check.First(
		check.Text("draft_content", content),
		check.Key("draft_by", by),
		check.Time("draft_at", at),
	)
}

// Drafted reports whether there is an edit that is not finished.
func (s *Suggestion) Drafted() bool { return s.DraftAt != nil }

func (s *Suggestion) clearDraft() { s.DraftContent, s.DraftBy, s.DraftAt = "", "", nil }

// Reopen makes the suggestion pending again, whatever became of it: it undoes a decision. Who
// reviewed it, when and with what feedback is forgotten, and the text of a finished edit becomes an
// unfinished one. If the suggestion was sent or is pending, it returns a *rule.TransitionError and
// changes nothing.
func (s *Suggestion) Reopen() error {
	if s.Sent() {
		return &rule.TransitionError{Of: "suggestion", From: "sent", To: StatusPending.String()}
	}
	if err := s.mayBecome(StatusPending, StatusPending.String()); err != nil {
		return err
	}
	if s.Status == StatusEdited {
		s.DraftContent, s.DraftBy, s.DraftAt = s.EditedContent, s.ReviewedBy, s.ReviewedAt
	}
	s.Status, s.EditedContent, s.ReviewedBy, s.ReviewedAt, s.Feedback = StatusPending, "", "", nil, ""
	s.UpdatedAt = message.Now()
	return nil
}
