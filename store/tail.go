package store

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// DefaultTailEvery is how often a tail and a watch look at the least, and MinTailEvery how often
// they can be told to.
const (
	DefaultTailEvery = time.Second
	MinTailEvery     = 10 * time.Millisecond
)

// MessageWatcher follows the messages of a conversation while others write them.
type MessageWatcher interface {
	// Tail iterates over what happens in a conversation after a position: messages that were
	// appended, and later changes of messages that were there, whichever process wrote them. The
	// zero Position is before the first message; PositionOf is where a conversation that was read
	// stands. When everything was yielded Tail waits for more. It ends with ctx, whose error is
	// the last that it yields, or when the caller leaves the loop.
	//
	// Appended messages come in the order of seq and none is left out, deleted ones included;
	// changes come in the order of change_seq. A message comes as it is when it is read, so that
	// of several changes since then only the last is seen, and one that was deleted before it was
	// yielded comes as ChangeDeleted alone. Store the Position of what was dealt with, and go on from
	// there: nothing is skipped, and a change may come twice.
	//
	// Update, MergeMetadata, Delete, Restore and all else in this package that changes a message
	// is seen, and so is what plain GORM creates. UPDATE and DELETE of the host's own SQL or of
	// plain GORM are not: they do not count in last_change_seq. What is erased or purged is gone
	// without a word, unless the conversation goes.
	//
	// A lost connection or a server that restarts is waited for once the first read has
	// succeeded. The error that ends the iteration is ErrNotFound if the conversation was deleted,
	// erased or is another user's, a *MergedError if it was merged into another one, ErrClosed if the store was closed, and ErrInvalid for a
	// position beyond the conversation, which is then another's, or one from before a backup was
	// restored. In a transaction Tail is ErrInvalid: nothing could happen there.
	//
	// All tails of a store share one poller, which runs while there are some. It asks the primary
	// at least every TailOptions.Every, and at once when this store wrote or a doorbell rang:
	// docs/chat-tail.md says which doorbells there are. Nothing is read ahead of the caller but
	// one page.
	Tail(ctx context.Context, conversationID uuid.UUID, from Position, o TailOptions) iter.Seq2[Change, error]
}

// ConversationWatcher follows which conversations change.
type ConversationWatcher interface {
	// Watch iterates over the conversations of the scope that changed, with their messages or by
	// themselves, whichever process wrote them: first those that were updated at o.Since or later,
	// the longest ago first, then each that changes after the call, as it is then. Several changes
	// may come as one. A deleted conversation comes with its DeletedAt, an erased one without its
	// row. It waits and ends as MessageWatcher.Tail does. In a transaction it is ErrInvalid.
	//
	// Edits and deletions of messages count as a change, though they leave UpdatedAt as it was, so
	// that only a watch that runs sees them.
	//
	// Each watch keeps about 100 bytes for every conversation of its scope, and reads them all to
	// compare, at most a twentieth of the time: in a scope of 100,000 conversations that is every
	// few seconds. Conversations with new activity are looked for in between, by an index.
	Watch(ctx context.Context, o WatchOptions) iter.Seq2[ConversationChange, error]
}

// TailOptions are the options of Tail. The zero value is the default.
type TailOptions struct {
	// Every is how long a change may take to be noticed where no doorbell rings:
	// DefaultTailEvery if 0. Less than MinTailEvery is ErrInvalid. The tails of a store go by the
	// shortest.
	Every time.Duration
	// Once ends the iteration, without an error, where it would wait.
	Once bool
}

// WatchOptions are the options of Watch. The zero value yields what changes from now on.
type WatchOptions struct {
	// Since takes conversations that were updated then or later as well. It goes by the clocks of
	// those who wrote, so that a client that comes back should go back a minute further.
	Since time.Time
	// Every and Once are as in TailOptions.
	Every time.Duration
	Once  bool
}

// Position is a place in a conversation's history. Its text, "12.5", may go to clients, such as
// in the id of a server-sent event; it says how many messages there were, and nothing else.
type Position struct {
	// Seq is that of the last message that was appended.
	Seq int64
	// Change is the last change_seq, which counts the changes of messages that were there.
	Change int64
}

// PositionOf is where a conversation stood when it was read. After Conversations().Thread a tail
// from there misses nothing.
func PositionOf(c *conversation.Conversation) Position {
	return Position{Seq: c.LastSeq, Change: c.LastChangeSeq}
}

// String returns the text that ParsePosition reads.
func (p Position) String() string {
	return strconv.FormatInt(p.Seq, 10) + "." + strconv.FormatInt(p.Change, 10)
}

// ParsePosition reads the text of a position. The empty text is the zero Position; any other
// text than one of String is ErrInvalid.
func ParsePosition(text string) (Position, error) {
	if text == "" {
		return Position{}, nil
	}
	seq, change, _ := strings.Cut(text, ".")
	var p Position
	_, _ = fmt.Sscan(seq, &p.Seq)
	_, _ = fmt.Sscan(change, &p.Change)
	if p.String() != text || p.Seq < 0 || p.Change < 0 {
		return Position{}, rule.Invalid("position", "is not one that a tail gave")
	}
	return p, nil
}

// MarshalText implements encoding.TextMarshaler.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Position) UnmarshalText(text []byte) error {
	parsed, err := ParsePosition(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}

// ChangeKind says what happened to a message, as far as its row tells.
type ChangeKind string

// The kinds of changes.
const (
	// ChangeAppended is a message that is after the position.
	ChangeAppended ChangeKind = "appended"
	// ChangeUpdated is a message that was there and is live: edited, restored, streamed further. Who
	// shows a thread puts it in its place by seq.
	ChangeUpdated ChangeKind = "updated"
	// ChangeDeleted is a message that is softly deleted now. Its row is still as it was.
	ChangeDeleted ChangeKind = "deleted"
	// ChangeHeadMoved says that the conversation shows another branch. There is no message. A message
	// that was appended is the head as long as none of these comes after it. A tail also begins with
	// one if the head is not the last message: a Position has no head, and whether the caller knows
	// it cannot be told.
	ChangeHeadMoved ChangeKind = "head_moved"
)

// Change is one thing that happened in a conversation.
type Change struct {
	Kind ChangeKind
	// Message is the row as it was read, nil for ChangeHeadMoved. Its State says whether it still
	// streams, its EditedAt when it was edited last.
	Message *message.Message
	// Head is the seq of the message that the conversation ends at, for ChangeHeadMoved alone.
	Head int64
	// Position is where to go on after this change.
	Position Position
}

// ConversationChange is a conversation that changed.
type ConversationChange struct {
	ID, UserID uuid.UUID
	// Conversation is the row without its messages, nil if it was erased.
	Conversation *conversation.Conversation
}
