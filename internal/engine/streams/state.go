package streams

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// state is how a message is now. The zero state is that of a message which is deleted or erased,
// or whose conversation is.
type state struct {
	state     message.State
	fence     int64
	heartbeat *time.Time
	updated   time.Time
	finish    string
	bytes     int64
}

// read asks the primary how a message is.
func read(ctx context.Context, sc scope.Scope, id uuid.UUID) (state, error) {
	q := query.New("SELECT state, fence, heartbeat_at, updated_at, finish_reason, octet_length(content) FROM "+sc.Tables.Messages+
		" m WHERE id = ?", id)
	q = sc.InLive(scope.Deleted(sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.")
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return state{}, err
	}
	found, err := query.All(db, q, func(s *state) []any {
		return []any{
			&s.state, (*record.Number)(&s.fence),
			record.NullInstant{Dest: &s.heartbeat},
			(*record.Instant)(&s.updated),
			(*record.Text)(&s.finish), &s.bytes,
		}
	})
	if err != nil || len(found) == 0 {
		return state{}, err
	}
	return *found[0], nil
}

func (s state) ended() bool {
	return s.state == message.StateInterrupted || s.state == message.StateFailed
}

// quiet is for how long the writer was not seen.
func (s state) quiet(now time.Time) time.Duration {
	if s.heartbeat != nil && s.heartbeat.After(s.updated) {
		return now.Sub(*s.heartbeat)
	}
	return now.Sub(s.updated)
}

// seen is when the writer was last seen: at a heartbeat or, while it writes, at a flush.
func (s state) seen() *time.Time {
	if s.state == message.StateStreaming && s.heartbeat != nil && s.updated.After(*s.heartbeat) {
		return &s.updated
	}
	return s.heartbeat
}

// lostTo says to whom a writer of a fence has lost the message, and is nil if it has not.
func (s state) lostTo(id uuid.UUID, fence int64) error {
	reason := s.reason()
	switch {
	case s.state == "":
	case s.state == message.StateStreaming && s.fence == fence:
		return nil
	case s.fence > fence && (reason == store.StreamActive || reason == store.StreamEnded):
		reason = store.StreamTakenOver
	}
	return &store.StreamError{MessageID: id, Reason: reason, State: s.state, HeartbeatAt: s.seen()}
}

// refusal says why somebody without a fence cannot have the message.
func (s state) refusal(id uuid.UUID) error {
	if s.state == "" {
		return store.ErrNotFound
	}
	return &store.StreamError{MessageID: id, Reason: s.reason(), State: s.state, HeartbeatAt: s.seen()}
}

func (s state) reason() store.StreamReason {
	switch {
	case s.state == "":
		return store.StreamDeleted
	case s.state == message.StateStreaming:
		return store.StreamActive
	case s.state == message.StateInterrupted && s.finish == store.FinishStopped:
		return store.StreamStopped
	case s.state == message.StateInterrupted && s.finish == store.FinishAbandoned:
		return store.StreamSwept
	}
	return store.StreamEnded
}
