// Package window chooses what of a conversation is sent to a language model: the newest messages
// that a budget of tokens, bytes and messages has room for, so that every provider accepts them.
//
// It is pure: Build takes messages and summaries and opens no database. A store's
// Messages().Context reads what it needs and calls it.
package window

import (
	"fmt"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Budget is how much a window may hold. A bound of 0 is none, a negative one is a
// *rule.InvalidError, and so is a budget without any.
type Budget struct {
	// Tokens is counted by Counter, Bytes is the length of texts, documents and payloads, and
	// Messages is how many entries there may be.
	Tokens, Bytes, Messages int
	// Counter counts tokens: a Bound if nil.
	Counter Counter
	// MediaTokens is what an image or a file inside of a payload counts. At 0 its bytes count
	// as text, which is far too much for an image.
	MediaTokens int

	// Missing says what happens to a call whose result is not there.
	Missing Missing
	// Kinds are the kinds of messages to take: message.KindMessage alone if empty.
	Kinds []message.Kind
	// States are the states of messages to take: complete and interrupted if empty.
	States []message.State
}

// Missing says what happens to calls without a result, which no provider accepts.
type Missing int

// The ways.
const (
	// LeaveOut leaves out the message that calls, with the other calls of its step and their
	// results. Text of a user's in a message with results stays.
	LeaveOut Missing = iota
	// AddResult adds a result that says that there is none.
	AddResult
)

// NoResult is the text of the results that AddResult adds.
const NoResult = "The call has no result."

// Window is what to send, and what is missing in it.
type Window struct {
	// Entries are in the order of seq, but for results, which follow their calls at once.
	Entries []Entry
	// LeftOut says of every message and summary that was given and is not in Entries why, in
	// the order of seq.
	LeftOut []LeftOut
	// UnreadBefore is set by a store that did not read the whole conversation: messages with
	// a lower seq are in neither list unless they were asked for. 0 means that all were read.
	UnreadBefore int64
	// Tokens and Bytes are what the entries count together.
	Tokens, Bytes int
}

// Entry is a message or a summary, never both.
type Entry struct {
	Message *message.Message
	Summary *conversation.Summary
	// Synthetic marks a message that is no row: a result that AddResult made.
	Synthetic bool
	// Altered marks a copy of a user's message without its results, which answer nothing.
	Altered bool
	Tokens  int
}

// LeftOut is a message that is not in the window, or a summary if Summary is set.
type LeftOut struct {
	Seq     int64
	Summary *conversation.Summary
	Reason  Reason
}

// Reason says why something was left out.
type Reason string

// The reasons.
const (
	// OverBudget: the budget is used up by what is newer, or by what is pinned.
	OverBudget Reason = "over budget"
	// Covered by a summary in the window.
	Covered Reason = "covered by a summary"
	// Unfit is a message that is deleted or of another kind or state than those asked for, and
	// a summary that is void.
	Unfit Reason = "deleted, void, or of another kind or state"
	// Blank is a message that says nothing, or thoughts that lead to nothing.
	Blank Reason = "blank"
	// WithoutResult is a call without a result, with what belongs to its step.
	WithoutResult Reason = "a call without a result"
	// WithoutCall is a result whose call is not there.
	WithoutCall Reason = "a result without a call"
	// BeforeUser is what an assistant said before the first message of a user's.
	BeforeUser Reason = "before the first user's message"
	// Overlapping is a summary that covers what another one covers, or the last user's message.
	Overlapping Reason = "overlapping"
)

// Messages returns the entries as messages to send, for payload.NewPrompt. A summary becomes a
// user's message with its text: a provider must not take for an instruction of the host's what
// sums up the words of users.
func (w Window) Messages() []*message.Message {
	ms := make([]*message.Message, len(w.Entries))
	for i, e := range w.Entries {
		if ms[i] = e.Message; e.Summary != nil {
			ms[i] = summaryMessage(e.Summary)
		}
	}
	return ms
}

func summaryMessage(s *conversation.Summary) *message.Message {
	return &message.Message{
		ID: s.ID, UserID: s.UserID, ConversationID: s.ConversationID, Seq: s.FromSeq, Role: message.RoleUser,
		Kind: message.KindMessage, State: message.StateComplete, Content: s.Content, CreatedAt: s.CreatedAt, SentAt: s.CreatedAt,
	}
}

// TooSmallError says that what is pinned, which is the system's messages and the last user's,
// does not fit into the budget. It matches rule.ErrInvalid.
type TooSmallError struct {
	// Tokens, Bytes and Messages are what the pinned messages need.
	Tokens, Bytes, Messages int
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("convostore: invalid budget: the pinned messages need %d tokens, %d bytes and %d messages", e.Tokens, e.Bytes, e.Messages)
}

// Is makes every TooSmallError match rule.ErrInvalid.
func (e *TooSmallError) Is(target error) bool { return target == rule.ErrInvalid }

// Validate returns a *rule.InvalidError for a budget without a bound or with a field that is
// negative or unknown.
func (b Budget) Validate() error {
	for _, bound := range []struct {
		name string
		n    int
	}{{"tokens", b.Tokens}, {"bytes", b.Bytes}, {"messages", b.Messages}, {"media_tokens", b.MediaTokens}} {
		if bound.n < 0 {
			return rule.Invalid("budget."+bound.name, "is negative")
		}
	}
	for _, k := range b.Kinds {
		if !k.Valid() {
			return rule.Invalid("budget.kinds", "has an unknown kind")
		}
	}
	for _, s := range b.States {
		if !s.Valid() {
			return rule.Invalid("budget.states", "has an unknown state")
		}
	}
	switch {
	case b.Tokens+b.Bytes+b.Messages == 0:
		return rule.Invalid("budget", "has no bound")
	case b.Missing < LeaveOut || b.Missing > AddResult:
		return rule.Invalid("budget.missing", "is unknown")
	}
	return nil
}

// newSynthetic returns a result for a call that has none, as AddResult adds it.
func newSynthetic(of *message.Message, results message.JSON) *message.Message {
	return &message.Message{
		UserID: of.UserID, ConversationID: of.ConversationID, Role: message.RoleTool,
		Kind: message.KindMessage, State: message.StateComplete, ToolResults: results, CreatedAt: of.CreatedAt, SentAt: of.SentAt,
	}
}
