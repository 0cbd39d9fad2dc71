package migrate

import (
	"context"
	"strings"
)

// execute runs the SQL of a migration. On PostgreSQL it sends one statement at a time, because
// Citus forwards the text to the shards, which accept only one statement.
func (m *migrator) execute(ctx context.Context, q querier, sql string) error {
	list := []string{sql}
	if m.dialect == postgres {
		list = statements(sql)
	}
	for _, s := range list {
		if _, err := q.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// statements splits the SQL of this package after each semicolon that ends a line, outside dollar
// quotes. A comment belongs to the statement that follows it.
func statements(sql string) (list []string) {
	var b strings.Builder
	quoted := false
	for line := range strings.Lines(sql) {
		b.WriteString(line)
		quoted = quoted != (strings.Count(line, "$$")%2 == 1)
		code, _, _ := strings.Cut(line, "--")
		if !quoted && strings.HasSuffix(strings.TrimSpace(code), ";") {
			list = append(list, b.String())
			b.Reset()
		}
	}
	if strings.TrimSpace(b.String()) != "" {
		list = append(list, b.String())
	}
	return list
}
