package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

func (f file) convostore(ctx context.Context, o options, path string) (peer, error) {
	st, err := sqlite.Open(ctx, path, convostore.WithMigrate(migrate.Options{}), sqlite.WithSynchronous(f.synchronous))
	if err != nil {
		return peer{}, err
	}
	return fillConvostore(ctx, o, st)
}

func openConvostorePostgres(ctx context.Context, o options, dsn string) (peer, error) {
	st, err := postgres.Open(ctx, dsn, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		return peer{}, err
	}
	return fillConvostore(ctx, o, st)
}

// fillConvostore makes conversations as the migrations leave them: with the indexes of
// words.
func fillConvostore(ctx context.Context, o options, st store.Store) (peer, error) {
	user := uuid.New()
	var ids []uuid.UUID
	err := st.Transaction(ctx, func(tx store.Store) error {
		ids = ids[:0]
		for i := range o.sessions {
			c := &conversation.Conversation{App: app}
			if i < o.threads {
				for range o.messages {
					c.Messages = append(c.Messages, newMessage())
				}
			}
			if err := tx.ForUser(user).Conversations().Create(ctx, c); err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	if err != nil {
		return peer{}, errors.Join(err, st.Close())
	}
	// What a transaction of the host wrote is not packed by itself.
	if err := st.AllUsers().Maintenance().PackSearch(ctx); err != nil {
		return peer{}, errors.Join(err, st.Close())
	}
	mine := st.ForUser(user)
	return peer{
		name: "convostore", close: st.Close,
		appendOne: func(ctx context.Context, i int) error {
			_, err := mine.Messages().Append(ctx, ids[o.threads+i%(o.sessions-o.threads)], newMessage())
			return err
		},
		appendStates: func(ctx context.Context, i int) error {
			step := store.StateMap{"step": strconv.AppendInt(nil, int64(i), 10)}
			m := newMessage()
			m.ID = uuid.New() // as an adapter gives the framework's own
			_, err := mine.Messages().AppendMany(ctx, ids[o.threads+i%(o.sessions-o.threads)], []*message.Message{m},
				store.AppendOptions{States: store.AppendStates{Conversation: step, User: step, App: step}})
			return err
		},
		last50: func(ctx context.Context, i int) error {
			ms, err := mine.Messages().Last(ctx, ids[i%o.threads], newest)
			return expect(len(ms), min(newest, o.messages), err)
		},
		list20: func(ctx context.Context, _ int) error {
			found, err := mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{Limit: page})
			return expect(len(found.Items), min(page, o.sessions), err)
		},
	}, nil
}

func newMessage() *message.Message { return &message.Message{Role: message.RoleUser, Content: text} }
