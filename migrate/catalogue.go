package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// object identifies an object of the schema: a table, or a column, constraint, index or trigger
// of a table. The name of a table is empty, and so is that of a function, whose own stands in
// place of the table's.
type object struct{ kind, table, name string }

// catalogue maps objects to their definitions.
type catalogue map[object]string

// diff returns how got differs from c, in no order.
func (c catalogue) diff(got catalogue) []Drift {
	var drifts []Drift
	for o, want := range c {
		found, ok := got[o]
		switch {
		case ok && found != want:
			drifts = append(drifts, o.drift(DriftAltered, want, found))
		case !ok && !c.inMissingTable(o, got):
			drifts = append(drifts, o.drift(DriftMissing, want, ""))
		}
	}
	for o, found := range got {
		if _, ok := c[o]; !ok && o.kind == "column" && needsValue(found) {
			drifts = append(drifts, o.drift(DriftExtra, "", found))
		}
	}
	return drifts
}

// inMissingTable tells whether o belongs to a table that got lacks. The missing table is then
// reported alone.
func (c catalogue) inMissingTable(o object, got catalogue) bool {
	table := object{kind: "table", table: o.table}
	_, wanted := c[table]
	_, found := got[table]
	return o != table && wanted && !found
}

// needsValue tells whether an INSERT that leaves the column out fails.
func needsValue(column string) bool {
	column = strings.ToLower(column)
	return strings.Contains(column, "not null") &&
		!strings.Contains(column, "default") && !strings.Contains(column, "generated")
}

func (o object) drift(kind, want, got string) Drift {
	name := o.table
	if o.name != "" {
		name += "." + o.name
	}
	return Drift{Kind: kind, Object: o.kind, Name: name, Want: want, Got: got}
}

// readObjects reads a catalogue from rows of kind, table, name and definition.
func readObjects(ctx context.Context, q querier, query string, args ...any) (catalogue, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("convostore: read the catalogue: %w", err)
	}
	defer rows.Close()
	c := catalogue{}
	for rows.Next() {
		var o object
		var definition string
		if err := rows.Scan(&o.kind, &o.table, &o.name, &definition); err != nil {
			return nil, fmt.Errorf("convostore: read the catalogue: %w", err)
		}
		c[o] = definition
	}
	return c, rows.Err()
}

// renamed returns the catalogue as it would be with the prefix to in place of from.
func (c catalogue) renamed(from, to string) catalogue {
	renamed := make(catalogue, len(c))
	for o, definition := range c {
		o.table, o.name = strings.ReplaceAll(o.table, from, to), strings.ReplaceAll(o.name, from, to)
		renamed[o] = strings.ReplaceAll(definition, from, to)
	}
	return renamed
}

// names returns the names of the tables and functions, separated by commas.
func (c catalogue) names() string {
	var names []string
	for o := range c {
		if o.name == "" {
			names = append(names, o.table)
		}
	}
	return strings.Join(names, ",")
}

// fingerprint is the same for equal catalogues alone.
func (c catalogue) fingerprint() [sha256.Size]byte {
	order := slices.SortedFunc(maps.Keys(c), func(a, b object) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.table, b.table), cmp.Compare(a.name, b.name))
	})
	sum := sha256.New()
	for _, o := range order {
		fmt.Fprintf(sum, "%q %q %q %q\n", o.kind, o.table, o.name, c[o])
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
