package store

import "context"

// orphan is a kind of row whose parent may be gone.
type orphan struct {
	table, parent, key string
	count              func(*Counts) *int64
}

// orphans lists messages before vectors, whose parent a message is.
func (s maintenance) orphans() []orphan {
	return []orphan{
		{s.tables.messages, s.tables.conversations, "conversation_id", func(c *Counts) *int64 { return &c.Messages }},
		{s.tables.suggestions, s.tables.conversations, "conversation_id", func(c *Counts) *int64 { return &c.Suggestions }},
		{s.tables.embeddings, s.tables.messages, "message_id", func(c *Counts) *int64 { return &c.Embeddings }},
	}
}

func (s maintenance) orphanRows(action string, o orphan) *query {
	q := newQuery(action + " FROM " + o.table + " AS o WHERE NOT EXISTS (SELECT 1 FROM " + o.parent +
		" p WHERE p.id = o." + o.key + " AND p.user_id = o.user_id")
	s.owned(q, "p.").add(")")
	return s.owned(q, "o.")
}

func (s maintenance) Orphans(ctx context.Context) (counts Counts, err error) {
	db, err := s.reading(ctx)
	if err != nil {
		return counts, err
	}
	for _, o := range s.orphans() {
		if _, err := s.orphanRows("SELECT count(*)", o).row(db, o.count(&counts)); err != nil {
			return counts, fail("count orphans", err)
		}
	}
	return counts, nil
}

func (s maintenance) RemoveOrphans(ctx context.Context) (Counts, error) {
	if _, err := s.writing(ctx); err != nil {
		return Counts{}, err
	}
	var counts Counts
	err := s.transaction(ctx, func(tx *store) (err error) {
		counts = Counts{}
		for _, o := range s.orphans() {
			if *o.count(&counts), err = s.orphanRows("DELETE", o).exec(session(ctx, tx.writer)); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, fail("remove orphans", err)
}

func (s maintenance) Counts(ctx context.Context) (counts Counts, err error) {
	db, err := s.reading(ctx)
	if err != nil {
		return counts, err
	}
	for table, count := range map[string]*int64{
		s.tables.conversations: &counts.Conversations,
		s.tables.messages:      &counts.Messages,
		s.tables.embeddings:    &counts.Embeddings,
		s.tables.suggestions:   &counts.Suggestions,
	} {
		q := newQuery("SELECT count(*) FROM " + table + " WHERE 1 = 1")
		if _, err := s.owned(q, "").row(db, count); err != nil {
			return counts, fail("count rows", err)
		}
	}
	return counts, nil
}
