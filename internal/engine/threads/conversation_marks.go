package threads

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkMarks cleans and checks what a filter says of apps, assignees, labels and metadata.
func checkMarks(sc scope.Scope, f store.ConversationFilter) (store.ConversationFilter, error) {
	if err := check.First(sc.CleanFilter("app", &f.App), sc.CleanFilter("assignee", &f.Assignee)); err != nil {
		return f, err
	}
	if err := check.First(check.Key("app", f.App), check.Key("assignee", f.Assignee)); err != nil {
		return f, err
	}
	var err error
	if f.Labels, err = checkLabels(sc, f.Labels); err != nil {
		return f, err
	}
	if len(f.Metadata) > store.MaxMetadata {
		return f, rule.Invalid("metadata", "has %d conditions, the most is %d", len(f.Metadata), store.MaxMetadata)
	}
	f.Metadata = slices.Clone(f.Metadata)
	for i := range f.Metadata {
		m := &f.Metadata[i]
		sc.Clean.Text(&m.Key)
		m.Value = slices.Clone(m.Value)
		sc.Clean.Document(&m.Value)
		if err := check.First(check.Text("metadata", m.Key), check.JSON("metadata", m.Value)); err != nil {
			return f, err
		}
		if len(m.Key)+len(m.Value) > store.MaxQuery {
			return f, rule.Invalid("metadata", "has a condition of %d bytes, the most is %d", len(m.Key)+len(m.Value), store.MaxQuery)
		}
		if _, err := scalarOf(m.Value); err != nil {
			return f, err
		}
	}
	return f, nil
}

// checkLabels returns labels without repetitions, sorted by their bytes.
func checkLabels(sc scope.Scope, labels []string) ([]string, error) {
	if len(labels) > store.MaxLabels {
		return nil, rule.Invalid("labels", "has %d labels, the most is %d", len(labels), store.MaxLabels)
	}
	labels = slices.Clone(labels)
	for i := range labels {
		sc.Clean.Text(&labels[i])
		if err := check.Name("labels", labels[i]); err != nil {
			return nil, err
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels), nil
}

// scalarOf returns a document as a value that both databases compare in the same way.
func scalarOf(doc message.JSON) (dialect.Scalar, error) {
	const exact = 1 << 53
	doc = bytes.TrimSpace(doc)
	s := dialect.Scalar{Doc: string(doc)}
	switch {
	case slices.Contains([]string{"true", "false", "null"}, s.Doc):
		return s, nil
	case len(doc) > 0 && doc[0] == '"':
		var text string
		err := json.Unmarshal(doc, &text)
		s.Value = text
		return s, err
	}
	n, err := strconv.ParseInt(s.Doc, 10, 64)
	if err != nil || n > exact || n < -exact {
		return s, rule.Invalid("metadata", "has a condition on a value that is no text, true, false, null or whole number of at most 2^53")
	}
	s.Value = n
	return s, nil
}

// withMarks adds the conditions of a filter that checkMarks has checked.
func withMarks(sc scope.Scope, q *query.Query, f store.ConversationFilter) *query.Query {
	if f.App != "" {
		q.Add(" AND app = ?", f.App)
	}
	if f.Assignee != "" {
		q.Add(" AND assignee = ?", f.Assignee)
	}
	if f.Unassigned {
		q.Add(" AND assignee IS NULL")
	}
	for _, label := range f.Labels {
		// A label is on few of the conversations: they are found by it, and not it in each of them.
		if sc.All {
			q.Add(" AND (id, user_id) IN (SELECT conversation_id, user_id FROM "+sc.Tables.Labels+" WHERE label = ?)", label)
		} else {
			q.Add(" AND id IN (SELECT conversation_id FROM "+sc.Tables.Labels+" WHERE user_id = ? AND label = ?)", sc.User, label)
		}
	}
	for _, m := range f.Metadata {
		value, _ := scalarOf(m.Value) // checked before
		sql, args := sc.Dialect.HasScalar("metadata", m.Key, value, m.Contains)
		q.Add(" AND "+sql, args...)
	}
	return q
}

// liveLocked is a live conversation c of a scope of one user, which no erasure removes until the
// statement ends.
func liveLocked(sc scope.Scope, columns string, id uuid.UUID) *query.Query {
	return query.New("(SELECT "+columns+" FROM "+sc.Tables.Conversations+" WHERE id = ? AND user_id = ? AND deleted_at IS NULL"+
		sc.Dialect.LockKeyShare("")+") c", id, sc.User)
}

const readColumns = "conversation_id, user_id, reader, seq, read_at"

func readDest(r *conversation.Read) []any {
	return []any{&r.ConversationID, &r.UserID, (*record.Text)(&r.Reader), &r.Seq, (*record.Instant)(&r.ReadAt)}
}

func (s conversations) MarkRead(ctx context.Context, id uuid.UUID, reader string, seq int64) (*conversation.Read, error) {
	s.sc.Clean.Text(&reader)
	if err := check.First(check.Name("reader", reader), check.NotNegative("seq", seq)); err != nil {
		return nil, err
	}
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap("mark read", err)
	}
	n := sc.Dialect.Param("bigint")
	q := query.New("INSERT INTO "+sc.Tables.Reads+" AS r ("+readColumns+") SELECT c.id, c.user_id, "+sc.Dialect.Param("text")+
		", CASE WHEN c.last_seq < "+n+" THEN c.last_seq ELSE "+n+" END, "+sc.Dialect.Param("timestamptz")+" FROM ", reader, seq, seq, sc.Instant()).
		Append(liveLocked(sc, "id, user_id, last_seq", id)).
		Add(" WHERE 1 = 1 ON CONFLICT (conversation_id, user_id, reader) DO UPDATE SET seq = excluded.seq, read_at = excluded.read_at" +
			" WHERE excluded.seq > r.seq RETURNING " + readColumns)
	var marks []*conversation.Read
	err = sc.Single(ctx, func(on *scope.Store) (err error) {
		db := query.On(ctx, on.Writer)
		if marks, err = query.All(db, q, readDest); err != nil || len(marks) > 0 {
			return err
		}
		// It has read as far already, or there is no such conversation.
		is := query.New("SELECT "+readColumns+" FROM "+sc.Tables.Reads+" r WHERE conversation_id = ? AND user_id = ? AND reader = ?", id, sc.User, reader)
		marks, err = query.All(db, sc.InLive(is, "r."), readDest)
		return err
	})
	switch {
	case err != nil:
		return nil, query.Wrap("mark read", err)
	case len(marks) == 0:
		return nil, store.ErrNotFound
	}
	return marks[0], nil
}

