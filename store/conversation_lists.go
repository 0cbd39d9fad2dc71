package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// ConversationOverviewer lists conversations with what a list on a screen shows of each.
type ConversationOverviewer interface {
	// Overview returns a page of what List lists, in its order, with what the options ask for. A
	// page takes one query, whatever they are.
	Overview(ctx context.Context, f ConversationFilter, o OverviewOptions, p PageRequest) (Page[*ConversationOverview], error)
}

// ConversationMarker keeps what people note about conversations: how far they have read, and
// labels. Its methods return ErrNotFound if there is no live conversation with this id.
type ConversationMarker interface {
	// MarkRead notes that a reader has read a conversation up to a seq, and returns how far that
	// reader has read now. It never goes back: a seq below the one that is noted changes nothing,
	// not even ReadAt. A seq beyond the last message means the last message. The reader is the
	// host's name of a person, of 1 to 1,024 bytes; a seq below 0 is ErrInvalid.
	MarkRead(ctx context.Context, id uuid.UUID, reader string, seq int64) (*conversation.Read, error)

	// AddLabels puts labels on a conversation and returns how many it did not have. by is the
	// host's name of who does it, which may be empty; a label that is there already keeps its
	// own. A label of no or of more than 1,024 bytes, and more than MaxLabels, are ErrInvalid.
	AddLabels(ctx context.Context, id uuid.UUID, by string, labels []string) (added int64, err error)

	// RemoveLabels takes labels off and returns how many of them were there.
	RemoveLabels(ctx context.Context, id uuid.UUID, labels []string) (removed int64, err error)
}

// Bounds of lists.
const (
	// MaxUnread is where an overview stops to count: that many and more are MaxUnread.
	MaxUnread = 100
	// MaxPreview is how many characters of the last message an overview has.
	MaxPreview = 200
	// MaxLabels is how many labels one call or one filter may name.
	MaxLabels = 100
	// MaxOverviewStates is how many keys of states an overview may ask for.
	MaxOverviewStates = 50
	// MaxLeadColumns is how many columns of the lead an overview may ask for.
	MaxLeadColumns = 20
	// MaxMetadata is how many conditions on metadata a filter may have.
	MaxMetadata = 20
)

// OverviewOptions say what an overview has beside the conversations. What is not asked for costs
// nothing.
type OverviewOptions struct {
	// LastMessage asks for the beginning of the newest live message, up to the head of the
	// conversation, of the kind KindMessage: no notes, events and automatic mail.
	LastMessage bool
	// Reader asks for what one reader has not read.
	Reader string
	// Labels asks for the labels.
	Labels bool
	// StateKeys asks for states of the conversations with these keys.
	StateKeys []string
	// Draft asks for the newest suggestion that is pending.
	Draft bool
	// Lead asks for columns of the lead in the host's table: those of HostTable.Columns, and its
	// Title. Any other is ErrInvalid, and so are all in the scope of one user if HostTable has no
	// Owner.
	Lead []string
}

// ConversationOverview is a conversation with what a list shows of it.
type ConversationOverview struct {
	*conversation.Conversation
	// LastMessage is nil if it was not asked for, or if there is none.
	LastMessage *MessagePreview `json:"last_message,omitempty"`
	// Unread is the number of live messages after ReadSeq that others wrote, MaxUnread at most:
	// those whose Author is not the reader. A message without an author counts. Events do not,
	// and a message not while it streams. Messages of all branches count, also of those that are
	// not shown, and so do those of the role system: mark Conversation.LastSeq as read and not the
	// last seq that is shown. ReadSeq is 0 if the reader has read nothing.
	Unread  int64 `json:"unread"`
	ReadSeq int64 `json:"read_seq"`
	// Labels are sorted by their bytes; empty and not nil if they were asked for.
	Labels []string `json:"labels,omitempty"`
	// States has those of the keys that are there.
	States StateMap `json:"states,omitempty"`
	// Draft is nil if it was not asked for, or if no suggestion is pending.
	Draft *DraftPreview `json:"draft,omitempty"`
	// Lead has the columns that were asked for and are not NULL, as the database casts them to text.
	// It is empty if the host's table has no such lead of the user.
	Lead map[string]string `json:"lead,omitempty"`
}

// DraftPreview is the beginning of a suggestion that waits for a decision.
type DraftPreview struct {
	ID uuid.UUID `json:"id"`
	// Content is the first MaxPreview characters of what was suggested; Truncated says that there
	// are more.
	Content   string `json:"content"`
	Truncated bool   `json:"truncated,omitempty"`
	// Confidence is nil if the suggestion has none.
	Confidence *float64  `json:"confidence,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
}

// MessagePreview is the beginning of a message.
type MessagePreview struct {
	ID        uuid.UUID         `json:"id"`
	Seq       int64             `json:"seq"`
	Role      message.Role      `json:"role"`
	Direction message.Direction `json:"direction,omitempty"`
	Author    string            `json:"author,omitempty"`
	State     message.State     `json:"state"`
	SentAt    time.Time         `json:"sent_at"`
	// Content is its first MaxPreview characters; Truncated says that there are more.
	Content   string `json:"content"`
	Truncated bool   `json:"truncated,omitempty"`
}

// MetadataCondition is a condition on one key of the metadata, on its outermost level. Metadata
// that is no object, or has no such key, does not meet it.
type MetadataCondition struct {
	Key string
	// Value is a text, true, false, null, or a whole number of at most 2^53 in size, as JSON. Any
	// other document is ErrInvalid.
	Value message.JSON
	// Contains takes the rows whose value is an array with Value among its elements, instead of
	// those whose value equals it.
	Contains bool
}
