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
	// messages of nothing but white space (of ASCII), which have nothing to embed. It ends
	// after the first error.
	Missing(ctx context.Context, model string, f EmbedFilter) iter.Seq2[*message.Message, error]

	// EmbedMissing embeds the messages of Missing in batches, and returns when none is missing
	// any more. Any number of calls, in any number of processes, share the work: a call claims
	// a batch before it embeds it, and the claims of a process that died expire and are taken
	// over. A call may therefore wait for another's batch. Vectors are written batch by batch;
	// a message that was edited meanwhile is embedded again. Claims expire by the store's
	// clock (convostore.WithClock): on a clock that stands still none does.
	//
	// If the embedder returns an error, the batch is tried again, with growing waits. If the
	// error lasts, if the embedder panics, returns a wrong number of vectors, or returns one
	// that Set would refuse, the call ends with an *EmbedError. Nothing of that batch is
	// written and its claims are given back; batches under way end first. After an error, or
	// when ctx ends, the result counts what is written, and a later call goes on from there.
	//
	// A nil embedder is ErrInvalid. So is a call inside a transaction, because others would
	// not see the claims.
	EmbedMissing(ctx context.Context, e Embedder, o EmbedOptions) (EmbedResult, error)

	// Models returns the models of the scope's vectors, ordered by name, with the number of
	// vectors of each, those of deleted messages included.
	Models(ctx context.Context) ([]ModelCount, error)

	// DropModel removes all vectors of a model in the scope, in batches, and returns how many
	// it removed, also beside an error. A model without vectors is no error.
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
	// Attempts is how often a batch is tried: 5 if 0, at most 1,000. The wait before the
	// second try is Backoff, a quarter of a second if 0. It doubles for each further try, up
	// to a minute, and a random part of up to half is taken off.
	Attempts int
	Backoff  time.Duration
	// Retry says whether a batch is tried again after this error of the embedder; nil means
	// after every error.
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
}

// EmbedProgress is how far EmbedMissing is.
type EmbedProgress struct {
	EmbedResult
	// Total is how many messages had no vector at the beginning.
	Total int64 `json:"total"`
}
