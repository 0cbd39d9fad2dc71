package embeddings

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// maxRetried is the most messages that RetrySetAside takes.
const maxRetried = 10000

func (s embeddings) ListSetAside(
	ctx context.Context, model string, p store.PageRequest,
) (page store.Page[*store.SetAsideMessage], err error) {
	if err := checkModel(s.sc, &model); err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "set aside", model, p)
	if err != nil {
		return page, err
	}
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, f.model, f.attempts, f.error, f.failed_at FROM "+s.sc.Tables.Failures+" f JOIN "+
		s.sc.Tables.Messages+" m ON m.id = f.message_id AND m.user_id = f.user_id AND f.model = ? AND f.set_aside_at IS NOT NULL", model)
	whereWithout(s.sc, s.sc.Owned(q, "f."), model, store.EmbedFilter{})
	order := s.sc.SortByTime("f.set_aside_at", "m.")
	if l.After != nil {
		order.After(q, ">", l.After)
	}
	q.Add(order.OrderBy("")+" LIMIT ?", l.Limit+1)
	found, err := query.All(l.DB, q, setAsideDest)
	if err != nil {
		return page, query.Wrap("list messages set aside", err)
	}
	return scope.PageOf(found, l, func(m *store.SetAsideMessage) scope.Place {
		return scope.Place{Key: scope.TimeKey(m.FailedAt), ID: m.MessageID, User: m.UserID}
	}), nil
}

func setAsideDest(m *store.SetAsideMessage) []any {
	return []any{&m.MessageID, &m.UserID, &m.ConversationID, &m.Model, &m.Attempts, &m.Error, (*record.Instant)(&m.FailedAt)}
}

func (s embeddings) RetrySetAside(ctx context.Context, model string, messageIDs []uuid.UUID) (total int64, err error) {
	if err := checkModel(s.sc, &model); err != nil {
		return 0, err
	}
	if len(messageIDs) > maxRetried {
		return 0, rule.Invalid("message_ids", "are %d, the most is %d", len(messageIDs), maxRetried)
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return 0, err
	}
	defer s.sc.NoteWrite(ctx, s.sc.Whose()) // also if nothing was to be forgotten
	if len(messageIDs) == 0 {
		total, err = forgetFailures(ctx, s.sc, model, nil, " AND set_aside_at IS NOT NULL")
		return total, query.Wrap("retry messages set aside", err)
	}
	for part := range slices.Chunk(messageIDs, forgetBatch) {
		n, err := forgetFailures(ctx, s.sc, model, part, " AND set_aside_at IS NOT NULL")
		if total += n; err != nil {
			return total, query.Wrap("retry messages set aside", err)
		}
	}
	return total, nil
}

// forgetBatch is the most failures that a statement deletes.
const forgetBatch = 1000

// forgetFailures deletes the failures of a model in the scope which meet a condition, of these
// messages or of all if there are none, batch by batch. After an error, total counts the batches
// already deleted.
func forgetFailures(ctx context.Context, sc scope.Scope, model string, ids []uuid.UUID, where string) (total int64, err error) {
	db := query.On(ctx, sc.Writer)
	for last := (scope.OwnedID{}); ; {
		q := sc.Owned(query.New("SELECT message_id, user_id FROM "+sc.Tables.Failures+" WHERE model = ?"+where, model), "")
		if len(ids) > 0 {
			query.In(q, " AND message_id", ids)
		}
		// From the last ones on, and not past the deleted ones again and again.
		q.Add(" AND (message_id, user_id) > (?, ?) ORDER BY message_id, user_id LIMIT ?", last.ID, last.User, forgetBatch)
		found, err := query.All(db, q, func(o *scope.OwnedID) []any { return []any{&o.ID, &o.User} })
		if err != nil || len(found) == 0 {
			return total, err
		}
		last = *found[len(found)-1]
		rows := make([]scope.OwnedID, len(found))
		for i, o := range found {
			rows[i] = *o
		}
		for user, batch := range byOwner(rows, key) {
			n, err := forget(ctx, sc.As(user), model, batch, where)
			if total += n; err != nil {
				return total, err
			}
		}
	}
}

// forget deletes the failures of messages of the scope's user which meet a condition.
func forget(ctx context.Context, sc scope.Scope, model string, batch []scope.OwnedID, where string) (n int64, err error) {
	err = sc.Retry(ctx, func() error {
		q := query.New("DELETE FROM "+sc.Tables.Failures+" WHERE user_id = ? AND model = ?"+where, sc.User, model)
		n, err = query.In(q, " AND message_id", IDsOf(batch)).Exec(query.On(ctx, sc.Writer))
		return err
	})
	return n, err
}

// failure is a message that the embedder refused alone, and why.
type failure struct {
	embedItem
	err error
}

// upsertFailures counts one more failure of each message of the scope's user, which must be locked
// against edits, and returns how many of them are set aside now.
func (j *embedJob) upsertFailures(sc scope.Scope, db query.Conn, failed []failure) (aside int, err error) {
	now := sc.Instant()
	var first any
	if j.options.AttemptsAlone == 1 {
		first = now
	}
	for part := range slices.Chunk(failed, vectorRows) {
		q := query.New("INSERT INTO " + sc.Tables.Failures + " AS f (message_id, user_id, model, attempts, error, failed_at, set_aside_at) VALUES ")
		for i, f := range part {
			if i > 0 {
				q.Add(", ")
			}
			q.Add("("+query.Marks(7)+")", f.ID, sc.User, j.model, 1, errorText(f.err), now, first)
		}
		q.Add(" ON CONFLICT (message_id, user_id, model) DO UPDATE SET attempts = f.attempts + 1, error = excluded.error,"+
			" failed_at = excluded.failed_at, set_aside_at = CASE WHEN f.attempts + 1 >= ? THEN excluded.failed_at END RETURNING attempts",
			j.options.AttemptsAlone)
		attempts, err := query.All(db, q, func(n *int) []any { return []any{n} })
		if err != nil {
			return aside, err
		}
		for _, n := range attempts {
			if *n >= j.options.AttemptsAlone {
				aside++
			}
		}
	}
	return aside, nil
}
