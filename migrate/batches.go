package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// tellEvery is the time between two events about a statement in batches.
const tellEvery = time.Second

// runBatches runs a statement for one range of keys after another, each in a transaction that
// also notes the end of the range, and returns the rows that it has changed. Rows that come while
// it runs are the business of those who write them, unless their keys are greater.
func (m *migrator) runBatches(ctx context.Context, s step, st statement, p progress) (rows int64, err error) {
	begin, told := time.Now(), time.Now()
	for {
		var changed int64
		var end string
		err := m.work(ctx, func(q querier) (err error) {
			if end, err = m.endOfBatch(ctx, q, st, p.after); err != nil {
				return err
			}
			if changed, err = m.runBatch(ctx, q, st, p.after, end); err != nil || end == "" {
				return err
			}
			noted := p
			noted.after = end
			return m.writeProgress(ctx, q, s, noted)
		})
		if err != nil {
			return rows, err
		}
		rows += changed
		if p.after = end; end == "" {
			return rows, nil
		}
		if time.Since(told) > tellEvery {
			told = time.Now()
			e := s.of(EventBatches, begin)
			e.What, e.Rows = headline(st.sql), rows
			m.tell(e)
		}
	}
}

// endOfBatch returns the last key of the batch after a key, or an empty text for the last batch.
// A key is a list of literals.
func (m *migrator) endOfBatch(ctx context.Context, q querier, st statement, after string) (end string, err error) {
	literal := "quote(%s)"
	if m.dialect == postgres {
		literal = "quote_literal(CAST(%s AS text))"
	}
	var parts []string
	for _, column := range st.key {
		parts = append(parts, fmt.Sprintf(literal, column))
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT 1 OFFSET %d",
		strings.Join(parts, " || ', ' || "), st.table, between(st, after, ""), strings.Join(st.key, ", "), st.rows-1)
	err = readRows(ctx, q, query, nil, func(rows *sql.Rows) error { return rows.Scan(&end) })
	if err != nil {
		return "", fmt.Errorf("convostore: the next batch of %s: %w", st.table, err)
	}
	return end, nil
}

func (m *migrator) runBatch(ctx context.Context, q querier, st statement, after, end string) (int64, error) {
	sql := strings.Replace(st.sql, batchMark, "("+between(st, after, end)+") AND", 1)
	result, err := q.ExecContext(ctx, sql)
	if err != nil {
		return 0, &statementError{sql: sql, err: err}
	}
	return result.RowsAffected()
}

// between is the condition that a key is after one and up to another, either of which may be
// empty for no bound.
func between(st statement, after, end string) string {
	key, conditions := "("+strings.Join(st.key, ", ")+")", []string{}
	if after != "" {
		conditions = append(conditions, key+" > ("+after+")")
	}
	if end != "" {
		conditions = append(conditions, key+" <= ("+end+")")
	}
	if len(conditions) == 0 {
		return "1 = 1"
	}
	return strings.Join(conditions, " AND ")
}
