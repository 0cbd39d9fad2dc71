package store

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

const (
	// maxVectors is the most that SetMany takes.
	maxVectors = 10000
	// vectorRows is how many go into a statement: a vector is some kilobytes long.
	vectorRows = 50
)

// vectorRow is a vector on its way in.
type vectorRow struct {
	ownedID
	vector message.Vector
	// index is the place in the caller's slice.
	index int
}

func (r vectorRow) key() ownedID { return r.ownedID }

func (s embeddings) Set(ctx context.Context, messageID uuid.UUID, model string, v message.Vector) error {
	if _, err := s.writing(ctx); err != nil {
		return err
	}
	if err := s.checkVectors(ctx, model, []MessageVector{{messageID, v}}); err != nil {
		return fail("set embedding", unindexed(err))
	}
	owner, err := s.owner(ctx, s.tables.messages, messageID)
	if err != nil {
		return fail("set embedding", err)
	}
	row := []vectorRow{{ownedID: ownedID{messageID, owner}, vector: v}}
	err = s.as(owner).retry(ctx, func() error { return s.setVectors(ctx, model, row) })
	return fail("set embedding", unindexed(err))
}

func (s embeddings) SetMany(ctx context.Context, model string, vectors []MessageVector) error {
	db, err := s.writing(ctx)
	if err != nil {
		return err
	}
	if err := s.checkVectors(ctx, model, vectors); err != nil || len(vectors) == 0 {
		return fail("set embeddings", err)
	}
	rows, err := s.vectorRows(db, vectors)
	if err != nil {
		return fail("set embeddings", err)
	}
	err = s.store.transaction(ctx, func(tx *store) error { return s.in(tx).setVectors(ctx, model, rows) })
	return fail("set embeddings", err)
}

// unindexed takes the place off a fault where there was one vector only.
func unindexed(err error) error {
	var fault *BatchError
	if errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

func checkModel(model string) error {
	if model == "" {
		return rule.Invalid("model", "is empty")
	}
	return check.Key("model", model)
}

func (sc scope) checkVectors(ctx context.Context, model string, vectors []MessageVector) error {
	if err := checkModel(model); err != nil {
		return err
	}
	if len(vectors) > maxVectors {
		return rule.Invalid("vectors", "are %d, the most is %d", len(vectors), maxVectors)
	}
	f, err := sc.schemaFeatures(session(ctx, sc.writer))
	if err != nil {
		return err
	}
	seen := make(map[uuid.UUID]bool, len(vectors))
	for i, v := range vectors {
		if seen[v.MessageID] {
			return &BatchError{Index: i, Err: rule.Invalid("message_id", "is named twice")}
		}
		seen[v.MessageID] = true
		if err := f.checkVector(v.Vector); err != nil {
			return &BatchError{Index: i, Err: err}
		}
	}
	return nil
}

// vectorRows finds out whose messages they are.
func (sc scope) vectorRows(db conn, vectors []MessageVector) ([]vectorRow, error) {
	owners, err := sc.ownersOf(db, vectors)
	if err != nil {
		return nil, err
	}
	rows := make([]vectorRow, len(vectors))
	for i, v := range vectors {
		owner := sc.user
		if sc.all {
			switch of := owners[v.MessageID]; len(of) {
			case 0:
				return nil, &BatchError{Index: i, Err: ErrNotFound}
			case 1:
				owner = of[0]
			default:
				return nil, &BatchError{Index: i, Err: errManyOwners}
			}
		}
		rows[i] = vectorRow{ownedID{v.MessageID, owner}, v.Vector, i}
	}
	return rows, nil
}

// ownersOf asks nothing in a scope of one user.
func (sc scope) ownersOf(db conn, vectors []MessageVector) (map[uuid.UUID][]uuid.UUID, error) {
	owners := map[uuid.UUID][]uuid.UUID{}
	if !sc.all {
		return owners, nil
	}
	for part := range slices.Chunk(vectors, 1000) {
		ids := make([]uuid.UUID, len(part))
		for i, v := range part {
			ids[i] = v.MessageID
		}
		q := anyOf(newQuery("SELECT id, user_id FROM "+sc.tables.messages+" WHERE "), "id", ids)
		rows, err := collect(db, q, func(r *ownedID) []any { return []any{&r.id, &r.user} })
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			owners[r.id] = append(owners[r.id], r.user)
		}
	}
	return owners, nil
}

// setVectors writes vectors of any number of users, or says which message is not there.
func (sc scope) setVectors(ctx context.Context, model string, rows []vectorRow) error {
	for user, theirs := range byOwner(rows, vectorRow.key) {
		as := sc.as(user)
		as.wrote(ctx, as.whose())
		written, err := as.putVectors(ctx, model, theirs)
		if err != nil {
			return err
		}
		if len(written) == len(theirs) {
			continue
		}
		for _, r := range theirs {
			if !slices.Contains(written, r.id) {
				return &BatchError{Index: r.index, Err: ErrNotFound}
			}
		}
	}
	return nil
}

// putVectors writes vectors of live messages of the scope's user and returns the ids of
// those that it found. On PostgreSQL it locks the messages: an edit that comes between
// would not see the new vector and leave it there. On SQLite a vector that is replaced
// gets a new row_id, by which copies of the codes in memory know what is new.
func (sc scope) putVectors(ctx context.Context, model string, rows []vectorRow) ([]uuid.UUID, error) {
	f, err := sc.schemaFeatures(session(ctx, sc.writer))
	if err != nil {
		return nil, err
	}
	insert, onConflict := "INSERT OR REPLACE INTO ", ""
	if sc.dialect.Name() == dialect.Postgres {
		insert, onConflict = "INSERT INTO ", " ORDER BY m.id FOR SHARE OF m ON CONFLICT (message_id, user_id, model)"+
			" DO UPDATE SET embedding = excluded.embedding, created_at = excluded.created_at"
	}
	value := "(" + sc.dialect.Param("uuid") + ", " + sc.dialect.Param(f.vectorType()) + ")"
	var written []uuid.UUID
	for part := range slices.Chunk(rows, vectorRows) {
		db, q := session(ctx, sc.writer), newQuery("WITH v (id, embedding) AS (VALUES ")
		for i, r := range part {
			if i > 0 {
				q.add(", ")
			}
			q.add(value, r.id, db.stored(r.vector))
		}
		// SQLite takes the tables of a CROSS JOIN in their order, and would else go through
		// all messages of the user.
		q.add(") "+insert+sc.tables.embeddings+" ("+embeddingColumns+") SELECT m.id, m.user_id, ?, m.conversation_id, v.embedding, ?"+
			" FROM v CROSS JOIN "+sc.tables.messages+" m WHERE m.id = v.id AND m.user_id = ?", model, sc.instant(), sc.user)
		sc.inLive(q.deleted(ExcludeDeleted, "m."), "m.").add(onConflict + " RETURNING message_id")
		ids, err := readIDs(db, q)
		if err != nil {
			return nil, err
		}
		written = append(written, ids...)
	}
	return written, nil
}

const embeddingColumns = "message_id, user_id, model, conversation_id, embedding, created_at"

// vectorType is the type of PostgreSQL's column, which a parameter in a SELECT does not
// get by itself.
func (f *features) vectorType() string {
	switch {
	case !f.vectors:
		return "text"
	case f.half:
		return "halfvec"
	}
	return "vector"
}
