package embeddings

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

const (
	// maxVectors is the most vectors that SetMany takes.
	maxVectors = 10000
	// vectorRows is the most vectors in a statement, because a vector has some kilobytes.
	vectorRows = 50
)

// vectorRow is a vector to be written for a message.
type vectorRow struct {
	scope.OwnedID
	vector message.Vector
	// index is its place in the caller's slice.
	index int
}

func (r vectorRow) key() scope.OwnedID { return r.OwnedID }

func (s embeddings) Set(ctx context.Context, messageID uuid.UUID, model string, v message.Vector) error {
	if _, err := s.sc.Writing(ctx); err != nil {
		return err
	}
	if err := checkVectors(ctx, s.sc, &model, []store.MessageVector{{MessageID: messageID, Vector: v}}); err != nil {
		return query.Wrap("set embedding", withoutIndex(err))
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Messages, messageID)
	if err != nil {
		return query.Wrap("set embedding", err)
	}
	row := []vectorRow{{OwnedID: scope.OwnedID{ID: messageID, User: owner}, vector: v}}
	err = s.sc.As(owner).Shared(ctx, func(tx *scope.Store) error { return setVectors(ctx, s.sc.In(tx), model, row) })
	return query.Wrap("set embedding", withoutIndex(err))
}

func (s embeddings) SetMany(ctx context.Context, model string, vectors []store.MessageVector) error {
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return err
	}
	if err := checkVectors(ctx, s.sc, &model, vectors); err != nil || len(vectors) == 0 {
		return query.Wrap("set embeddings", err)
	}
	rows, err := withOwners(s.sc, db, vectors)
	if err != nil {
		return query.Wrap("set embeddings", err)
	}
	err = s.sc.Store.Transaction(ctx, func(tx *scope.Store) error { return setVectors(ctx, s.sc.In(tx), model, rows) })
	return query.Wrap("set embeddings", err)
}

// withoutIndex turns a store.BatchError into the error of its one vector.
func withoutIndex(err error) error {
	var fault *store.BatchError
	if errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

// checkModel cleans and checks the name of a model.
func checkModel(sc scope.Scope, model *string) error {
	if sc.Clean.Text(model); *model == "" {
		return rule.Invalid("model", "is empty")
	}
	return check.Key("model", *model)
}

// checkVectors checks the input of SetMany and cleans the name of the model. A *store.BatchError names the vector at fault.
func checkVectors(ctx context.Context, sc scope.Scope, model *string, vectors []store.MessageVector) error {
	if err := checkModel(sc, model); err != nil {
		return err
	}
	if len(vectors) > maxVectors {
		return rule.Invalid("vectors", "are %d, the most is %d", len(vectors), maxVectors)
	}
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	if err != nil {
		return err
	}
	seen := make(map[uuid.UUID]bool, len(vectors))
	for i, v := range vectors {
		if seen[v.MessageID] {
			return &store.BatchError{Index: i, Err: rule.Invalid("message_id", "is named twice")}
		}
		seen[v.MessageID] = true
		if err := f.CheckVector(v.Vector); err != nil {
			return &store.BatchError{Index: i, Err: err}
		}
	}
	return nil
}

// withOwners looks up the users of the messages. In a scope of all users, an id that no user or
// more than one has is a *store.BatchError.
func withOwners(sc scope.Scope, db query.Conn, vectors []store.MessageVector) ([]vectorRow, error) {
	owners, err := ownersOf(sc, db, vectors)
	if err != nil {
		return nil, err
	}
	rows := make([]vectorRow, len(vectors))
	for i, v := range vectors {
		owner := sc.User
		if sc.All {
			switch of := owners[v.MessageID]; len(of) {
			case 0:
				return nil, &store.BatchError{Index: i, Err: store.ErrNotFound}
			case 1:
				owner = of[0]
			default:
				return nil, &store.BatchError{Index: i, Err: query.ErrManyOwners}
			}
		}
		rows[i] = vectorRow{scope.OwnedID{ID: v.MessageID, User: owner}, v.Vector, i}
	}
	return rows, nil
}

// ownersOf returns the users who have a message with each id. In a scope of one user it reads
// nothing and returns an empty map.
func ownersOf(sc scope.Scope, db query.Conn, vectors []store.MessageVector) (map[uuid.UUID][]uuid.UUID, error) {
	owners := map[uuid.UUID][]uuid.UUID{}
	if !sc.All {
		return owners, nil
	}
	for part := range slices.Chunk(vectors, 1000) {
		ids := make([]uuid.UUID, len(part))
		for i, v := range part {
			ids[i] = v.MessageID
		}
		q := query.In(query.New("SELECT id, user_id FROM "+sc.Tables.Messages+" WHERE "), "id", ids)
		rows, err := query.All(db, q, func(r *scope.OwnedID) []any { return []any{&r.ID, &r.User} })
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			owners[r.ID] = append(owners[r.ID], r.User)
		}
	}
	return owners, nil
}

