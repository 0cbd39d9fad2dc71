package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// State says whether the content is all of it. A message that was not streamed is complete.
type State string

// The states. Valid, the JSON decoder and the database refuse any other.
const (
	// StateComplete is the default.
	StateComplete State = "complete"
	// StateStreaming: a writer is still adding to the content.
	StateStreaming State = "streaming"
	// StateInterrupted: the stream ended early, and the content is what came until then.
	StateInterrupted State = "interrupted"
	// StateFailed: the stream ended with an error.
	StateFailed State = "failed"
)

// States returns every state, in the order of the constants.
func States() []State {
	return []State{StateComplete, StateStreaming, StateInterrupted, StateFailed}
}

// Ended reports whether nobody writes to the message any more.
func (s State) Ended() bool { return s != StateStreaming }

func (s State) String() string { return string(s) }

// Valid reports whether s is one of the constants. The empty state is not.
func (s State) Valid() bool {
	switch s {
	case StateComplete, StateStreaming, StateInterrupted, StateFailed:
		return true
	}
	return false
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown state. The empty text is an unset state and no error.
func (s *State) UnmarshalText(text []byte) error {
	return enum.Unmarshal(s, text, State.validate)
}

// Value implements driver.Valuer.
func (s State) Value() (driver.Value, error) { return string(s), nil }

// Scan implements sql.Scanner.
func (s *State) Scan(src any) error { return enum.Scan(s, src) }

func (s State) validate() error {
	if !s.Valid() {
		return rule.Invalid("state", "is not complete, streaming, interrupted or failed")
	}
	return nil
}
