package store

import (
	"context"
	"time"
)

// EmbeddingTraining makes searches for what is similar faster on SQLite. A training divides the
// vectors of a model among lists of vectors that are near one another, so that a search that is
// not exact reads the few lists nearest to what it looks for, and not the codes of all vectors.
// The vectors themselves stay where they are.
//
// Once a model is trained, every vector that is written gets its list, whoever writes it, and
// leaves it when it is removed or replaced. The lists go on serving however many vectors come;
// train again when Since has outgrown Vectors. What Train finds of the centers of the lists are
// averages of hundreds of vectors, which keep a trace of a vector that was erased since, until
// the next training.
//
// PostgreSQL keeps its HNSW index by itself: there Train checks its arguments and does nothing,
// and Trainings is empty.
type EmbeddingTraining interface {
	// Train divides the vectors of a model, those of all users, among lists anew. Searches and
	// writes go on; the former lists serve until the new ones are complete. It reads every
	// vector once and a sample several times, on one processor, and writes in small
	// transactions. After an error, a kill or the end of ctx, the next call continues where the
	// vectors were being divided, and finds the lists anew if it had not come that far. Several
	// calls, in any number of processes, share the dividing.
	//
	// If the model has 2,000 vectors or fewer, which searches compare all, Train makes no lists,
	// and returns a Training without them. In the scope of one user and inside a transaction
	// it returns ErrInvalid.
	Train(ctx context.Context, model string, o TrainOptions) (Training, error)

	// Trainings returns the models that have lists, ordered by name. In the scope of one user and
	// inside a transaction it returns ErrInvalid.
	Trainings(ctx context.Context) ([]Training, error)
}

// MaxLists is the largest number of lists.
const MaxLists = 4096

// TrainOptions are the options of Train. A value out of bounds is ErrInvalid.
type TrainOptions struct {
	// Lists is how many lists there are to be: twice the square root of the number of vectors if
	// 0, at most MaxLists. A list more is a vector more in the memory of each process that
	// searches.
	Lists int
	// Progress, if set, is called after each step.
	Progress func(TrainProgress)
}

// TrainProgress is how far Train is.
type TrainProgress struct {
	// Rounds is how often the centers of the lists were moved, of Of times.
	Rounds, Of int
	// Divided is how many vectors have a list, of about Vectors.
	Divided, Vectors int64
}

// Training is what is known of the lists of a model.
type Training struct {
	Model string `json:"model"`
	// Lists is how many lists there are, 0 if the model has none.
	Lists int `json:"lists"`
	// Vectors is how many vectors there were when the training began, and Since how many have
	// been written from then on and are there.
	Vectors int64 `json:"vectors"`
	Since   int64 `json:"since"`
	// Unlisted is how many vectors have no list yet, since they were written by plain GORM or
	// SQL. Every search reads them. They get their lists with the next vector of the same user.
	Unlisted int64 `json:"unlisted"`
	// Probes is how many lists a search reads at least. The training looked for the neighbours
	// of some of the vectors and takes twice as many lists as they needed. If nothing is near
	// anything, so that it takes half of the lists or more, searches do without them.
	Probes int `json:"probes"`
	// Candidates is how many vectors a search compares exactly if SimilarOptions.Candidates is 0.
	// It is measured in the same way, and at least 200 and at most 800.
	Candidates int `json:"candidates"`
	// Recall is the share of the ten nearest neighbours that a search through Probes lists found,
	// of those that a search through all codes finds.
	Recall float64 `json:"recall"`
	// TrainedAt is when the training began.
	TrainedAt time.Time `json:"trained_at"`
}
