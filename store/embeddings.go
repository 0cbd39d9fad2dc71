package store

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// Embedder turns texts into vectors (embeddings). The host provides it. It must be safe for
// concurrent use.
type Embedder interface {
	// Model names the model, including the version or the settings if they change the
	// vectors.
	Model() string
	// Embed returns one vector for each text, in the order of the texts. Each has as many
	// dimensions as the database's vectors.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Embeddings stores the vectors of messages, one for each message and model.
//
// A message that is appended with Embeddings set brings its vectors along. Editing the
// content of a message removes its vectors, so that no search finds it by what it no longer
// says; Missing then yields it. Deleting a message keeps its vectors, for Restore.
//
// To change the model, fill the new one with EmbedMissing while searches use the old one,
// open the stores with the new embedder, then drop the old one:
//
//	all := st.AllUsers().Embeddings()
//	_, err := all.EmbedMissing(ctx, newEmbedder, store.EmbedOptions{})
//	// … deploy with convostore.WithEmbedder(newEmbedder) …
//	_, err = all.DropModel(ctx, "old-model")
//
// The vectors of all models in a database have the same number of dimensions, which the
// migrations set. An empty name of a model is ErrInvalid everywhere.
type Embeddings interface {
	EmbeddingStore
	EmbeddingJobs
	EmbeddingTraining
}

// EmbeddingStore stores the vectors of single messages.
type EmbeddingStore interface {
	// Set stores the vector of a live message for a model and replaces the one it had. It
	// returns ErrNotFound if there is no such message. A vector with another number of
	// dimensions than the database's, with NaN or an infinity, or of zeros alone is
	// ErrInvalid. In the scope of all users, an id that more than one user has is
	// ErrConflict. Set cannot know from which content the vector was made: where messages may
	// be edited meanwhile, use EmbedMissing.
	Set(ctx context.Context, messageID uuid.UUID, model string, v message.Vector) error

	// SetMany is Set for up to 10,000 messages, all or nothing, fifty in a statement. More
	// are ErrInvalid. A *BatchError says which one was at fault; a message that is named twice
	// is ErrInvalid. Without vectors it does nothing and returns no error.
	SetMany(ctx context.Context, model string, vectors []MessageVector) error

	// Get returns the vector of a live message for a model. It returns ErrNotFound if there is
	// no such message, and ErrNotEmbedded if the message has no vector of the model.
	Get(ctx context.Context, messageID uuid.UUID, model string) (*message.Embedding, error)
}

// EmbeddingJobs makes the missing vectors of a model, and drops models.
type EmbeddingJobs interface {
	// Missing iterates over the live messages that have no vector of a model, oldest first. It
	// reads one page at a time and has no query open while the caller works. It leaves out
	// messages of nothing but white space (of ASCII), which have nothing to embed, and those
	// that EmbedMissing set aside. It ends after the first error.
	Missing(ctx context.Context, model string, f EmbedFilter) iter.Seq2[*message.Message, error]

	// EmbedMissing embeds the messages of Missing in batches, and returns when none is missing
	// any more. Any number of calls, in any number of processes, share the work: a call claims
	// a batch before it embeds it, and the claims of a process that died expire and are taken
	// over. A call may therefore wait for another's batch. Vectors are written batch by batch;
	// a message that was edited meanwhile is embedded again. Claims expire by the store's
	// clock (convostore.WithClock). Whatever that clock does, a call waits for a claim that
	// nobody extends no longer than the claim was made for.
	//
	// If the embedder returns an error, the batch is tried again, with growing waits, see
	// EmbedOptions.Retry. If the error lasts, or if the embedder panics, returns a wrong number
	// of vectors or one that Set would refuse, either the embedder is out of order or it does
	// not take some of the texts. To tell, the call has it embed the text "hello". If that
	// fails as well, or if the error is one that Retry says is temporary, the call ends with an
	// *EmbedError. No message is blamed, and the claims are given back; batches under way end
	// first.
	//
	// Otherwise the batch is cut in halves until what fails is alone. A message that fails alone
	// EmbedOptions.AttemptsAlone times is set aside: Missing and EmbedMissing leave it out, for
	// this model, until it is edited or RetrySetAside is called. A failure counts only if the
	// embedder embedded something after it. The others get their vectors, and messages that
	// were set aside are no error: the result counts them.
	//
	// After an error, or when ctx ends, the result counts what is written, and a later call
	// goes on from there.
	//
	// A nil embedder is ErrInvalid. So is a call inside a transaction, because others would
	// not see the claims.
	EmbedMissing(ctx context.Context, e Embedder, o EmbedOptions) (EmbedResult, error)

	// ListSetAside returns a page of the live messages that EmbedMissing set aside for a model
	// and that still have no vector of it, in the order in which they were set aside.
	ListSetAside(ctx context.Context, model string, p PageRequest) (Page[*SetAsideMessage], error)

	// RetrySetAside forgets what failed for a model, so that EmbedMissing tries it again as if
	// for the first time: of these messages, at most 10,000, or of all in the scope if none is
	// named. It returns how many had been set aside, also beside an error. A message that had
	// not been is no error.
	RetrySetAside(ctx context.Context, model string, messageIDs []uuid.UUID) (int64, error)

	// Models returns the models of the scope's vectors, ordered by name, with the number of
	// vectors of each, those of deleted messages included.
	Models(ctx context.Context) ([]ModelCount, error)

	// DropModel removes all vectors of a model in the scope, in batches, and returns how many
	// it removed, also beside an error. It forgets what was set aside for the model. A model
	// without vectors is no error.
	DropModel(ctx context.Context, model string) (int64, error)
}

// MessageVector is the vector of a message.
type MessageVector struct {
	MessageID uuid.UUID
	Vector    message.Vector
}

// ModelCount is a model and the number of its vectors.
type ModelCount struct {
	Model   string `json:"model"`
	Vectors int64  `json:"vectors"`
}

// EmbedFilter selects the messages that are to have vectors. A message must meet every field
// that is set. The zero value takes all.
type EmbedFilter struct {
	// Roles takes messages with any of these; an empty list takes all.
	Roles []message.Role
	// CreatedSince leaves out messages that were created before. With it, a job that runs
	// often does not look again at everything that is done.
	CreatedSince time.Time
}

// EmbedOptions are the options of EmbedMissing. The zero value suits most services. A value
// out of bounds is ErrInvalid.
type EmbedOptions struct {
	Filter EmbedFilter
	// BatchSize is how many texts a call of the embedder gets: 100 if 0, at most 2,048.
	BatchSize int
	// Workers is how many calls of the embedder run concurrently: 4 if 0, at most 64.
	Workers int
	// Attempts is how often a call of the embedder is tried: 5 if 0, at most 1,000. The wait before the
	// second try is Backoff, a quarter of a second if 0. It doubles for each further try, up
	// to a minute, and a random part of up to half is taken off.
	Attempts int
	Backoff  time.Duration
	// AttemptsAlone is how often a message fails alone, in this call and earlier ones, before
	// it is set aside: 3 if 0, at most 1,000. The other messages come in between.
	AttemptsAlone int
	// Retry says whether an error of the embedder is temporary, such as a limit of its rate or
	// a server that is away: then a call is tried again, and no message is set aside for it. If
	// Retry is nil, nobody knows: a batch is tried again after every error, and if that lasts,
	// it is cut in halves, which are tried once each.
	Retry func(error) bool
	// Timeout limits one call of the embedder: a minute if 0. A call that ignores its ctx is
	// not waited for; its goroutine ends when the call does. A claim lasts five seconds longer
	// than Timeout.
	Timeout time.Duration
	// Text returns the text to embed; nil means the content. Several goroutines call it
	// concurrently. A message whose text is empty or only white space is left out.
	Text func(*message.Message) string
	// Progress, if set, is called after each batch, never by two goroutines at once.
	Progress func(EmbedProgress)
}

// EmbedResult counts what EmbedMissing did.
type EmbedResult struct {
	// Embedded counts the vectors written.
	Embedded int64 `json:"embedded"`
	// Changed counts the vectors that were discarded because the message was edited or
	// removed meanwhile, or because another call took over the claim after it had expired.
	Changed int64 `json:"changed"`
	// Failed counts how often the embedder refused a single message while it took others.
	// SetAside counts the messages that were set aside for it.
	Failed   int64 `json:"failed"`
	SetAside int64 `json:"set_aside"`
	// Calls counts the calls of the embedder.
	Calls int64 `json:"calls"`
}

// EmbedProgress is how far EmbedMissing is.
type EmbedProgress struct {
	EmbedResult
	// Total is how many messages had no vector at the beginning.
	Total int64 `json:"total"`
}
