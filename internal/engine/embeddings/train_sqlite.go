package embeddings

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

const (
	// ComparedAll is the most vectors that a search compares all, whatever their codes: with
	// lists it would not be faster.
	ComparedAll = 2000
	// DefaultDepth is how many vectors a search compares after their codes, if nothing is known
	// of the model.
	DefaultDepth = 800
	// divideBatch is the most vectors that a transaction gives lists: it takes some dozen
	// milliseconds, for which other writers wait.
	divideBatch = 2000
	// retireBatch is how many lists of a retired partition a statement removes.
	retireBatch = 8
)

// trainer divides the vectors of a model anew: it finds centroids, begins a partition with them,
// gives every vector its list, measures how many lists a search has to read, and lets the
// partition serve instead of the one before. After the beginning every step is in the database,
// so that any trainer can continue.
type trainer struct {
	sc         scope.Scope
	db         query.Conn
	model      string
	dimensions int
	options    store.TrainOptions
	progress   store.TrainProgress
	lastRow    int64
}

func (t *trainer) run(ctx context.Context) error {
	if err := t.removeRetired(ctx); err != nil {
		return err
	}
	var err error
	if err = t.count(); err != nil || t.progress.Vectors <= ComparedAll {
		return err
	}
	p, err := t.begun(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		if p, err = t.begin(ctx); err != nil {
			return err
		}
	}
	if err := t.divide(ctx, p); err != nil {
		return err
	}
	if err := t.serve(ctx, p); err != nil {
		return err
	}
	return t.removeRetired(ctx)
}

func (t *trainer) count() error {
	q := query.New("SELECT count(*), coalesce(max(row_id), 0) FROM "+t.sc.Tables.Embeddings+" WHERE model = ?", t.model)
	_, err := q.Row(t.db, &t.progress.Vectors, &t.lastRow)
	return err
}

// lists is how many lists to make.
func (t *trainer) lists() int {
	if t.options.Lists > 0 {
		return t.options.Lists
	}
	return min(store.MaxLists, int(math.Round(2*math.Sqrt(float64(t.progress.Vectors)))))
}

func (t *trainer) report() {
	if t.options.Progress != nil {
		t.options.Progress(t.progress)
	}
}

// begun returns the partition that a former call began to fill, if it is worth to go on with:
// not one of another number of lists, nor one of less than half of the vectors, which it retires.
func (t *trainer) begun(ctx context.Context) (*Partition, error) {
	p := &Partition{}
	var lists int
	q := query.New("SELECT id, lists, vectors FROM "+t.sc.Tables.Partitions+" WHERE model = ? AND state = 'filling'", t.model)
	found, err := q.Row(t.db, &p.ID, &lists, &p.Vectors)
	if err != nil || !found {
		return nil, err
	}
	if p.Vectors >= t.progress.Vectors/2 && (t.options.Lists == 0 || t.options.Lists == lists) {
		p.Lists, err = readCentroids(t.sc, t.db, p.ID)
		return p, err
	}
	err = t.inTransaction(ctx, func(db query.Conn) error {
		_, err := query.New("UPDATE "+t.sc.Tables.Partitions+" SET state = 'retired' WHERE id = ? AND state = 'filling'", p.ID).Exec(db)
		return err
	})
	if err == nil {
		err = t.removeRetired(ctx)
	}
	return nil, err
}

