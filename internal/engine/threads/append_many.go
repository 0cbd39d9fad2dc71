package threads

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/states"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s messages) AppendMany(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o store.AppendOptions) ([]bool, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return nil, query.Wrap("append", err)
	}
	drafts, err := newDrafts(ctx, sc, conversationID, ms)
	if err != nil {
		return nil, err
	}
	changes, err := states.CheckAppended(sc, o.States)
	if err != nil {
		return nil, err
	}
	out, err := newOutgoing(sc, drafts, o.Deliver)
	if err != nil {
		return nil, err
	}
	created, err := appendDelivered(ctx, sc, drafts, out, func(sc scope.Scope, drafts []Draft) ([]bool, error) {
		return s.sql.appendDrafts(ctx, sc, drafts, o.ExpectedSeq, changes)
	})
	if err != nil {
		return nil, query.Wrap("append", err)
	}
	sc.Noted(ctx, len(created), textBytes(ms...))
	return created, nil
}

// appendDrafts appends drafts of one conversation in as few statements as their kind allows.
func (s *Statements) appendDrafts(ctx context.Context, sc scope.Scope, drafts []Draft, expectedSeq *int64, changes states.Appended) ([]bool, error) {
	if changes != nil {
		return s.appendWithStates(ctx, sc, drafts, expectedSeq, changes)
	}
	if len(drafts) == 1 && expectedSeq == nil {
		return s.appendOneOfMany(ctx, sc, drafts[0])
	}
	if created, err := s.tryAppendMany(ctx, sc, drafts, expectedSeq); err != nil || created != nil {
		return created, err
	}
	batch, err := writeBatch(ctx, sc, drafts, batchOptions{expectedSeq: expectedSeq})
	if err != nil {
		return nil, err
	}
	return batch.created, nil
}

// appendOneOfMany appends a single draft in fewer statements than writeBatch takes, with its errors.
func (s *Statements) appendOneOfMany(ctx context.Context, sc scope.Scope, d Draft) ([]bool, error) {
	created, err := s.AppendOne(ctx, sc, d)
	if err != nil {
		return nil, ofFirst(err)
	}
	return []bool{created}, nil
}

// ofFirst makes an error about a message, as the short way has it, that of the first one of a batch.
func ofFirst(err error) error {
	_, told := errors.AsType[*store.BatchError](err)
	_, taken := errors.AsType[*store.TakenError](err)
	if !told && (taken || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid)) {
		return &store.BatchError{Index: 0, Err: err}
	}
	return err
}

// tryAppendMany appends drafts of one conversation in one statement, if it can: the drafts
// have neither keys nor embeddings and fit into a statement, and the database supports it.
// Otherwise, and if the conversation is absent or has not the expected seq, it writes
// nothing and returns nil: writeBatch then appends the drafts or finds the error.
func (s *Statements) tryAppendMany(ctx context.Context, sc scope.Scope, drafts []Draft, expectedSeq *int64) ([]bool, error) {
	needsBatch := func(d Draft) bool { return len(d.keys) > 0 || len(d.Embeddings) > 0 || d.parent != nil }
	if slices.ContainsFunc(drafts, needsBatch) || !fitOneInsert(sc, drafts) {
		return nil, nil
	}
	single, err := appendsInOneStatement(ctx, sc)
	if err != nil || !single {
		return nil, err
	}
	found := false
	err = sc.Retry(ctx, func() (err error) {
		found, err = s.appendManyInOne(sc, query.On(ctx, sc.Writer), drafts, expectedSeq)
		return err
	})
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken
	}
	if err != nil || !found {
		return nil, err
	}
	return slices.Repeat([]bool{true}, len(drafts)), nil
}
