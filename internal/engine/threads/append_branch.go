package threads

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// errHasHead says that a conversation has branches, so that the head may not be its last message or
// that a message which is not the latest must be compared with those of the path of the head.
var errHasHead = errors.New("convostore: the conversation has branches")

// appendAfterHead appends a draft that names its parent, or follows a head that is not the last
// message, as a batch of one: the lock of the conversation comes first, and then the parent is known.
// It leaves the draft's embeddings to the caller, as the other appends of one do.
func appendAfterHead(ctx context.Context, sc scope.Scope, d Draft) (bool, error) {
	vectors := d.Embeddings
	d.Embeddings = nil
	batch, err := writeBatch(ctx, sc, []Draft{d}, batchOptions{})
	created := err == nil && batch.created[0]
	if err != nil || created {
		d.Embeddings = vectors
	}
	if fault, ok := errors.AsType[*store.BatchError](err); ok {
		err = fault.Err
	}
	return created, err
}

// checkParents refuses drafts whose parent is no message of their conversation, with a
// *store.BatchError. The conversations are locked. Of a parent that the batch itself appends,
// assignSeqs finds out whether it comes before.
func (b *batchResult) checkParents(sc scope.Scope, db query.Conn, drafts []Draft) error {
	asked := map[uuid.UUID][]int64{}
	needs := func(i int, d Draft) bool {
		thread := b.threads[d.ConversationID]
		return d.parent != nil && *d.parent > 0 && b.stored[i] == nil && thread != nil && *d.parent <= thread.lastSeq
	}
	for i, d := range drafts {
		if needs(i, d) {
			asked[d.ConversationID] = append(asked[d.ConversationID], *d.parent)
		}
	}
	for id, seqs := range asked {
		stored, err := storedSeqs(sc, db, id, seqs)
		if err != nil {
			return err
		}
		for i, d := range drafts {
			if d.ConversationID == id && needs(i, d) && !stored[*d.parent] {
				return &store.BatchError{Index: i, Err: rule.Invalid("parent_seq", "is that of no message of the conversation")}
			}
		}
	}
	return nil
}

// storedSeqs returns those of the seqs that messages of the conversation have, live or deleted.
func storedSeqs(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seqs []int64) (map[int64]bool, error) {
	slices.Sort(seqs)
	stored := map[int64]bool{}
	for part := range slices.Chunk(slices.Compact(seqs), 1000) {
		q := query.New("SELECT seq FROM "+sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND ", conversationID, sc.User)
		found, err := query.All(db, query.In(q, "seq", part), func(seq *int64) []any { return []any{seq} })
		if err != nil {
			return nil, err
		}
		for _, seq := range found {
			stored[*seq] = true
		}
	}
	return stored, nil
}
