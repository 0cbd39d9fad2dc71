package maintenance

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// orphan is a kind of row whose parent may be gone.
type orphan struct {
	table, parent, key string
	count              func(*store.Counts) *int64
}

// orphans lists messages before vectors, whose parent a message is.
func (s maintenance) orphans() []orphan {
	return []orphan{
		{s.sc.Tables.Messages, s.sc.Tables.Conversations, "conversation_id", func(c *store.Counts) *int64 { return &c.Messages }},
		{s.sc.Tables.Suggestions, s.sc.Tables.Conversations, "conversation_id", func(c *store.Counts) *int64 { return &c.Suggestions }},
		{s.sc.Tables.Embeddings, s.sc.Tables.Messages, "message_id", func(c *store.Counts) *int64 { return &c.Embeddings }},
	}
}

func (s maintenance) orphanRows(action string, o orphan) *query.Query {
	q := query.New(action + " FROM " + o.table + " AS o WHERE NOT EXISTS (SELECT 1 FROM " + o.parent +
		" p WHERE p.id = o." + o.key + " AND p.user_id = o.user_id")
	s.sc.Owned(q, "p.").Add(")")
	return s.sc.Owned(q, "o.")
}

func (s maintenance) Orphans(ctx context.Context) (counts store.Counts, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return counts, err
	}
	for _, o := range s.orphans() {
		if _, err := s.orphanRows("SELECT count(*)", o).Row(db, o.count(&counts)); err != nil {
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
		for _, o := range s.orphans() {
			if *o.count(&counts), err = s.orphanRows("DELETE", o).Exec(query.On(ctx, tx.Writer)); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, query.Wrap("remove orphans", err)
}

func (s maintenance) Counts(ctx context.Context) (counts store.Counts, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return counts, err
	}
	for table, count := range map[string]*int64{
		s.sc.Tables.Conversations: &counts.Conversations,
		s.sc.Tables.Messages:      &counts.Messages,
		s.sc.Tables.Embeddings:    &counts.Embeddings,
		s.sc.Tables.Suggestions:   &counts.Suggestions,
	} {
		q := query.New("SELECT count(*) FROM " + table + " WHERE 1 = 1")
		if _, err := s.sc.Owned(q, "").Row(db, count); err != nil {
			return counts, query.Wrap("count rows", err)
		}
	}
	return counts, nil
}
