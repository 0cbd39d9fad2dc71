package embeddings

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// dropBatch is the most vectors that a statement deletes.
const dropBatch = 1000

func (s embeddings) DropModel(ctx context.Context, model string) (total int64, err error) {
	if err := checkModel(s.sc, &model); err != nil {
		return 0, err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return 0, err
	}
	if _, err := forgetFailures(ctx, s.sc, model, nil, ""); err != nil {
		return 0, query.Wrap("drop model", err)
	}
	defer s.sc.Erasures.Add(1)
	if !s.sc.All {
		total, err = dropModel(ctx, s.sc, model)
		return total, query.Wrap("drop model", err)
	}
	// One user after the other: the indexes begin with the user, and a walk over the whole
	// table would pass the deleted rows again and again.
	for user := uuid.Nil; ; {
		q := query.New("SELECT user_id FROM "+s.sc.Tables.Embeddings+" WHERE model = ? AND user_id > ? ORDER BY user_id LIMIT 1", model, user)
		next, err := scope.ReadIDs(query.On(ctx, s.sc.Writer), q)
		if err == nil && len(next) == 0 {
			err = dropPartitions(ctx, s.sc, model)
		}
		if err != nil || len(next) == 0 {
			return total, query.Wrap("drop model", err)
		}
		user = next[0]
		n, err := dropModel(ctx, s.sc.As(user), model)
		if total += n; err != nil {
			return total, query.Wrap("drop model", err)
		}
	}
}

// dropModel deletes the vectors of the scope's user, batch by batch. After an error, total
// counts the batches already deleted.
func dropModel(ctx context.Context, sc scope.Scope, model string) (total int64, err error) {
	db := query.On(ctx, sc.Writer)
	for {
		ids, err := scope.ReadIDs(db, query.New("SELECT message_id FROM "+sc.Tables.Embeddings+
			" WHERE user_id = ? AND model = ? LIMIT ?", sc.User, model, dropBatch))
		if err != nil || len(ids) == 0 {
			return total, err
		}
		err = sc.Retry(ctx, func() error {
			q := query.New("DELETE FROM "+sc.Tables.Embeddings+" WHERE user_id = ? AND model = ?", sc.User, model)
			n, err := query.In(q, " AND message_id", ids).Exec(db)
			total += n
			return err
		})
		if err != nil {
			return total, err
		}
	}
}
