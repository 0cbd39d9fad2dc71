package embeddings

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
	// edited is when the text was last edited.
	edited *time.Time
}

// embedBatch embeds claimed messages and writes the vectors, in parts where the messages are
// large. After an error it has written nothing of the part and released the claims that are left.
func (j *embedJob) embedBatch(ctx context.Context, claimed []scope.OwnedID) error {
	for len(claimed) > 0 {
		items, rest, err := j.readItems(ctx, claimed)
		if err == nil {
			isLeft := func(id scope.OwnedID) bool {
				return slices.Contains(rest, id) || slices.ContainsFunc(items, func(it embedItem) bool { return it.OwnedID == id })
			}
			if skipped := slices.DeleteFunc(slices.Clone(claimed), isLeft); len(skipped) > 0 {
				j.release(ctx, skipped)
			}
			claimed = append(keysOfItems(items), rest...)
			err = j.embedItems(ctx, items)
		}
		if err != nil {
			j.release(ctx, claimed)
			return err
		}
		claimed = rest
	}
	return nil
}

// embedItems embeds messages and writes the vectors, or neither.
func (j *embedJob) embedItems(ctx context.Context, items []embedItem) error {
	if len(items) == 0 {
		return nil
	}
	embedded, err := j.embed(ctx, items)
	if err != nil {
		return err
	}
	written, err := j.writeVectors(ctx, embedded)
	if err == nil {
		j.addDone(written, len(items)-written)
	}
	return err
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
		for _, m := range found {
			batch = slices.DeleteFunc(batch, func(id scope.OwnedID) bool { return id.ID == m.ID })
			if text := textOf(j.options, m); text != "" {
				items = append(items, embedItem{vectorRow{OwnedID: scope.OwnedID{ID: m.ID, User: user}}, text, m.EditedAt})
			}
		}
		if more {
			rest = append(rest, batch...)
		}
	}
	return items, rest, nil
}

// embed fills in the vectors and retries as the options say. It returns fewer items, or none,
// if other calls took claims over while it waited.
func (j *embedJob) embed(ctx context.Context, items []embedItem) ([]embedItem, error) {
	for attempt := 1; ; attempt++ {
		vectors, err := j.callEmbedder(ctx, items)
		switch {
		case err == nil:
			return items, j.acceptVectors(items, vectors)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case attempt == j.options.Attempts || !j.isRetryable(err):
			return nil, j.embedError(err, items...)
		}
		wait := backoff(j.options, attempt)
		kept, err := j.renew(ctx, keysOfItems(items), wait)
		if err != nil || len(kept) == 0 {
			return nil, err
		}
		items = slices.DeleteFunc(slices.Clone(items), func(it embedItem) bool { return !slices.Contains(kept, it.OwnedID) })
		if err := query.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// isRetryable tells whether to call the embedder again after an error: not after a panic, and
// otherwise as EmbedOptions.Retry says, or always without one.
func (j *embedJob) isRetryable(err error) bool {
	var panicked *panicError
	return !errors.As(err, &panicked) && (j.options.Retry == nil || j.options.Retry(err))
}

// panicError is a panic of the embedder. It happens in a goroutine of this package, where the
// host cannot recover it, and would end the process.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("the embedder panicked: %v\n%s", e.value, e.stack)
}

// callEmbedder calls the embedder once. An embedder that ignores ctx is left running: its
// slice of texts is its own, which nobody else reads or writes.
func (j *embedJob) callEmbedder(ctx context.Context, items []embedItem) ([][]float32, error) {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = it.text
	}
	ctx, cancel := context.WithTimeout(ctx, j.options.Timeout)
	defer cancel()
	type answer struct {
		vectors [][]float32
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: &panicError{p, debug.Stack()}}
			}
			answers <- a
		}()
		a.vectors, a.err = j.embedder.Embed(ctx, texts)
	}()
	select {
	case a := <-answers:
		return a.vectors, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer within %s: %w", j.options.Timeout, ctx.Err())
	}
}

// acceptVectors puts the vectors into the items and checks them, before any is written.
func (j *embedJob) acceptVectors(items []embedItem, vectors [][]float32) error {
	if len(vectors) != len(items) {
		return j.embedError(fmt.Errorf("the embedder returned %d vectors for %d texts", len(vectors), len(items)), items...)
	}
	for i, v := range vectors {
		if err := j.features.CheckVector(v); err != nil {
			return j.embedError(err, items[i])
		}
		items[i].vector = message.Vector(v)
	}
	return nil
}

// embedError is err with the model and the messages of the items.
func (j *embedJob) embedError(err error, items ...embedItem) error {
	ids := make([]uuid.UUID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return &store.EmbedError{Model: j.model, Messages: ids, Err: err}
}

// writeVectors writes the vectors of items that were not edited meanwhile and are still claimed,
// deletes the claims of all items, and returns how many vectors it wrote.
func (j *embedJob) writeVectors(ctx context.Context, items []embedItem) (written int, err error) {
	err = j.sc.Store.Transaction(ctx, func(tx *scope.Store) error {
		written = 0
		for user, batch := range byOwner(items, func(it embedItem) scope.OwnedID { return it.OwnedID }) {
			n, err := j.writeForUser(ctx, j.sc.As(user).In(tx), batch)
			if err != nil {
				return err
			}
			written += n
		}
		return nil
	})
	return written, err
}

// writeForUser is writeVectors for the items of the scope's user. It locks the messages before
// the claims, as an edit does, so that the two cannot deadlock.
func (j *embedJob) writeForUser(ctx context.Context, sc scope.Scope, items []embedItem) (int, error) {
	sc.NoteWrite(ctx, sc.Whose())
	db := query.On(ctx, sc.Writer)
	unchanged, err := j.lockUnchanged(ctx, sc, items)
	if err != nil {
		return 0, err
	}
	q := j.claimsOf(query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE "), sc.User, keysOfItems(items))
	claimed, err := scope.ReadIDs(db, q.Add(" RETURNING message_id"))
	if err != nil {
		return 0, err
	}
	rows := slices.DeleteFunc(unchanged, func(r vectorRow) bool { return !slices.Contains(claimed, r.ID) })
	ids, err := upsertVectors(ctx, sc, j.model, rows)
	return len(ids), err
}

// lockUnchanged locks the messages against edits and returns those that are live and were not
// edited since readItems.
func (j *embedJob) lockUnchanged(ctx context.Context, sc scope.Scope, items []embedItem) (unchanged []vectorRow, err error) {
	q := query.In(query.New("SELECT id, edited_at FROM "+sc.Tables.Messages+" WHERE user_id = ?", sc.User), " AND id", IDsOf(keysOfItems(items))).
		Add(" AND deleted_at IS NULL ORDER BY id" + sc.Dialect.LockShare(""))
	type version struct {
		id     uuid.UUID
		edited *time.Time
	}
	found, err := query.All(query.On(ctx, sc.Writer), q, func(v *version) []any { return []any{&v.id, record.NullInstant{Dest: &v.edited}} })
	if err != nil {
		return nil, err
	}
	current := make(map[uuid.UUID]*time.Time, len(found))
	for _, v := range found {
		current[v.id] = v.edited
	}
	for _, it := range items {
		if edited, ok := current[it.ID]; ok && sameTime(edited, it.edited) {
			unchanged = append(unchanged, it.vectorRow)
		}
	}
	return unchanged, nil
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
