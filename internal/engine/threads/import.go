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
	im := importer{sc: s.sc, options: o, owners: map[uuid.UUID]uuid.UUID{}, indexes: batchIndexes{}}
	err := im.run(ctx, rows)
	return im.result, query.Wrap("import", err)
}

// importer collects messages into batches and writes each batch in a transaction. A batch
// has the messages of one user, because a transaction has one user. While a batch is being
// written, the next one is collected.
type importer struct {
	sc      scope.Scope
	options store.ImportOptions
	result  store.ImportResult
	owners  map[uuid.UUID]uuid.UUID // by conversation

	// The batch that is being collected: its drafts, their owner, the indexes of their
	// messages in the input, and the first of these.
	batch   []Draft
	owner   uuid.UUID
	indexes batchIndexes
	first   int

	// writing is the previous batch, nil once it is finished.
	writing *batchWrite
}

func (im *importer) run(ctx context.Context, rows iter.Seq2[*message.Message, error]) (err error) {
	defer func() { err = preferFlush(err, im.finishWrite()) }() // also if rows panics
	i := -1
	for m, err := range rows {
		i++
		if err != nil {
			return preferFlush(err, im.flush(ctx))
		}
		if err := im.add(ctx, i, m); err != nil {
			return preferFlush(&store.BatchError{Index: i, Err: err}, im.flush(ctx))
		}
		if len(im.batch) >= im.options.BatchSize {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
	return im.flush(ctx)
}

// preferFlush returns the error of the flush if there is one: it says that messages before
// the bad one are missing too.
func preferFlush(err, flush error) error {
	if flush != nil {
		return flush
	}
	return err
}

// add checks a message and adds it to the batch. It checks the message at once, so that the
// error has the index of the message and all messages before it are written.
func (im *importer) add(ctx context.Context, i int, m *message.Message) error {
	if m == nil {
		return scope.ErrNil("message")
	}
	if err := im.checkNew(m); err != nil {
		return err
	}
	owner, err := im.ownerOf(ctx, m.ConversationID)
	if err != nil {
		return err
	}
	if len(im.batch) > 0 && owner != im.owner {
		if err := im.flush(ctx); err != nil {
			return err
		}
	}
	if len(im.batch) == 0 {
		im.owner, im.first = owner, i
	}
	d, err := NewDraft(ctx, im.sc.As(owner), m.ConversationID, m)
	if err != nil {
		return err
	}
	im.batch = append(im.batch, d)
	im.indexes[m] = i
	return nil
}

// checkNew refuses a pointer that is in the batch or in the one that is being written. It
// comes before anything changes the message.
func (im *importer) checkNew(m *message.Message) error {
	if im.writing != nil {
		if err := im.writing.indexes.checkNew(m); err != nil {
			return err
		}
	}
	return im.indexes.checkNew(m)
}

// ownerOf returns the owner of a conversation. In a scope of all users it remembers owners,
// so that it need not query for each message.
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

// flush finishes the previous batch and starts to write the collected one in the background.
// In a transaction of the host it writes the batch before it returns, because the iterator
// may use the same connection.
func (im *importer) flush(ctx context.Context) error {
	if err := im.finishWrite(); err != nil || len(im.batch) == 0 {
		im.batch = nil
		return err
	}
	w := &batchWrite{drafts: im.batch, indexes: im.indexes, first: im.first, done: make(chan struct{})}
	im.batch, im.indexes, im.writing = nil, batchIndexes{}, w
	sc := im.sc.As(im.owner)
	write := func() {
		defer close(w.done)
		defer func() { w.panicked = recover() }()
		if w.result, w.err = writeBatch(ctx, sc, w.drafts, batchOptions{importing: true}); w.err == nil {
			sc.Noted(ctx, len(w.drafts), w.textBytes())
		}
	}
	if im.sc.InTx {
		write()
		return im.finishWrite()
	}
	go write()
	return nil
}

// batchWrite is a batch that is being written.
type batchWrite struct {
	drafts  []Draft
	indexes batchIndexes
	first   int // the index of its first message in the input
	done    chan struct{}
	// The results are set when done is closed.
	result batchResult
	err    error
	// panicked is the value of a panic in the writing goroutine, for example of a GORM
	// plugin of the host. It is raised again in the caller's goroutine, where the caller can
	// recover it.
	panicked any
}

func (w *batchWrite) textBytes() (bytes int) {
	for _, d := range w.drafts {
		bytes += textBytes(d.Message)
	}
	return bytes
}

// finishWrite waits for the batch that is being written, if there is one, adds its counts to
// the result and reports the progress.
func (im *importer) finishWrite() error {
	w := im.writing
	if w == nil {
		return nil
	}
	im.writing = nil
	<-w.done
	if w.panicked != nil {
		panic(w.panicked)
	}
	if w.err != nil {
		return w.inputError()
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

// inputError returns the error with an index in the batch turned into one in the input.
func (w *batchWrite) inputError() error {
	var batch *store.BatchError
	if errors.As(w.err, &batch) {
		return &store.BatchError{Index: w.first + batch.Index, Err: batch.Err}
	}
	return w.err
}
