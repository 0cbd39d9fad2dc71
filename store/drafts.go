package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/suggestion"
)

// SuggestionDrafter is what happens to a suggestion before and after the decision on it.
//
// A message of the lead, which is an inbound one of message.KindMessage that was said, supersedes
// the pending suggestions of its conversation, in its own transaction and by whichever way it is stored: nobody
// approves them any more by accident. Notes, automatic replies, bounces and events do not, nor does
// an old mail that comes late, which is one sent before another message of the lead that the suggestion takes
// into account.
type SuggestionDrafter interface {
	// SaveDraft keeps an edit that is not finished, in the place of an earlier one, and returns the
	// suggestion; empty content removes it. A decision clears it; a message that supersedes the
	// suggestion does not. DraftAt grows with each save. It returns a *DraftConflictError, and
	// changes nothing, if the draft is not the one that o expects, a *TransitionError if the
	// suggestion is not pending, and ErrNotFound if there is none.
	SaveDraft(ctx context.Context, id uuid.UUID, content string, o SaveOptions) (*suggestion.Suggestion, error)

	// Reopen makes a suggestion pending again that was approved, edited, rejected, superseded or
	// expired, and not sent: it undoes the decision. Who reviewed it, when and with what feedback
	// is forgotten, and the text of an edit becomes an unfinished draft. AnswersSeq stays, and the
	// next message of the lead supersedes the suggestion again. If several callers reopen at the
	// same time, one wins. It returns a *TransitionError if the suggestion is pending or was sent,
	// and ErrNotFound if there is none.
	Reopen(ctx context.Context, id uuid.UUID, o ReopenOptions) (*suggestion.Suggestion, error)

	// Expire has pending suggestions expire, the oldest first, and returns how many, also beside
	// an error. It works in batches, each of which commits by itself, and leaves out what somebody
	// is deciding on at that moment.
	Expire(ctx context.Context, o ExpireOptions) (int64, error)
}

// SaveOptions say who saves a draft, and over which one.
type SaveOptions struct {
	// By is the host's name of the person, for example an id or an address.
	By string
	// Expected is the DraftAt of the suggestion as the caller read it, the zero time if it had no
	// draft. Nil saves over any.
	Expected *time.Time
}

// ReopenOptions say what a reopened suggestion takes into account.
type ReopenOptions struct {
	// Current says that the suggestion takes all messages into account that there are now: somebody
	// has read them and finds that it still holds. AnswersSeq becomes that of a new suggestion.
	Current bool
}

// ExpireOptions say which suggestions expire.
type ExpireOptions struct {
	// CreatedBefore is the time before which they were created. It is required. One that was
	// changed since, by SaveDraft or by Reopen, does not expire.
	CreatedBefore time.Time
	// Limit is the most that expire, all if 0. A negative one is ErrInvalid.
	Limit int
}

// DraftConflictError says that the draft of a suggestion is not the one that SaveDraft was to write
// over: somebody else has saved or removed it. It matches ErrConflict.
type DraftConflictError struct {
	// Suggestion is as it is now: its DraftContent, DraftBy and DraftAt say what was saved.
	Suggestion *suggestion.Suggestion
	// Expected is the DraftAt that the caller gave, the zero time for no draft.
	Expected time.Time
}

func (e *DraftConflictError) Error() string {
	return fmt.Sprintf("convostore: the draft of the suggestion %s was changed meanwhile", e.Suggestion.ID)
}

// Is makes every DraftConflictError match ErrConflict.
func (e *DraftConflictError) Is(target error) bool { return target == ErrConflict }
