package threads

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) AppendMany(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o store.AppendOptions) ([]bool, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	sc, err := Appender(ctx, s.sc, conversationID)
	if err != nil {
		return nil, query.Wrap("append", err)
	}
	drafts, err := drafts(ctx, sc, conversationID, ms)
	if err != nil {
		return nil, err
	}
	if created, err := s.sql.appendTogether(ctx, sc, drafts, o.ExpectedSeq); err != nil || created != nil {
		return created, query.Wrap("append", err)
	}
	batch, err := writeBatch(ctx, sc, drafts, o.ExpectedSeq)
	if err != nil {
		return nil, query.Wrap("append", err)
	}
	return batch.created, nil
}

// appendTogether appends messages that cannot be redeliveries in one statement. It returns
// nil and has written nothing where that does not do, or where there is something to say
// that writeBatch finds out.
func (s *Statements) appendTogether(ctx context.Context, sc scope.Scope, ms []Draft, expected *int64) ([]bool, error) {
	more := func(d Draft) bool { return len(d.Keys) > 0 || len(d.Embeddings) > 0 }
	if slices.ContainsFunc(ms, more) || !onePortion(sc, ms) {
		return nil, nil
	}
	single, err := oneStatement(ctx, sc)
	if err != nil || !single {
		return nil, err
	}
	found := false
	err = sc.Retry(ctx, func() (err error) {
		found, err = s.insertTogether(query.On(ctx, sc.Writer), sc, ms, expected)
		return err
	})
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken
	}
	if err != nil || !found {
		return nil, err
	}
	return slices.Repeat([]bool{true}, len(ms)), nil
}

func drafts(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, ms []*message.Message) ([]Draft, error) {
	at := make(places, len(ms))
	for i, m := range ms {
		if err := at.refuse(m); err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
		at[m] = i
	}
	drafts := make([]Draft, len(ms))
	for i, m := range ms {
		var err error
		if drafts[i], err = NewDraft(ctx, sc, conversationID, m); err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
	}
	return drafts, nil
}

// places are where the messages of a batch stand.
type places map[*message.Message]int

// refuse refuses a pointer that stands in the batch already, as those of a variable that is
// used again do: what the first one was is lost.
func (p places) refuse(m *message.Message) error {
	if first, ok := p[m]; ok && m != nil {
		return rule.Invalid("message", "is the same pointer as message %d; each needs one of its own", first)
	}
	return nil
}

// writeBatch appends in a transaction of its own or a savepoint. A duplicate that
// another conversation of the user gets at the same time is only seen by the unique
// index: then the whole batch is undone and looks again.
func writeBatch(ctx context.Context, sc scope.Scope, ms []Draft, expected *int64) (batch batchResult, err error) {
	for try := 1; ; try++ {
		err = sc.Transaction(ctx, func(tx *scope.Store) error {
			in := sc.In(tx)
			threads, err := lockThreads(in, query.On(ctx, tx.Writer), ms)
			if err != nil {
				return err
			}
			batch, err = appendBatch(ctx, in, ms, threads, expected)
			return err
		})
		if try == scope.MaxTries || dialect.KindOf(err) != dialect.Unique {
			break
		}
	}
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken // by an id that was made for another row as well
	}
	if err != nil {
		return batch, err
	}
	batch.fillDuplicates(ms)
	return batch, nil
}

// lockThreads locks the live conversations of a batch.
func lockThreads(sc scope.Scope, db query.Conn, ms []Draft) (map[uuid.UUID]*threadState, error) {
	q := sc.LockRows("id, last_seq, last_message_at", sc.Among("id", conversationIDs(ms)).Add(" AND deleted_at IS NULL"))
	type row struct {
		id uuid.UUID
		threadState
	}
	rows, err := query.All(db, q, func(r *row) []any {
		return []any{&r.id, &r.lastSeq, (*record.Instant)(&r.lastMessageAt)}
	})
	threads := make(map[uuid.UUID]*threadState, len(rows))
	for _, r := range rows {
		threads[r.id] = &r.threadState
	}
	return threads, err
}

// batchResult tells what became of each message of a batch.
type batchResult struct {
	created []bool
	threads map[uuid.UUID]*threadState
	// stored has the row of a message that was there before, twin the place in the
	// batch of one with the same key.
	stored map[int]*message.Message
	twin   map[int]int
}

// fillDuplicates puts the stored rows in the place of redelivered messages.
func (b batchResult) fillDuplicates(ms []Draft) {
	for i, m := range b.stored {
		*ms[i].Message = *m
	}
	for i, j := range b.twin {
		*ms[i].Message = *ms[j].Message
	}
}

// appendBatch appends messages whose conversations are locked. A message of a
// conversation that is not among threads is a redelivery or an error.
func appendBatch(ctx context.Context, sc scope.Scope, ms []Draft, threads map[uuid.UUID]*threadState, expected *int64) (batchResult, error) {
	db := query.On(ctx, sc.Writer)
	batch := batchResult{created: make([]bool, len(ms)), threads: threads, twin: map[int]int{}}
	var err error
	if batch.stored, err = findDuplicates(sc, db, ms); err != nil {
		return batch, err
	}
	fresh, err := batch.place(ms, expected)
	if err != nil || len(fresh) == 0 {
		return batch, err
	}
	// The conversations go first: the lock order wants the parent before the child.
	if err := updateThreads(sc, db, threads); err != nil {
		return batch, err
	}
	if err := insertMessages(sc, db, fresh); err != nil {
		return batch, err
	}
	return batch, embeddings.InsertOwn(sc, db, vectorsOf(fresh))
}

