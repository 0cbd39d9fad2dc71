package reports

import (
	"context"
	"database/sql"
	"slices"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/store"
)

func (s reports) EditDistances(ctx context.Context, p store.Period) (store.EditDistances, error) {
	var e store.EditDistances
	p, db, err := s.over(ctx, p)
	if err != nil {
		return e, err
	}
	q := s.liveSuggestions(query.New("SELECT count(*)"), p).Add(" AND s.status = 'approved'")
	if _, err := q.Row(db, &e.Unchanged); err != nil {
		return e, query.Wrap("report edit distances", err)
	}
	e.Decided = e.Unchanged
	q = s.liveSuggestions(query.New("SELECT s.suggested_content, s.edited_content"), p).Add(" AND s.status = 'edited'")
	var changes edits
	unchanged := e
	err = q.Read(db, func() { e, changes = unchanged, edits{} }, func(rows *sql.Rows) error {
		var before, after record.Text
		if err := rows.Scan(&before, &after); err != nil {
			return err
		}
		count(&e, &changes, string(before), string(after))
		return nil
	})
	changes.sumUp(&e)
	return e, query.Wrap("report edit distances", err)
}

// edits are what was compared: the distances, and their shares of the longer text.
type edits struct {
	distances []int64
	shares    []float64
}

func count(e *store.EditDistances, changes *edits, before, after string) {
	e.Decided++
	if before == after {
		e.Unchanged++
		return
	}
	longer := max(utf8.RuneCountInString(before), utf8.RuneCountInString(after))
	if longer > store.MaxEditText {
		e.TooLong++
		return
	}
	d := int64(levenshtein.ComputeDistance(before, after))
	changes.distances = append(changes.distances, d)
	changes.shares = append(changes.shares, float64(d)/float64(longer))
}

func (c *edits) sumUp(e *store.EditDistances) {
	n := int64(len(c.distances))
	if e.Compared = n; n == 0 {
		return
	}
	slices.Sort(c.distances)
	slices.Sort(c.shares) // so that the sum does not depend on the order of the rows
	var total int64
	var shares float64
	for i, d := range c.distances {
		total, shares = total+d, shares+c.shares[i]
	}
	e.Mean, e.MeanShare = new(float64(total)/float64(n)), new(shares/float64(n))
	e.Median, e.P90 = new(c.percentile(50)), new(c.percentile(90))
}

// percentile is that of Durations, of sorted distances.
func (c *edits) percentile(p int64) float64 {
	at := (int64(len(c.distances)) - 1) * p
	low, rest := c.distances[at/100], at%100
	if rest == 0 {
		return float64(low)
	}
	return float64(low*100+(c.distances[at/100+1]-low)*rest) / 100
}
