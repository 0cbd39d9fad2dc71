package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// online tells whether a step has to be done in parts: it has begun so, or it has an annotated
// statement for a table with rows.
func (m *migrator) online(ctx context.Context, q querier, s step) (bool, error) {
	list, err := parse(s.up)
	if err != nil {
		return false, fmt.Errorf("convostore: migration %s: %w", s, err)
	}
	p, err := m.readProgress(ctx, q, s)
	if err != nil || p.begun {
		return p.begun, err
	}
	for _, st := range list {
		if apart, err := m.apart(ctx, q, st); apart || err != nil {
			return apart, err
		}
	}
	return false, nil
}

// apart tells whether a statement is a part of its own: its annotation matters in this dialect,
// and its table has rows.
func (m *migrator) apart(ctx context.Context, q querier, st statement) (bool, error) {
	switch {
	case st.kind == "", m.dialect == sqlite && st.kind != batch:
		return false, nil
	case st.kind != batch && st.kind != concurrently && st.kind != validate:
		return false, fmt.Errorf("convostore: no annotation %q of a statement: %s", st.kind, headline(st.sql))
	}
	return m.filled(ctx, q, st.table)
}

// filled tells whether a table, quoted, exists and has rows.
func (m *migrator) filled(ctx context.Context, q querier, table string) (there bool, err error) {
	look := "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = '" + escaped(strings.Trim(table, `"`)) + "'"
	if m.dialect == postgres {
		look = "SELECT to_regclass('" + escaped(table) + "') IS NOT NULL"
	}
	if err := scanRow(ctx, q, look, &there); err != nil || !there {
		return false, err
	}
	err = scanRow(ctx, q, "SELECT EXISTS (SELECT 1 FROM "+table+")", &there)
	return there, err
}

// upOnline does a step in parts: each in a transaction of its own or in none, so that no table is
// locked for longer than a moment. After each part it notes how far it is. An error or a kill
// leaves the parts that are done, and the next call goes on after them.
func (m *migrator) upOnline(ctx context.Context, s step) error {
	list, err := parse(s.up)
	if err != nil {
		return err
	}
	begin := time.Now()
	err = m.guarded(ctx, func() error {
		for {
			p, st, err := m.nextPart(ctx, s, list)
			if err != nil || p.finished {
				return err
			}
			if st != nil {
				if err := m.runApart(ctx, s, *st, p); err != nil {
					return err
				}
			}
		}
	})
	if err != nil {
		return fmt.Errorf("convostore: migration %s: %w", s, err)
	}
	m.tell(s.of(EventApplied, begin))
	return nil
}

// nextPart runs the statements up to the next one that is a part of its own, in one transaction.
// It returns this one, and the progress before it. The last statement of a step records it, so
// that the step is finished with the transaction that runs it.
func (m *migrator) nextPart(ctx context.Context, s step, list []statement) (p progress, next *statement, err error) {
	var ran []statement
	begin := time.Now()
	err = m.work(ctx, func(q querier) error {
		next, ran, begin = nil, nil, time.Now()
		if p, err = m.readProgress(ctx, q, s); err != nil || p.finished {
			return err
		}
		for _, st := range list[p.done:] {
			apart, err := m.apart(ctx, q, st)
			if err != nil {
				return err
			}
			if apart {
				next = &st
				break
			}
			ran = append(ran, st)
		}
		return m.runTogether(ctx, q, s, &p, ran, len(list))
	})
	if records := p.finished && len(ran) == 1; err == nil && len(ran) > 0 && !records {
		e := s.of(EventPart, begin)
		e.What = headline(ran[0].sql)
		m.tell(e)
	}
	return p, next, err
}

// runTogether runs statements in the caller's transaction and notes them as done.
func (m *migrator) runTogether(ctx context.Context, q querier, s step, p *progress, ran []statement, all int) error {
	var texts []string
	for _, st := range ran {
		texts = append(texts, st.sql)
	}
	if err := m.lockTables(ctx, q, texts); err != nil {
		return err
	}
	for _, text := range texts {
		if err := m.execute(ctx, q, text); err != nil {
			return err
		}
	}
	if p.done += len(ran); p.done == all {
		p.finished = true
		return m.dropProgress(ctx, q, s)
	}
	return m.writeProgress(ctx, q, s, *p)
}

// runApart runs a statement that is a part of its own and notes it as done.
func (m *migrator) runApart(ctx context.Context, s step, st statement, p progress) error {
	begin, rows := time.Now(), int64(-1)
	var err error
	switch st.kind {
	case batch:
		rows, err = m.runBatches(ctx, s, st, p)
	case concurrently:
		err = m.buildIndex(ctx, st)
	case validate:
		err = m.addValidated(ctx, st)
	}
	if err != nil {
		return err
	}
	p.done, p.after = p.done+1, ""
	if err := m.work(ctx, func(q querier) error { return m.writeProgress(ctx, q, s, p) }); err != nil {
		return err
	}
	e := s.of(EventPart, begin)
	e.What, e.Rows = headline(st.sql), rows
	m.tell(e)
	return nil
}

// plainSteps runs steps in the caller's transaction, whose tables it locks beforehand, up to the
// first that is to be done in parts, which it returns.
func (m *migrator) plainSteps(ctx context.Context, q querier, steps []step) (ran []Event, next *step, err error) {
	end := len(steps)
	var texts []string
	for i, s := range steps {
		apart, err := m.online(ctx, q, s)
		if err != nil {
			return nil, nil, err
		}
		if apart {
			next, end = &steps[i], i
			break
		}
		texts = append(texts, statements(s.up)...)
	}
	if err := m.lockTables(ctx, q, texts); err != nil {
		return nil, nil, err
	}
	for _, s := range slices.Clone(steps[:end]) {
		begin := time.Now()
		if err := m.run(ctx, q, s, s.up); err != nil {
			return nil, nil, err
		}
		ran = append(ran, s.of(EventApplied, begin))
	}
	return ran, next, nil
}
