package maintenance

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/erase"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s maintenance) EraseLead(ctx context.Context, leadID string) (store.Counts, error) {
	if s.sc.Clean.Text(&leadID); leadID == "" {
		return store.Counts{}, rule.Invalid("lead_id", "is empty")
	}
	if err := check.Key("lead_id", leadID); err != nil {
		return store.Counts{}, err
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return store.Counts{}, err
	}
	if err := s.sc.CheckLead(db, leadID); err != nil {
		return store.Counts{}, query.Wrap("erase lead", err)
	}
	users := []uuid.UUID{s.sc.User}
	if s.sc.All {
		q := query.New("SELECT DISTINCT user_id FROM "+s.sc.Tables.Conversations+" WHERE lead_id = ? ORDER BY user_id", leadID)
		if users, err = scope.ReadIDs(db, q); err != nil {
			return store.Counts{}, query.Wrap("erase lead", err)
		}
	}
	var total store.Counts
	for _, user := range users {
		counts, err := erase.Where(ctx, s.sc.As(user), query.New("user_id = ? AND lead_id = ?", user, leadID))
		if err != nil {
			return total, query.Wrap("erase lead", err)
		}
		total = total.Add(counts)
	}
	return total, nil
}

func (s maintenance) EraseUser(ctx context.Context) (store.Counts, error) {
	if s.sc.All {
		return store.Counts{}, rule.Invalid("scope", "is of all users; say which one with ForUser")
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.Counts{}, err
	}
	var counts store.Counts
	err := s.sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		counts, err = eraseAll(ctx, s.sc.In(tx))
		return err
	})
	return counts, query.Wrap("erase user", err)
}

// eraseAll erases every row of the scope's user, including orphans.
func eraseAll(ctx context.Context, sc scope.Scope) (store.Counts, error) {
	if _, err := scope.ReadIDs(query.On(ctx, sc.Writer), sc.Lock("id", query.New("1 = 1"))); err != nil {
		return store.Counts{}, err
	}
	conditions := erase.Conditions{}
	for _, table := range record.Tables() {
		conditions[table] = query.New("user_id = ?", sc.User)
	}
	counts, err := erase.Remove(ctx, sc, conditions)
	if err != nil {
		return counts, err
	}
	return counts, textindex.Forget(ctx, sc)
}
