package migrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Step is one migration, and whether the database has it.
type Step struct {
	Version int64
	Name    string
	// AppliedAt is nil for a migration that has not run.
	AppliedAt *time.Time
}

// Status returns the migrations that this code knows and those that the database has, oldest
// first. If a newer release has migrated the database, some of them are unknown to this code. It
// may run inside the host's transaction, like Version. Bad options are a *rule.InvalidError.
func Status(ctx context.Context, db *gorm.DB, o Options) ([]Step, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	if m.steps, err = list(files, m.dialect); err != nil {
		return nil, err
	}
	return m.status(ctx, q)
}

func (m *migrator) status(ctx context.Context, q querier) ([]Step, error) {
	steps, err := m.applied(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, k := range m.steps {
		if !slices.ContainsFunc(steps, func(s Step) bool { return s.Version == k.version }) {
			steps = append(steps, Step{Version: k.version, Name: k.name})
		}
	}
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(a.Version, b.Version) })
	return steps, nil
}

// applied returns the migrations that the database has, in no order.
func (m *migrator) applied(ctx context.Context, q querier) ([]Step, error) {
	table, where := record, ""
	if m.host != "" {
		table, where = hostRecord, " WHERE host = '"+m.host+"'"
	}
	there, err := m.exists(ctx, q, table)
	if err != nil || !there {
		return nil, err
	}
	// As a text that is no time, because every driver reads it in the same way, whatever its DSN
	// says about times.
	at := "'at ' || applied_at"
	if m.dialect == postgres {
		at = `to_char(applied_at AT TIME ZONE 'UTC', '"at "YYYY-MM-DD HH24:MI:SS.US"+00:00"')`
	}
	rows, err := q.QueryContext(ctx, "SELECT version, name, "+at+" FROM "+m.quoted(table)+where)
	if err != nil {
		return nil, fmt.Errorf("convostore: read what has run: %w", err)
	}
	defer rows.Close()
	var steps []Step
	for rows.Next() {
		var s Step
		var text string
		if err := rows.Scan(&s.Version, &s.Name, &text); err != nil {
			return nil, fmt.Errorf("convostore: read what has run: %w", err)
		}
		applied, err := time.Parse("at 2006-01-02 15:04:05.999999999-07:00", text)
		if err != nil {
			return nil, fmt.Errorf("convostore: when migration %d ran: %w", s.Version, err)
		}
		applied = applied.UTC()
		s.AppliedAt = &applied
		steps = append(steps, s)
	}
	return steps, rows.Err()
}
