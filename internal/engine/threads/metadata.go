package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/mergepatch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Metadata is merged in Go and not in one statement. The JSON operators of the two databases
// disagree with each other and with RFC 7396, and those of SQLite lose digits of numbers. A
// first update locks the row, so that merges that come at the same time wait for each other.

func (s conversations) MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	if err := checkPatch(s.sc, &patch); err != nil {
		return nil, err
	}
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap("merge metadata", err)
	}
	var merged *conversation.Conversation
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		in := sc.In(tx)
		c, err := updateConversation(ctx, in, id, store.ExcludeDeleted, query.New("metadata = metadata"))
		if err != nil {
			return err
		}
		doc, err := mergeMetadata(c.Metadata, patch)
		if err != nil {
			return err
		}
		merged, err = editConversation(ctx, in, id, query.New("metadata = ?", doc))
		return err
	})
	if err != nil {
		return nil, query.Wrap("merge metadata", err)
	}
	return merged, nil
}

func (s messages) MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*message.Message, error) {
	if err := checkPatch(s.sc, &patch); err != nil {
		return nil, err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Messages, id)
	if err != nil {
		return nil, query.Wrap("merge metadata", err)
	}
	as := s.sc.As(owner)
	merged, err := s.refuseStreaming(ctx, id, func() (m *message.Message, err error) {
		err = as.Shared(ctx, func(tx *scope.Store) error {
			m, err = mergeMessage(ctx, as.In(tx), id, patch)
			return err
		})
		return m, err
	})
	return merged, query.Wrap("merge metadata", err)
}

// mergeMessage merges a patch into the metadata of a live message. The conversation is locked
// first, as in every change; the row as well, against a host that writes it without the store.
func mergeMessage(ctx context.Context, sc scope.Scope, id uuid.UUID, patch message.JSON) (*message.Message, error) {
	change, of, err := takeChange(ctx, sc, id, store.ExcludeDeleted)
	if err != nil {
		return nil, err
	}
	m, err := setChanged(ctx, sc, id, store.ExcludeDeleted, notStreaming+stillIn, query.New("metadata = metadata"), of)
	if err != nil {
		return nil, err
	}
	doc, err := mergeMetadata(m.Metadata, patch)
	if err != nil {
		return nil, err
	}
	m, err = setChanged(ctx, sc, id, store.ExcludeDeleted, "", query.New("edited_at = ?, metadata = ?"+counted, sc.Instant(), doc, change))
	if err == nil {
		err = sc.CheckSize("message", m.Size())
	}
	return m, err
}

// checkPatch cleans a patch and refuses one that is not a JSON object.
func checkPatch(sc scope.Scope, patch *message.JSON) error {
	sc.Clean.Document(patch)
	if err := check.JSON("metadata", *patch); err != nil {
		return err
	}
	if !mergepatch.IsObject(*patch) {
		return rule.Invalid("metadata", "is not a JSON object")
	}
	return nil
}

// mergeMetadata returns a document with a patch applied. It checks the result: the patch is
// valid, but the host may have written the stored document without a check.
func mergeMetadata(stored, patch message.JSON) (message.JSON, error) {
	doc, err := mergepatch.Apply(stored, patch)
	if err != nil {
		return nil, err
	}
	return doc, check.JSON("metadata", doc)
}
