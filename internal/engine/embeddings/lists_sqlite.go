package embeddings

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
)

// unlisted is the list of the vectors that have none yet. A trigger puts each new vector there,
// whoever writes it, and every search reads it.
const unlisted = -1

// Partition is how the vectors of a model are divided among lists, on SQLite alone.
type Partition struct {
	ID int64
	// Vectors is how many there were when it was made.
	Vectors int64
	// Probes is how many lists a search reads at least.
	Probes int
	// Candidates is how many vectors a search compares after their codes.
	Candidates int
	*vector.Lists
}

// ServingPartition returns the partition by which searches go, or nil if there is none.
func ServingPartition(sc scope.Scope, db query.Conn, model string) (*Partition, error) {
	p := &Partition{}
	q := query.New("SELECT id, vectors, probes, candidates FROM "+sc.Tables.Partitions+" WHERE model = ? AND state = 'serving'", model)
	found, err := q.Row(db, &p.ID, &p.Vectors, &p.Probes, &p.Candidates)
	if err != nil || !found {
		return nil, err
	}
	if p.Lists = sc.Lists.Get(model, p.ID); p.Lists != nil {
		return p, nil
	}
	if p.Lists, err = readCentroids(sc, db, p.ID); err != nil || p.Lists == nil {
		return nil, err
	}
	sc.Lists.Put(model, p.ID, p.Lists)
	return p, nil
}

// readCentroids returns the lists of a partition, or nil if it has none any more.
func readCentroids(sc scope.Scope, db query.Conn, partition int64) (*vector.Lists, error) {
	var centroids [][]float32
	q := query.New("SELECT centroid FROM "+sc.Tables.Centroids+" WHERE partition_id = ? ORDER BY list", partition)
	err := q.Read(db, func() { centroids = nil }, func(rows *sql.Rows) error {
		var raw sql.RawBytes
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		dimensions, ok := vector.Dimensions(raw)
		if !ok {
			return fmt.Errorf("a centroid of partition %d has %d bytes", partition, len(raw))
		}
		centroids = append(centroids, vector.Decode(raw, dimensions))
		return nil
	})
	if err != nil || len(centroids) == 0 {
		return nil, err
	}
	return vector.NewLists(centroids), nil
}

// ReadCodes adds the codes of some lists to ranked, by their distance to code. In the scope of a
// user it reads the codes of that user.
func (p *Partition) ReadCodes(sc scope.Scope, db query.Conn, lists []int, code []uint64, ranked *Ranked) error {
	chosen, err := json.Marshal(lists)
	if err != nil {
		return err
	}
	q := query.New("SELECT l.row_id, l.code FROM json_each(?) j CROSS JOIN "+sc.Tables.Lists+
		" l WHERE l.partition_id = ? AND l.list = j.value", string(chosen), p.ID)
	bytes := vector.CodeBytes(len(p.Centroid(0)))
	var row int64
	var raw sql.RawBytes
	return sc.Owned(q, "l.").Rows(db, func(rows *sql.Rows) error {
		if err := rows.Scan(&row, &raw); err != nil {
			return err
		}
		if len(raw) != bytes {
			return fmt.Errorf("the code of vector %d has %d bytes", row, len(raw))
		}
		ranked.Add(row, vector.HammingBytes(code, raw))
		return nil
	})
}

// Ranked returns all lists for a vector: first that of the vectors without a list, then that of
// the nearest centroid.
func (p *Partition) Ranked(v []float32) []int { return append([]int{unlisted}, p.Rank(v)...) }

// listed is a vector and the list it belongs to.
type listed struct {
	row  int64
	list int
}

// giveLists moves the vectors of the scope's user that have no list yet to the lists they belong
// to. It must run in the transaction that wrote them. It also moves those that somebody wrote
// without this package. Where the model has no partition it does nothing.
func giveLists(sc scope.Scope, db query.Conn, model string) error {
	if !sc.Dialect.VectorLists() {
		return nil
	}
	p, err := ServingPartition(sc, db, model)
	if err != nil || p == nil {
		return err
	}
	for {
		moved, err := p.giveSome(sc, db)
		if err != nil || moved < listBatch {
			return err
		}
	}
}

// listBatch is the most vectors that giveSome moves.
const listBatch = 500

func (p *Partition) giveSome(sc scope.Scope, db query.Conn) (int, error) {
	q := query.New("SELECT l.row_id, e.embedding FROM "+sc.Tables.Lists+" l CROSS JOIN "+sc.Tables.Embeddings+
		" e ON e.row_id = l.row_id WHERE l.partition_id = ? AND l.list = ? AND l.user_id = ? LIMIT ?", p.ID, unlisted, sc.User, listBatch)
	found, err := p.nearestOf(db, q)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	pairs, rows := pairsOf(found)
	move := "INSERT INTO " + sc.Tables.Lists + " (partition_id, list, user_id, row_id, code)" +
		" SELECT l.partition_id, j.value ->> 1, l.user_id, l.row_id, l.code FROM json_each(?) j CROSS JOIN " + sc.Tables.Lists +
		" l ON l.row_id = j.value ->> 0 AND l.partition_id = ? AND l.list = ? AND l.user_id = ?"
	if _, err := query.New(move, pairs, p.ID, unlisted, sc.User).Exec(db); err != nil {
		return 0, err
	}
	_, err = query.New("DELETE FROM "+sc.Tables.Lists+" WHERE partition_id = ? AND list = ? AND user_id = ?"+
		" AND row_id IN (SELECT value FROM json_each(?))", p.ID, unlisted, sc.User, rows).Exec(db)
	return len(found), err
}

// nearestOf returns the lists of vectors, whose row_ids and embeddings q selects.
func (p *Partition) nearestOf(db query.Conn, q *query.Query) (found []listed, err error) {
	err = q.Rows(db, func(rows *sql.Rows) error {
		row, v, err := scanVector(rows, len(p.Centroid(0)))
		if err == nil {
			found = append(found, listed{row, p.Nearest(v)})
		}
		return err
	})
	return found, err
}

// scanVector reads a row_id and an embedding.
func scanVector(rows *sql.Rows, dimensions int) (row int64, v []float32, err error) {
	var raw sql.RawBytes
	if err := rows.Scan(&row, &raw); err != nil {
		return 0, nil, err
	}
	if got, ok := vector.Dimensions(raw); !ok || got != dimensions {
		return 0, nil, fmt.Errorf("vector %d has %d bytes", row, len(raw))
	}
	return row, vector.Decode(raw, dimensions), nil
}

// pairsOf returns JSON arrays: of pairs of row_id and list, and of the row_ids alone.
func pairsOf(found []listed) (pairs, rows string) {
	p, r := make([][2]int64, len(found)), make([]int64, len(found))
	for i, f := range found {
		p[i], r[i] = [2]int64{f.row, int64(f.list)}, f.row
	}
	pairsJSON, _ := json.Marshal(p) // numbers never fail
	rowsJSON, _ := json.Marshal(r)
	return string(pairsJSON), string(rowsJSON)
}
