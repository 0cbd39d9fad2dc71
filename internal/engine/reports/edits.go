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
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return e, err
	}
	q := s.liveSuggestions(query.New("SELECT count(*)"), p).Add(" AND s.status = 'approved'")
	if _, err := q.Row(db, &e.Unchanged); err != nil {
		return e, query.Wrap("report edit distances", err)
	}
	e.Decided = e.Unchanged
	q = s.liveSuggestions(query.New("SELECT s.suggested_content, s.edited_content"), p).Add(" AND s.status = 'edited'")
	var compared distances
	start := e // a read that is repeated on the primary begins again from here
	err = q.Read(db, func() { e, compared = start, distances{} }, func(rows *sql.Rows) error {
		var before, after record.Text
		if err := rows.Scan(&before, &after); err != nil {
			return err
		}
		compareTexts(&e, &compared, string(before), string(after))
		return nil
	})
	compared.sumUp(&e)
	return e, query.Wrap("report edit distances", err)
}

// distances holds, for each pair of texts that was compared, its edit distance, and this as a
// share of the longer text.
type distances struct {
	edits  []int64
	shares []float64
}

// compareTexts counts one decided suggestion in e. It adds the distance to compared, unless the
// texts are equal or one is longer than store.MaxEditText.
func compareTexts(e *store.EditDistances, compared *distances, before, after string) {
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
	compared.edits = append(compared.edits, d)
	compared.shares = append(compared.shares, float64(d)/float64(longer))
}

// sumUp sets the averages and percentiles of e, none if nothing was compared.
func (d *distances) sumUp(e *store.EditDistances) {
	n := int64(len(d.edits))
	if e.Compared = n; n == 0 {
		return
	}
	slices.Sort(d.edits)
	slices.Sort(d.shares) // so that the sum does not depend on the order of the rows
	var total int64
	var shares float64
	for i, edit := range d.edits {
		total, shares = total+edit, shares+d.shares[i]
	}
	e.Mean, e.MeanShare = new(float64(total)/float64(n)), new(shares/float64(n))
	e.Median, e.P90 = new(d.percentile(50)), new(d.percentile(90))
}

// percentile interpolates as that of waitSums does. The distances must be sorted.
func (d *distances) percentile(p int64) float64 {
	at := (int64(len(d.edits)) - 1) * p
	low, remainder := d.edits[at/100], at%100
	if remainder == 0 {
		return float64(low)
	}
	return float64(low*100+(d.edits[at/100+1]-low)*remainder) / 100
}
