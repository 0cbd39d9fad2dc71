package threads

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// batchOptions are what a batch depends on. The zero value is that of an append.
type batchOptions struct {
	// expectedSeq is the last seq that the conversation must have, nil for no condition.
	expectedSeq *int64
	// importing says that every stored row with a key of a draft is a redelivery.
	importing bool
	// more, if set, writes more in the same transaction, unless all drafts are duplicates.
	more func(in scope.Scope, db query.Conn) error
}

// batchResult tells what happened to each draft of a batch. Maps and slices are by the
// index of the draft.
type batchResult struct {
	created []bool
	// stored has the message in the database that a draft is a redelivery of.
	stored map[int]*message.Message
	// duplicateOf has the index of an earlier draft with the same key.
	duplicateOf map[int]int
	threads     map[uuid.UUID]*threadState
	batchOptions
}

// writeBatch appends drafts of one user to one or more conversations, all or none, in a
// transaction of its own or in a savepoint. It replaces duplicates with the stored messages.
// Only the unique index sees a duplicate that is appended to another conversation of the
// user at the same time. Then the batch is rolled back and tried again.
func writeBatch(ctx context.Context, sc scope.Scope, drafts []Draft, o batchOptions) (batch batchResult, err error) {
	for try := 1; ; try++ {
		err = unlessCopyRefused(func() error {
			return sc.Shared(ctx, func(tx *scope.Store) error {
				in := sc.In(tx)
				threads, err := lockThreads(in, query.On(ctx, tx.Writer), drafts)
				if err != nil {
					return err
				}
				batch, err = appendBatch(ctx, in, drafts, threads, o)
				if err != nil || o.more == nil || !slices.Contains(batch.created, true) {
					return err
				}
				return o.more(in, query.On(ctx, tx.Writer))
			})
		})
		if try == scope.MaxTries || dialect.KindOf(err) != dialect.Unique {
			break
		}
	}
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken // also if a new id is that of another row
	}
	if err != nil {
		for _, d := range drafts {
			d.ParentSeq = d.parent // what an attempt set was not stored
		}
		if fault, ok := errors.AsType[*store.BatchError](err); ok {
			fault.Err = ToldOfMerge(ctx, sc, drafts[fault.Index].ConversationID, fault.Err)
		}
		return batch, err
	}
	batch.fillDuplicates(drafts)
	return batch, nil
}

// fillDuplicates overwrites the messages of duplicates with the stored ones.
func (b *batchResult) fillDuplicates(drafts []Draft) {
	for i, m := range b.stored {
		*drafts[i].Message = *m
	}
	for i, first := range b.duplicateOf {
		*drafts[i].Message = *drafts[first].Message
	}
}

// appendBatch appends drafts whose conversations are locked. A draft whose conversation is
// not in threads is a redelivery or ErrNotFound.
func appendBatch(ctx context.Context, sc scope.Scope, drafts []Draft, threads map[uuid.UUID]*threadState, o batchOptions) (batchResult, error) {
	db := query.On(ctx, sc.Writer)
	batch := batchResult{created: make([]bool, len(drafts)), threads: threads, duplicateOf: map[int]int{}, batchOptions: o}
	var err error
	if batch.stored, err = findDuplicates(sc, db, drafts); err != nil {
		return batch, err
	}
	if err := batch.checkRedeliveries(drafts); err != nil {
		return batch, err
	}
	if err := batch.checkParents(sc, db, drafts); err != nil {
		return batch, err
	}
	if err := batch.loadLate(sc, db, drafts); err != nil {
		return batch, err
	}
	added, err := batch.assignSeqs(drafts, sc.Instant())
	if err != nil || len(added) == 0 {
		return batch, err
	}
	// The conversations come first: everybody locks the parent before the child.
	if err := updateThreads(sc, db, threads); err != nil {
		return batch, err
	}
	if err := insertMessages(sc, db, added); err != nil {
		return batch, err
	}
	if err := batch.settleUnsure(sc, db); err != nil {
		return batch, err
	}
	if err := supersedeIn(sc, db, threads); err != nil {
		return batch, err
	}
	return batch, embeddings.InsertOwn(sc, db, embeddingsOf(added))
}

// assignSeqs gives a seq to every draft that is not a duplicate and returns those drafts.
func (b *batchResult) assignSeqs(drafts []Draft, now time.Time) ([]Draft, error) {
	var added []Draft
	seen := map[messageKey]int{}
	for i, d := range drafts {
		if b.stored[i] != nil {
			continue
		}
		if first, ok := firstWithKey(seen, d); ok {
			b.duplicateOf[i] = first
			continue
		}
		thread := b.threads[d.ConversationID]
		if thread == nil {
			return nil, &store.BatchError{Index: i, Err: store.ErrNotFound}
		}
		if b.expectedSeq != nil && thread.added == 0 && thread.lastSeq != *b.expectedSeq {
			return nil, &store.SeqConflictError{Expected: *b.expectedSeq, Actual: thread.lastSeq}
		}
		d.ParentSeq = d.parent
		thread.add(d.Message, now)
		if err := d.ValidateParent(); err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
		for _, k := range d.keys {
			seen[k] = i
		}
		b.created[i] = true
		added = append(added, d)
	}
	return added, nil
}

func firstWithKey(seen map[messageKey]int, d Draft) (int, bool) {
	for _, k := range d.keys {
		if i, ok := seen[k]; ok {
			return i, true
		}
	}
	return 0, false
}

func embeddingsOf(drafts []Draft) (all []*message.Embedding) {
	for _, d := range drafts {
		all = append(all, d.Embeddings...)
	}
	return all
}
