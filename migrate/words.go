package migrate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/naming"
)

// words returns the SQL that makes the index of words alone and the one that drops it, of the
// migration of search.
func (m *migrator) words() (up, down string, err error) {
	p := newPage(m.dialect, m.options)
	p.FullText, p.OnlyWords, p.Trigrams, p.VectorIndex, p.Extensions = true, true, false, false, false
	base := path.Join("sql", m.dialect, fmt.Sprintf("%04d_%s", searchVersion, searchName))
	if up, err = p.fill(m.files, base+".up.sql"); err != nil {
		return "", "", err
	}
	down, err = p.fill(m.files, base+".down.sql")
	return up, down, err
}

// renewWords drops the index of words and makes it again, with everything noted to be read: what
// was written past it is found again.
func (m *migrator) renewWords(ctx context.Context, q querier) error {
	up, down, err := m.words()
	if err != nil {
		return err
	}
	if err := m.lockTables(ctx, q, append(statements(down), statements(up)...)); err != nil {
		return err
	}
	if err := m.execute(ctx, q, down+up); err != nil {
		return fmt.Errorf("convostore: make the index of words: %w", err)
	}
	return m.recordWords(ctx, q, "options || ' "+fullTextPart+"'", "NOT LIKE")
}

// dropWords drops the index of words.
func (m *migrator) dropWords(ctx context.Context, q querier) error {
	_, down, err := m.words()
	if err != nil {
		return err
	}
	if err := m.lockTables(ctx, q, statements(down)); err != nil {
		return err
	}
	if err := m.execute(ctx, q, down); err != nil {
		return fmt.Errorf("convostore: drop the index of words: %w", err)
	}
	return m.recordWords(ctx, q, "replace(options, ' "+fullTextPart+"', '')", "LIKE")
}

// recordWords changes which parts of search are recorded, if full text is among them or not.
func (m *migrator) recordWords(ctx context.Context, q querier, options, like string) error {
	query := fmt.Sprintf("UPDATE %s SET options = %s WHERE version = %d AND options %s '%%%s%%'",
		m.quoted(record), options, searchVersion, like, fullTextPart)
	if _, err := q.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("convostore: record the index of words: %w", err)
	}
	return nil
}

// ofWords tells whether an object belongs to the index of words: one of its tables or a part of
// it, or one of its triggers or their functions.
func (m *migrator) ofWords(o object) bool {
	is := func(names []string, name string) bool {
		rest, ours := strings.CutPrefix(name, m.options.Prefix)
		return ours && slices.Contains(names, rest)
	}
	triggers := naming.SearchTriggers(m.dialect)
	return is(naming.Search(), o.table) || o.kind == "trigger" && is(triggers, o.name) || o.kind == "function" && is(triggers, o.table)
}

// fitCluster leaves out the index of words where a Citus cluster has the tables: distributed
// tables take no triggers.
func (m *migrator) fitCluster(ctx context.Context, q querier) error {
	if m.dialect != postgres || m.host != "" || m.options.WithoutFullText {
		return nil
	}
	distributed, err := m.distributed(ctx, q)
	if err != nil || !distributed {
		return err
	}
	m.options.WithoutFullText = true
	m.steps, err = render(m.files, newPage(m.dialect, m.options))
	return err
}

// distributed tells whether a Citus cluster has spread the tables over its nodes.
func (m *migrator) distributed(ctx context.Context, q querier) (there bool, err error) {
	if err := scanRow(ctx, q, "SELECT "+isCitus, &there); err != nil || !there {
		return false, err
	}
	err = scanRow(ctx, q, "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE partmethod <> 'n' AND logicalrelid = to_regclass("+
		literal(m.quoted(naming.Conversations))+"))", &there)
	return there, err
}
