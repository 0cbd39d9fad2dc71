package store

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// StaleDraftError says that Send would answer a message that is no longer the last one: another
// one came in that the suggestion does not take into account. It matches ErrConflict.
type StaleDraftError struct {
	SuggestionID uuid.UUID
	// AnswersSeq is the seq of the latest message that the suggestion takes into account.
	AnswersSeq int64
	// Newer is the latest inbound message that it does not.
	Newer *message.Message
}

func (e *StaleDraftError) Error() string {
	return fmt.Sprintf("convostore: the suggestion %s answers message %d, and message %d came in since", e.SuggestionID, e.AnswersSeq, e.Newer.Seq)
}

// Is makes every StaleDraftError match ErrConflict.
func (e *StaleDraftError) Is(target error) bool { return target == ErrConflict }

// SecondReplyError says that another suggestion was sent as a reply to the same message. It matches
// ErrConflict.
type SecondReplyError struct {
	SuggestionID uuid.UUID
	// Other is the suggestion that was sent, and Message the message that it was sent as.
	Other, Message uuid.UUID
}

func (e *SecondReplyError) Error() string {
	return fmt.Sprintf("convostore: what the suggestion %s answers was answered by the suggestion %s", e.SuggestionID, e.Other)
}

// Is makes every SecondReplyError match ErrConflict.
func (e *SecondReplyError) Is(target error) bool { return target == ErrConflict }
