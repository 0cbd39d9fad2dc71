package threads

import (
	"context"
	"errors"
	"slices"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/states"
	"github.com/convostore/convostore/internal/overtake"
)

// buildWithStates builds the appends that also write states, in one statement. A conversation whose
// head is not its last message takes several.
func (s *Statements) buildWithStates(t scope.Tables, d dialect.Dialect) {
	r, o := ruleOf(t), s.superseding(t)
	found := "seq, c.id, c.user_id, coalesce(c.app, '') AS app, c.updated_at, " + overtake.LatestOf("c") + " AS last_message_at"
	s.keyedWithStates = query.NewStatement("WITH m AS (INSERT INTO "+t.Messages+" ("+record.MessageColumns+") "+
		"SELECT ?, c.user_id, c.id, c.last_seq + 1, "+record.MessageMarks+" FROM ("+lockSettled(t, " AND l.last_seq = COALESCE(?, l.last_seq)"+o.seen)+") c ON CONFLICT DO NOTHING RETURNING seq), "+
		"u AS (UPDATE "+t.Conversations+" AS c SET last_seq = m.seq, "+r.SetStatus("c")+", "+endSnooze("?")+", "+r.SetActivity("c")+", updated_at = ? "+
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m."+found+")"+o.update("u")+", "+
		states.Inserts(t, d, "u")+"done AS (SELECT seq FROM u) SELECT seq FROM done", d.Numbered())
	s.manyWithStates = query.NewStatement("WITH c AS ("+takeSeqs(t, "?", ", "+r.SetStatus("c")+", "+endSnooze("?"))+
		" AND c.last_seq = COALESCE(?, c.last_seq)"+o.seen+
		" RETURNING id, user_id, last_seq - ? AS before, coalesce(app, '') AS app, updated_at, "+overtake.LatestOf("c")+" AS last_message_at)"+o.update("c")+", "+
		"i AS (INSERT INTO "+t.Messages+" ("+record.UserFirst+") SELECT c.user_id, "+unnestedAfter("c.before")+
		" FROM c CROSS JOIN "+d.Unnest(record.MessageTypes)+" AS v ("+record.WithoutUser+")), "+
		states.Inserts(t, d, "c")+"done AS (SELECT before FROM c) SELECT before FROM done", d.Numbered())
}

// appendWithStates appends drafts of one conversation and writes states, in one statement where the
// database and the drafts allow it. It does what AppendMany says.
func (s *Statements) appendWithStates(ctx context.Context, sc scope.Scope, drafts []Draft, expectedSeq *int64, changes states.Appended) ([]bool, error) {
	single, err := appendsInOneStatement(ctx, sc)
	if err != nil {
		return nil, err
	}
	withoutEmbeddings := !slices.ContainsFunc(drafts, func(d Draft) bool { return len(d.Embeddings) > 0 || d.parent != nil })
	found := false
	switch {
	case !withoutEmbeddings:
	case single && !changes.Removes():
		found, err = s.withStatesInOne(ctx, sc, drafts, expectedSeq, changes)
	case !single && len(drafts) == 1 && expectedSeq == nil:
		found, err = s.withStatesInSeveral(ctx, sc, drafts[0], changes)
	}
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken
	}
	if err != nil {
		return nil, err
	}
	if found {
		return slices.Repeat([]bool{true}, len(drafts)), nil
	}
	batch, err := writeBatch(ctx, sc, drafts, batchOptions{expectedSeq: expectedSeq, more: func(in scope.Scope, db query.Conn) error {
		return changes.Write(in, db, drafts[0].ConversationID)
	}})
	if err != nil {
		return nil, err
	}
	return batch.created, nil
}

// withStatesInOne is appendInOne or appendManyInOne with states. It returns false and has written
// nothing if there is no such statement, or if appendInOne would not.
func (s *Statements) withStatesInOne(ctx context.Context, sc scope.Scope, drafts []Draft, expectedSeq *int64, changes states.Appended) (found bool, err error) {
	keyed := slices.ContainsFunc(drafts, func(d Draft) bool { return len(d.keys) > 0 })
	if keyed && len(drafts) > 1 || !fitOneInsert(sc, drafts) {
		return false, nil
	}
	err = sc.Retry(ctx, func() (err error) {
		if keyed {
			found, err = s.keyedStatesInOne(sc, query.On(ctx, sc.Writer), drafts[0], expectedSeq, changes)
		} else {
			found, err = s.takeMany(sc, query.On(ctx, sc.Writer), func(s *Statements) *query.Statement { return &s.manyWithStates }, drafts, expectedSeq, changes.Args)
		}
		return err
	})
	return found, err
}

func (s *Statements) keyedStatesInOne(sc scope.Scope, db query.Conn, d Draft, expectedSeq *int64, changes states.Appended) (bool, error) {
	now := sc.Instant()
	v := movementOf(d.Message, now)
	s = s.forMessages(!v.asked.IsZero())
	var expected any
	if expectedSeq != nil {
		expected = *expectedSeq
	}
	conversationID, user := d.ConversationID.String(), sc.User.String()
	args := append(record.MessageArgs(append(make([]any, 0, 72), d.ID.String()), d.Message), conversationID, user)
	args = s.seenArgs(append(v.settledArgs(args), expected), conversationID, user)
	args = append(v.activityArgs(v.statusArgs(args)), now, conversationID, user)
	args, err := changes.Args(s.supersedeArgs(args, conversationID, user, now, v.asked))
	if err != nil {
		return false, err
	}
	return s.keyedWithStates.With(args).Row(db, &d.Seq)
}

// withStatesInSeveral is appendInSeveral with states. It returns false and has written nothing if
// appendInSeveral would not.
func (s *Statements) withStatesInSeveral(ctx context.Context, sc scope.Scope, d Draft, changes states.Appended) (bool, error) {
	var tried Draft
	err := sc.Shared(ctx, func(tx *scope.Store) error {
		in, db := sc.In(tx), query.On(ctx, tx.Writer)
		tried = d.Copy() // the transaction may run more than once
		created, err := s.appendInSeveral(in, db, tried)
		if err == nil && !created {
			err = errNotWritten
		}
		if err != nil {
			return err
		}
		return changes.Write(in, db, d.ConversationID)
	})
	switch {
	case errors.Is(err, errNotWritten):
		return false, nil
	case err != nil:
		return false, err
	}
	*d.Message = *tried.Message
	return true, nil
}
