package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Kind says what an entry of a conversation is. Only KindMessage is something that somebody
// said to the other side.
type Kind string

// The kinds. Valid, the JSON decoder and the database refuse any other.
const (
	// KindMessage is a message to the other side, and the default.
	KindMessage Kind = "message"
	// KindNote is internal: it never leaves the service.
	KindNote Kind = "note"
	// KindAutoReply was sent by a machine, such as an out-of-office reply.
	KindAutoReply Kind = "auto_reply"
	// KindBounce reports that a message could not be delivered.
	KindBounce Kind = "bounce"
	// KindEvent is something that happened in the conversation, such as an assignment.
	KindEvent Kind = "event"
)

// Kinds returns every kind, in the order of the constants.
func Kinds() []Kind {
	return []Kind{KindMessage, KindNote, KindAutoReply, KindBounce, KindEvent}
}

// Counts reports whether an entry of this kind is activity of its conversation: KindMessage, which
// the empty kind becomes, and no other.
func (k Kind) Counts() bool { return k == KindMessage || k == "" }

func (k Kind) String() string { return string(k) }

// Valid reports whether k is one of the constants. The empty kind is not.
func (k Kind) Valid() bool {
	switch k {
	case KindMessage, KindNote, KindAutoReply, KindBounce, KindEvent:
		return true
	}
	return false
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown kind. The empty text is an unset kind and no error.
func (k *Kind) UnmarshalText(text []byte) error {
	return enum.Unmarshal(k, text, Kind.validate)
}

// Value implements driver.Valuer.
func (k Kind) Value() (driver.Value, error) { return string(k), nil }

// Scan implements sql.Scanner.
func (k *Kind) Scan(src any) error { return enum.Scan(k, src) }

func (k Kind) validate() error {
	if !k.Valid() {
		return rule.Invalid("kind", "is not message, note, auto_reply, bounce or event")
	}
	return nil
}
