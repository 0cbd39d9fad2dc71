package store

import (
	"context"

	"github.com/google/uuid"
)

// dropBatch is how many vectors a statement removes at most.
const dropBatch = 1000

func (s embeddings) DropModel(ctx context.Context, model string) (total int64, err error) {
	if err := checkModel(model); err != nil {
		return 0, err
	}
	if _, err := s.writing(ctx); err != nil {
		return 0, err
	}
	defer s.erasures.Add(1)
	if !s.all {
		total, err = s.dropModel(ctx, model)
		return total, fail("drop model", err)
	}
	// User by user and not as they come: the indexes begin with the user, and a walk over
	// the table would pass what it has removed again and again.
	for user := uuid.Nil; ; {
		q := newQuery("SELECT user_id FROM "+s.tables.embeddings+" WHERE model = ? AND user_id > ? ORDER BY user_id LIMIT 1", model, user)
		next, err := readIDs(session(ctx, s.writer), q)
		if err != nil || len(next) == 0 {
			return total, fail("drop model", err)
		}
		user = next[0]
		n, err := s.as(user).dropModel(ctx, model)
		if total += n; err != nil {
			return total, fail("drop model", err)
		}
	}
}

// dropModel removes the vectors of the scope's user.
func (sc scope) dropModel(ctx context.Context, model string) (total int64, err error) {
	db := session(ctx, sc.writer)
	for {
		ids, err := readIDs(db, newQuery("SELECT message_id FROM "+sc.tables.embeddings+
			" WHERE user_id = ? AND model = ? LIMIT ?", sc.user, model, dropBatch))
		if err != nil || len(ids) == 0 {
			return total, err
		}
		err = sc.retry(ctx, func() error {
			q := newQuery("DELETE FROM "+sc.tables.embeddings+" WHERE user_id = ? AND model = ?", sc.user, model)
			n, err := anyOf(q, " AND message_id", ids).exec(db)
			total += n
			return err
		})
		if err != nil {
			return total, err
		}
	}
}
