package threads

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Draft is a message that is ready to be appended: it has its owner, its id and its times,
// and it is valid. Only the append gives it a seq.
type Draft struct {
	*message.Message
	keys []messageKey
	// parent is the ParentSeq that the caller gave. The append sets that of the message.
	parent *int64
}

// NewDraft fills in a message in place and validates it. The scope is that of one user, the
// owner of the conversation; a message of another user is ErrInvalid. It does not check
// that the conversation exists.
func NewDraft(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, m *message.Message) (Draft, error) {
	if m == nil {
		return Draft{}, scope.ErrNil("message")
	}
	if m.UserID != uuid.Nil && m.UserID != sc.User {
		return Draft{}, rule.Invalid("user_id", "is another user's than the conversation's")
	}
	if len(m.Refs) > 0 || len(m.Votes) > 0 {
		return Draft{}, rule.Invalid("refs", "and votes are not stored with a new message")
	}
	m.UserID, m.ConversationID = sc.User, conversationID
	idGiven := m.ID != uuid.Nil
	if err := sc.GiveID(&m.ID); err != nil {
		return Draft{}, err
	}
	sc.Clean.Model(m)
	m.Seq = 0 // a loaded message has one, which says nothing of the new one's parent
	m.Normalize(sc.Instant())
	m.EditedAt, m.DeletedAt, m.Revision, m.ChangeSeq = nil, gorm.DeletedAt{}, 0, 0
	if err := check.First(sc.CheckSize("message", m.Size()), m.Validate()); err != nil {
		return Draft{}, err
	}
	return Draft{m, keysOf(m, idGiven), m.ParentSeq}, embeddings.CheckOwn(ctx, sc, m)
}

// Copy returns the draft with a shallow copy of its message. A transaction that may run more
// than once works on a copy, so that each attempt starts from the same message.
func (d Draft) Copy() Draft {
	m := *d.Message
	return Draft{&m, d.keys, d.parent}
}

// Into returns a Copy for a conversation.
func (d Draft) Into(conversationID uuid.UUID) Draft {
	d = d.Copy()
	d.ConversationID, d.keys = conversationID, slices.Clone(d.keys)
	for i := range d.keys {
		if d.keys[i].column == keyIdempotency {
			d.keys[i].conversation = conversationID
		}
	}
	return d
}

// textBytes is about how many bytes the index of words reads of messages.
func textBytes(ms ...*message.Message) (bytes int) {
	for _, m := range ms {
		bytes += len(m.Content) + len(m.ToolResults) + len(m.Metadata)
	}
	return bytes
}

// newDrafts is NewDraft for the messages of a batch. The error is a *store.BatchError with
// the index of the first bad message.
func newDrafts(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, ms []*message.Message) ([]Draft, error) {
	indexes := make(batchIndexes, len(ms))
	for i, m := range ms {
		if err := indexes.checkNew(m); err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
		indexes[m] = i
	}
	drafts := make([]Draft, len(ms))
	for i, m := range ms {
		var err error
		if drafts[i], err = NewDraft(ctx, sc, conversationID, m); err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
	}
	return drafts, nil
}

// batchIndexes are the indexes of the messages of a batch in the caller's input.
type batchIndexes map[*message.Message]int

// checkNew refuses a pointer that is in the batch already. A caller that reuses one variable
// for all messages passes such pointers, and has overwritten the earlier messages.
func (b batchIndexes) checkNew(m *message.Message) error {
	if first, ok := b[m]; ok && m != nil {
		return rule.Invalid("message", "is the same pointer as message %d; each needs one of its own", first)
	}
	return nil
}
