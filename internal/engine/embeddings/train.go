package embeddings

import (
	"context"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s embeddings) Train(ctx context.Context, model string, o store.TrainOptions) (store.Training, error) {
	db, err := s.training(ctx)
	if err != nil {
		return store.Training{}, err
	}
	if err := checkModel(s.sc, &model); err != nil {
		return store.Training{}, err
	}
	if o.Lists < 0 || o.Lists > store.MaxLists {
		return store.Training{}, rule.Invalid("lists", "is not between 0 and %d", store.MaxLists)
	}
	if s.sc.Dialect.Name() != dialect.SQLite {
		return store.Training{Model: model}, nil
	}
	f, err := s.sc.SchemaFeatures(db)
	if err != nil {
		return store.Training{}, err
	}
	t := &trainer{sc: s.sc, db: db, model: model, dimensions: f.Dimensions(), options: o}
	if err := t.run(ctx); err != nil {
		return store.Training{}, query.Wrap("train", err)
	}
	trained, err := t.trained()
	return trained, query.Wrap("train", err)
}

func (s embeddings) Trainings(ctx context.Context) ([]store.Training, error) {
	db, err := s.training(ctx)
	if err != nil || s.sc.Dialect.Name() != dialect.SQLite {
		return nil, err
	}
	all, err := readTrainings(s.sc, db, query.New(""))
	return all, query.Wrap("read trainings", err)
}

// training returns a connection for what concerns the vectors of all users. A scope of one user
// and an open transaction are ErrInvalid.
func (s embeddings) training(ctx context.Context) (query.Conn, error) {
	switch {
	case !s.sc.All:
		return query.Conn{}, rule.Invalid("scope", "is of one user, and the lists are of everybody's vectors; call it with AllUsers")
	case s.sc.InTx:
		return query.Conn{}, rule.Invalid("transaction", "is open; a training works in many of its own")
	}
	return s.sc.Writing(ctx)
}