// setVectors writes vectors of any number of users. A message that is missing or not live is a
// *store.BatchError.
func setVectors(ctx context.Context, sc scope.Scope, model string, rows []vectorRow) error {
	for user, batch := range byOwner(rows, vectorRow.key) {
		as := sc.As(user)
		as.NoteWrite(ctx, as.Whose())
		written, err := upsertVectors(ctx, as, model, batch)
		if err != nil {
			return err
		}
		if len(written) == len(batch) {
			continue
		}
		for _, r := range batch {
			if !slices.Contains(written, r.ID) {
				return &store.BatchError{Index: r.index, Err: store.ErrNotFound}
			}
		}
	}
	return nil
}

// upsertVectors writes vectors of live messages of the scope's user and returns the ids of the
// messages that it found. On PostgreSQL it locks the messages: an edit in between would not
// see the new vector and leave it there. On SQLite a vector that is replaced gets a new
// row_id, by which the copy of the codes in memory notices it. It must run in a transaction.
func upsertVectors(ctx context.Context, sc scope.Scope, model string, rows []vectorRow) ([]uuid.UUID, error) {
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	if err != nil {
		return nil, err
	}
	insert, onConflict := sc.Dialect.Replacing("message_id, user_id, model", "embedding", "created_at")
	if lock := sc.Dialect.LockShare("m"); lock != "" {
		onConflict = " ORDER BY m.id" + lock + onConflict
	}
	// PostgreSQL does not infer the type of a parameter in a SELECT.
	value := "(" + sc.Dialect.Param("uuid") + ", " + sc.Dialect.Param(f.VectorType()) + ")"
	var written []uuid.UUID
	for part := range slices.Chunk(rows, vectorRows) {
		db, q := query.On(ctx, sc.Writer), query.New("WITH v (id, embedding) AS (VALUES ")
		for i, r := range part {
			if i > 0 {
				q.Add(", ")
			}
			q.Add(value, r.ID, db.Stored(r.vector))
		}
		// SQLite reads the tables of a CROSS JOIN in the given order. Otherwise it would read
		// all messages of the user.
		q.Add(") "+insert+sc.Tables.Embeddings+" ("+record.EmbeddingColumns+") SELECT m.id, m.user_id, ?, m.conversation_id, v.embedding, ?"+
			" FROM v CROSS JOIN "+sc.Tables.Messages+" m WHERE m.id = v.id AND m.user_id = ? AND m.state <> 'streaming'", model, sc.Instant(), sc.User)
		sc.InLive(scope.Deleted(q, store.ExcludeDeleted, "m."), "m.").Add(onConflict + " RETURNING message_id")
		ids, err := scope.ReadIDs(db, q)
		if err != nil {
			return nil, err
		}
		written = append(written, ids...)
	}
	return written, giveLists(sc, query.On(ctx, sc.Writer), model)
}
