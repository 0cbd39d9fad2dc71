package maintenance

import (
	"context"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// orphanTables are the tables whose rows may have lost their parent, parents before children:
// a message that is removed leaves its vectors behind as orphans.
func orphanTables() []*record.Table {
	return slices.DeleteFunc(record.Tables(), func(t *record.Table) bool { return t.Parent == nil })
}

func (s maintenance) orphanRows(action string, t *record.Table) *query.Query {
	q := query.New(action + " FROM " + s.sc.Tables.Of(t) + " AS o WHERE NOT EXISTS (SELECT 1 FROM " + s.sc.Tables.Of(t.Parent) +
		" p WHERE p.id = o." + t.ParentKey + " AND p.user_id = o.user_id")
	s.sc.Owned(q, "p.").Add(")")
	return s.sc.Owned(q, "o.")
}

func (s maintenance) Orphans(ctx context.Context) (counts store.Counts, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return counts, err
	}
	for _, t := range orphanTables() {
		if t.Count == nil {
			continue
		}
		if _, err := s.orphanRows("SELECT count(*)", t).Row(db, t.Count(&counts)); err != nil {
			return counts, query.Wrap("count orphans", err)
		}
	}
	return counts, nil
}

func (s maintenance) RemoveOrphans(ctx context.Context) (store.Counts, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.Counts{}, err
	}
	var counts store.Counts
	err := s.sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		counts = store.Counts{}
		for _, t := range orphanTables() {
			n, err := s.orphanRows("DELETE", t).Exec(query.On(ctx, tx.Writer))
			if err != nil {
				return err
			}
			t.Add(&counts, n)
		}
		return s.removeLooseCodes(query.On(ctx, tx.Writer))
	})
	return counts, query.Wrap("remove orphans", err)
}

func (s maintenance) Counts(ctx context.Context) (counts store.Counts, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return counts, err
	}
	for _, t := range record.Tables() {
		if t.Count == nil {
			continue
		}
		q := query.New("SELECT count(*) FROM " + s.sc.Tables.Of(t) + " WHERE 1 = 1")
		if _, err := s.sc.Owned(q, "").Row(db, t.Count(&counts)); err != nil {
			return counts, query.Wrap("count rows", err)
		}
	}
	return counts, nil
}
