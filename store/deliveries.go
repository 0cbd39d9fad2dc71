package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// Deliveries is the outbox of a scope: which messages are to be handed to a provider, on which
// channel and when, and how that went. The library sends nothing itself. A worker of the host
// claims what is due, hands it to the provider and reports what came of it; Run does all of that
// around one function of the host.
//
// A message is handed over at least once, and under one key that stays the same, so that a
// provider which honours keys sends it exactly once. It is twice where a worker dies between the
// provider's answer and Done.
//
// Message.Delivery and DeliveryError follow in the transaction of each call here, as a change of
// the message that a tail sees. A message may be on its way on several channels. What has been
// sent on one of them counts as sent.
//
// An entry of a message that is deleted, or in a deleted conversation, does not exist for these
// methods and is not sent; it is there again when the message is restored. A worker that has it
// already may still report.
type Deliveries interface {
	DeliveryReader
	DeliveryQueue
	DeliveryWorker
	DeliveryReporter
}

// DeliveryReader reads the outbox.
type DeliveryReader interface {
	// Get returns an entry, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*message.OutboxEntry, error)

	// List returns a page of the entries that f selects, latest CreatedAt first, ties by id,
	// highest first. In the scope of all users it goes by the id alone, which begins with the time
	// unless the host makes its ids in another way.
	List(ctx context.Context, f DeliveryFilter, p PageRequest) (Page[*message.OutboxEntry], error)
}

// DeliveryQueue puts messages into the outbox and takes them out again.
type DeliveryQueue interface {
	// Enqueue stores an entry for a live message and fills in what was unset. e needs a MessageID
	// and a Channel; a DueAt in the future sends later. The message becomes queued, unless it is
	// sent on another channel already. If its conversation needs a reply because of the
	// message, it waits again.
	//
	// It returns ErrNotFound if there is no such message, ErrInvalid if the message is not
	// outbound, is a note or an event or is not complete, or if e has a claim, attempts or an
	// end, ErrConflict if the id is taken or the message has an open entry on the channel, and
	// a *TransitionError if the message was sent on the channel and has not bounced since.
	Enqueue(ctx context.Context, e *message.OutboxEntry) error

	// Cancel takes an entry out of the outbox before a worker has it: undo. The message is as if
	// it had never been queued, and stays in the conversation, which needs a reply if no other
	// outbound message follows the last inbound one. Cancel returns a *TransitionError if a
	// worker has the entry or it has ended, and ErrNotFound if there is none.
	//
	// An entry whose lease has ended can be cancelled. Its worker may have sent it.
	Cancel(ctx context.Context, id uuid.UUID) (*message.OutboxEntry, error)

	// Reschedule changes when an entry is due. It returns a *TransitionError if a worker has the
	// entry or it has ended, and ErrNotFound if there is none.
	Reschedule(ctx context.Context, id uuid.UUID, at time.Time) (*message.OutboxEntry, error)

	// Retry opens the entries of a message that failed for good or were cancelled, the latest of
	// each channel, and makes them due now, without their attempts. The message is queued again and its conversation waits,
	// unless an inbound message came later. It returns the entries by channel, ErrNotFound if
	// there is no such message, and a *TransitionError if none of its entries is to be tried
	// again.
	Retry(ctx context.Context, messageID uuid.UUID) ([]*message.OutboxEntry, error)
}

