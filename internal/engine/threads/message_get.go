package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Get(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	m, err := getMessage(s.sc, db, id)
	return m, query.Wrap("get message", err)
}

// getMessage reads a live message of a live conversation.
func getMessage(sc scope.Scope, db query.Conn, id uuid.UUID) (*message.Message, error) {
	return findMessage(sc, db, id, store.ExcludeDeleted)
}

func findMessage(sc scope.Scope, db query.Conn, id uuid.UUID, d store.Deleted) (*message.Message, error) {
	q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" m WHERE id = ?", id)
	return query.One(db, sc.InLive(scope.Deleted(sc.Owned(q, "m."), d, "m."), "m."), record.MessageDest)
}

func (s messages) FindByProviderID(ctx context.Context, p message.Provider, id string) (*message.Message, error) {
	if !p.Valid() {
		return nil, rule.Invalid("provider", "is not gmail or postmark")
	}
	if s.sc.Clean.Text(&id); id == "" {
		return nil, rule.Invalid("provider id", "is empty")
	}
	if err := check.Key("provider id", id); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+record.MessageColumns+" FROM "+s.sc.Tables.Messages+" m WHERE "+string(p)+"_message_id = ?", id)
	s.sc.InLive(scope.Deleted(s.sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.").Add(" LIMIT 2")
	m, err := query.One(db, q, record.MessageDest)
	return m, query.Wrap("find message", err)
}
