package threads

import (
	"context"
	"errors"
	"iter"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Limits of a batch of an import.
const (
	defaultBatch = 1000
	maxBatch     = 10000
)

func (s messages) Import(ctx context.Context, rows iter.Seq2[*message.Message, error], o store.ImportOptions) (store.ImportResult, error) {
	if o.BatchSize == 0 {
		o.BatchSize = defaultBatch
	}
	if o.BatchSize < 0 || o.BatchSize > maxBatch {
		return store.ImportResult{}, rule.Invalid("batch_size", "is not between 1 and %d", maxBatch)
	}
	if rows == nil {
		return store.ImportResult{}, scope.ErrNil("rows")
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.ImportResult{}, err
	}
	im := importer{sc: s.sc, options: o, owners: map[uuid.UUID]uuid.UUID{}, places: places{}}
	err := im.run(ctx, rows)
	return im.result, query.Wrap("import", err)
}

// importer collects messages into batches of one user each, since a transaction is one
// user's.
type importer struct {
	sc      scope.Scope
	options store.ImportOptions
	result  store.ImportResult
	owners  map[uuid.UUID]uuid.UUID
	batch   []Draft
	// places are where the messages of the batch stand in all rows.
	places places
	// of is the owner of the messages in the batch.
	of    uuid.UUID
	start int // the place of the first message of the batch in all rows
	// write is the batch before, nil once it has been settled.
	write *importWrite
}

func (im *importer) run(ctx context.Context, rows iter.Seq2[*message.Message, error]) (err error) {
	defer func() { err = joinFlush(err, im.settle()) }() // also if rows panics
	i := -1
	for m, err := range rows {
		i++
		if err != nil {
			return joinFlush(err, im.flush(ctx))
		}
		if err := im.add(ctx, i, m); err != nil {
			return joinFlush(&store.BatchError{Index: i, Err: err}, im.flush(ctx))
		}
		if len(im.batch) >= im.options.BatchSize {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
	return im.flush(ctx)
}

// joinFlush prefers the error of the flush: it says that rows before the fault are
// missing too.
func joinFlush(fault, flush error) error {
	if flush != nil {
		return flush
	}
	return fault
}

// add checks a message at once, so that a fault is reported at its place and what came
// before it is written.
func (im *importer) add(ctx context.Context, i int, m *message.Message) error {
	if m == nil {
		return scope.ErrNil("message")
	}
	if err := im.refuseTwice(m); err != nil {
		return err
	}
	owner, err := im.ownerOf(ctx, m.ConversationID)
	if err != nil {
		return err
	}
	if len(im.batch) > 0 && owner != im.of {
		if err := im.flush(ctx); err != nil {
			return err
		}
	}
	if len(im.batch) == 0 {
		im.of, im.start = owner, i
	}
	d, err := NewDraft(ctx, im.sc.As(owner), m.ConversationID, m)
	if err != nil {
		return err
	}
	im.batch = append(im.batch, d)
	im.places[m] = i
	return nil
}

// refuseTwice refuses a message of the batch or of the one that is being written, before it
// is touched.
func (im *importer) refuseTwice(m *message.Message) error {
	if im.write != nil {
		if err := im.write.places.refuse(m); err != nil {
			return err
		}
	}
	return im.places.refuse(m)
}

// ownerOf remembers owners for a scope of all users, which would ask for each message.
func (im *importer) ownerOf(ctx context.Context, conversationID uuid.UUID) (uuid.UUID, error) {
	if !im.sc.All {
		return im.sc.User, nil
	}
	if owner, ok := im.owners[conversationID]; ok {
		return owner, nil
	}
	owner, err := im.sc.Owner(ctx, im.sc.Tables.Conversations, conversationID)
	if err != nil {
		return owner, err
	}
	if len(im.owners) >= maxBatch {
		clear(im.owners)
	}
	im.owners[conversationID] = owner
	return owner, nil
}

// flush has the batch written once the one before is. The next one is made meanwhile; but
// in a transaction of the host's, which rows may use as well, they take turns.
func (im *importer) flush(ctx context.Context) error {
	if err := im.settle(); err != nil || len(im.batch) == 0 {
		im.batch = nil
		return err
	}
	w := &importWrite{batch: im.batch, places: im.places, start: im.start, done: make(chan struct{})}
	im.batch, im.places, im.write = nil, places{}, w
	sc := im.sc.As(im.of)
	write := func() {
		defer close(w.done)
		defer func() { w.panicked = recover() }()
		w.result, w.err = writeBatch(ctx, sc, w.batch, nil)
	}
	if im.sc.InTx {
		write()
		return im.settle()
	}
	go write()
	return nil
}

// importWrite is a batch on its way to the database.
type importWrite struct {
	batch  []Draft
	places places
	start  int // the place of its first message in all rows
	done   chan struct{}
	result batchResult
	err    error
	// panicked is what a plugin of the host's may have panicked with, for the caller to
	// recover: nobody else can.
	panicked any
}

// settle waits for the batch that is being written, if one is, and tells the progress.
func (im *importer) settle() error {
	w := im.write
	if w == nil {
		return nil
	}
	im.write = nil
	<-w.done
	if w.panicked != nil {
		panic(w.panicked)
	}
	if w.err != nil {
		return w.fault()
	}
	for _, created := range w.result.created {
		if created {
			im.result.Imported++
		} else {
			im.result.Duplicates++
		}
	}
	if im.options.Progress != nil {
		im.options.Progress(im.result)
	}
	return nil
}

// fault makes the place of a fault in the batch one in all rows.
func (w *importWrite) fault() error {
	var fault *store.BatchError
	if errors.As(w.err, &fault) {
		return &store.BatchError{Index: w.start + fault.Index, Err: fault.Err}
	}
	return w.err
}