// DeliveryWorker is what a process calls that hands messages to a provider.
type DeliveryWorker interface {
	// Claim takes entries that are due and that no worker has, the one that is due longest first, for the time of
	// a lease. No other worker gets them until then. It returns none if nothing is due; it does
	// not wait. In the scope of all users it takes those of every user.
	//
	// Each claim counts as an attempt. An entry whose lease has ended is claimed again.
	Claim(ctx context.Context, o ClaimOptions) ([]*Claimed, error)

	// Renew extends a claim to a lease from now, DefaultLease if 0. It returns a *LeaseError if
	// the worker no longer has the entry, and ErrNotFound if there is none.
	Renew(ctx context.Context, id uuid.UUID, worker string, lease time.Duration) (*message.OutboxEntry, error)

	// Done says that the provider took the message. The message becomes sent, and gets the ids
	// that the provider gave it: replies to them are found.
	//
	// What happened is recorded whoever has the claim by then, also of an entry that failed
	// or was cancelled meanwhile: the first Done ends the entry. A second one gets a *LeaseError
	// with a DoneAt, and only its ids are kept, because a second mail may have gone out under
	// them. An entry that was never claimed is a *LeaseError too.
	Done(ctx context.Context, id uuid.UUID, worker string, r DeliveryResult) (*message.OutboxEntry, error)

	// Fail says that an attempt failed. Without Final the entry is due again after
	// Failure.RetryAfter. With Final it has failed for good: the message becomes failed, with
	// the error, unless another channel has sent it or is still to, and its conversation needs a
	// reply, unless a later outbound message has gone out. Fail returns a *LeaseError if the
	// worker no longer has the entry.
	Fail(ctx context.Context, id uuid.UUID, worker string, f Failure) (*message.OutboxEntry, error)

	// Run claims, calls send and reports, until ctx ends. It then claims nothing more, waits for
	// the calls of send that are running, whose context does not end with ctx, reports what
	// came of them, and returns ctx's error. A transaction is ErrInvalid.
	//
	// Run wakes when something is written through the same store, or in another process that
	// the store hears of, and looks every RunOptions.Every besides. It renews the lease while send runs. The
	// context of send ends after RunOptions.Timeout and when the lease is lost.
	//
	// An error of send is an attempt that failed: a *PermanentError for good, a *TemporaryError
	// after the wait that it names, any other one after RunOptions.Backoff, which doubles. So is
	// a panic. After RunOptions.MaxAttempts the entry has failed for good. Errors of the database are no end:
	// Run pauses and goes on, except for those that last, such as ErrInvalid, ErrSchema and
	// ErrClosed, which it returns.
	Run(ctx context.Context, o RunOptions, send SendFunc) error
}

// DeliveryReporter keeps what becomes known of a message after it was sent, also of one that was
// never in the outbox.
type DeliveryReporter interface {
	// Bounce says that the recipient's side refused an outbound message, and why. The message becomes
	// bounced, and its conversation needs a reply as after a failure for good. It returns
	// the message, also if it has bounced already. ErrNotFound and ErrInvalid are as in Enqueue.
	Bounce(ctx context.Context, messageID uuid.UUID, reason string) (*message.Message, error)

	// Delivered says that the recipient's side took a message. It returns a *TransitionError
	// if the message has bounced. ErrNotFound and ErrInvalid are as in Enqueue.
	Delivered(ctx context.Context, messageID uuid.UUID) (*message.Message, error)
}

// DeliveryState is where an entry of the outbox is.
type DeliveryState string

// The states of an entry. The empty one selects every entry.
const (
	// DeliveryOpen is neither done nor failed nor cancelled.
	DeliveryOpen      DeliveryState = "open"
	DeliveryDone      DeliveryState = "done"
	DeliveryFailed    DeliveryState = "failed"
	DeliveryCancelled DeliveryState = "cancelled"
)

// Valid reports whether s is one of the constants. The empty state is not.
func (s DeliveryState) Valid() bool {
	return s == DeliveryOpen || s == DeliveryDone || s == DeliveryFailed || s == DeliveryCancelled
}

// DeliveryFilter selects entries. Its zero value selects all.
type DeliveryFilter struct {
	// MessageID is the message, unless it is the nil UUID.
	MessageID uuid.UUID
	// Channel is the channel, unless it is empty.
	Channel string
	// State is the state, unless it is empty. An unknown one is ErrInvalid.
	State DeliveryState
	// DueBefore keeps the entries that are due before a time, unless it is zero.
	DueBefore time.Time
}