// begin finds centroids and begins a partition with them. If another call did so meanwhile, it
// returns that one's.
func (t *trainer) begin(ctx context.Context) (p *Partition, err error) {
	at := t.sc.Instant()
	lists, err := t.findCentroids(ctx)
	if err != nil {
		return nil, err
	}
	err = t.inTransaction(ctx, func(db query.Conn) error {
		p = &Partition{Vectors: t.progress.Vectors, Lists: lists}
		q := query.New("INSERT INTO "+t.sc.Tables.Partitions+" (model, state, lists, vectors, last_row, trained_at)"+
			" VALUES (?, 'filling', ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id", t.model, lists.Len(), p.Vectors, t.lastRow, at)
		began, err := q.Row(db, &p.ID)
		if err != nil || !began {
			p = nil
			return err
		}
		for i := range lists.Len() {
			q := query.New("INSERT INTO "+t.sc.Tables.Centroids+" (partition_id, list, centroid) VALUES (?, ?, ?)",
				p.ID, i, vector.Encode(lists.Centroid(i)))
			if _, err := q.Exec(db); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && p == nil {
		return t.begun(ctx)
	}
	return p, err
}

// divide gives every vector its list, in the order of row_ids.
func (t *trainer) divide(ctx context.Context, p *Partition) error {
	q := query.New("SELECT count(*) FROM "+t.sc.Tables.Lists+" WHERE partition_id = ?", p.ID)
	if _, err := q.Row(t.db, &t.progress.Divided); err != nil {
		return err
	}
	for {
		from, err := t.through(t.db, p)
		if err != nil || from < 0 {
			return err
		}
		found, err := t.divideFrom(p, t.db, from)
		if err != nil {
			return err
		}
		if len(found) < divideBatch {
			return nil // serve divides the rest
		}
		if err := t.inTransaction(ctx, func(db query.Conn) error { return t.writeLists(db, p, from, found) }); err != nil {
			return err
		}
		t.progress.Divided += int64(len(found))
		t.report()
	}
}

// through returns the greatest row_id that has been given a list, or -1 if the partition is not
// being filled any more.
func (t *trainer) through(db query.Conn, p *Partition) (through int64, err error) {
	found, err := query.New("SELECT through FROM "+t.sc.Tables.Partitions+" WHERE id = ? AND state = 'filling'", p.ID).Row(db, &through)
	if !found {
		through = -1
	}
	return through, err
}

// divideFrom returns the lists of the next vectors.
func (t *trainer) divideFrom(p *Partition, db query.Conn, from int64) ([]listed, error) {
	q := query.New("SELECT row_id, embedding FROM "+t.sc.Tables.Embeddings+" NOT INDEXED WHERE row_id > ? AND model = ? ORDER BY row_id LIMIT ?",
		from, t.model, divideBatch)
	return p.nearestOf(db, q)
}

// writeLists writes the lists of the vectors after from, unless another call did so first. Those
// that are gone since they were read are left out.
func (t *trainer) writeLists(db query.Conn, p *Partition, from int64, found []listed) error {
	if len(found) == 0 {
		return nil
	}
	q := query.New("UPDATE "+t.sc.Tables.Partitions+" SET through = ? WHERE id = ? AND state = 'filling' AND through = ?",
		found[len(found)-1].row, p.ID, from)
	if n, err := q.Exec(db); err != nil || n == 0 {
		return err
	}
	pairs, _ := pairsOf(found)
	_, err := query.New("INSERT INTO "+t.sc.Tables.Lists+" (partition_id, list, user_id, row_id, code) SELECT ?, j.value ->> 1, e.user_id, e.row_id, "+
		CodeColumn(t.dimensions)+" FROM json_each(?) j CROSS JOIN "+t.sc.Tables.Embeddings+" e ON e.row_id = j.value ->> 0 ORDER BY 2, 3, 4",
		p.ID, pairs).Exec(db)
	return err
}

// serve measures the partition and lets it serve. The last vectors get their lists in the same
// transaction: from then on a trigger and giveLists do it.
func (t *trainer) serve(ctx context.Context, p *Partition) error {
	m, err := t.measure(ctx, p)
	if err != nil {
		return err
	}
	return t.inTransaction(ctx, func(db query.Conn) error {
		for {
			from, err := t.through(db, p)
			if err != nil || from < 0 {
				return err // another call was faster
			}
			found, err := t.divideFrom(p, db, from)
			if err != nil {
				return err
			}
			if err := t.writeLists(db, p, from, found); err != nil {
				return err
			}
			if len(found) < divideBatch {
				break
			}
		}
		for _, q := range []*query.Query{
			query.New("UPDATE "+t.sc.Tables.Partitions+" SET state = 'retired' WHERE model = ? AND state = 'serving'", t.model),
			query.New("UPDATE "+t.sc.Tables.Partitions+" SET state = 'serving', probes = ?, candidates = ?, recall = ? WHERE id = ?",
				m.probes, m.depth, m.recall, p.ID),
		} {
			if _, err := q.Exec(db); err != nil {
				return err
			}
		}
		return nil
	})
}

// removeRetired removes the partitions of the model that serve no more, a few lists at a time.
func (t *trainer) removeRetired(ctx context.Context) error {
	for {
		var id int64
		var lists int
		q := query.New("SELECT id, lists FROM "+t.sc.Tables.Partitions+" WHERE model = ? AND state = 'retired' LIMIT 1", t.model)
		found, err := q.Row(t.db, &id, &lists)
		if err != nil || !found {
			return err
		}
		for list := unlisted; list < lists; list += retireBatch {
			q := query.New("DELETE FROM "+t.sc.Tables.Lists+" WHERE partition_id = ? AND list >= ? AND list < ?", id, list, list+retireBatch)
			if err := t.inTransaction(ctx, func(db query.Conn) error { _, err := q.Exec(db); return err }); err != nil {
				return err
			}
		}
		q = query.New("DELETE FROM "+t.sc.Tables.Partitions+" WHERE id = ?", id)
		if err := t.inTransaction(ctx, func(db query.Conn) error { _, err := q.Exec(db); return err }); err != nil {
			return err
		}
	}
}

// dropPartitions removes the partitions of a model, whose vectors were removed, with what they know
// of these.
func dropPartitions(ctx context.Context, sc scope.Scope, model string) error {
	if !sc.Dialect.VectorLists() {
		return nil
	}
	t := &trainer{sc: sc, db: query.On(ctx, sc.Writer), model: model}
	err := t.inTransaction(ctx, func(db query.Conn) error {
		_, err := query.New("UPDATE "+sc.Tables.Partitions+" SET state = 'retired' WHERE model = ?", model).Exec(db)
		return err
	})
	if err == nil {
		err = t.removeRetired(ctx)
	}
	sc.Lists.Drop(model)
	return err
}

func (t *trainer) inTransaction(ctx context.Context, fn func(db query.Conn) error) error {
	return t.sc.Store.Transaction(ctx, func(tx *scope.Store) error { return fn(query.On(ctx, tx.Writer)) })
}

// trained returns the training that serves, without lists if there is none.
func (t *trainer) trained() (store.Training, error) {
	all, err := readTrainings(t.sc, t.db, query.New(" AND p.model = ?", t.model))
	if err != nil || len(all) == 0 {
		return store.Training{Model: t.model}, err
	}
	return all[0], nil
}

// readTrainings reads what is known of the partitions that serve and meet a condition.
func readTrainings(sc scope.Scope, db query.Conn, condition *query.Query) ([]store.Training, error) {
	q := query.New("SELECT p.model, p.lists, p.vectors, p.probes, p.candidates, p.recall, p.trained_at,"+
		" (SELECT count(*) FROM "+sc.Tables.Embeddings+" e WHERE e.model = p.model AND e.row_id > p.last_row),"+
		" (SELECT count(*) FROM "+sc.Tables.Lists+" l WHERE l.partition_id = p.id AND l.list = ?)"+
		" FROM "+sc.Tables.Partitions+" p WHERE p.state = 'serving'", unlisted).Append(condition).Add(" ORDER BY p.model")
	found, err := query.All(db, q, func(s *store.Training) []any {
		return []any{&s.Model, &s.Lists, &s.Vectors, &s.Probes, &s.Candidates, &s.Recall, (*record.Instant)(&s.TrainedAt), &s.Since, &s.Unlisted}
	})
	return query.Values(found), err
}

// eachVector calls each with the vectors of some rows, in the order of rows, which must be
// ascending. Rows that are gone are left out.
func (t *trainer) eachVector(ctx context.Context, rows []int64, each func(row int64, v []float32)) error {
	const batch = 500
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := rows[:min(batch, len(rows))]
		rows = rows[len(part):]
		q := query.New("SELECT e.row_id, e.embedding FROM json_each(?) j CROSS JOIN "+t.sc.Tables.Embeddings+" e ON e.row_id = j.value", jsonOf(part))
		err := q.Rows(t.db, func(rows *sql.Rows) error {
			row, v, err := scanVector(rows, t.dimensions)
			if err == nil {
				each(row, v)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
	}
	return nil
}