// vectorsOf are the vectors that messages bring along.
func vectorsOf(drafts []Draft) (all []*message.Embedding) {
	for _, d := range drafts {
		all = append(all, d.Embeddings...)
	}
	return all
}

// place gives a seq to every message that is not a duplicate and returns those.
func (b *batchResult) place(ms []Draft, expected *int64) ([]Draft, error) {
	var fresh []Draft
	seen := map[messageKey]int{}
	for i, m := range ms {
		if b.stored[i] != nil {
			continue
		}
		if j, ok := twinOf(seen, m); ok {
			b.twin[i] = j
			continue
		}
		thread := b.threads[m.ConversationID]
		if thread == nil {
			return nil, &store.BatchError{Index: i, Err: store.ErrNotFound}
		}
		if expected != nil && !thread.changed && thread.lastSeq != *expected {
			return nil, &store.SeqConflictError{Expected: *expected, Actual: thread.lastSeq}
		}
		thread.add(m.Message)
		for _, k := range m.Keys {
			seen[k] = i
		}
		b.created[i] = true
		fresh = append(fresh, m)
	}
	return fresh, nil
}

func twinOf(seen map[messageKey]int, m Draft) (int, bool) {
	for _, k := range m.Keys {
		if i, ok := seen[k]; ok {
			return i, true
		}
	}
	return 0, false
}

// findDuplicates returns, by their places in ms, the stored rows that have a key of one
// of ms: a query for each kind of key that occurs.
func findDuplicates(sc scope.Scope, db query.Conn, ms []Draft) (map[int]*message.Message, error) {
	wanted := map[messageKey][]int{}
	values := map[string][]string{}
	for i, m := range ms {
		for _, k := range m.Keys {
			values[k.column] = append(values[k.column], k.value)
			wanted[k] = append(wanted[k], i)
		}
	}
	stored := map[int]*message.Message{}
	for _, column := range keyColumns {
		for part := range slices.Chunk(values[column], 1000) {
			found, err := findByKey(sc, db, column, part, ms)
			if err != nil {
				return nil, err
			}
			for _, row := range found {
				keepFirst(stored, row, wanted)
			}
		}
	}
	return stored, nil
}

func findByKey(sc scope.Scope, db query.Conn, column string, values []string, ms []Draft) ([]*message.Message, error) {
	q := query.New("SELECT " + record.MessageColumns + " FROM " + sc.Tables.Messages + " WHERE ")
	return query.All(db, q.Append(hasKey(sc, column, values, ms)), record.MessageDest)
}

// hasKey is the condition that a message has one of the values of a kind of key.
func hasKey(sc scope.Scope, column string, values []string, ms []Draft) *query.Query {
	if column == keyID {
		ids := make([]uuid.UUID, len(values))
		for i, v := range values {
			ids[i] = uuid.MustParse(v) // keysOf wrote it
		}
		return sc.Among(column, ids)
	}
	is, arg := sc.Dialect.InTexts(column, values)
	q := query.New("user_id = ? AND "+is, sc.User, arg)
	if column == keyIdempotency {
		is, arg := sc.Dialect.InUUIDs("conversation_id", conversationIDs(ms))
		q.Add(" AND "+is, arg)
	}
	return q
}

// keepFirst notes a stored row for every message that has one of its keys.
func keepFirst(stored map[int]*message.Message, row *message.Message, wanted map[messageKey][]int) {
	for _, k := range keysOf(row, true) {
		for _, i := range wanted[k] {
			if stored[i] == nil {
				stored[i] = row
			}
		}
	}
}

// conversationIDs returns each conversation of a batch once, in the order of the ids.
func conversationIDs(ms []Draft) []uuid.UUID {
	ids := make([]uuid.UUID, len(ms))
	for i, m := range ms {
		ids[i] = m.ConversationID
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// updateThreads writes the counters, statuses and activities of all changed
// conversations, some hundred in a statement.
func updateThreads(sc scope.Scope, db query.Conn, threads map[uuid.UUID]*threadState) error {
	rows := make([][]any, 0, len(threads))
	for id, t := range threads {
		if t.changed {
			rows = append(rows, []any{id.String(), t.lastSeq, record.Null(string(t.status)), t.lastMessageAt})
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	for part := range slices.Chunk(rows, 500) {
		values, err := values(sc, []string{"uuid", "bigint", "text", "timestamptz"}, part)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, id, last_seq, status, at) AS (").Append(values).
			Add(") UPDATE "+sc.Tables.Conversations+" AS c SET last_seq = v.last_seq, status = COALESCE(v.status, c.status), "+
				"last_message_at = v.at, updated_at = ? FROM v WHERE c.id = v.id AND c.user_id = ?", sc.Instant(), sc.User)
		n, err := q.Exec(db)
		if err != nil {
			return err
		}
		if n != int64(len(part)) {
			return errors.New("convostore: a locked conversation went away")
		}
	}
	return nil
}