func (s conversations) AddLabels(ctx context.Context, id uuid.UUID, by string, labels []string) (int64, error) {
	s.sc.Clean.Text(&by)
	if err := check.Key("created_by", by); err != nil {
		return 0, err
	}
	return s.changeLabels(ctx, id, labels, func(sc scope.Scope, labels []string) *query.Query {
		return query.New("INSERT INTO "+sc.Tables.Labels+" (conversation_id, user_id, label, created_by, created_at) SELECT c.id, c.user_id, v.label, "+
			sc.Dialect.Param("text")+", "+sc.Dialect.Param("timestamptz")+" FROM ", record.Null(by), sc.Instant()).
			Append(liveLocked(sc, "id, user_id", id)).Add(" CROSS JOIN ").Append(textRows(sc, "label", labels)).
			Add(" WHERE 1 = 1 ORDER BY " + sc.Dialect.ByBytes("v.label") + " ON CONFLICT DO NOTHING")
	})
}

func (s conversations) RemoveLabels(ctx context.Context, id uuid.UUID, labels []string) (int64, error) {
	return s.changeLabels(ctx, id, labels, func(sc scope.Scope, labels []string) *query.Query {
		in, arg := sc.Dialect.InTexts("label", labels)
		q := query.New("DELETE FROM "+sc.Tables.Labels+" AS l WHERE conversation_id = ? AND user_id = ? AND "+in, id, sc.User, arg)
		return sc.InLive(q, "l.")
	})
}

// changeLabels runs a statement on labels and returns how many rows it changed. If it changed none,
// the conversation may not be there.
func (s conversations) changeLabels(ctx context.Context, id uuid.UUID, labels []string, change func(scope.Scope, []string) *query.Query) (n int64, err error) {
	if labels, err = checkLabels(s.sc, labels); err != nil {
		return 0, err
	}
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return 0, query.Wrap("change labels", err)
	}
	q := change(sc, labels)
	err = sc.Single(ctx, func(on *scope.Store) (err error) {
		db := query.On(ctx, on.Writer)
		if n = 0; len(labels) > 0 {
			n, err = q.Exec(db)
		}
		if err == nil && n == 0 {
			_, err = GetConversation(sc, db, id)
		}
		return err
	})
	if err != nil {
		return 0, query.Wrap("change labels", err)
	}
	return n, nil
}

// textRows is a table v of one column of texts.
func textRows(sc scope.Scope, column string, texts []string) *query.Query {
	types := []string{"text"}
	if unnest := sc.Dialect.Unnest(types); unnest != "" {
		a := dialect.NewArrays(1)
		for _, text := range texts {
			_ = a.Add([]any{text}) // a text never fails
		}
		return query.New(unnest+" AS v ("+column+")", a.Args()...)
	}
	doc, _ := json.Marshal(texts) // a list of texts never fails
	return query.New("(SELECT value AS "+column+" FROM json_each(?)) AS v", string(doc))
}
