package states

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s states) Merge(ctx context.Context, in store.StatePlace, changes store.StateMap, o store.MergeOptions) (map[string]int64, error) {
	p, err := checkPlace(s.sc, in)
	if err != nil {
		return nil, err
	}
	all, err := checkAll(s.sc, changes)
	if err != nil {
		return nil, err
	}
	expected, err := checkExpected(s.sc, all[0], o.Expected)
	if err != nil {
		return nil, err
	}
	if p, err = p.toWrite(ctx); err != nil {
		return nil, query.Wrap("merge states", err)
	}
	versions, err := p.merge(ctx, all[0], expected)
	return versions, query.Wrap("merge states", err)
}

// checkExpected cleans and checks the keys that a merge depends on.
func checkExpected(sc scope.Scope, changes Changes, expected map[string]int64) (map[string]int64, error) {
	if len(expected) == 0 {
		return nil, nil //nolint:nilnil // a merge without a condition
	}
	named := map[string]bool{}
	for _, c := range changes {
		named[c.key] = true
	}
	cleaned := make(map[string]int64, len(expected))
	for key, version := range expected {
		if err := cleanKey(sc, &key); err != nil {
			return nil, err
		}
		if version < 0 {
			return nil, rule.Invalid("expected", "has a version below 0")
		}
		if !named[key] {
			return nil, rule.Invalid("expected", "has a key that the changes do not name")
		}
		cleaned[key] = version
	}
	return cleaned, nil
}

// merge is Merge of what is checked. It takes one statement where nothing can make it undo what
// it wrote, and nothing is to be removed.
func (p place) merge(ctx context.Context, changes Changes, expected map[string]int64) (versions map[string]int64, err error) {
	if len(changes) == 0 {
		return map[string]int64{}, nil
	}
	distributed, err := isDistributed(p.sc, query.On(ctx, p.sc.Writer))
	if err != nil {
		return nil, err
	}
	write := func(on *scope.Store) (err error) {
		in := p
		in.sc = p.sc.In(on)
		versions, err = in.write(query.On(ctx, on.Writer), changes, expected, distributed)
		return err
	}
	switch {
	case len(expected) > 0 || changes.removes() || distributed:
		err = p.sc.Shared(ctx, write)
	case p.Kind == store.UserKind: // which the host's table of users may refuse
		err = p.sc.Guarded(ctx, write)
	default:
		err = p.sc.Single(ctx, write)
	}
	if err != nil {
		return nil, err
	}
	return versions, nil
}

