package embeddings

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s embeddings) Train(ctx context.Context, model string, o store.TrainOptions) (store.Training, error) {
	if err := s.checkTraining(); err != nil {
		return store.Training{}, err
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return store.Training{}, err
	}
	if err := checkModel(s.sc, &model); err != nil {
		return store.Training{}, err
	}
	if o.Lists < 0 || o.Lists > store.MaxLists {
		return store.Training{}, rule.Invalid("lists", "is not between 0 and %d", store.MaxLists)
	}
	if !s.sc.Dialect.VectorLists() {
		return store.Training{Model: model}, query.Wrap("train", ctx.Err())
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
	if err := s.checkTraining(); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil || !s.sc.Dialect.VectorLists() {
		return nil, err
	}
	all, err := readTrainings(s.sc, db, query.New(""))
	return all, query.Wrap("read trainings", err)
}

// checkTraining returns ErrInvalid in a scope of one user and in an open transaction.
func (s embeddings) checkTraining() error {
	switch {
	case !s.sc.All:
		return rule.Invalid("scope", "is of one user, and the lists are of everybody's vectors; call it with AllUsers")
	case s.sc.InTx:
		return rule.Invalid("transaction", "is open; a training works in many of its own")
	}
	return nil
}