// DefaultLease is how long a claim lasts, and DefaultClaim how many entries Claim takes at most.
const (
	DefaultLease = time.Minute
	DefaultClaim = 10
)

// ClaimOptions say what a worker claims.
type ClaimOptions struct {
	// Worker is who claims, a name of 1 to 1,024 bytes that no other worker has at the same time.
	Worker string
	// Channels are the channels that the worker serves, all if empty.
	Channels []string
	// Limit is the most entries that it takes, DefaultClaim if 0. Below 0 or above MaxLimit is
	// ErrInvalid.
	Limit int
	// Lease is for how long, DefaultLease if 0.
	Lease time.Duration
}

// Claimed is an entry that a worker has, with what it needs to send.
type Claimed struct {
	Entry   *message.OutboxEntry
	Message *message.Message
	// Key is the same for each attempt of the message: the id of the message. Give it to the
	// provider as its idempotency key.
	Key string
}

// DeliveryResult is what a provider said of a message that it took.
type DeliveryResult struct {
	// Refs are names of the message at the provider. Only Provider, Ref and Exclusive are set. A
	// name that is stored already is left alone, and one that is exclusively another
	// message's is kept as one that is not exclusive.
	Refs []message.Ref
	// The ids go to the fields of the message of the same names, where those are empty and no
	// other message of the user has the id.
	GmailMessageID, GmailThreadID, PostmarkMessageID, EmailMessageID string
	// SentAt becomes that of the message, unless it is zero.
	SentAt time.Time
}

// Failure is an attempt that failed.
type Failure struct {
	// Error is why. It is cut to 4,096 bytes, and what a database does not keep is replaced.
	Error string
	// RetryAfter is after how long the next attempt is due. Negative is ErrInvalid.
	RetryAfter time.Duration
	// Final says that there is no next attempt.
	Final bool
}

// SendFunc hands a message to a provider. It must return when ctx ends: a worker that goes on
// after that may send what another one sends too.
type SendFunc func(ctx context.Context, c *Claimed) (DeliveryResult, error)

// RunOptions are those of DeliveryWorker.Run. The zero value is usable. A negative value is
// ErrInvalid.
type RunOptions struct {
	// Name begins the worker's name in claims, of at most 200 bytes. The rest makes it unique.
	Name string
	// Workers is how many messages are sent at the same time, 4 if 0, 1,000 at most.
	Workers int
	// Channels are the channels to serve, all if empty.
	Channels []string
	// Lease is how long after its death a worker's entries are sent by another one, DefaultLease
	// if 0.
	Lease time.Duration
	// Timeout is how long one call of send may take, a minute if 0.
	Timeout time.Duration
	// Every is how often to look for what is due, a second if 0.
	Every time.Duration
	// Backoff is the wait after the first failed attempt, 30 seconds if 0. It doubles with each
	// attempt, up to MaxBackoff, an hour if 0, and varies by up to a quarter.
	Backoff, MaxBackoff time.Duration
	// MaxAttempts is how many attempts an entry has, 10 if 0.
	MaxAttempts int
	// Once has Run return nil as soon as nothing is due that no worker has, for a job that
	// something else starts from time to time.
	Once bool
}

// DeliveryHealth is how the outbox of everybody is doing. Entries of deleted messages are not in it.
type DeliveryHealth struct {
	// Open counts the entries that are neither done nor failed nor cancelled.
	Open int64 `json:"open"`
	// Overdue counts those of them that are due and that no worker has, and OldestDue is since
	// when the first of them is due, nil if there is none.
	Overdue   int64      `json:"overdue"`
	OldestDue *time.Time `json:"oldest_due,omitempty"`
	// Claimed counts those that a worker has.
	Claimed int64 `json:"claimed"`
	// Retrying counts the open ones of which an attempt has failed.
	Retrying int64 `json:"retrying"`
	// Failed counts the messages that failed for good and were not sent since.
	Failed int64 `json:"failed"`
}
