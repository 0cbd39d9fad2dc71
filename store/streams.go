package store

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/message"
)

// MessageStreamer writes messages while a language model is still answering, and reads them
// meanwhile. See docs/chat-streams.md.
//
// A message whose State is StateStreaming belongs to its writer. Lists and Get show it with the
// text that was flushed, but it is not found by searches, not embedded, not counted by reports,
// and does not change the conversation's status: that happens when it ends. Update, MergeMetadata
// and vectors for it are a *StreamError with StreamActive until then; Delete hides it, and its
// writer learns so.
//
// An interrupted message counts like a complete one if it has text: it is a reply that was seen.
// A failed one is found by searches and counts nowhere else. Flushes do not set EditedAt.
type MessageStreamer interface {
	// Stream appends m as Append does, in the state streaming, and returns its writer. The
	// message has its seq, and takes its place in the conversation's activity, at once. m may have
	// content already, with which the text begins; it must not have embeddings or another state.
	//
	// A redelivery is a *StreamError with StreamExists and the message that is stored, on which
	// nothing is changed: if that one is still streaming, ResumeStream can take it over.
	//
	// Everything else is as for Append. Inside a transaction Stream is ErrInvalid, because nobody
	// would see what it flushes.
	Stream(ctx context.Context, conversationID uuid.UUID, m *message.Message, o StreamOptions) (MessageStream, error)

	// ResumeStream takes over a message that is streaming, whoever began it, and goes on behind
	// the text that was flushed. The writer before it learns at its next flush that it has lost
	// the stream. With StreamOptions.Quiet it takes over only from a writer that was not seen for
	// that time, and otherwise returns a *StreamError with StreamActive: of several that try at
	// once, one wins.
	//
	// A message that is not streaming is a *StreamError that says how it ended; with
	// StreamOptions.Reopen one that was interrupted or has failed is streaming again, and its
	// vectors are removed. It returns ErrNotFound if there is no such message. Inside a
	// transaction it is ErrInvalid.
	ResumeStream(ctx context.Context, id uuid.UUID, o StreamOptions) (MessageStream, error)

	// StopStream ends a message that is streaming as interrupted, from any process, and returns it
	// with what was flushed. Its finish reason is FinishStopped, unless the writer had set one.
	// The writer learns at its next flush that it was stopped. A message that is not streaming is
	// a *StreamError that says how it ended. It returns ErrNotFound if there is no such message.
	StopStream(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// FollowStream iterates over the text of a message from a byte on, as it is flushed by
	// whichever process, until the message has ended. The last part, which may have no text, has
	// the state in which it ended; a message that is not streaming has one part. A part ends
	// between two characters, and a reader that broke off goes on from its End. A byte behind the
	// text is waited for, and is ErrInvalid once the message has ended. Text that the reader had
	// never changes nor goes away.
	//
	// It polls, with no connection or query held while it waits or while the caller works. It ends
	// after the first error: ErrNotFound if there is no such message or if it is deleted, the
	// error of ctx, ErrInvalid for a negative byte and inside a transaction, which may never see
	// the end.
	FollowStream(ctx context.Context, id uuid.UUID, fromByte int64, o FollowOptions) iter.Seq2[StreamPart, error]
}

// MessageStream is the writer of a message that is streaming. It buffers text and writes it in
// flushes, each of one statement, guarded by the writer's fence. It is safe for concurrent use. It
// has no goroutine and nothing to close: a writer that is forgotten is ended by SweepStreams.
//
// The methods return ErrInvalid for what breaks a rule; that part is not taken, and the stream
// goes on. A *StreamError, which matches ErrConflict, says that the stream has ended or was lost;
// then every method returns it. After any other error (of the database, or of a context that ended
// during a flush) everything is kept, and the next flush writes it: do not pass the text again.
type MessageStream interface {
	// ID and Seq are those of the message.
	ID() uuid.UUID
	Seq() int64

	// Write adds to the text. It returns at once, unless a flush is due: because the text waits
	// for StreamOptions.FlushEvery or has StreamOptions.FlushBytes, and no other call is flushing.
	// A character may be split over two calls.
	//
	// U+0000 and bytes that are not UTF-8 are ErrInvalid, see convostore.WithNULStripped and
	// WithInvalidTextReplaced, and of such a text nothing is taken. Of a text that makes the
	// message too large what fits is taken, and the error is ErrInvalid too.
	Write(ctx context.Context, text string) error

	// SetToolCalls and SetToolResults replace the message's documents, SetPayload its payload and
	// SetUsage what it names. They wait for a flush as text does.
	SetToolCalls(ctx context.Context, doc message.JSON) error
	SetToolResults(ctx context.Context, doc message.JSON) error
	SetPayload(ctx context.Context, format string, p message.Payload) error
	SetUsage(ctx context.Context, u Usage) error

	// Flush writes what waits. Without anything it asks nobody.
	Flush(ctx context.Context) error

	// Beat does what is due: it flushes if something waits for long enough, and otherwise says
	// that the writer is alive if StreamOptions.HeartbeatEvery has passed. It is for a ticker
	// beside a model that thinks.
	Beat(ctx context.Context) error

	// Finish flushes and ends the message as complete. What u names is kept with it.
	Finish(ctx context.Context, u Usage) error
	// Interrupt flushes and ends the message as interrupted. A context that ended is no reason to
	// lose the rest: use context.WithoutCancel.
	Interrupt(ctx context.Context) error
	// Fail flushes and ends the message as failed. The reason, cut to 1,024 bytes, is kept as its
	// finish reason.
	Fail(ctx context.Context, reason string) error

	// Text is the whole text that was taken, also by writers before this one. Bytes of a
	// character that is not complete are left out; if the message ends with such, they are
	// written as U+FFFD.
	Text() string
	// Flushed is how many bytes of the text are known to be stored.
	Flushed() int64
}

// Usage is what a language model reports about its answer. Zero values are not known, and leave
// what was set before.
type Usage struct {
	Model               string
	TokensIn, TokensOut int64
	// Cost is in the host's currency.
	Cost         decimal.Decimal
	FinishReason string
}

// The finish reasons of messages that somebody else than their writer has interrupted.
const (
	// FinishStopped is that of StopStream.
	FinishStopped = "stopped"
	// FinishAbandoned is that of SweepStreams.
	FinishAbandoned = "abandoned"
)

// The defaults of StreamOptions and FollowOptions.
const (
	DefaultFlushEvery     = 200 * time.Millisecond
	DefaultFlushBytes     = 4 << 10
	DefaultHeartbeatEvery = 10 * time.Second
	DefaultPollEvery      = 100 * time.Millisecond
)

// StreamOptions say when a stream is flushed. Zero values are the defaults; negative ones are
// ErrInvalid. Times are those of the store's clock.
type StreamOptions struct {
	// FlushEvery is how long text waits at most, if Write or Beat is called. It is what readers
	// are behind, and a flush writes the whole row.
	FlushEvery time.Duration
	// FlushBytes is with how many bytes of text a flush is due.
	FlushBytes int
	// HeartbeatEvery is after what time a flush or Beat writes the heartbeat. A writer with nothing
	// to flush is seen no oftener.
	HeartbeatEvery time.Duration
	// Quiet is for ResumeStream: the writer before must not have been seen for so long. 0 takes
	// over from anybody.
	Quiet time.Duration
	// Reopen is for ResumeStream: it also takes a message that was interrupted or has failed.
	Reopen bool
}

// FollowOptions are the options of FollowStream.
type FollowOptions struct {
	// PollEvery is the time between two looks at a message that is streaming, DefaultPollEvery if
	// 0; below 0 is ErrInvalid.
	PollEvery time.Duration
}

// StreamPart is a part of the text of a message.
type StreamPart struct {
	Text string
	// End is the byte of the message's text behind this part.
	End int64
	// State is that of the message when the part was read.
	State message.State
}
