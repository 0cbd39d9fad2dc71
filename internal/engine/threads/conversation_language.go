package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/store"
)

func (s conversations) SetLanguage(ctx context.Context, id uuid.UUID, language string) (*conversation.Conversation, error) {
	s.sc.Clean.Text(&language)
	if err := check.Language("language", language); err != nil {
		return nil, err
	}
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap("set language", err)
	}
	var c *conversation.Conversation
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		c, err = setLanguage(ctx, sc.In(tx), id, language)
		return err
	})
	if err != nil {
		return nil, query.Wrap("set language", err)
	}
	sc.Noted(ctx, int(c.LastSeq)+1, 0)
	return c, nil
}

// setLanguage notes the texts after the update, which on SQLite takes the write lock first. The
// same language again notes them for nothing.
func setLanguage(ctx context.Context, sc scope.Scope, id uuid.UUID, language string) (*conversation.Conversation, error) {
	c, err := updateConversation(ctx, sc, id, store.ExcludeDeleted, query.New("language = ?", record.Null(language)))
	if err != nil {
		return nil, err
	}
	return c, textindex.Respoken(ctx, sc, id)
}
