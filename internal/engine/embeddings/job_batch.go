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

// embedItem is a claimed message on its way to a vector.
type embedItem struct {
	vectorRow
	text   string
	edited *time.Time
}

// embedBatch embeds claimed messages and writes the vectors. If it returns an error it has
// written nothing and given the claims back.
func (j *embedJob) embedBatch(ctx context.Context, claimed []scope.OwnedID) error {
	items, err := j.read(ctx, claimed)
	if err != nil {
		j.release(ctx, claimed)
		return err
	}
	if len(items) < len(claimed) {
		left := slices.DeleteFunc(slices.Clone(claimed), func(id scope.OwnedID) bool {
			return slices.ContainsFunc(items, func(it embedItem) bool { return it.OwnedID == id })
		})
		j.release(ctx, left)
	}
	if len(items) == 0 {
		return nil
	}
	embedded, err := j.embed(ctx, items)
	var written int
	if err == nil {
		written, err = j.write(ctx, embedded)
	}
	if err != nil {
		j.release(ctx, keysOfItems(items))
		return err
	}
	j.count(written, len(items)-written)
	return nil
}

// read reads what is to be embedded of claimed messages. It asks again whether they are
// missing: a vector that was written just before the claim was not seen by it.
func (j *embedJob) read(ctx context.Context, claimed []scope.OwnedID) (items []embedItem, err error) {
	for user, theirs := range byOwner(claimed, key) {
		q := query.New("SELECT " + record.MessageColumns + " FROM " + j.sc.Tables.Messages + " m")
		query.In(whereMissing(j.sc.As(user), q, j.model, j.options.Filter), " AND m.id", IDsOf(theirs))
		found, err := query.All(query.On(ctx, j.sc.Writer), q, record.MessageDest)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			if text := text(j.options, m); text != "" {
				items = append(items, embedItem{vectorRow{OwnedID: scope.OwnedID{ID: m.ID, User: user}}, text, m.EditedAt})
			}
		}
	}
	return items, nil
}

// embed fills in the vectors, trying again as the options say. It returns fewer items if
// claims were lost while it waited.
func (j *embedJob) embed(ctx context.Context, items []embedItem) ([]embedItem, error) {
	for try := 1; ; try++ {
		vectors, err := j.call(ctx, items)
		switch {
		case err == nil:
			return items, j.accept(items, vectors)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case try == j.options.Attempts || !j.mayPass(err):
			return nil, j.errEmbed(err, items...)
		}
		wait := wait(j.options, try)
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

func (j *embedJob) mayPass(err error) bool {
	var panicked *panicError
	return !errors.As(err, &panicked) && (j.options.Retry == nil || j.options.Retry(err))
}

// panicError is a panic of the embedder, which would end the process: nobody can
// recover it in a goroutine that this package began.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("the embedder panicked: %v\n%s", e.value, e.stack)
}

// call asks the embedder once. One that does not heed ctx is left behind: it gets texts
// of its own, which nobody else reads or writes.
func (j *embedJob) call(ctx context.Context, items []embedItem) ([][]float32, error) {
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

// accept checks all vectors before any is written.
func (j *embedJob) accept(items []embedItem, vectors [][]float32) error {
	if len(vectors) != len(items) {
		return j.errEmbed(fmt.Errorf("the embedder returned %d vectors for %d texts", len(vectors), len(items)), items...)
	}
	for i, v := range vectors {
		if err := j.features.CheckVector(v); err != nil {
			return j.errEmbed(err, items[i])
		}
		items[i].vector = message.Vector(v)
	}
	return nil
}

func (j *embedJob) errEmbed(err error, items ...embedItem) error {
	ids := make([]uuid.UUID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return &store.EmbedError{Model: j.model, Messages: ids, Err: err}
}

// write writes the vectors of messages that are still what was embedded and still
// claimed, ends the claims of all, and returns how many it wrote.
func (j *embedJob) write(ctx context.Context, items []embedItem) (written int, err error) {
	err = j.sc.Store.Transaction(ctx, func(tx *scope.Store) error {
		written = 0
		for user, theirs := range byOwner(items, func(it embedItem) scope.OwnedID { return it.OwnedID }) {
			n, err := j.writeFor(ctx, j.sc.As(user).In(tx), theirs)
			if err != nil {
				return err
			}
			written += n
		}
		return nil
	})
	return written, err
}

// writeFor locks the messages before the claims, as an edit does.
func (j *embedJob) writeFor(ctx context.Context, in scope.Scope, items []embedItem) (int, error) {
	in.NoteWrite(ctx, in.Whose())
	db := query.On(ctx, in.Writer)
	unchanged, err := j.lockUnchanged(ctx, in, items)
	if err != nil {
		return 0, err
	}
	q := j.mine(query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE "), in.User, keysOfItems(items))
	claimed, err := scope.ReadIDs(db, q.Add(" RETURNING message_id"))
	if err != nil {
		return 0, err
	}
	rows := slices.DeleteFunc(unchanged, func(r vectorRow) bool { return !slices.Contains(claimed, r.ID) })
	ids, err := putVectors(ctx, in, j.model, rows)
	return len(ids), err
}

// lockUnchanged keeps messages from being edited, and returns those that were not.
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
	now := make(map[uuid.UUID]*time.Time, len(found))
	for _, v := range found {
		now[v.id] = v.edited
	}
	for _, it := range items {
		if edited, ok := now[it.ID]; ok && sameTime(edited, it.edited) {
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
