package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
)

// eraseBatch is how many conversations a statement takes at most.
const eraseBatch = 500

func (s conversations) Erase(ctx context.Context, id uuid.UUID) (Counts, error) {
	if _, err := s.writing(ctx); err != nil {
		return Counts{}, err
	}
	owner, err := s.owner(ctx, s.tables.conversations, id)
	if err != nil {
		return Counts{}, fail("erase conversation", err)
	}
	counts, err := s.as(owner).eraseWhere(ctx, newQuery("user_id = ? AND id = ?", owner, id))
	if err == nil && counts.Conversations == 0 {
		err = ErrNotFound
	}
	return counts, fail("erase conversation", err)
}

// eraseWhere erases the conversations that a condition names, which names the user as well,
// with all that is in them, in one transaction.
func (sc scope) eraseWhere(ctx context.Context, which *query) (counts Counts, err error) {
	err = sc.transaction(ctx, func(tx *store) (err error) {
		counts, err = sc.in(tx).erase(ctx, which)
		return err
	})
	return counts, err
}

// erase locks first, so that an append that comes between finds no conversation, and
// then removes from the leaves up; the cascades of the foreign keys would do the same
// without telling how much.
func (sc scope) erase(ctx context.Context, which *query) (counts Counts, err error) {
	ids, err := readIDs(session(ctx, sc.writer), sc.lockRows("id", which))
	if err != nil {
		return counts, err
	}
	for len(ids) > 0 {
		part := ids[:min(eraseBatch, len(ids))]
		ids = ids[len(part):]
		theirs := sc.among("conversation_id", part)
		one, err := sc.remove(ctx, theirs, theirs, theirs, sc.among("id", part))
		if err != nil {
			return counts, err
		}
		counts = counts.Add(one)
	}
	return counts, nil
}

// remove deletes by a condition for each table, nil for none, children before parents.
func (sc scope) remove(ctx context.Context, embeddings, suggestions, messages, conversations *query) (counts Counts, err error) {
	defer sc.erasures.Add(1)
	db := session(ctx, sc.writer)
	steps := []struct {
		table string
		where *query
		count *int64
	}{
		{sc.tables.embeddings, embeddings, &counts.Embeddings},
		{sc.tables.suggestions, suggestions, &counts.Suggestions},
		{sc.tables.messages, messages, &counts.Messages},
		{sc.tables.conversations, conversations, &counts.Conversations},
	}
	for _, st := range steps {
		if st.where == nil {
			continue
		}
		q := newQuery("DELETE FROM " + st.table + " WHERE ").addQuery(st.where)
		if *st.count, err = q.exec(db); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

func (s maintenance) EraseLead(ctx context.Context, leadID string) (Counts, error) {
	if leadID == "" {
		return Counts{}, rule.Invalid("lead_id", "is empty")
	}
	if err := check.Key("lead_id", leadID); err != nil {
		return Counts{}, err
	}
	db, err := s.writing(ctx)
	if err != nil {
		return Counts{}, err
	}
	if err := s.checkLead(db, leadID); err != nil {
		return Counts{}, fail("erase lead", err)
	}
	users := []uuid.UUID{s.user}
	if s.all {
		q := newQuery("SELECT DISTINCT user_id FROM "+s.tables.conversations+" WHERE lead_id = ? ORDER BY user_id", leadID)
		if users, err = readIDs(db, q); err != nil {
			return Counts{}, fail("erase lead", err)
		}
	}
	var total Counts
	for _, user := range users {
		counts, err := s.as(user).eraseWhere(ctx, newQuery("user_id = ? AND lead_id = ?", user, leadID))
		if err != nil {
			return total, fail("erase lead", err)
		}
		total = total.Add(counts)
	}
	return total, nil
}

func (s maintenance) EraseUser(ctx context.Context) (Counts, error) {
	if s.all {
		return Counts{}, rule.Invalid("scope", "is of all users; say which one with ForUser")
	}
	if _, err := s.writing(ctx); err != nil {
		return Counts{}, err
	}
	var counts Counts
	err := s.transaction(ctx, func(tx *store) (err error) {
		counts, err = s.in(tx).eraseAll(ctx)
		return err
	})
	return counts, fail("erase user", err)
}

// eraseAll also takes rows whose conversation is gone.
func (sc scope) eraseAll(ctx context.Context) (Counts, error) {
	if _, err := readIDs(session(ctx, sc.writer), sc.lock("id", newQuery("1 = 1"))); err != nil {
		return Counts{}, err
	}
	theirs := newQuery("user_id = ?", sc.user)
	return sc.remove(ctx, theirs, theirs, theirs, theirs)
}
