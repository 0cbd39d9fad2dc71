package embeddings

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/vector"
)

const (
	// asked is how many vectors the measurement looks for the neighbours of, and neighbours how
	// many of them.
	asked, neighbours = 100, 10
	// wantedRecall is the share of the neighbours that the lists have to have: more than a
	// search promises, since what is asked later is not like the vectors of the sample.
	wantedRecall = 0.995
	// margin multiplies what it took, for the same reason.
	margin, leastProbes, leastDepth = 2, 8, 200
)

// measurement is what a training found out about its lists.
type measurement struct {
	probes, depth int
	recall        float64
}

// question is a vector whose neighbours are looked for, and what was found.
type question struct {
	row    int64
	vector []float32
	code   []uint64
	// near has the vectors whose codes are nearest, and their lists.
	near []nearCode
}

type nearCode struct {
	listed
	distance int
	// place is that among all codes, the nearest first.
	place      int
	similarity float64
}

// measure finds how many lists a search has to read for the recall that is wanted, and how many
// vectors to compare: it looks for
// the neighbours of some vectors through all codes, and sees in which lists they are.
func (t *trainer) measure(ctx context.Context, p *Partition) (measurement, error) {
	questions, err := t.questions(ctx)
	if err != nil || len(questions) == 0 {
		return measurement{probes: p.Len(), depth: DefaultDepth, recall: 1}, err
	}
	for list := range p.Len() {
		if err := ctx.Err(); err != nil {
			return measurement{}, err
		}
		if err := t.ask(p, list, questions); err != nil {
			return measurement{}, err
		}
	}
	// How many neighbours are in the list of each rank, and how many at each place among the codes.
	ranks, places := make([]int, p.Len()), make([]int, DefaultDepth)
	for _, q := range questions {
		if err := t.compareNear(ctx, q); err != nil {
			return measurement{}, err
		}
		q.count(p, ranks, places)
	}
	m := measurement{probes: min(p.Len(), max(leastProbes, margin*firstWith(ranks))), depth: min(DefaultDepth, max(leastDepth, margin*firstWith(places)))}
	m.recall = float64(sum(ranks[:m.probes])) / float64(max(sum(ranks), 1))
	return m, nil
}

// count adds the neighbours to the numbers at the ranks of their lists and at their places.
func (q *question) count(p *Partition, ranks, places []int) {
	rank := make([]int, p.Len())
	for i, list := range p.Rank(q.vector) {
		rank[list] = i
	}
	for _, n := range q.near {
		ranks[rank[n.list]]++
		places[n.place]++
	}
}

// firstWith returns how many of the first numbers have the recall that is wanted.
func firstWith(numbers []int) int {
	wanted := wantedRecall * float64(sum(numbers))
	for n := range numbers {
		if float64(sum(numbers[:n])) >= wanted {
			return n
		}
	}
	return len(numbers)
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

func (t *trainer) questions(ctx context.Context) (questions []*question, err error) {
	rows, err := t.sample(asked)
	if err != nil {
		return nil, err
	}
	err = t.eachVector(ctx, rows, func(row int64, v []float32) {
		questions = append(questions, &question{row: row, vector: v, code: vector.Code(v)})
	})
	return questions, err
}

// ask compares the codes of a list with those of the questions.
func (t *trainer) ask(p *Partition, list int, questions []*question) error {
	q := query.New("SELECT row_id, code FROM "+t.sc.Tables.Lists+" WHERE partition_id = ? AND list = ?", p.ID, list)
	return q.Rows(t.db, func(rows *sql.Rows) error {
		var row int64
		var raw sql.RawBytes
		if err := rows.Scan(&row, &raw); err != nil {
			return err
		}
		for _, q := range questions {
			if row != q.row {
				q.add(nearCode{listed: listed{row, list}, distance: vector.HammingBytes(q.code, raw)})
			}
		}
		return nil
	})
}

// add keeps a code if it is among the nearest. It sorts only now and then.
func (q *question) add(n nearCode) {
	if q.near = append(q.near, n); len(q.near) == 4*DefaultDepth {
		q.nearest(DefaultDepth, func(a, b nearCode) int { return cmp.Compare(a.distance, b.distance) })
	}
}

func (q *question) nearest(n int, compare func(a, b nearCode) int) {
	slices.SortFunc(q.near, func(a, b nearCode) int { return cmp.Or(compare(a, b), cmp.Compare(a.row, b.row)) })
	q.near = q.near[:min(n, len(q.near))]
}

// compareNear leaves the true neighbours among the vectors with the nearest codes.
func (t *trainer) compareNear(ctx context.Context, q *question) error {
	q.nearest(DefaultDepth, func(a, b nearCode) int { return cmp.Compare(a.distance, b.distance) })
	for i := range q.near {
		q.near[i].place = i
	}
	slices.SortFunc(q.near, func(a, b nearCode) int { return cmp.Compare(a.row, b.row) })
	rows, at := make([]int64, len(q.near)), map[int64]int{}
	for i, n := range q.near {
		rows[i], at[n.row] = n.row, i
	}
	norm := vector.Norm(q.vector)
	err := t.eachVector(ctx, rows, func(row int64, v []float32) {
		q.near[at[row]].similarity = float64(vector.Dot(q.vector, v)) / (norm * vector.Norm(v))
	})
	q.nearest(neighbours, func(a, b nearCode) int { return cmp.Compare(b.similarity, a.similarity) })
	return err
}

func jsonOf(rows []int64) string {
	list, _ := json.Marshal(rows) // numbers never fail
	return string(list)
}