// write writes checked changes and returns the versions of the keys that are there. With expected
// or removals it must run in a transaction, which the caller rolls back after an error.
//
// Every key is written, also one that is to be removed, and only then removed: so all keys are
// locked in one order, and two calls cannot wait for each other. The version that comes back is
// that before the write and one more, so that no other statement need read it.
func (p place) write(db query.Conn, changes Changes, expected map[string]int64, distributed bool) (map[string]int64, error) {
	q, err := p.upsert(changes, distributed)
	if err != nil {
		return nil, err
	}
	if distributed && p.Kind == store.ConversationKind {
		if err := lockConversation(p.sc, db, p.ConversationID); err != nil {
			return nil, err
		}
	}
	var versions map[string]int64
	err = q.Read(db, func() { versions = make(map[string]int64, len(changes)) }, func(rows *sql.Rows) error {
		var key string
		var version int64
		err := rows.Scan(&key, &version)
		versions[key] = version
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(versions) == 0:
		return nil, store.ErrNotFound
	}
	for _, c := range changes { // in their order, so that the error is always the same one
		if want, ok := expected[c.key]; ok && versions[c.key]-1 != want {
			return nil, &store.VersionConflictError{Key: c.key, Expected: want, Actual: versions[c.key] - 1}
		}
	}
	return versions, p.remove(db, changes, versions)
}

// remove deletes the keys that are to be removed, and drops them from versions.
func (p place) remove(db query.Conn, changes Changes, versions map[string]int64) error {
	var keys []string
	for _, c := range changes {
		if c.value == nil {
			keys = append(keys, c.key)
			delete(versions, c.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	in, arg := p.sc.Dialect.InTexts("s.key", keys)
	_, err := p.is(query.New("DELETE FROM "+shapeOf(p.sc.Tables, p.Kind).table+" AS s WHERE ")).Add(" AND "+in, arg).Exec(db)
	return err
}

// upsert returns the statement that writes changes. Those of a conversation that is not there write
// nothing, unless the tables are distributed: Citus would take the rows to the coordinator and
// back.
func (p place) upsert(changes Changes, distributed bool) (*query.Query, error) {
	shape := shapeOf(p.sc.Tables, p.Kind)
	q := query.New("INSERT INTO " + shape.table + " AS s (" + shape.owner + ", key, value, version, updated_at) ")
	if distributed {
		q.Append(p.values(changes))
		return q.Add(onConflict(shape) + " RETURNING key, version"), nil
	}
	rows, err := rowsOf(p.sc.Dialect, changes)
	if err != nil {
		return nil, err
	}
	at := p.sc.Dialect.Param("timestamptz")
	if p.Kind == store.ConversationKind {
		q.Add("SELECT c.id, c.user_id, v.key, v.value, 1, "+at+" FROM (SELECT id, user_id FROM "+p.sc.Tables.Conversations+
			" WHERE id = ? AND user_id = ? AND deleted_at IS NULL"+p.sc.Dialect.LockKeyShare("")+") c CROSS JOIN ", p.sc.Instant(), p.ConversationID, p.sc.User)
	} else {
		q.Add("SELECT ")
		for i, arg := range p.ownerArgs() {
			q.Add(p.sc.Dialect.Param(shape.types[i])+", ", arg)
		}
		q.Add("v.key, v.value, 1, "+at+" FROM ", p.sc.Instant())
	}
	return q.Append(rows).Add(" WHERE 1 = 1 ORDER BY " + p.sc.Dialect.ByBytes("v.key") + onConflict(shape) + " RETURNING key, version"), nil
}

// values are the rows of upsert as VALUES.
func (p place) values(changes Changes) *query.Query {
	q, owner := query.New("VALUES "), p.ownerArgs()
	for i, c := range changes {
		if i > 0 {
			q.Add(", ")
		}
		q.Add("("+query.Marks(len(owner))+", ?, ?, 1, ?)", append(append([]any{}, owner...), c.key, c.written(), p.sc.Instant())...)
	}
	return q
}

// onConflict ends an INSERT of states s.
func onConflict(shape shape) string {
	return " ON CONFLICT (" + shape.owner + ", key) DO UPDATE SET value = excluded.value, version = s.version + 1, updated_at = excluded.updated_at"
}

// rowsOf returns changes as a table v of keys and values.
func rowsOf(d dialect.Dialect, changes Changes) (*query.Query, error) {
	if unnest := d.Unnest(rowTypes); unnest != "" {
		arrays, err := changes.arrays()
		return query.New(unnest+" AS v (key, value)", arrays...), err
	}
	q := query.New("(SELECT column1 AS key, column2 AS value FROM (VALUES ")
	for i, c := range changes {
		if i > 0 {
			q.Add(", ")
		}
		q.Add("(?, ?)", c.key, c.written())
	}
	return q.Add(")) AS v"), nil
}

// lockConversation locks a live conversation, or returns ErrNotFound.
func lockConversation(sc scope.Scope, db query.Conn, id uuid.UUID) error {
	var locked uuid.UUID
	found, err := sc.Lock("id", query.New("id = ? AND deleted_at IS NULL", id)).Row(db, &locked)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

func isDistributed(sc scope.Scope, db query.Conn) (bool, error) {
	f, err := sc.SchemaFeatures(db)
	if err != nil {
		return false, err
	}
	return f.Distributed, nil
}
