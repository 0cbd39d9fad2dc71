package embeddings

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// embedItem is a claimed message, its text, and at the end its vector.
type embedItem struct {
	vectorRow
	text string
	// failures is how often the embedder refused the message alone.
	failures int
	// edited is when the text was last edited.
	edited *time.Time
}

// embedBatch embeds claimed messages and writes the vectors, in parts where the messages are
// large. After an error it has released the claims that are left.
func (j *embedJob) embedBatch(ctx context.Context, claimed []scope.OwnedID) (err error) {
	t := j.newTrial(claimed)
	for len(claimed) > 0 && err == nil {
		var items []embedItem
		if items, claimed, err = j.readItems(ctx, claimed); err == nil {
			j.release(ctx, t.skip(items, claimed))
			err = t.embed(ctx, items)
		}
	}
	if err != nil {
		j.release(ctx, slices.Collect(maps.Keys(t.held)))
	}
	j.addDone(t.came)
	return err
}

// skip forgets the claims on messages that have nothing to embed, and returns them.
func (t *trial) skip(items []embedItem, rest []scope.OwnedID) (skipped []scope.OwnedID) {
	left := make(map[scope.OwnedID]bool, len(items)+len(rest))
	for _, it := range items {
		left[it.OwnedID] = true
	}
	for _, id := range rest {
		left[id] = true
	}
	for id := range t.held {
		if !left[id] {
			skipped = append(skipped, id)
		}
	}
	t.drop(skipped)
	return skipped
}

// readItems reads the texts of claimed messages. It checks again that their vectors are
// missing, because the claim did not see a vector that was written just before it. Of large
// messages it reads store.MaxPageBytes, at least one; rest are the others.
func (j *embedJob) readItems(ctx context.Context, claimed []scope.OwnedID) (items []embedItem, rest []scope.OwnedID, err error) {
	for user, batch := range byOwner(claimed, key) {
		q := query.New("SELECT " + record.MessageColumns + " FROM " + j.sc.Tables.Messages + " m")
		query.In(whereMissing(j.sc.As(user), q, j.model, j.options.Filter), " AND m.id", IDsOf(batch))
		found, more, err := query.Within(query.On(ctx, j.sc.Writer), q, record.MessageDest, (*message.Message).Size, store.MaxPageBytes)
		if err != nil {
			return nil, nil, err
		}
		failures, err := j.failuresOf(ctx, user, batch)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range found {
			batch = slices.DeleteFunc(batch, func(id scope.OwnedID) bool { return id.ID == m.ID })
			if text := textOf(j.options, m); text != "" {
				items = append(items, embedItem{
					vectorRow: vectorRow{OwnedID: scope.OwnedID{ID: m.ID, User: user}}, text: text, edited: m.EditedAt, failures: failures[m.ID],
				})
			}
		}
		if more {
			rest = append(rest, batch...)
		}
	}
	return items, rest, nil
}

// failuresOf returns how often messages of a user failed alone, for those that did.
func (j *embedJob) failuresOf(ctx context.Context, user uuid.UUID, batch []scope.OwnedID) (map[uuid.UUID]int, error) {
	type row struct {
		id       uuid.UUID
		attempts int
	}
	q := query.New("SELECT message_id, attempts FROM "+j.sc.Tables.Failures+" WHERE user_id = ? AND model = ?", user, j.model)
	found, err := query.All(query.On(ctx, j.sc.Writer), query.In(q, " AND message_id", IDsOf(batch)), func(r *row) []any { return []any{&r.id, &r.attempts} })
	failures := make(map[uuid.UUID]int, len(found))
	for _, r := range found {
		failures[r.id] = r.attempts
	}
	return failures, err
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func keysOfItems(items []embedItem) []scope.OwnedID {
	keys := make([]scope.OwnedID, len(items))
	for i, it := range items {
		keys[i] = it.OwnedID
	}
	return keys
}
