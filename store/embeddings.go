package store

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// Embedder turns texts into vectors. The host brings it; it must be safe for concurrent
// use.
type Embedder interface {
	// Model names the model, and the version or the settings if they change the vectors.
	Model() string
	// Embed returns a vector for each text, in their order, each as long as the
	// database's embeddings.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Embeddings keeps the vectors of messages, one for a message and a model.
//
// A message that is appended with Embeddings set brings its vectors along. Editing the
// content of a message removes its vectors, so that no search finds it by what it no
// longer says; Missing has it then. Deleting keeps them, for Restore.
//
// To change the model, fill the new one with EmbedMissing while the old one serves, open
// the store with the new embedder, then drop the old one:
//
//	all := st.AllUsers().Embeddings()
//	_, err := all.EmbedMissing(ctx, newEmbedder, store.EmbedOptions{})
//	// … deploy with convostore.WithEmbedder(newEmbedder) …
//	_, err = all.DropModel(ctx, "old-model")
//
// All models of a database have vectors of one length, which the migrations set.
type Embeddings interface {
	EmbeddingStore
	EmbeddingJobs
}

// EmbeddingStore keeps the vectors of single messages.
type EmbeddingStore interface {
	// Set stores the vector of a live message for a model, in the place of one that it
	// had. It returns ErrNotFound if there is no such message and ErrInvalid for a vector
	// of another length than the database's, with NaN or an infinity in it, or zero. In a
	// scope of all users the id must be one user's alone, else ErrConflict. It cannot know
	// which content the vector was made from: who embeds what others may edit meanwhile
	// uses EmbedMissing.
	Set(ctx context.Context, messageID uuid.UUID, model string, v message.Vector) error

	// SetMany is Set for up to 10,000 messages, all or nothing, fifty in a statement. A
	// *BatchError says which was at fault; a message named twice is ErrInvalid. No
	// vectors are no error.
	SetMany(ctx context.Context, model string, vectors []MessageVector) error

	// Get returns the vector of a live message for a model. It returns ErrNotFound if
	// there is no such message and ErrNotEmbedded if it has no vector of the model.
	Get(ctx context.Context, messageID uuid.UUID, model string) (*message.Embedding, error)
}

// EmbeddingJobs fills in the vectors of a model and drops them.
type EmbeddingJobs interface {
	// Missing walks the live messages that have no vector of a model, oldest first,
	// reading a page at a time, with no query open while the caller works. Messages of
	// nothing but white space (of ASCII) are left out: there is nothing to embed. It ends
	// after the first error.
	Missing(ctx context.Context, model string, f EmbedFilter) iter.Seq2[*message.Message, error]

	// EmbedMissing embeds what Missing has, in batches, and returns when nothing is
	// missing any more. Any number of calls, in any number of processes, share the work:
	// a batch is claimed before it is embedded, and the claims of a process that died
	// run out and are taken over. So a call may wait for another's batch. Vectors are
	// written batch by batch, and a message that was edited meanwhile is embedded again.
	// Claims go by the store's clock: where it stands still none runs out.
	//
	// An error of the embedder is tried again with growing waits; one that lasts, a panic,
	// a wrong number of vectors and a vector that Set refuses end the call with an
	// *EmbedError, nothing of that batch written and its claims given back. Batches that
	// were under way end first. After an error, or when ctx ends, the result counts what
	// is written; a later call goes on from there. Inside a transaction it returns
	// ErrInvalid: others would not see the claims.
	EmbedMissing(ctx context.Context, e Embedder, o EmbedOptions) (EmbedResult, error)

	// Models lists the models that messages have vectors of, by name, with the number of
	// vectors, those of deleted messages included.
	Models(ctx context.Context) ([]ModelCount, error)

	// DropModel removes all vectors of a model, in batches, and returns how many. No
	// such model is no error.
	DropModel(ctx context.Context, model string) (int64, error)
}

// MessageVector is the vector of a message.
type MessageVector struct {
	MessageID uuid.UUID
	Vector    message.Vector
}

// ModelCount is a model and how many vectors it has.
type ModelCount struct {
	Model   string `json:"model"`
	Vectors int64  `json:"vectors"`
}

// EmbedFilter says which messages are to have vectors; fields narrow together. The zero
// value is every one.
type EmbedFilter struct {
	// Roles keeps any of them; none keeps all.
	Roles []message.Role
	// CreatedSince leaves out what was created before. A job that runs often need not
	// walk through everything that is done.
	CreatedSince time.Time
}

// EmbedOptions of EmbedMissing. The zero value is good for most services.
type EmbedOptions struct {
	Filter EmbedFilter
	// BatchSize is how many texts a call of the embedder gets: 100 if 0, at most 2,048.
	BatchSize int
	// Workers is how many calls run at once: 4 if 0, at most 64.
	Workers int
	// Attempts is how often a batch is tried: 5 if 0, at most 1,000. Between two tries it
	// waits Backoff, a quarter of a second if 0, twice as long each time up to a minute,
	// less a random half.
	Attempts int
	Backoff  time.Duration
	// Retry tells whether an error of the embedder may pass; nil retries all.
	Retry func(error) bool
	// Timeout ends a call of the embedder: a minute if 0. One that does not heed its ctx
	// is not waited for; its goroutine ends when it does. A claim lasts five seconds
	// longer than that.
	Timeout time.Duration
	// Text says what is embedded; nil is the content. It is called by several goroutines
	// at once. A text that is empty or white space alone leaves the message out.
	Text func(*message.Message) string
	// Progress, if set, is called after each batch, never by two goroutines at once.
	Progress func(EmbedProgress)
}

// EmbedResult counts what EmbedMissing did.
type EmbedResult struct {
	// Embedded counts the vectors written.
	Embedded int64 `json:"embedded"`
	// Changed counts those thrown away because the message was edited or removed
	// meanwhile, or somebody took over a claim that had run out.
	Changed int64 `json:"changed"`
}

// EmbedProgress is how far EmbedMissing is.
type EmbedProgress struct {
	EmbedResult
	// Total is how many messages were missing at the beginning.
	Total int64 `json:"total"`
}
