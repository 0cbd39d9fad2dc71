package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// StreamReason says why a stream cannot be written.
type StreamReason string

// The reasons.
const (
	// StreamEnded: the message was finished, interrupted by its writer, or has failed. State says
	// which.
	StreamEnded StreamReason = "ended"
	// StreamStopped: StopStream has interrupted it.
	StreamStopped StreamReason = "stopped"
	// StreamSwept: SweepStreams has interrupted it, since its writer was not seen for the time that
	// it was given.
	StreamSwept StreamReason = "swept"
	// StreamTakenOver: ResumeStream has given it to another writer.
	StreamTakenOver StreamReason = "taken over"
	// StreamDeleted: the message or its conversation is deleted or erased.
	StreamDeleted StreamReason = "deleted"
	// StreamActive: a writer is at work.
	StreamActive StreamReason = "active"
	// StreamExists: the message is a redelivery of Message.
	StreamExists StreamReason = "exists"
)

// StreamError says why a message cannot be streamed, or not be changed because it is. It matches
// ErrConflict.
type StreamError struct {
	MessageID uuid.UUID
	Reason    StreamReason
	// State is that of the message, empty if it is deleted or erased.
	State message.State
	// HeartbeatAt is when the message's writer was last seen, by a heartbeat or a flush, nil if
	// there was no heartbeat.
	HeartbeatAt *time.Time
	// Message is what is stored, with StreamExists alone.
	Message *message.Message
}

func (e *StreamError) Error() string {
	what := map[StreamReason]string{
		StreamEnded: "has ended", StreamStopped: "was stopped", StreamSwept: "was swept, since its writer was not seen for the time that SweepStreams was given",
		StreamTakenOver: "was taken over by another writer", StreamDeleted: "is deleted",
		StreamActive: "is being written", StreamExists: "is stored already",
	}[e.Reason]
	if e.State == "" {
		return fmt.Sprintf("convostore: the streamed message %s %s", e.MessageID, what)
	}
	return fmt.Sprintf("convostore: the message %s %s (%s)", e.MessageID, what, e.State)
}

// Is makes every StreamError match ErrConflict.
func (e *StreamError) Is(target error) bool { return target == ErrConflict }
